"""``gold.live_issues``: the labelled problems, published."""

from datetime import UTC, date, datetime

import dagster as dg
import duckdb

from issue_pipeline.assets.checks import LIVE_CHECKS, live_checks
from issue_pipeline.assets.failures import clear_failures
from issue_pipeline.assets.gold import require_labelled
from issue_pipeline.assets.keys import ISSUES, LIVE_ISSUES, PROBLEMS
from issue_pipeline.assets.metadata.tables import OWNERS, seconds_since, table_metadata
from issue_pipeline.assets.partition_keys import day_of
from issue_pipeline.assets.preconditions import incomplete_sources
from issue_pipeline.partitions import daily_partitions
from issue_pipeline.publishing.sync import LabelledDay, Published, sync_day
from issue_pipeline.resources.duckdb import IssuesDatabase
from issue_pipeline.resources.pocketbase import PocketBaseResource
from issue_pipeline.sql import bronze, gold, problems, silver


@dg.asset(
    key=LIVE_ISSUES,
    group_name="gold",
    partitions_def=daily_partitions,
    deps=[ISSUES, PROBLEMS],
    check_specs=LIVE_CHECKS,
    kinds={"python", "duckdb", "pocketbase"},
    owners=OWNERS,
    metadata=table_metadata("gold.live_issues"),
    description=(
        "The day's issues and all problems in PocketBase: created, updated and withdrawn until the"
        " live store shows exactly the day's good labels, their evidence, and the problems that"
        " they belong to. An issue keeps its record when its day is clustered again. The table says"
        " what became of each record."
    ),
)
def live_issues(
    context: dg.AssetExecutionContext, pocketbase: PocketBaseResource, database: IssuesDatabase
) -> dg.MaterializeResult:  # type: ignore[type-arg]  # with checks, Dagster wants it bare
    """Compare what gold says with what the live store holds, and write the difference."""
    day, started_at = day_of(context), datetime.now(UTC)
    with clear_failures(context):
        published = publish(day, database, pocketbase)
    return dg.MaterializeResult(
        metadata={
            "dagster/partition_row_count": published.issues,
            "published": published.issues,
            "written": published.written,
            "unchanged": published.issues - published.written,
            "withdrawn": published.withdrawn,
            "problems": published.problems,
            "problem_changes": published.problem_changes,
            "complete_day": published.complete,
            "seconds": seconds_since(started_at),
        },
        check_results=live_checks(published.differing, published.open_collections),
    )


def publish(day: date, database: IssuesDatabase, pocketbase: PocketBaseResource) -> Published:
    """Make the live store hold exactly a day's good labels, if these pass their checks.

    Raises:
        MissingInputError: The day was never collected, clustered or labelled.
        UnsoundInputError: Its labels fail a blocking check.
        LiveStoreError, StoreError: As :func:`issue_pipeline.publishing.sync.sync_day` says.
    """
    return sync_day(day, database, pocketbase, _read_day)


def _read_day(connection: duckdb.DuckDBPyConnection, day: date) -> LabelledDay:
    labels = require_labelled(connection, day)
    return LabelledDay(
        issues=labels,
        evidence=gold.evidence_of_day(connection, day),
        clusters=silver.members_of_day(connection, day),
        problems=problems.problems_of_day(connection, day),
        complete=not incomplete_sources(bronze.ledger_of_day(connection, day)),
    )
