"""The one DuckDB file, opened for as short a time as possible."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from pathlib import Path

import duckdb
import stamina
from dagster_duckdb import DuckDBResource

from issue_pipeline.errors import StoreError

# DuckDB lets one process write; the others of a backfill wait their turn this long.
LOCK_TIMEOUT_S = 300.0
# Of rows not yet committed; the rest waits on disk. By default it would be most of the machine's.
WRITE_MEMORY = "256MB"
_LOCKED = "could not set lock"


class IssuesDatabase(DuckDBResource):
    """dagster-duckdb's resource, made safe for several processes taking turns.

    Differences: waits for the lock with jitter and long enough for a backfill, creates the file,
    its folder and the tables, opens read-only for reads, always closes, and makes every write one
    transaction.
    """

    @contextmanager
    def write(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open for writing; commits at the end, rolls back everything on an exception.

        Keep the body short: no other process can open the file meanwhile.

        Raises:
            StoreError: The file cannot be opened.
        """
        Path(self.database).parent.mkdir(parents=True, exist_ok=True)
        connection = self._connect(read_only=False)
        try:
            connection.execute(f"SET memory_limit = '{WRITE_MEMORY}'")
            if not _has_schema(connection):
                connection.execute(_schema())
                connection.execute(f"COMMENT ON TABLE gold.issues IS '{_schema_mark()}'")
            connection.begin()
            yield connection
            connection.commit()
        finally:
            # Closing without a commit rolls back.
            connection.close()

    @contextmanager
    def read(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open for reading; several processes may at once, while none writes.

        Raises:
            StoreError: The file cannot be opened.
        """
        if not Path(self.database).exists():
            self._bring_up_to_date()
        connection = self._connect(read_only=True)
        try:
            if not _has_schema(connection):
                connection.close()
                self._bring_up_to_date()
                connection = self._connect(read_only=True)
            yield connection
        finally:
            connection.close()

    def _bring_up_to_date(self) -> None:
        """Create the tables, or what an older version's tables lack."""
        with self.write():
            pass

    # dagster-duckdb's own entry point, so that code written for it gets the same guarantees.
    get_connection = write

    def _connect(self, *, read_only: bool) -> duckdb.DuckDBPyConnection:
        try:
            for attempt in stamina.retry_context(
                on=_is_lock, attempts=None, timeout=LOCK_TIMEOUT_S, wait_initial=0.05, wait_max=2.0
            ):
                with attempt:
                    return duckdb.connect(
                        self.database, read_only=read_only, config=self.connection_config
                    )
        except duckdb.Error as error:
            hint = (
                f"Another process kept it locked for {LOCK_TIMEOUT_S:.0f} s; close it."
                if _is_lock(error)
                else "Check ISSUES_DUCKDB_PATH."
            )
            raise StoreError(
                f"Cannot open the database {self.database}: {error}\n{hint}"
            ) from error
        raise AssertionError("unreachable")


@cache
def _schema() -> str:
    return files("issue_pipeline.sql").joinpath("schema.sql").read_text()


@cache
def _schema_mark() -> str:
    return f"schema.sql {hashlib.sha256(_schema().encode()).hexdigest()}"


def _has_schema(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether the file was last brought up to date with this very schema.

    Read-only connections cannot create what is missing, and short writes should not have to.
    """
    marks = connection.execute(
        "SELECT comment FROM duckdb_tables() WHERE (schema_name, table_name) = ('gold', 'issues')"
    ).fetchall()
    return marks == [(_schema_mark(),)]


def _is_lock(error: Exception) -> bool:
    return isinstance(error, duckdb.IOException) and _LOCKED in str(error).lower()
