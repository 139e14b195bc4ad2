"""``bronze.raw_items``: the posts of one source and one UTC day."""

from collections.abc import Iterable
from datetime import UTC, datetime

import dagster as dg

from issue_pipeline.assets.partition_keys import source_and_day_of
from issue_pipeline.failures import clear_failures
from issue_pipeline.partitions import source_day_partitions
from issue_pipeline.records import Post
from issue_pipeline.resources.collectors import CollectorsResource
from issue_pipeline.resources.duckdb import IssuesDatabase
from issue_pipeline.sql import bronze
from issue_pipeline.utils.urls import url_hash


@dg.asset(
    key=["bronze", "raw_items"],
    group_name="bronze",
    partitions_def=source_day_partitions,
    kinds={"python", "duckdb"},
    description=(
        "Every post that one source saw created on one UTC day, as it came, with its line in the"
        " completeness ledger `bronze.collections`. A complete collection replaces the source-day;"
        " an incomplete one only adds and updates; a failed one changes nothing."
    ),
)
def raw_items(
    context: dg.AssetExecutionContext, collectors: CollectorsResource, database: IssuesDatabase
) -> dg.MaterializeResult[None]:
    """Collect first, with no database open; then write in one short transaction."""
    source, day = source_and_day_of(context)
    with clear_failures(context):
        started_at = datetime.now(UTC)
        collection = collectors.collect(source, day)
        with database.write() as connection:
            entry = bronze.store_collection(
                connection,
                source,
                day,
                distinct(collection.posts),
                collection,
                started_at=started_at,
                finished_at=datetime.now(UTC),
            )
    if not entry.complete:
        context.log.warning(f"{source} {day} is incomplete: {entry.reason}")
    return dg.MaterializeResult(
        metadata={
            "dagster/partition_row_count": entry.stored_count,
            "complete": entry.complete,
            "reason": entry.reason or "-",
            "expected": entry.expected_count if entry.expected_count is not None else "not told",
            "fetched": entry.fetched_count,
            "dropped": dict(collection.dropped),
            "requests": entry.requests,
            "waited_s": round(entry.waited_s, 1),
        }
    )


def distinct(posts: Iterable[Post]) -> list[bronze.KeyedPost]:
    """Key posts by the hash of their permalink; of two with the same one the later counts."""
    return list(
        {key: bronze.KeyedPost(key, post) for post in posts if (key := url_hash(post.url))}.values()
    )
