"""What the demo shows at its end: the days in numbers, the biggest problems, where to look next."""

from datetime import date

import duckdb
from rich.console import Console
from rich.table import Table
from rich.text import Text

from issue_pipeline.partitions import SOURCES
from issue_pipeline.settings import active_sources
from issue_pipeline.sql.summary import DaySummary, biggest_problems, day_summary
from issue_pipeline.utils.printable import printable

BIGGEST = 10
MAX_TEXT_CHARS = 300


def show_report(console: Console, connection: duckdb.DuckDBPyConnection, days: list[date]) -> None:
    """Print a table for each day and one for the biggest problems."""
    for day in days:
        _show_day(console, day_summary(connection, day))
    _show_problems(console, connection, days)


def _show_day(console: Console, summary: DaySummary) -> None:
    table = Table(title=summary.day.isoformat(), title_justify="left")
    table.add_column("source")
    table.add_column("fetched", justify="right")
    table.add_column("the day is")
    for source in SOURCES:
        if source in summary.collected:
            count, complete = summary.collected[source]
            table.add_row(source, str(count), "complete" if complete else "incomplete")
        elif source in active_sources():
            table.add_row(source, "-", "not collected")
    console.print(table)
    labels = ", ".join(
        f"{summary.labels.get(origin, 0)} {origin}"
        for origin in ("local", "remote", "reused", "failed", "waiting")
    )
    console.print(
        f"{summary.clusters} clusters ({summary.mode}), {summary.noise:.0%} noise\n"
        f"labels: {labels}\n"
        f"published: {summary.published}, {summary.problems} of them problems\n",
        markup=False,
        highlight=False,
    )


def _show_problems(
    console: Console, connection: duckdb.DuckDBPyConnection, days: list[date]
) -> None:
    span = days[0].isoformat() if len(days) == 1 else f"{days[0]} to {days[-1]}"
    table = Table(title=f"The biggest problems, {span}", title_justify="left", show_lines=True)
    table.add_column("posts", justify="right")
    table.add_column("days", justify="right")
    table.add_column("problem, and its most central post", overflow="fold", ratio=1)
    table.add_column("state, first seen")
    table.add_column("label")
    for problem in biggest_problems(connection, days, limit=BIGGEST):
        # Text, not markup: titles are foreign.
        label = [problem.category, problem.impact, "would pay" if problem.would_pay else ""]
        table.add_row(
            str(problem.posts),
            str(problem.days),
            Text(f"{printable(problem.title, MAX_TEXT_CHARS)}\n").append(
                printable(problem.url, MAX_TEXT_CHARS), style="dim"
            ),
            f"{problem.state}\n{problem.first_seen}",
            "\n".join(label).strip(),
        )
    console.print(table)
