"""``gold.live_issues``: the labelled problems, published."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from types import MappingProxyType

import dagster as dg
import duckdb

from issue_pipeline.assets.completeness import incomplete_sources
from issue_pipeline.assets.gold import require_clusters
from issue_pipeline.assets.partition_keys import day_of
from issue_pipeline.errors import LiveStoreError, MissingInputError
from issue_pipeline.failures import clear_failures
from issue_pipeline.identity import assign_record_ids
from issue_pipeline.partitions import daily_partitions
from issue_pipeline.publishing import LiveIssue, desired_issues, plan_changes
from issue_pipeline.records import LedgerEntry, LiveRow
from issue_pipeline.resources.duckdb import IssuesDatabase
from issue_pipeline.resources.pocketbase import PocketBaseResource
from issue_pipeline.sql import bronze, gold, live


@dg.asset(
    key=["gold", "live_issues"],
    group_name="gold",
    partitions_def=daily_partitions,
    deps=[dg.AssetKey(["gold", "issues"])],
    kinds={"python", "duckdb", "pocketbase"},
    description=(
        "The day's issues in PocketBase: created, updated and withdrawn until the live store shows"
        " exactly the day's good labels and their evidence. An issue keeps its record when its day"
        " is clustered again. The table says what became of each record."
    ),
)
def live_issues(
    context: dg.AssetExecutionContext, pocketbase: PocketBaseResource, database: IssuesDatabase
) -> dg.MaterializeResult[None]:
    """Compare what gold says with what the live store holds, and write the difference."""
    day = day_of(context)
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
        }
    )


@dataclass(frozen=True, slots=True)
class Published:
    """A publication in numbers.

    Attributes:
        issues: Standing in the live store.
        written: Of these, created or updated by this run.
        withdrawn: Removed by this run.
        complete: Whether every source of the day was collected whole.
    """

    issues: int
    written: int
    withdrawn: int
    complete: bool


def publish(day: date, database: IssuesDatabase, pocketbase: PocketBaseResource) -> Published:
    """Make the live store hold exactly a day's good labels with their evidence.

    Raises:
        MissingInputError: The day was never collected, clustered or labelled.
        LiveStoreError: The server does not answer, is in trouble, or refused some records; all
            others are written. The table says which.
    """
    with database.read() as connection:
        ledger = bronze.ledger_of_day(connection, day)
        _require_labels(connection, day, ledger)
        rows = [row for row in gold.issues_of_day(connection, day) if not row.label_failed]
        evidence = gold.evidence_of_day(connection, day)
        known = live.rows_of_day(connection, day)
        known_members = live.members_of_day(connection, day)
    complete = not incomplete_sources(ledger)
    hashes = {row.cluster_id: {item.url_hash for item in evidence[row.cluster_id]} for row in rows}
    record_ids = assign_record_ids(day, hashes, known_members)
    members = {record_ids[cluster_id]: posts for cluster_id, posts in hashes.items()}
    desired = desired_issues(day, rows, evidence, record_ids, complete=complete)
    with pocketbase.connect() as store:
        # Those that were published before are read wherever somebody may have moved them.
        there = store.issues_of_day(day, known_members)
        plan = plan_changes(list(desired.values()), there)
        planned = {changes.record_id for changes in plan}
        # Before the store is told: if this run is killed, the next one knows whose its records are.
        before = _memory(desired, known, pending=planned)
        if before != known or members != known_members:
            with database.write() as connection:
                live.replace_day(connection, day, before)
                live.replace_members(connection, day, members)
        errors: dict[str, str] = {}
        trouble = ""
        try:
            for outcome in store.apply(plan):
                errors[outcome.record_id] = outcome.error
        except LiveStoreError as error:
            trouble = str(error)
            raise
        finally:
            if plan:
                after = _memory(
                    desired, before, pending=planned - set(errors), errors=errors, trouble=trouble
                )
                with database.write() as connection:
                    live.replace_day(connection, day, after)
    refused = {record_id: error for record_id, error in errors.items() if error}
    if refused:
        raise LiveStoreError(
            f"PocketBase refused records of {len(refused)} of {len(desired)} issues of {day}; all"
            f" others are published. First: {next(iter(refused.values()))}"
        )
    standing = set(record_ids.values())
    return Published(
        issues=len(desired),
        written=len(planned & standing),
        withdrawn=len(planned - standing),
        complete=complete,
    )


def _memory(
    desired: Mapping[int, LiveIssue],
    known: Sequence[LiveRow],
    *,
    pending: Collection[str],
    errors: Mapping[str, str] = MappingProxyType({}),
    trouble: str = "",
) -> list[LiveRow]:
    """Say for each issue, by cluster id, what became of its record.

    Args:
        desired: Issues by cluster id.
        known: What was said before; kept, times included, where nothing is new.
        pending: Ids of records that are still to be written.
        errors: By the id of each record that was just written: what was refused of it, or ``""``.
        trouble: Why the pending ones are not written yet.
    """
    now = datetime.now(UTC)
    said = {row.record_id: row for row in known}
    rows = []
    for cluster_id, issue in sorted(desired.items()):
        error = errors.get(issue.record_id, "")
        state = "failed" if error else "published"
        if issue.record_id in pending:
            state, error = "pending", trouble
        row = LiveRow(cluster_id, issue.record_id, issue.content_hash, state, error, now)
        old = said.get(issue.record_id)
        is_news = old is None or issue.record_id in errors or replace(old, synced_at=now) != row
        rows.append(row if is_news or old is None else old)
    return rows


def _require_labels(
    connection: duckdb.DuckDBPyConnection, day: date, ledger: Sequence[LedgerEntry]
) -> None:
    """Withdraw nothing because of a step that was never run."""
    summary = require_clusters(connection, day, ledger)
    if summary.clusters and not summary.labels:
        raise MissingInputError(
            f"{day} has clusters but no labels. Materialise gold/issues for that day."
        )
