"""``gold.live_issues``: the labelled problems, published."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
import duckdb

from issue_pipeline.assets.checks import (
    ISSUES,
    LIVE_CHECKS,
    LIVE_ISSUES,
    label_checks,
    live_checks,
    require_sound,
)
from issue_pipeline.assets.failures import clear_failures
from issue_pipeline.assets.gold import require_clusters
from issue_pipeline.assets.metadata.tables import OWNERS, seconds_since, table_metadata
from issue_pipeline.assets.partition_keys import day_of
from issue_pipeline.assets.preconditions import incomplete_sources
from issue_pipeline.errors import (
    LiveStoreError,
    LiveStoreRefusedError,
    MissingInputError,
    StoreError,
    UnsoundInputError,
)
from issue_pipeline.partitions import daily_partitions
from issue_pipeline.publishing.plan import desired_issues, plan_changes
from issue_pipeline.publishing.record_ids import assign_record_ids
from issue_pipeline.publishing.sync_state import (
    Members,
    Progress,
    members_to_keep,
    rows_to_keep,
    waiting_members,
)
from issue_pipeline.records import LedgerEntry, LiveRow
from issue_pipeline.resources.duckdb import IssuesDatabase
from issue_pipeline.resources.pocketbase import PocketBaseResource
from issue_pipeline.sql import bronze, gold, live, silver
from issue_pipeline.utils.file_lock import turn

# For another run that publishes the day; the largest days take minutes.
MAX_WAIT_S = 600.0


@dg.asset(
    key=LIVE_ISSUES,
    group_name="gold",
    partitions_def=daily_partitions,
    deps=[ISSUES],
    check_specs=LIVE_CHECKS,
    kinds={"python", "duckdb", "pocketbase"},
    owners=OWNERS,
    metadata=table_metadata("gold.live_issues"),
    description=(
        "The day's issues in PocketBase: created, updated and withdrawn until the live store shows"
        " exactly the day's good labels and their evidence. An issue keeps its record when its day"
        " is clustered again. The table says what became of each record."
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
            "complete_day": published.complete,
            "seconds": seconds_since(started_at),
        },
        check_results=live_checks(published.differing),
    )


@dataclass(frozen=True, slots=True)
class Published:
    """A publication in numbers.

    Attributes:
        issues: ModelState in the live store.
        written: Of these, created or updated by this run.
        withdrawn: Removed by this run.
        complete: Whether every source of the day was collected whole.
        differing: Ids of records that, read again afterwards, are not as gold says.
    """

    issues: int
    written: int
    withdrawn: int
    complete: bool
    differing: tuple[str, ...] = ()


def publish(day: date, database: IssuesDatabase, pocketbase: PocketBaseResource) -> Published:
    """Make the live store hold exactly a day's good labels with their evidence.

    One run at a time publishes a day: another one waits, and then reads what gold says by then.

    Raises:
        MissingInputError: The day was never collected, clustered or labelled.
        LiveStoreError: The server does not answer, is in trouble, or refused some records; all
            others are written. The table says which. Or another run does not come to an end.
        StoreError: The database cannot be opened, or nothing can be written beside it.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(turn(Path(f"{database.database}.publishing-{day}"), MAX_WAIT_S))
        except TimeoutError:
            raise LiveStoreError(
                f"Another run has been publishing {day} for {MAX_WAIT_S:.0f} s. Wait until it is"
                " done, or stop it; then run gold/live_issues again."
            ) from None
        except OSError as error:
            raise StoreError(
                f"Cannot write beside the database {database.database} ({error.strerror}). Check"
                " ISSUES_DUCKDB_PATH."
            ) from error
        return _publish(day, database, pocketbase)


def _publish(day: date, database: IssuesDatabase, pocketbase: PocketBaseResource) -> Published:
    with database.read() as connection:
        ledger = bronze.ledger_of_day(connection, day)
        _require_labels(connection, day, ledger)
        labels = gold.issues_of_day(connection, day)
        require_sound(f"gold/issues {day}", label_checks(labels))
        rows = [row for row in labels if not row.label_failed]
        evidence = gold.evidence_of_day(connection, day)
        clusters = silver.members_of_day(connection, day)
        known = live.rows_of_day(connection, day)
        known_members = live.members_of_day(connection, day)
    if bare := [row.cluster_id for row in rows if row.cluster_id not in evidence]:
        raise UnsoundInputError(
            f"Clusters {bare} of {day} have labels and no evidence. Materialise gold/issues again."
        )
    complete = not incomplete_sources(ledger)
    hashes = {row.cluster_id: {item.url_hash for item in evidence[row.cluster_id]} for row in rows}
    record_ids = assign_record_ids(day, hashes, known_members)
    desired = desired_issues(day, rows, evidence, record_ids, complete=complete)
    published = {record_ids[cluster_id]: posts for cluster_id, posts in hashes.items()}
    members = published | waiting_members(clusters, published, known_members)

    with pocketbase.connect() as store:
        # Those that were published before are read wherever somebody may have moved them.
        plan = plan_changes(list(desired.values()), store.issues_of_day(day, known_members))
        planned = {changes.record_id for changes in plan}
        progress = Progress(todo=set(planned))
        told = rows_to_keep(desired, known, progress)
        kept = members_to_keep(members, known_members, progress)
        # Before the store is told: if this run is killed, the next one knows whose its records are,
        # and which of them still have to go.
        if told != known or kept != known_members:
            _save_sync_state(database, day, told, kept)
        try:
            for outcome in store.apply(plan):
                progress.note(outcome.record_id, outcome.error)
        except LiveStoreError as error:
            progress.trouble = str(error)
            raise
        finally:
            if plan:
                told = rows_to_keep(desired, known, progress)
                kept = members_to_keep(members, known_members, progress)
                _save_sync_state(database, day, told, kept)
        if progress.refused:
            raise LiveStoreRefusedError(
                f"PocketBase refused records of {len(progress.refused)} of {len(desired)} issues of"
                f" {day}; all others are published. First: {next(iter(progress.refused.values()))}"
            )
        if plan:  # a store may take a record and keep something else
            plan = plan_changes(list(desired.values()), store.issues_of_day(day, known_members))
    standing = set(record_ids.values())
    return Published(
        issues=len(desired),
        written=len(planned & standing),
        withdrawn=len(planned - standing),
        complete=complete,
        differing=tuple(sorted(changes.record_id for changes in plan)),
    )


def _save_sync_state(
    database: IssuesDatabase, day: date, rows: Sequence[LiveRow], members: Members
) -> None:
    with database.write() as connection:
        live.replace_day(connection, day, rows)
        live.replace_members(connection, day, members)


def _require_labels(
    connection: duckdb.DuckDBPyConnection, day: date, ledger: Sequence[LedgerEntry]
) -> None:
    """Withdraw nothing because of a step that was never run."""
    summary = require_clusters(connection, day, ledger)
    if summary.clusters and not summary.labels:
        raise MissingInputError(
            f"{day} has clusters but no labels. Materialise gold/issues for that day."
        )
