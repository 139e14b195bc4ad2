"""A span of days filled through the UI's API, four runs at a time, undisturbed and under fire.

A small span by default; ``make soak`` takes fourteen days, and kills thirty times.
"""

import contextlib
import os
import random
import signal
import time
from collections.abc import Iterator
from typing import Any

import psutil
import pytest

from issue_pipeline.partitions import SOURCES
from issue_pipeline_tests.support.deployment import Deployment, deployed
from issue_pipeline_tests.support.long_past_days import BRONZE, PROCESSING, SCHEDULES, LongPastDays
from issue_pipeline_tests.support.soak import SOAK

pytestmark = pytest.mark.e2e

# One day in the suite: four source-days at once, then what is made of them.
DAY_COUNT = 14 if SOAK else 1
KILLS = 30 if SOAK else 4
POSTS_PER_DAY = 160
LIMIT_S = 3600 if SOAK else 900
# Between two blows, at most.
PEACE_S = 15.0
SEED = 7
DAYS = LongPastDays.of(DAY_COUNT)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What a backfill gives that nobody disturbs, with what it logged."""
    with deployed(
        tmp_path_factory.mktemp("peace"), posts_per_day=POSTS_PER_DAY, **SCHEDULES
    ) as deployment:
        DAYS.fill(deployment, LIMIT_S)
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
    assert collected == {(day, source) for day in DAYS.days for source in SOURCES}
    assert {row[0] for row in undisturbed["live"]} == set(DAYS.days)


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
        cancelled = deployment.backfill([BRONZE], DAYS.source_days)
        deployment.wait_until("a run is going on", deployment.runs)
        deployment.cancel_backfill(cancelled)
        deployment.wait_until(
            "it is cancelled", lambda: deployment.backfill_status(cancelled) == "CANCELED"
        )
        deployment.backfill([BRONZE], DAYS.source_days)
        for number in range(KILLS):
            if number == KILLS // 2:
                deployment.backfill(PROCESSING, DAYS.days)
            time.sleep(chance.uniform(1.0, PEACE_S))
            strike(deployment, chance)
        deployment.wait_until_idle(LIMIT_S)
        DAYS.fill(deployment, LIMIT_S)  # what an operator does who is told that something failed
        for table, rows in deployment.tables().items():
            expected = undisturbed["tables"][table]
            assert list(set(rows) ^ set(expected)) == [], table  # prints what differs
            assert rows == expected, table
        assert shown(deployment) == undisturbed["live"]
