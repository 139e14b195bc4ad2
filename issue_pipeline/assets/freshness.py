"""Freshness checks, one for each source, so that a live source hides no dead one."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import dagster as dg

from issue_pipeline.assets.keys import RAW_ITEMS
from issue_pipeline.resources.duckdb import IssuesDatabase
from issue_pipeline.settings import active_sources, process_deadline
from issue_pipeline.sql.checks import last_collected


def expected_day(now: datetime) -> date:
    """Return the newest day that should be there: yesterday, from the deadline on.

    Args:
        now: Aware, UTC.
    """
    return now.date() - timedelta(days=1 if now.time() >= process_deadline() else 2)


def _check_name(source: str) -> str:
    return f"{source}_is_fresh"


@dg.multi_asset_check(
    name="freshness",
    specs=[
        dg.AssetCheckSpec(
            _check_name(source),
            asset=RAW_ITEMS,
            description=f"From the deadline on, yesterday has been collected from {source}.",
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
    for source in active_sources():
        last = newest.get(source)
        yield dg.AssetCheckResult(
            asset_key=RAW_ITEMS,
            check_name=_check_name(source),
            passed=last is not None and last >= expected,
            severity=dg.AssetCheckSeverity.WARN,
            description=f"Last collected: {last or 'never'}; expected: {expected}.",
            metadata={
                "last_collected": str(last or "never"),
                "expected": expected.isoformat(),
            },
        )
