"""The tables, as numbered steps from an empty file to today's: ``0001_tables.sql`` and on.

A step that has landed is never changed; a new one is added, with the next number. Files from before
there were numbers have some of the tables of the first step, which makes what they lack.
"""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import duckdb

from issue_pipeline.errors import StoreError


@dataclass(frozen=True, slots=True)
class Migration:
    """One step: its number from 1 on, the rest of its file's name, and its statements."""

    version: int
    name: str
    sql: str


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table, its DuckDB type, and what it holds (``None`` where nobody says)."""

    name: str
    type: str
    comment: str | None


@cache
def known_migrations() -> tuple[Migration, ...]:
    """Return every step, in order."""
    scripts = sorted(
        (script for script in files(__name__).iterdir() if script.name.endswith(".sql")),
        key=lambda script: script.name,
    )
    return tuple(
        Migration(int(number), name, script.read_text(encoding="utf-8"))
        for script in scripts
        for number, _, name in [script.name.removesuffix(".sql").partition("_")]
    )


def is_up_to_date(con: duckdb.DuckDBPyConnection) -> bool:
    """Return whether a file has taken every step.

    Raises:
        StoreError: It has taken one that this version of the pipeline does not know.
    """
    version, newest = _version(con), known_migrations()[-1].version
    if version > newest:
        raise StoreError(
            f"The database was written by a newer version of the pipeline (its tables are at step"
            f" {version}, this one knows {newest}). Update the pipeline, or name another file in"
            " ISSUES_DUCKDB_PATH."
        )
    return version == newest


def migrate(con: duckdb.DuckDBPyConnection) -> None:
    """Take the steps that a file lacks, each in a transaction of its own.

    Args:
        con: Writing, outside a transaction.
    """
    con.execute(
        "CREATE TABLE IF NOT EXISTS migrations (version INTEGER PRIMARY KEY, name VARCHAR NOT NULL,"
        " applied_at TIMESTAMP NOT NULL)"
    )
    done = _version(con)
    for step in known_migrations():
        if step.version > done:
            con.begin()
            con.execute(step.sql)
            con.execute(
                "INSERT INTO migrations VALUES (?, ?, now() AT TIME ZONE 'UTC')",
                [step.version, step.name],
            )
            con.commit()


def table_columns(table: str) -> tuple[Column, ...]:
    """Describe a table as all steps together make it.

    Args:
        table: With its schema, ``gold.issues``.
    """
    return tuple(column for owner, column in _all_columns() if owner == table)


@cache
def _all_columns() -> tuple[tuple[str, Column], ...]:
    """Return the columns of every table, each with the table's name, in order."""
    with duckdb.connect(config={"threads": 1}) as con:
        migrate(con)
        rows = con.execute(
            "SELECT schema_name || '.' || table_name, column_name, lower(data_type), comment"
            " FROM duckdb_columns() ORDER BY table_oid, column_index"
        ).fetchall()
    return tuple((owner, Column(*column)) for owner, *column in rows)


def _version(con: duckdb.DuckDBPyConnection) -> int:
    """Return the last step that a file has taken; 0 for none."""
    try:
        row = con.execute("SELECT max(version) FROM migrations").fetchone()
    except duckdb.CatalogException:
        return 0
    return int(row[0] or 0) if row else 0
