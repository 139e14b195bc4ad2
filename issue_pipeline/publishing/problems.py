"""Bring the live store's problems, their former ids, and what issues say of them to what gold says.

Problems belong to no day, and a backfill may change which problem the issues of other days belong
to. So every run compares all of them: some thousand small records, read in a second. No sync state
is kept: ids derive from the problems, and nobody else writes to these collections.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import duckdb

from issue_pipeline.records import ProblemRow
from issue_pipeline.resources.pocketbase.records import Change, Fields, IssueChanges
from issue_pipeline.resources.pocketbase.resource import LiveStore
from issue_pipeline.sql import live
from issue_pipeline.sql import problems as sql_problems
from issue_pipeline.sql.problems import DailyCount
from issue_pipeline.utils.folding import search_text

WEEK, MONTH = timedelta(days=7), timedelta(days=30)


@dataclass(frozen=True, slots=True)
class DesiredProblems:
    """What the live store should hold beside the issues of days.

    Attributes:
        problems: Fields of each problem, by id.
        aliases: Fields of each former id.
        problem_of: The problem of each issue record of any day that is known to be published as
            gold has it; ``""`` for one that is no problem.
    """

    problems: Mapping[str, Fields]
    aliases: Mapping[str, Fields]
    problem_of: Mapping[str, str]

    def without_issues(self, record_ids: Collection[str]) -> "DesiredProblems":
        """Return the same, but nothing about these issue records."""
        left = {one: problem for one, problem in self.problem_of.items() if one not in record_ids}
        return replace(self, problem_of=left)


def read_desired(connection: duckdb.DuckDBPyConnection) -> DesiredProblems:
    """Read from gold what the live store should hold."""
    days = sql_problems.linked_days(connection)
    rows = sql_problems.all_problems(connection)
    known = {row.problem_id for row in rows}
    latest = days[-1].issue_date if days else date.min
    collected = sql_problems.collected_source_days(connection)
    counts: dict[str, list[DailyCount]] = defaultdict(list)
    for one in sql_problems.daily_counts(connection):
        counts[one.problem_id].append(one)
    return DesiredProblems(
        problems={
            row.problem_id: problem_fields(row, counts[row.problem_id], latest, collected)
            for row in rows
        },
        aliases={
            alias.alias: {"problem": alias.problem_id}
            for alias in sql_problems.all_aliases(connection)
            if alias.problem_id in known
        },
        problem_of={
            record_id: problem_id if problem_id in known else ""
            for record_id, problem_id in live.problem_of_records(connection).items()
        },
    )


def problem_fields(
    row: ProblemRow,
    counts: Sequence[DailyCount],
    latest: date,
    collected: Collection[tuple[date, str]],
) -> Fields:
    """Return the fields of a problem's record.

    Args:
        row: Of ``gold.problems``.
        counts: Its posts by day and source, in order.
        latest: The latest linked day, with which the spans end.
        collected: The days and sources of which the posts are known.
    """
    days: dict[str, dict[str, int]] = {}
    sources: dict[str, int] = defaultdict(int)
    for one in counts:
        days.setdefault(one.issue_date.isoformat(), {})[one.source] = one.posts
        sources[one.source] += one.posts

    def posts(after: date, until: date = latest) -> int:
        return sum(one.posts for one in counts if after < one.issue_date <= until)

    week, week_before = posts(latest - WEEK), posts(latest - 2 * WEEK, latest - WEEK)
    comparable = _are_comparable(counts, latest, collected)
    return {
        "title": row.canonical_title,
        "category": row.category,
        "description": row.description,
        "would_pay": row.would_pay_signal,
        "impact": row.impact_level,
        "state": row.state,
        "state_since": row.state_since.isoformat(),
        "first_seen": row.first_seen.isoformat(),
        "last_seen": row.last_seen.isoformat(),
        "days_seen": row.days_seen,
        "posts": row.posts,
        "reach": row.reach,
        "posts_7d": week,
        "posts_30d": posts(latest - MONTH),
        "posts_week_before": week_before,
        "comparable": comparable,
        "growth": week - week_before if comparable else 0,
        "search": search_text(row.canonical_title, row.description),
        "sources": dict(sorted(sources.items())),
        "days": days,
    }


def _are_comparable(
    counts: Sequence[DailyCount], latest: date, collected: Collection[tuple[date, str]]
) -> bool:
    """Return whether the latest two weeks of a problem's sources are known, every day of them."""
    days = [latest - timedelta(days=back) for back in range(2 * WEEK.days)]
    sources = {one.source for one in counts if one.issue_date >= days[-1]}
    return all((day, source) in collected for day in days for source in sources)


def problem_changes(
    desired: DesiredProblems, store: LiveStore
) -> tuple[list[IssueChanges], list[IssueChanges]]:
    """Compare what should be there with what is.

    Returns:
        What must be written before issues can refer to problems, and what must be written, changed
        and removed afterwards.
    """
    there, aliases = store.records("problems"), store.records("problem_aliases")
    issues = store.records("issues", "problem")
    first = _written("problems", desired.problems, there)
    then = _written("problem_aliases", desired.aliases, aliases)
    then += [
        IssueChanges(record_id, [Change("issues", record_id, {"problem": problem}, partial=True)])
        for record_id, problem in desired.problem_of.items()
        if record_id in issues and issues[record_id]["problem"] != problem
    ]
    then += _removed("problem_aliases", desired.aliases, aliases)
    then += _removed("problems", desired.problems, there)
    return first, then


def _written(
    collection: str, desired: Mapping[str, Fields], there: Mapping[str, Fields]
) -> list[IssueChanges]:
    return [
        IssueChanges(record_id, [Change(collection, record_id, fields)])
        for record_id, fields in desired.items()
        if there.get(record_id) != fields
    ]


def _removed(
    collection: str, desired: Mapping[str, Fields], there: Mapping[str, Fields]
) -> list[IssueChanges]:
    return [
        IssueChanges(record_id, [Change(collection, record_id, None)])
        for record_id in there
        if record_id not in desired
    ]
