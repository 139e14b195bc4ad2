"""``bronze.raw_items``: the posts of one source and one UTC day."""

from dataclasses import replace
from datetime import UTC, datetime

import dagster as dg

from issue_pipeline.assets.checks import BRONZE_CHECKS, DAY_IS_COMPLETE, bronze_checks
from issue_pipeline.assets.event_tags import collected_tags
from issue_pipeline.assets.failures import clear_failures
from issue_pipeline.assets.keys import RAW_ITEMS
from issue_pipeline.assets.metadata.tables import OWNERS, seconds_since, table_metadata
from issue_pipeline.assets.partition_keys import source_and_day_of
from issue_pipeline.partitions import source_day_partitions
from issue_pipeline.records import Collection, LedgerEntry
from issue_pipeline.resources.collectors import CollectorsResource
from issue_pipeline.resources.duckdb import IssuesDatabase
from issue_pipeline.sql import bronze
from issue_pipeline.utils.urls import url_hash


@dg.asset(
    key=RAW_ITEMS,
    check_specs=BRONZE_CHECKS,
    group_name="bronze",
    partitions_def=source_day_partitions,
    kinds={"python", "duckdb"},
    owners=OWNERS,
    metadata=table_metadata("bronze.raw_items"),
    description=(
        "Every post that one source saw created on one UTC day, as it came, with its line in the"
        " completeness ledger `bronze.collections`. A complete collection replaces the source-day,"
        " but removes many posts only if another run's agrees; an incomplete one only adds and"
        " updates; a failed one changes nothing."
    ),
)
def raw_items(
    context: dg.AssetExecutionContext, collectors: CollectorsResource, database: IssuesDatabase
) -> dg.MaterializeResult:  # type: ignore[type-arg]  # with checks, Dagster wants it bare
    """Collect first, with no database open; then write in one short transaction."""
    source, day = source_and_day_of(context)
    with clear_failures(context):
        started_at = datetime.now(UTC)
        collection, posts = distinct(collectors.collect(source, day))
        with database.write() as connection:
            entry = bronze.store_collection(
                connection,
                source,
                day,
                posts,
                collection,
                started_at=started_at,
                finished_at=datetime.now(UTC),
                run_id=context.run.run_id,
            )
        with database.read() as connection:
            checked = bronze_checks(connection, source, day)
            version = bronze.source_day_version(connection, source, day)
    reason = entry.reason if collection.complete else collection.reason
    if not collection.complete:
        context.log.warning(f"{source} {day} was not collected whole: {reason}")
    elif entry.pending_removal_count:
        context.log.warning(f"{source} {day}: {reason}")
    return dg.MaterializeResult(
        data_version=dg.DataVersion(version),
        # What waits for another run's word is collected again, too.
        tags=collected_tags(complete=entry.complete and not entry.pending_removal_count),
        metadata={
            "dagster/partition_row_count": entry.stored_count,
            "complete": entry.complete,
            "reason": reason or "-",
            "pending removals": entry.pending_removal_count,
            "expected": expected_count(collection),
            "fetched": collection.fetched_count,
            "dropped": dict(collection.dropped),
            "cut": collection.cut_count,
            "requests": collection.requests,
            "waited_s": round(collection.waited_s, 1),
            "seconds": seconds_since(started_at),
        },
        check_results=[day_is_complete(entry, collection), *checked],
    )


def day_is_complete(entry: LedgerEntry, collection: Collection) -> dg.AssetCheckResult:
    """Report whether the source-day is complete by the ledger, and if not, why."""
    told = entry.reason or "Every post of the day is stored."
    if entry.complete and not collection.complete:
        told = (
            "Collected whole before; this time only in part, which added to it and removed nothing:"
            f" {collection.reason}"
        )
    of = {"source": entry.source, "day": entry.collection_date.isoformat()}
    return DAY_IS_COMPLETE.result(entry.complete, told, of)


def expected_count(collection: Collection) -> int | str:
    """Return the number of posts that the source announced."""
    return "not told" if collection.expected_count is None else collection.expected_count


def distinct(collection: Collection) -> tuple[Collection, list[bronze.KeyedPost]]:
    """Key posts by the hash of their permalink.

    Returns:
        The collection, with the posts counted as dropped that share another's permalink; and one
        post for each permalink, the later of two.
    """
    keyed = {
        key: bronze.KeyedPost(key, post) for post in collection.posts if (key := url_hash(post.url))
    }
    if shared := len(collection.posts) - len(keyed):
        dropped = {**collection.dropped, "same address as another": shared}
        collection = replace(collection, dropped=dropped)
    return collection, list(keyed.values())
