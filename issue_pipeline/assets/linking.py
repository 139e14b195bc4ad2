"""``gold.problems``: issues of one meaning, followed over the days."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

import dagster as dg
import duckdb

from issue_pipeline.assets.checks import PROBLEM_CHECKS, problem_checks
from issue_pipeline.assets.failures import clear_failures
from issue_pipeline.assets.gold import require_labelled
from issue_pipeline.assets.keys import ISSUES, PROBLEMS
from issue_pipeline.assets.metadata.problems import problem_metadata
from issue_pipeline.assets.metadata.tables import OWNERS, seconds_since, table_metadata
from issue_pipeline.assets.partition_keys import day_of
from issue_pipeline.errors import StoreBusyError
from issue_pipeline.partitions import daily_partitions
from issue_pipeline.problems.aliases import aliases_after
from issue_pipeline.problems.linking import (
    Agenda,
    Issue,
    agenda,
    embed_issues,
    link_days,
    recent_issues,
)
from issue_pipeline.problems.tables import problem_rows
from issue_pipeline.records import ProblemIssue
from issue_pipeline.resources.duckdb import IssuesDatabase
from issue_pipeline.resources.embedding import EmbeddingResource
from issue_pipeline.sql import problems as sql_problems
from issue_pipeline.sql.problems import IssuePosts

# For another run that links; a year of days takes minutes.
MAX_WAIT_S = 1800.0
# Another run may label a day meanwhile; then what it wrote is read.
MAX_TRIES = 5


@dg.asset(
    key=PROBLEMS,
    group_name="gold",
    partitions_def=daily_partitions,
    deps=[ISSUES],
    check_specs=PROBLEM_CHECKS,
    kinds={"python", "duckdb", "huggingface"},
    owners=OWNERS,
    metadata=table_metadata("gold.problems"),
    description=(
        "Which issues of different days are one problem, and whether it grows, fades or came back."
        " The tables are what one pass over the days in date order gives, whatever the order in"
        " which days are run: a day that changed is linked again with the days after it."
    ),
)
def problems(
    context: dg.AssetExecutionContext, embedding: EmbeddingResource, database: IssuesDatabase
) -> dg.MaterializeResult:  # type: ignore[type-arg]  # with checks, Dagster wants it bare
    """Link the day, and what changed since the last run; write all of it at once."""
    day, started_at = day_of(context), datetime.now(UTC)
    with clear_failures(context):
        days_linked = link_up_to_date(day, database, embedding)
        with database.read() as connection:
            current = _agenda(connection, day, embedding.embedding_model)
            checked = problem_checks(connection, day, changed=current.first)
            metadata = problem_metadata(connection, day)
    return dg.MaterializeResult(
        metadata={**metadata, "days_linked": days_linked, "seconds": seconds_since(started_at)},
        check_results=checked,
    )


def link_up_to_date(day: date, database: IssuesDatabase, embedding: EmbeddingResource) -> int:
    """Make the tables what one pass over all labelled days gives.

    One run at a time does so, under a file lock beside the database.

    Args:
        day: UTC day; it is linked even if it has no problem issue.
        database: Holds gold.
        embedding: Its model tells likeness.

    Returns:
        How many days were linked or linked again.

    Raises:
        MissingInputError: The day was never collected, clustered or labelled.
        StoreBusyError: Other runs went on changing labels, or held the lock.
        StoreError: The database cannot be opened, or nothing can be written beside it.
    """
    busy = StoreBusyError(
        f"Another run has been linking issues to problems for {MAX_WAIT_S:.0f} s. Wait until it is"
        " done, or stop it; then run gold/problems again."
    )
    with database.lock("linking", MAX_WAIT_S, busy):
        for _ in range(MAX_TRIES):
            linked = _link(day, database, embedding)
            if linked is not None:
                return linked
    raise StoreBusyError(
        "Labels changed each time while issues were being linked to problems. Run gold/problems"
        f" {day} again when other runs are done; nothing was changed."
    )


@dataclass(frozen=True, slots=True)
class _Input:
    agenda: Agenda
    links: list[ProblemIssue]
    recent: dict[str, list[Issue]]
    posts: list[IssuePosts]


def _link(day: date, database: IssuesDatabase, embedding: EmbeddingResource) -> int | None:
    """Link what has to be linked; ``None`` if labels changed meanwhile."""
    with database.read() as connection:
        require_labelled(connection, day)
        there = _read(connection, day, embedding.embedding_model)
    first = there.agenda.first
    made: list[ProblemIssue] = []
    if first is not None:
        # Without an issue no model need be loaded.
        groups = embed_issues(there.posts, embedding.get_model()) if there.posts else {}
        new = [posts for posts in there.posts if posts.issue_date >= first]
        made = link_days(there.agenda.to_link, new, there.recent, groups)
    with database.write() as connection:
        if _agenda(connection, day, embedding.embedding_model) != there.agenda:
            return None
        if first is not None:
            after = [*(link for link in there.links if link.issue_date < first), *made]
            aliases = aliases_after(
                there.links, after, sql_problems.all_aliases(connection), datetime.now(UTC).date()
            )
            days = [one for one in there.agenda.days if one.issue_date >= first]
            sql_problems.replace_links(connection, first, made, days)
            sql_problems.replace_aliases(connection, aliases)
        # Labels, writers and volumes may have changed where no link did.
        rows = problem_rows(
            sql_problems.labels_of_problems(connection),
            sql_problems.daily_counts(connection),
            sql_problems.daily_volumes(connection),
            there.agenda.days[-1].issue_date,
        )
        sql_problems.replace_problems(connection, rows)
    return len(there.agenda.to_link)


def _agenda(connection: duckdb.DuckDBPyConnection, day: date, model: str) -> Agenda:
    linked = sql_problems.linked_days(connection)
    inputs = sql_problems.input_digests(connection)
    known = {one.issue_date for one in linked}
    # A day whose first labels are just being made has a run of its own, which links it.
    unfinished = sql_problems.waiting_days(connection) - known - {day}
    return agenda(linked, inputs, (known | inputs.keys() | {day}) - unfinished, model)


def _read(connection: duckdb.DuckDBPyConnection, day: date, model: str) -> _Input:
    todo = _agenda(connection, day, model)
    if todo.first is None:
        return _Input(todo, [], {}, [])
    links = sql_problems.all_links(connection)
    recent = recent_issues(links, todo.first)
    issues = [issue for own in recent.values() for issue in own]
    issues += sql_problems.problem_issues_of_days(connection, todo.to_link)
    return _Input(todo, links, recent, sql_problems.posts_of_issues(connection, issues))
