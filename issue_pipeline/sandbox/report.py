"""What the demo shows at its end: the days in numbers, the biggest issues, where to look next."""

from datetime import date

import duckdb
from rich.console import Console
from rich.table import Table
from rich.text import Text

from issue_pipeline.partitions import SOURCES
from issue_pipeline.sql.summary import biggest_issues, day_summary

BIGGEST = 10


def show_report(console: Console, connection: duckdb.DuckDBPyConnection, days: list[date]) -> None:
    """Print one table for the days and one for the biggest issues."""
    _show_days(console, connection, days)
    _show_issues(console, connection, days)


def _show_days(console: Console, connection: duckdb.DuckDBPyConnection, days: list[date]) -> None:
    table = Table(title="What was found", title_justify="left")
    table.add_column("")
    summaries = [day_summary(connection, day) for day in days]
    for summary in summaries:
        table.add_column(summary.day.isoformat(), justify="right")
    for source in SOURCES:
        table.add_row(source, *(_collected(summary.collected.get(source)) for summary in summaries))
    table.add_section()
    table.add_row("clusters", *(str(summary.clusters) for summary in summaries))
    table.add_row("noise", *(f"{summary.noise:.0%}" for summary in summaries))
    table.add_row("mode", *(summary.mode for summary in summaries))
    table.add_section()
    for origin in ("local", "remote", "reused", "failed"):
        counts = (str(summary.labels.get(origin, 0)) for summary in summaries)
        table.add_row(f"labels {origin}", *counts)
    table.add_row("published", *(str(summary.published) for summary in summaries))
    console.print(table)


def _collected(entry: tuple[int, bool] | None) -> str:
    if entry is None:
        return "not collected"
    count, complete = entry
    return f"{count}, {'complete' if complete else 'incomplete'}"


def _show_issues(console: Console, connection: duckdb.DuckDBPyConnection, days: list[date]) -> None:
    table = Table(title="The biggest issues", title_justify="left", show_lines=True)
    table.add_column("posts", justify="right")
    table.add_column("problem, and its most central post", overflow="fold", ratio=1)
    for name in ("category", "impact", "pay"):
        table.add_column(name)
    for issue in biggest_issues(connection, days, limit=BIGGEST):
        # Text, not markup: titles are foreign.
        table.add_row(
            str(issue.size),
            Text(f"{issue.title}\n").append(issue.url, style="dim"),
            issue.category,
            issue.impact,
            "yes" if issue.would_pay else "",
        )
    console.print(table)
