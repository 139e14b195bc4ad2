"""``silver.clusters``: the posts of a day, clustered by their sentence embeddings."""

from dataclasses import replace
from datetime import UTC, datetime

import dagster as dg
from pydantic import Field

from issue_pipeline.assets.checks import SILVER_CHECKS, bronze_checks, require_sound, silver_checks
from issue_pipeline.assets.event_tags import clustered_tags
from issue_pipeline.assets.failures import clear_failures
from issue_pipeline.assets.keys import CLUSTERS, RAW_ITEMS
from issue_pipeline.assets.metadata.clusters import cluster_metadata
from issue_pipeline.assets.metadata.tables import OWNERS, seconds_since, table_metadata
from issue_pipeline.assets.partition_keys import day_of
from issue_pipeline.assets.preconditions import incomplete_sources, require_collected
from issue_pipeline.errors import StoreBusyError
from issue_pipeline.partitions import daily_partitions, sources_of_day
from issue_pipeline.records import ClusterRow
from issue_pipeline.resources.compute import ComputeResource
from issue_pipeline.resources.duckdb import IssuesDatabase
from issue_pipeline.resources.embedding import EmbeddingResource
from issue_pipeline.settings import (
    ClusteringMode,
    MinClusterSize,
    clustering_min_size,
    clustering_mode,
)
from issue_pipeline.sql import bronze, silver
from issue_pipeline.utils.clustering import (
    cluster_posts,
    cluster_quality,
    largest_first,
    outlier_ratio,
)
from issue_pipeline.utils.embeddings import clean_day, embed_texts, has_words

# Where dagster.yaml limits it, so many days at most are in the memory of this machine at once.
CLUSTERING_POOL = "clustering"


class ClusteringConfig(dg.Config):
    """How a day is clustered; a run may have its own, the environment has the defaults.

    Attributes:
        mode: ``smoothed``, or ``raw`` for HDBSCAN on the embeddings as they are.
        min_size: Fewest posts of a cluster; 0 for a 200th of the day, at least 5.
    """

    mode: ClusteringMode = Field(
        default_factory=clustering_mode,
        description="raw or smoothed. Default: CLUSTERING_MODE, where that is not set: smoothed.",
    )
    min_size: MinClusterSize = Field(
        default_factory=clustering_min_size,
        description=(
            "Fewest posts of a cluster; 0: a 200th of the day, at least 5. Default:"
            " CLUSTERING_MIN_SIZE, where that is not set: 0."
        ),
    )


@dg.asset(
    key=CLUSTERS,
    group_name="silver",
    partitions_def=daily_partitions,
    deps=[dg.AssetDep(RAW_ITEMS, partition_mapping=sources_of_day)],
    check_specs=SILVER_CHECKS,
    pool=CLUSTERING_POOL,
    kinds={"python", "duckdb", "huggingface"},
    owners=OWNERS,
    metadata=table_metadata("silver.clusters"),
    description=(
        "The day's posts of all sources, cleaned, embedded with all-MiniLM-L6-v2 and grouped by"
        " HDBSCAN. Every post is assigned exactly once, noise (-1) included."
    ),
)
def clusters(
    context: dg.AssetExecutionContext,
    config: ClusteringConfig,
    embedding: EmbeddingResource,
    compute: ComputeResource,
    database: IssuesDatabase,
) -> dg.MaterializeResult:  # type: ignore[type-arg]  # with checks, Dagster wants it bare
    """Read the day, cluster it with no database open, replace the day's clustering."""
    day, started_at = day_of(context), datetime.now(UTC)
    with clear_failures(context):
        with database.read() as connection:
            ledger = bronze.ledger_of_day(connection, day)
            items = bronze.items_of_day(connection, day)
            versions = bronze.day_versions(connection, day)
            for source in versions:
                require_sound(f"{source} {day}", bronze_checks(connection, source, day))
        require_collected(day, ledger)
        texts = [text.text for text in clean_day(items)]
        with compute.executor() as executor:
            vectors = embed_texts(texts, embedding.get_model())
            clustering = cluster_posts(
                texts,
                vectors,
                mode=config.mode,
                min_cluster_size=config.min_size or None,
                executor=executor,
            )
        # The items are in the order of their url_hash, which breaks ties of size.
        clustering = replace(clustering, labels=largest_first(clustering.labels))
        noise = outlier_ratio(clustering.labels)
        rows = [
            ClusterRow(
                cluster_id=cluster_id,
                cluster_size=quality.size,
                outlier_ratio=noise,
                mean_distance=quality.mean_distance,
                mode=clustering.mode,
                min_cluster_size=clustering.min_cluster_size,
            )
            for cluster_id, quality in enumerate(cluster_quality(vectors, clustering.labels))
        ]
        with database.write() as connection:
            if bronze.day_versions(connection, day) != versions:
                raise StoreBusyError(
                    f"A source brought something new of {day} while its posts were being clustered."
                    " Run silver/clusters again; nothing was changed."
                )
            silver.replace_day(
                connection,
                day,
                rows,
                zip((item.url_hash for item in items), clustering.labels.tolist(), strict=True),
            )
        with database.read() as connection:
            sizes = [row.cluster_size for row in rows]
            checked = silver_checks(connection, day, posts=len(items), sizes=sizes)
    if missing := incomplete_sources(ledger):
        context.log.warning(f"{day} is clustered without all of {', '.join(missing)}")
    return dg.MaterializeResult(
        tags=clustered_tags(versions, len(rows)),
        metadata={
            **cluster_metadata(rows, items, vectors, clustering.labels),
            "mode": clustering.mode,
            "min_cluster_size": clustering.min_cluster_size,
            "posts_without_words": sum(not has_words(text) for text in texts),
            "incomplete_sources": ", ".join(missing) or "-",
            "seconds": seconds_since(started_at),
            "source_versions": versions,
        },
        check_results=checked,
    )
