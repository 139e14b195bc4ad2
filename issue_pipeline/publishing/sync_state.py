"""The sync state of a day's live records, written ahead of every change.

A run may end at any moment, so its plan is stored first. A record leaves the sync state only when
it is known to be removed and no cluster is left that it may stand for again.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from issue_pipeline.publishing.record_ids import match_records
from issue_pipeline.records import LiveRow
from issue_pipeline.resources.pocketbase.records import LiveIssue

Members = Mapping[str, Collection[str]]


@dataclass
class Progress:
    """How much of a plan has been applied.

    Attributes:
        todo: Ids of records that are still to be written or removed.
        done: Ids of records that were written or removed.
        refused: The store's error by id, of records that it refused.
        trouble: Why the rest was not applied; ``""`` if it was, or still may be.
    """

    todo: set[str]
    done: set[str] = field(default_factory=set)
    refused: dict[str, str] = field(default_factory=dict)
    trouble: str = ""

    def note(self, record_id: str, error: str) -> None:
        """Record the outcome of one record; the error is ``""`` if it succeeded."""
        self.todo.discard(record_id)
        if error:
            self.refused[record_id] = error
        else:
            self.done.add(record_id)

    @property
    def unfinished(self) -> set[str]:
        """Ids of records that the store is not known to hold as planned."""
        return self.todo | set(self.refused)


def waiting_members(
    clusters: Mapping[int, Collection[str]], published: Members, known_members: Members
) -> dict[str, Collection[str]]:
    """Return the records whose clusters have no good label now.

    They are withdrawn, and come back under the same id once the cluster has a label.

    Args:
        clusters: Posts of every cluster of the day, labelled or not, by cluster id.
        published: Posts of the records that gold has good labels for, by record id.
        known_members: Posts of the records known so far, by record id.

    Returns:
        The posts of the matching cluster, by record id.
    """
    left = {one: posts for one, posts in known_members.items() if one not in published}
    if not left:
        return {}
    matches = match_records(clusters, {**published, **left})
    return {
        record_id: clusters[cluster_id]
        for cluster_id, record_id in matches.items()
        if record_id in left
    }


def members_to_keep(
    current: Members, known_members: Members, progress: Progress
) -> dict[str, Collection[str]]:
    """Return the posts of each record to store: current ones, and those still to be removed."""
    leaving = progress.unfinished & set(known_members)
    return {**{record_id: known_members[record_id] for record_id in leaving}, **current}


def rows_to_keep(
    desired: Mapping[int, LiveIssue], known: Sequence[LiveRow], progress: Progress
) -> list[LiveRow]:
    """Return the sync state of each record, sorted by cluster and record id.

    Args:
        desired: What should be there, by cluster id.
        known: The stored sync state; its rows are kept, times included, where nothing changed.
        progress: Of this run.
    """
    now = datetime.now(UTC)
    said = {row.record_id: row for row in known}
    rows = []
    for cluster_id, issue in desired.items():
        state, error = _state(issue.record_id, progress)
        row = LiveRow(cluster_id, issue.record_id, issue.content_hash, state, error, now)
        rows.append(_unless_old(row, said.pop(issue.record_id, None), progress))
    for old in said.values():
        if old.record_id in progress.unfinished:
            _, error = _state(old.record_id, progress)
            row = replace(old, state="withdrawing", error=error, synced_at=now)
            rows.append(_unless_old(row, old, progress))
    return sorted(rows, key=lambda row: (row.cluster_id, row.record_id))


def _state(record_id: str, progress: Progress) -> tuple[str, str]:
    if record_id in progress.refused:
        return "failed", progress.refused[record_id]
    if record_id in progress.todo:
        return "pending", progress.trouble
    return "published", ""


def _unless_old(row: LiveRow, old: LiveRow | None, progress: Progress) -> LiveRow:
    """Return the old row, with its time, where this run neither did nor found anything new."""
    was_tried = row.record_id in progress.done or row.record_id in progress.refused
    if old is None or was_tried or replace(old, synced_at=row.synced_at) != row:
        return row
    return old
