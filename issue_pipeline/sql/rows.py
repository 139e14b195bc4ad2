"""Moving many rows into a table in one statement."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from itertools import islice

import duckdb

# Rows per statement: keeps the JSON text of a chunk of long posts within tens of megabytes.
CHUNK_ROWS = 2_000


def as_utc(moment: datetime) -> datetime:
    """Mark a timestamp read from the database, which stores UTC without saying so."""
    return moment.replace(tzinfo=UTC)


def _encode(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ")
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"Cannot store a {type(value).__name__}.")


def insert_rows(
    con: duckdb.DuckDBPyConnection, table: str, rows: Iterable[Mapping[str, object]]
) -> int:
    """Append rows to a table, matched by column name.

    One JSON text per chunk, unpacked by the database: two orders of magnitude quicker than one
    statement per row.

    Args:
        con: An open connection, usually within a transaction.
        table: ``schema.table``, a name of ``schema.sql``; never foreign text.
        rows: One mapping per row, all with the same keys. Datetimes must be aware.

    Returns:
        The number of rows inserted.
    """
    schema, name = table.split(".")
    types = dict(
        con.execute(
            "SELECT column_name, data_type FROM information_schema.columns"
            " WHERE table_schema = ? AND table_name = ?",
            [schema, name],
        ).fetchall()
    )
    total = 0
    iterator = iter(rows)
    while chunk := list(islice(iterator, CHUNK_ROWS)):
        structure = json.dumps([{column: types[column] for column in chunk[0]}])
        text = json.dumps(chunk, default=_encode, ensure_ascii=False)
        # The database refuses half a surrogate pair, wherever it came from: U+FFFD stands for it.
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        con.execute(
            f"INSERT INTO {table} BY NAME SELECT unnest(from_json(?, ?), recursive := true)",
            [text, structure],
        )
        total += len(chunk)
    return total
