"""Days long past, which no schedule and no sensor asks for, filled by backfills."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from issue_pipeline.partitions import CATCH_UP_DAYS, SOURCES
from issue_pipeline_tests.support.deployment import Deployment

BRONZE = ("bronze", "raw_items")
PROCESSING = (
    ("silver", "clusters"),
    ("gold", "issues"),
    ("gold", "problems"),
    ("gold", "live_issues"),
)
_SEED = 7
_NOW = datetime.now(UTC)
# Nor may a schedule collect yesterday meanwhile: it ticks more than five hours from now.
_FAR_HOUR = 0 if 6 <= _NOW.hour < 18 else 12
SCHEDULES = {"COLLECT_AT": f"{_FAR_HOUR:02}:30", "PROCESS_DEADLINE": f"{_FAR_HOUR:02}:31"}


@dataclass(frozen=True)
class LongPastDays:
    """So many days.

    Attributes:
        days: Partitions of what is made of posts, the latest first.
        source_days: Partitions of the posts, in a random order that is always the same.
    """

    days: list[str]
    source_days: list[str]

    @classmethod
    def of(cls, count: int) -> "LongPastDays":
        """Choose the latest that nothing asks for."""
        last = _NOW.date() - timedelta(days=CATCH_UP_DAYS + 2)
        days = [(last - timedelta(days=back)).isoformat() for back in range(count)]
        source_days = [f"{day}|{source}" for day in days for source in SOURCES]
        random.Random(_SEED).shuffle(source_days)
        return cls(days, source_days)

    def fill(self, deployment: Deployment, limit_s: float) -> None:
        """Collect the days, then process them, by two backfills; both must succeed."""
        deployment.complete_backfill([BRONZE], self.source_days, limit_s)
        deployment.complete_backfill(PROCESSING, self.days, limit_s)
        deployment.wait_until_idle(limit_s)
