"""The one DuckDB file, opened for as short a time as possible."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import stamina
from dagster_duckdb import DuckDBResource

from issue_pipeline.errors import StoreBusyError, StoreError
from issue_pipeline.sql.migrations import is_up_to_date, migrate

# DuckDB lets one process write; the others of a backfill wait for the file this long.
LOCK_TIMEOUT_S = 300.0
# Of rows not yet committed; the rest waits on disk. By default it would be most of the machine's.
WRITE_MEMORY = "256MB"
_LOCKED = "could not set lock"


class IssuesDatabase(DuckDBResource):
    """dagster-duckdb's resource, made safe for several processes that write one after the other.

    Differences: waits for the lock with jitter and long enough for a backfill, creates the file,
    its folder and the tables, opens read-only for reads, always closes, and makes every write one
    transaction.
    """

    @contextmanager
    def write(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open for writing; commits at the end, rolls back everything on an exception.

        Keep the body short: no other process can open the file meanwhile.

        Raises:
            StoreBusyError: Another process has the file for too long, or the disk is full.
            StoreError: The file cannot be opened, or is of a newer version of the pipeline.
        """
        Path(self.database).parent.mkdir(parents=True, exist_ok=True)
        connection = self._connect(read_only=False)
        try:
            connection.execute(f"SET memory_limit = '{WRITE_MEMORY}'")
            if not is_up_to_date(connection):
                migrate(connection)
            connection.begin()
            yield connection
            connection.commit()
        except duckdb.IOException as error:
            raise StoreBusyError(
                f"The database {self.database} could not be written, and nothing was: {error}\nIs"
                " its disk full?"
            ) from error
        finally:
            # Closing without a commit rolls back.
            connection.close()

    @contextmanager
    def read(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open for reading; several processes may at once, while none writes.

        Raises:
            StoreError: The file cannot be opened, or is of a newer version of the pipeline.
        """
        if not Path(self.database).exists():
            self._bring_up_to_date()
        connection = self._connect(read_only=True)
        try:
            if not is_up_to_date(connection):
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
            said = f"Cannot open the database {self.database}: {error}"
            if _is_lock(error):
                hint = f"Another process kept it locked for {LOCK_TIMEOUT_S:.0f} s; close it."
                raise StoreBusyError(f"{said}\n{hint}") from error
            raise StoreError(f"{said}\nCheck ISSUES_DUCKDB_PATH.") from error
        raise AssertionError("unreachable")


def _is_lock(error: Exception) -> bool:
    return isinstance(error, duckdb.IOException) and _LOCKED in str(error).lower()
