"""Reading and writing ``gold.live_issues``, the memory of what was published."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import date

import duckdb

from issue_pipeline.records import LiveRow
from issue_pipeline.sql.rows import columns_of, insert_rows, read_rows


def replace_day(con: duckdb.DuckDBPyConnection, day: date, rows: Iterable[LiveRow]) -> None:
    """Replace what is known of a day's live records."""
    con.execute("DELETE FROM gold.live_issues WHERE cluster_date = ?", [day])
    insert_rows(con, "gold.live_issues", ({"cluster_date": day, **asdict(row)} for row in rows))


def rows_of_day(con: duckdb.DuckDBPyConnection, day: date) -> list[LiveRow]:
    """Read what is known of a day's live records, by cluster id."""
    return read_rows(
        con,
        f"SELECT {columns_of(LiveRow)} FROM gold.live_issues"  # noqa: S608
        " WHERE cluster_date = ? ORDER BY cluster_id",
        [day],
        LiveRow,
    )
