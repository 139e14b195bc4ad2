"""Bring the live store to what gold says of a day and of all problems, and note what became of it.

Knows no Dagster: the asset ``gold/live_issues`` hands it the database, the store, and a function
that reads the day.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import duckdb

from issue_pipeline.errors import (
    LiveStoreError,
    LiveStoreRefusedError,
    UnsoundInputError,
)
from issue_pipeline.publishing.plan import desired_issues, plan_changes
from issue_pipeline.publishing.problems import problem_changes, read_desired
from issue_pipeline.publishing.record_ids import assign_record_ids
from issue_pipeline.publishing.sync_state import (
    Members,
    Progress,
    members_to_keep,
    rows_to_keep,
    waiting_members,
)
from issue_pipeline.records import Evidence, IssueRow, LiveRow
from issue_pipeline.resources.duckdb import IssuesDatabase
from issue_pipeline.resources.pocketbase import PocketBaseResource
from issue_pipeline.resources.pocketbase.records import IssueChanges
from issue_pipeline.resources.pocketbase.resource import LiveStore
from issue_pipeline.sql import live

# For another run that publishes the day; the largest days take minutes.
MAX_WAIT_S = 600.0


@dataclass(frozen=True, slots=True)
class LabelledDay:
    """What gold and silver hold of a day.

    Attributes:
        issues: Rows of ``gold.issues``, failed labels included.
        evidence: Posts of each issue with a good label, by cluster id.
        clusters: ``url_hash`` of each post by cluster id, of labelled clusters and others.
        problems: The problem of each issue that belongs to one, by cluster id.
        complete: Whether every source of the day was collected whole.
    """

    issues: Sequence[IssueRow]
    evidence: Mapping[int, Sequence[Evidence]]
    clusters: Mapping[int, Collection[str]]
    problems: Mapping[int, str]
    complete: bool


@dataclass(frozen=True, slots=True)
class Published:
    """A publication in numbers.

    Attributes:
        issues: Issues in the live store, at least 0.
        written: Of these, created or updated by this run.
        withdrawn: Records removed by this run.
        complete: Whether every source of the day was collected whole.
        problems: Problems in the live store, at least 0.
        problem_changes: Records written or removed because of them: problems, former ids, and
            issues of other days that belong to another problem now.
        differing: Ids of records that, read again afterwards, are not as gold says; sorted.
        open_collections: Of the live store, to which a client without a login may write; sorted.
    """

    issues: int
    written: int
    withdrawn: int
    complete: bool
    problems: int = 0
    problem_changes: int = 0
    differing: tuple[str, ...] = ()
    open_collections: tuple[str, ...] = ()


def sync_day(
    day: date,
    database: IssuesDatabase,
    pocketbase: PocketBaseResource,
    read_day: Callable[[duckdb.DuckDBPyConnection, date], LabelledDay],
) -> Published:
    """Make the live store hold exactly a day's good labels with their evidence, and all problems.

    One run at a time publishes, under a file lock beside the database: another run waits, and then
    reads what gold says by then.

    Args:
        day: UTC day.
        database: Holds gold, and the sync state in ``gold.live_issues`` and ``gold.live_members``.
        pocketbase: The live store.
        read_day: Reads the day once the lock is held; raises if the day must not be published.

    Returns:
        What was written and withdrawn, and what still differs.

    Raises:
        LiveStoreError: The server does not answer, is in trouble, or refused some records; all
            others are written, and ``gold.live_issues`` says which. Or another run held the lock
            for ``MAX_WAIT_S`` seconds.
        StoreError: The database cannot be opened, or nothing can be written beside it.
        UnsoundInputError: An issue has a good label and no evidence.
    """
    busy = LiveStoreError(
        f"Another run has been publishing for {MAX_WAIT_S:.0f} s. Wait until it is done, or"
        " stop it; then run gold/live_issues again."
    )
    with database.lock("publishing", MAX_WAIT_S, busy):
        return _sync_day(day, database, pocketbase, read_day)


def _sync_day(
    day: date,
    database: IssuesDatabase,
    pocketbase: PocketBaseResource,
    read_day: Callable[[duckdb.DuckDBPyConnection, date], LabelledDay],
) -> Published:
    with database.read() as connection:
        labelled = read_day(connection, day)
        known = live.rows_of_day(connection, day)
        known_members = live.members_of_day(connection, day)
        wanted = read_desired(connection)
    rows = [row for row in labelled.issues if not row.label_failed]
    evidence = labelled.evidence
    if bare := [row.cluster_id for row in rows if row.cluster_id not in evidence]:
        raise UnsoundInputError(
            f"Clusters {bare} of {day} have labels and no evidence. Materialise gold/issues again."
        )
    hashes = {row.cluster_id: {item.url_hash for item in evidence[row.cluster_id]} for row in rows}
    record_ids = assign_record_ids(day, hashes, known_members)
    desired = desired_issues(
        day, rows, evidence, record_ids, labelled.problems, complete=labelled.complete
    )
    # What is read of the day's own records is older than what is about to be written.
    wanted = wanted.without_issues({*record_ids.values(), *known_members})
    published = {record_ids[cluster_id]: posts for cluster_id, posts in hashes.items()}
    members = published | waiting_members(labelled.clusters, published, known_members)

    with pocketbase.connect() as store:
        # Issues refer to problems, so these come first, and those that are gone go last.
        first, then = problem_changes(wanted, store)
        _apply(store, first)
        # Known records are read by id, too: somebody may have moved them to another day.
        plan = plan_changes(list(desired.values()), store.issues_of_day(day, known_members))
        planned = {changes.record_id for changes in plan}
        progress = Progress(todo=set(planned))
        state = rows_to_keep(desired, known, progress)
        kept = members_to_keep(members, known_members, progress)
        # Ahead of the change: if this run is killed, the next one knows which issue each record
        # stands for, and which records still have to go.
        if state != known or kept != known_members:
            _save_sync_state(database, day, state, kept)
        try:
            for outcome in store.apply(plan):
                progress.note(outcome.record_id, outcome.error)
        except LiveStoreError as error:
            progress.trouble = str(error)
            raise
        finally:
            if plan:
                state = rows_to_keep(desired, known, progress)
                kept = members_to_keep(members, known_members, progress)
                _save_sync_state(database, day, state, kept)
        if progress.refused:
            raise LiveStoreRefusedError(
                f"PocketBase refused records of {len(progress.refused)} of {len(desired)} issues of"
                f" {day}; all others are published. First: {next(iter(progress.refused.values()))}"
            )
        _apply(store, then)
        if plan:  # a store may take a record and keep something else
            plan = plan_changes(list(desired.values()), store.issues_of_day(day, known_members))
        left = (
            [one for part in problem_changes(wanted, store) for one in part]
            if then or first
            else []
        )
        open_collections = store.collections_open_to_all()
    standing = set(record_ids.values())
    return Published(
        issues=len(desired),
        written=len(planned & standing),
        withdrawn=len(planned - standing),
        complete=labelled.complete,
        problems=len(wanted.problems),
        problem_changes=len(first) + len(then),
        differing=tuple(sorted(changes.record_id for changes in [*plan, *left])),
        open_collections=open_collections,
    )


def _apply(store: LiveStore, changes: Sequence[IssueChanges]) -> None:
    """Write changes that belong to no day.

    Raises:
        LiveStoreRefusedError: The store refused some; all others are written.
    """
    refused = [outcome.error for outcome in store.apply(changes) if outcome.error]
    if refused:
        raise LiveStoreRefusedError(
            f"PocketBase refused {len(refused)} records of problems; all others are written. First:"
            f" {refused[0]}"
        )


def _save_sync_state(
    database: IssuesDatabase, day: date, rows: Sequence[LiveRow], members: Members
) -> None:
    with database.write() as connection:
        live.replace_day(connection, day, rows)
        live.replace_members(connection, day, members)
