"""Freshness checks, one for each source, so that a live source hides no dead one.

They also report the days that were missed and that nothing makes up for by itself.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import dagster as dg

from issue_pipeline.assets.keys import RAW_ITEMS
from issue_pipeline.partitions import CATCH_UP_DAYS
from issue_pipeline.resources.duckdb import IssuesDatabase
from issue_pipeline.settings import active_sources, process_deadline
from issue_pipeline.sql.checks import days_collected, last_collected

# A gap that is too old to be made up for is reported until it is older than this.
REPORTED_DAYS = 2 * CATCH_UP_DAYS


def expected_day(now: datetime) -> date:
    """Return the newest day that should be there: yesterday, from the deadline on.

    Args:
        now: Aware, UTC.
    """
    return now.date() - timedelta(days=1 if now.time() >= process_deadline() else 2)


def missed_for_good(days: Sequence[date], expected: date) -> list[date]:
    """Return the days between collected ones that are too old to be made up for by themselves.

    Args:
        days: That were collected, in order.
        expected: The newest day that should be there.
    """
    made_up_for = expected - timedelta(days=CATCH_UP_DAYS)
    return [
        day + timedelta(days=ahead)
        for day, following in pairwise(days)
        for ahead in range(1, (following - day).days)
        if day + timedelta(days=ahead) < made_up_for
    ]


def _check_name(source: str) -> str:
    return f"{source}_is_fresh"


@dg.multi_asset_check(
    name="freshness",
    specs=[
        dg.AssetCheckSpec(
            _check_name(source),
            asset=RAW_ITEMS,
            description=(
                f"From the deadline on, yesterday has been collected from {source}; and no day was"
                f" missed that is too old to be made up for ({CATCH_UP_DAYS} days)."
            ),
        )
        for source in active_sources()
    ],
    description="Looks at the newest day of each source in the completeness ledger.",
)
def freshness_checks(database: IssuesDatabase) -> Iterator[dg.AssetCheckResult]:
    """Compare the newest collected day of each source with the day that should be there."""
    expected = expected_day(datetime.now(UTC))
    with database.read() as connection:
        newest = last_collected(connection)
        collected = days_collected(connection, expected - timedelta(days=REPORTED_DAYS))
    for source in active_sources():
        last = newest.get(source)
        missed = missed_for_good(collected.get(source, ()), expected)
        description = f"Last collected: {last or 'never'}; expected: {expected}."
        if missed:
            description += (
                f" {len(missed)} days were missed and are too old to be made up for by themselves:"
                f" {missed[0]} to {missed[-1]}. Materialise them by hand, or leave them out:"
                f" they are reported for {REPORTED_DAYS} days."
            )
        yield dg.AssetCheckResult(
            asset_key=RAW_ITEMS,
            check_name=_check_name(source),
            passed=last is not None and last >= expected and not missed,
            severity=dg.AssetCheckSeverity.WARN,
            description=description,
            metadata={
                "last_collected": str(last or "never"),
                "expected": expected.isoformat(),
                "missed": len(missed),
            },
        )
