"""Between tables and records: many rows in by one statement, rows out as typed records."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, date, datetime
from typing import Any, TypeVar

import duckdb

from issue_pipeline.utils.printable import repair_surrogates

# Of one statement: keeps the JSON text of a chunk within megabytes, however long its rows.
CHUNK_ROWS = 2_000
CHUNK_CHARS = 4_000_000

T = TypeVar("T")
Parameters = Sequence[object] | Mapping[str, object]


def as_utc(moment: datetime) -> datetime:
    """Mark a timestamp read from the database, which stores UTC without saying so."""
    return moment.replace(tzinfo=UTC)


def columns_of(record_type: type) -> str:
    """List the fields of a record type, as columns of a SELECT."""
    return ", ".join(field.name for field in fields(record_type))


def read_rows(
    con: duckdb.DuckDBPyConnection, sql: str, parameters: Parameters, record_type: type[T]
) -> list[T]:
    """Read rows as records.

    Args:
        con: An open connection.
        sql: A SELECT whose columns have the names of the record's fields, in any order.
        parameters: Values to bind, by position or by name.
        record_type: A dataclass; its datetimes come back aware, in UTC.
    """
    cursor = con.execute(sql, parameters)
    names = [column[0] for column in cursor.description]
    return [
        record_type(
            **{
                name: as_utc(value) if isinstance(value, datetime) else value
                for name, value in zip(names, row, strict=True)
            }
        )
        for row in cursor.fetchall()
    ]


def read_groups(
    con: duckdb.DuckDBPyConnection, sql: str, parameters: Parameters
) -> dict[Any, set[str]]:
    """Read pairs of a key and a value as the values of each key.

    Args:
        con: An open connection.
        sql: A SELECT of two columns.
        parameters: Values to bind, by position or by name.
    """
    groups: dict[Any, set[str]] = {}
    for key, value in con.execute(sql, parameters).fetchall():
        groups.setdefault(key, set()).add(value)
    return groups


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
        table: ``schema.table``, a name of ``migrations``; never foreign text.
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
    for structure, chunk in _chunks(rows, types):
        con.execute(
            f"INSERT INTO {table} BY NAME SELECT unnest(from_json(?, ?), recursive := true)",
            ["[" + ",".join(chunk) + "]", structure],
        )
        total += len(chunk)
    return total


def _chunks(
    rows: Iterable[Mapping[str, object]], types: Mapping[str, str]
) -> Iterator[tuple[str, list[str]]]:
    """Write rows as JSON; give them in chunks, each with the structure that it has."""
    structure, chunk, chars = "", list[str](), 0
    for row in rows:
        structure = structure or json.dumps([{column: types[column] for column in row}])
        text = json.dumps(row, default=_encode, ensure_ascii=False)
        # The database refuses half a surrogate pair, wherever it came from: U+FFFD stands for it.
        text = repair_surrogates(text)
        chunk.append(text)
        chars += len(text)
        if len(chunk) == CHUNK_ROWS or chars >= CHUNK_CHARS:
            yield structure, chunk
            chunk, chars = [], 0
    if chunk:
        yield structure, chunk
