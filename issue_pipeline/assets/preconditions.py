"""Preconditions of a day's steps, from the completeness ledger."""

from collections.abc import Sequence
from datetime import date

from issue_pipeline.errors import MissingInputError
from issue_pipeline.records import LedgerEntry
from issue_pipeline.settings import active_sources


def require_collected(day: date, ledger: Sequence[LedgerEntry]) -> None:
    """Refuse a day that was never collected; an empty one is accepted.

    Raises:
        MissingInputError: No source has an entry for the day.
    """
    if not ledger:
        raise MissingInputError(
            f"No source was ever collected for {day}. Materialise bronze/raw_items for that day, or"
            " check ISSUES_DUCKDB_PATH."
        )


def incomplete_sources(ledger: Sequence[LedgerEntry]) -> list[str]:
    """Return the sources of which the day is not whole, never collected ones included, sorted."""
    return sorted(set(active_sources()) - {entry.source for entry in ledger if entry.complete})
