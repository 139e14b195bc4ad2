"""What the UI shows about the problems of a day."""

from collections import Counter
from datetime import date

import dagster as dg
import duckdb

from issue_pipeline.problems.trend import STATES
from issue_pipeline.sql import problems as sql_problems
from issue_pipeline.utils.printable import printable

# Of those with the most posts; the rest is in the table in DuckDB.
MAX_TABLE_ROWS = 100
MAX_TEXT_CHARS = 200
_SCHEMA = dg.TableSchema(
    [
        dg.TableColumn("posts", "int", "of all days"),
        dg.TableColumn("days", "int", "on which it was seen"),
        dg.TableColumn("state", "string"),
        dg.TableColumn("title", "string"),
        dg.TableColumn("first_seen", "string"),
        dg.TableColumn("similarity", "float", "of the day's issue to the problem; 1: it began it"),
    ]
)


def problem_metadata(
    connection: duckdb.DuckDBPyConnection, day: date
) -> dict[str, dg.MetadataValue | int | float]:
    """Return the metadata of a day's problems: a table of them, and what became of all."""
    rows = {row.problem_id: row for row in sql_problems.all_problems(connection)}
    nearest = sql_problems.similarities_of_day(connection, day)
    today = sorted(nearest, key=lambda one: (-rows[one].posts, one))
    states = Counter(row.state for row in rows.values())
    return {
        "dagster/partition_row_count": len(today),
        "problems_in_all": len(rows),
        "seen_before": sum(rows[one].first_seen < day for one in today),
        **{state: states[state] for state in STATES},
        "problems": dg.MetadataValue.table(
            [
                dg.TableRecord(
                    {
                        "posts": rows[one].posts,
                        "days": rows[one].days_seen,
                        "state": rows[one].state,
                        "title": printable(rows[one].canonical_title, MAX_TEXT_CHARS),
                        "first_seen": rows[one].first_seen.isoformat(),
                        "similarity": round(nearest[one], 3),
                    }
                )
                for one in today[:MAX_TABLE_ROWS]
            ],
            _SCHEMA,
        ),
    }
