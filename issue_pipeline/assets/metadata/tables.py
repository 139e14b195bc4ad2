"""What the catalogue of the UI says about every asset alike: owners, tables, columns."""

from datetime import UTC, datetime
from typing import Any

import dagster as dg

from issue_pipeline.sql.migrations import table_columns

OWNERS = ["team:issue-pipeline"]


def table_metadata(table: str) -> dict[str, Any]:
    """Return an asset's table and its columns, as the migrations make them, for its metadata.

    Args:
        table: With its schema, ``gold.issues``.
    """
    columns = [
        dg.TableColumn(column.name, column.type, column.comment) for column in table_columns(table)
    ]
    return {"dagster/table_name": table, "dagster/column_schema": dg.TableSchema(columns)}


def seconds_since(moment: datetime) -> float:
    """Return the seconds since an aware moment, to a tenth."""
    return round((datetime.now(UTC) - moment).total_seconds(), 1)
