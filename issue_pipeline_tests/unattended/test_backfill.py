"""A span of days filled through the UI's API, four runs at a time, undisturbed and under fire.

A small span by default; ``make soak`` takes fourteen days, and kills thirty times.
"""

import contextlib
import os
import random
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psutil
import pytest

from issue_pipeline.partitions import CATCH_UP_DAYS, SOURCES
from issue_pipeline_tests.support.deployment import Deployment, deployed

pytestmark = pytest.mark.e2e

SOAK = bool(os.environ.get("SOAK"))
# One day in the suite: four source-days at once, then what is made of them.
DAY_COUNT = 14 if SOAK else 1
KILLS = 30 if SOAK else 4
POSTS_PER_DAY = 160
LIMIT_S = 3600 if SOAK else 900
# Between two blows, at most.
PEACE_S = 15.0
BRONZE = ("bronze", "raw_items")
PROCESSING = (
    ("silver", "clusters"),
    ("gold", "issues"),
    ("gold", "problems"),
    ("gold", "live_issues"),
)
SEED = 7
NOW = datetime.now(UTC)
# Days long past, which no schedule and no sensor asks for.
DAYS = [
    (NOW.date() - timedelta(days=CATCH_UP_DAYS + 2 + back)).isoformat() for back in range(DAY_COUNT)
]
SOURCE_DAYS = [f"{day}|{source}" for day in DAYS for source in SOURCES]
random.Random(SEED).shuffle(SOURCE_DAYS)
# Nor may a schedule collect yesterday meanwhile: it ticks more than five hours from now.
_FAR_HOUR = 0 if 6 <= NOW.hour < 18 else 12
SCHEDULES = {"COLLECT_AT": f"{_FAR_HOUR:02}:30", "PROCESS_DEADLINE": f"{_FAR_HOUR:02}:31"}


def fill(deployment: Deployment) -> None:
    """Collect the days, then process them, by two backfills; both must succeed."""
    for assets, partitions in (([BRONZE], SOURCE_DAYS), (PROCESSING, DAYS)):
        deployment.complete_backfill(assets, partitions, LIMIT_S)
    deployment.wait_until_idle(LIMIT_S)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What a backfill gives that nobody disturbs, with what it logged."""
    with deployed(
        tmp_path_factory.mktemp("peace"), posts_per_day=POSTS_PER_DAY, **SCHEDULES
    ) as deployment:
        fill(deployment)
        yield {
            "tables": deployment.tables(),
            "live": shown(deployment),
            "locks": deployment.lock_errors(),
            "violations": deployment.violations(),
        }


def shown(deployment: Deployment) -> list[tuple[Any, ...]]:
    """What the live store says, without ids, which may depend on the past."""
    names = ("issue_date", "title", "category", "impact", "would_pay", "size", "complete")
    return sorted(tuple(one[name] for name in names) for one in deployment.live())


def test_a_backfill_succeeds_without_a_word_about_locks_or_limits(undisturbed):
    assert undisturbed["locks"] == []
    assert undisturbed["violations"] == 0
    collected = {
        (row[0].isoformat(), row[1]) for row in undisturbed["tables"]["bronze.collections"]
    }
    assert collected == {(day, source) for day in DAYS for source in SOURCES}
    assert {row[0] for row in undisturbed["live"]} == set(DAYS)


def strike(deployment: Deployment, chance: random.Random) -> None:
    """Kill a run's process, the daemon or PocketBase; start the latter two again, as systemd would.

    With the daemon go the code server and the runs that it holds, as when a machine goes down.
    """
    daemon, pocketbase = deployment.daemon, deployment.services.servers["pocketbase"].process
    workers = psutil.Process(daemon.pid).children(recursive=True)
    victim = chance.choice([daemon.pid, pocketbase.pid, *(worker.pid for worker in workers)])
    with contextlib.suppress(ProcessLookupError):  # a run may just have ended
        os.kill(victim, signal.SIGKILL)
    if victim == pocketbase.pid:
        pocketbase.stop()
        pocketbase.start()
        deployment.services.servers["pocketbase"].wait_until_ready()
    if victim == daemon.pid:
        daemon.stop()
        deployment.start_daemon()


def test_whatever_is_cancelled_or_killed_the_days_end_as_if_nothing_had_happened(
    undisturbed, tmp_path
):
    chance = random.Random(SEED)
    settings = {**SCHEDULES, "TRY_AGAIN_MINUTES": "0.1"}
    with deployed(tmp_path, posts_per_day=POSTS_PER_DAY, **settings) as deployment:
        cancelled = deployment.backfill([BRONZE], SOURCE_DAYS)
        deployment.wait_until("a run is going on", deployment.runs)
        deployment.cancel_backfill(cancelled)
        deployment.wait_until(
            "it is cancelled", lambda: deployment.backfill_status(cancelled) == "CANCELED"
        )
        deployment.backfill([BRONZE], SOURCE_DAYS)
        for number in range(KILLS):
            if number == KILLS // 2:
                deployment.backfill(PROCESSING, DAYS)
            time.sleep(chance.uniform(1.0, PEACE_S))
            strike(deployment, chance)
        deployment.wait_until_idle(LIMIT_S)
        fill(deployment)  # what an operator does who is told that something failed
        for table, rows in deployment.tables().items():
            expected = undisturbed["tables"][table]
            assert list(set(rows) ^ set(expected)) == [], table  # prints what differs
            assert rows == expected, table
        assert shown(deployment) == undisturbed["live"]
