"""The one DuckDB file, opened for as short a time as possible."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import duckdb
import stamina
from dagster_duckdb import DuckDBResource

from issue_pipeline.errors import (
    IssuePipelineError,
    StoreBusyError,
    StoreError,
    StoreFullError,
)
from issue_pipeline.sql.migrations import is_up_to_date, migrate
from issue_pipeline.utils.file_lock import file_lock

# DuckDB lets one process write; the others of a backfill wait for the file this long.
LOCK_TIMEOUT_S = 300.0
# Of rows not yet committed; the rest waits on disk. By default it would be most of the machine's.
WRITE_MEMORY = "256MB"
_LOCK_REFUSED = "could not set lock"
# Said of a lock that another process, or this one, holds; anything else is about the file system.
_LOCK_HELD = "lock is"
_WAL_REFUSED = "replaying wal file"
_DAMAGED = ("corrupt database file", "not a valid duckdb database file")
_NO_ROOM = ("no space left on device", "file too large", "disk quota exceeded")


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
            StoreBusyError: Another process has the file for too long.
            StoreFullError: The disk is full; nothing was written.
            StoreError: The file cannot be opened, or is of a newer version of the pipeline.
        """
        try:
            Path(self.database).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"Cannot make the folder of the database {self.database} ({error.strerror}). Check"
                " ISSUES_DUCKDB_PATH."
            ) from error
        connection = self._connect(read_only=False)
        try:
            connection.execute(f"SET memory_limit = '{WRITE_MEMORY}'")
            if not is_up_to_date(connection):
                migrate(connection)
            connection.begin()
            yield connection
            connection.commit()
        except duckdb.Error as error:
            if not _is_about_the_disk(error):
                raise
            raise self._not_written(error) from error
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

    @contextmanager
    def lock(self, work: str, timeout_s: float, busy: IssuePipelineError) -> Iterator[None]:
        """Hold a file lock beside the database, so that one run at a time does some work.

        Args:
            work: Names the lock.
            timeout_s: Longest wait for another holder, in seconds.
            busy: What to raise if others held the lock all the time.

        Raises:
            IssuePipelineError: That one.
            StoreError: Nothing can be written beside the database.
        """
        with ExitStack() as stack:
            try:
                stack.enter_context(file_lock(Path(f"{self.database}.{work}"), timeout_s))
            except TimeoutError:
                raise busy from None
            except OSError as error:
                raise StoreError(
                    f"Cannot write beside the database {self.database} ({error.strerror}). Check"
                    " ISSUES_DUCKDB_PATH."
                ) from error
            yield

    def _not_written(self, error: duckdb.Error) -> StoreError:
        said = f"The database {self.database} could not be written, and nothing was: {error}"
        if is_full(error):
            return StoreFullError(
                f"{said}\nIts disk is full: make room on {Path(self.database).absolute().parent}."
            )
        return StoreBusyError(f"{said}\nIs its disk in trouble?")

    def _bring_up_to_date(self) -> None:
        """Create the tables, or what an older version's tables lack."""
        with self.write():
            pass

    # dagster-duckdb's own entry point, so that code written for it gets the same guarantees.
    get_connection = write

    def _connect(self, *, read_only: bool) -> duckdb.DuckDBPyConnection:
        try:
            for attempt in stamina.retry_context(
                on=_is_held, attempts=None, timeout=LOCK_TIMEOUT_S, wait_initial=0.05, wait_max=2.0
            ):
                with attempt:
                    return duckdb.connect(
                        self.database, read_only=read_only, config=self.connection_config
                    )
        except duckdb.Error as error:
            raise self._not_opened(error) from error
        raise AssertionError("unreachable")

    def _not_opened(self, error: duckdb.Error) -> StoreError:
        said, lower = f"Cannot open the database {self.database}: {error}", str(error).lower()
        if _is_held(error):
            return StoreBusyError(
                f"{said}\nAnother process kept it locked for {LOCK_TIMEOUT_S:.0f} s; close it."
            )
        if _LOCK_REFUSED in lower:
            return StoreError(
                f"{said}\nIts file system has no file locks, without which two processes could"
                " damage it. Put ISSUES_DUCKDB_PATH on a local disk, or mount with locks."
            )
        if is_full(error):
            return StoreFullError(
                f"{said}\nIts disk is full: make room on {Path(self.database).absolute().parent}."
            )
        if _WAL_REFUSED in lower:
            wal = f"{self.database}.wal"
            return StoreError(
                f"{said}\nThe file {wal} does not belong to the database beside it, or is damaged."
                " After a restore it is the old database's: move it away. Otherwise it holds what"
                " was written last: keep a copy of it, move it away, and materialise the last"
                " day again; or restore a backup (docs/operations.md)."
            )
        if any(words in lower for words in _DAMAGED):
            return StoreError(
                f"{said}\nThe file is damaged or no database. Check ISSUES_DUCKDB_PATH; if it is"
                " right, move it away and restore a backup (docs/operations.md)."
            )
        return StoreError(f"{said}\nCheck ISSUES_DUCKDB_PATH.")


def is_full(error: BaseException) -> bool:
    """Return whether an error says that a disk has no room left."""
    return any(words in str(error).lower() for words in _NO_ROOM)


def _is_about_the_disk(error: duckdb.Error) -> bool:
    return isinstance(error, duckdb.IOException) or is_full(error)


def _is_held(error: Exception) -> bool:
    lower = str(error).lower()
    is_refused = isinstance(error, duckdb.IOException) and _LOCK_REFUSED in lower
    return is_refused and _LOCK_HELD in lower
