"""Reading and writing ``gold.live_issues``, the memory of what was published."""

from collections.abc import Iterable
from dataclasses import asdict, fields
from datetime import date

import duckdb

from issue_pipeline.records import LiveRow
from issue_pipeline.sql.rows import as_utc, insert_rows

_COLUMNS = ", ".join(field.name for field in fields(LiveRow))


def replace_day(con: duckdb.DuckDBPyConnection, day: date, rows: Iterable[LiveRow]) -> None:
    """Replace what is known of a day's live records."""
    con.execute("DELETE FROM gold.live_issues WHERE cluster_date = ?", [day])
    insert_rows(con, "gold.live_issues", ({"cluster_date": day, **asdict(row)} for row in rows))


def rows_of_day(con: duckdb.DuckDBPyConnection, day: date) -> list[LiveRow]:
    """Read what is known of a day's live records, by cluster id."""
    rows = con.execute(
        f"SELECT {_COLUMNS} FROM gold.live_issues"  # noqa: S608
        " WHERE cluster_date = ? ORDER BY cluster_id",
        [day],
    ).fetchall()
    names = [field.name for field in fields(LiveRow)]
    return [LiveRow(**dict(zip(names, [*row[:-1], as_utc(row[-1])], strict=True))) for row in rows]
