"""Copy the database, also while it is used (``issue-pipeline backup FILE``).

To restore it, stop the daemon, remove ``ISSUES_DUCKDB_PATH`` and the ``.wal`` file beside it, and
put the copy there.
"""

import os
import sys
from contextlib import suppress
from pathlib import Path

import duckdb
from dotenv import load_dotenv

from issue_pipeline.errors import IssuePipelineError, StoreError, StoreFullError
from issue_pipeline.resources.duckdb import IssuesDatabase, is_full
from issue_pipeline.settings import duckdb_path


def back_up(database: IssuesDatabase, copy: Path) -> None:
    """Copy every table as it stands at one moment; writers wait until that is done.

    Args:
        database: What to copy.
        copy: The new file; its folder is made. It appears whole or not at all.

    Raises:
        StoreFullError: There is no room for the copy.
        StoreError: There is no database, the copy exists already or cannot be made, or the database
            cannot be read.
    """
    if not Path(database.database).exists():
        raise StoreError(f"There is no database {database.database}. Check ISSUES_DUCKDB_PATH.")
    if copy.exists():
        raise StoreError(f"{copy} exists already; name a new file.")
    draft = copy.with_name(f"{copy.name}.{os.getpid()}.part")
    try:
        copy.parent.mkdir(parents=True, exist_ok=True)
        with database.read() as connection:
            (source,) = connection.execute("SELECT current_database()").fetchone() or ("",)
            # Statements that take no parameters; quotes in a name are doubled.
            target, name = str(draft).replace("'", "''"), source.replace('"', '""')
            connection.execute(f"ATTACH '{target}' AS the_copy (READ_WRITE)")
            connection.execute(f'COPY FROM DATABASE "{name}" TO the_copy')
            connection.execute("DETACH the_copy")
        draft.replace(copy)
    except (duckdb.Error, OSError) as error:
        if is_full(error):
            raise StoreFullError(
                f"The copy {copy} could not be made: {error}\nThe disk of"
                f" {copy.absolute().parent} is full. The database is as it was."
            ) from error
        raise StoreError(
            f"The copy {copy} could not be made: {error}\nThe database is as it was; name a file in"
            " a folder that can be written to."
        ) from error
    finally:
        for part in (draft, draft.with_name(f"{draft.name}.wal")):
            with suppress(OSError):
                part.unlink(missing_ok=True)


def back_up_configured_database(copy: Path) -> int:
    """Copy the database that the environment or ``.env`` names.

    Args:
        copy: The new file; its folder is made.

    Returns:
        The exit status: 0, or 1 with the reason on standard error.
    """
    # As Dagster reads it: over the environment.
    load_dotenv(".env", override=True)
    database = IssuesDatabase(database=duckdb_path())
    try:
        back_up(database, copy)
    except IssuePipelineError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"Copied {database.database} to {copy}.")
    return 0
