"""What the ledger says about a day before it is worked on."""

from collections.abc import Sequence
from datetime import date

from issue_pipeline.errors import MissingInputError
from issue_pipeline.partitions import SOURCES
from issue_pipeline.records import LedgerEntry


def require_collected(day: date, ledger: Sequence[LedgerEntry]) -> None:
    """Tell an empty day from one that was never collected.

    Raises:
        MissingInputError: No source has an entry for the day.
    """
    if not ledger:
        raise MissingInputError(
            f"No source was ever collected for {day}. Materialise bronze/raw_items for that day, or"
            " check ISSUES_DUCKDB_PATH."
        )


def incomplete_sources(ledger: Sequence[LedgerEntry]) -> list[str]:
    """List the sources of which the day is not whole, never collected ones included, sorted."""
    return sorted(set(SOURCES) - {entry.source for entry in ledger if entry.complete})
