"""The day runs by itself under the real webserver and daemon, watched through GraphQL."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from issue_pipeline.partitions import SOURCES
from issue_pipeline_tests.support.deployment import Deployment, deployed
from issue_pipeline_tests.support.receiver import Receiver

pytestmark = pytest.mark.e2e

POSTS_PER_DAY = 160
# Until the first tick: everything has to run by then, which on a busy machine takes its time.
LEADS_S = (45, 240, 900)
LIVE = ("gold", "live_issues")


@pytest.fixture(autouse=True)
def no_midnight_within_the_test():
    if datetime.now(UTC) + timedelta(minutes=45) > _midnight():
        pytest.skip("yesterday would become another day within this test")


def _midnight() -> datetime:
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today + timedelta(days=1)


def full_minute_in(seconds: float) -> datetime:
    """The next full minute after so many seconds."""
    moment = datetime.now(UTC) + timedelta(seconds=seconds)
    return moment.replace(second=0, microsecond=0) + timedelta(minutes=1)


@contextmanager
def deployed_before_a_tick(root: Path, **settings: str) -> Iterator[tuple[Deployment, datetime]]:
    """Deploy with schedules whose next tick is still to come when the daemon knows them."""
    for lead_s in LEADS_S:
        tick = full_minute_in(lead_s)
        own = {"COLLECT_AT": f"{tick:%H:%M}", "PROCESS_DEADLINE": "23:59", **settings}
        with deployed(root / f"lead-{lead_s}", posts_per_day=POSTS_PER_DAY, **own) as deployment:
            deployment.wait_until("the schedules are known", deployment.known_schedules)
            if datetime.now(UTC) < tick:
                yield deployment, tick
                return
    raise AssertionError(f"The daemon does not know its schedules within {lead_s} s.")


def yesterday() -> str:
    return (datetime.now(UTC).date() - timedelta(days=1)).isoformat()


def published(deployment: Deployment) -> float | None:
    """When yesterday was last published, in seconds since 1970."""
    return deployment.materialised(*LIVE).get(yesterday())


def assert_live_equals_gold(deployment: Deployment) -> None:
    gold = deployment.query(
        "SELECT canonical_title, cluster_size FROM gold.issues WHERE NOT label_failed ORDER BY ALL"
    )
    assert gold
    assert sorted((one["title"], one["size"]) for one in deployment.live()) == gold


def test_a_tick_of_the_schedules_makes_the_whole_day_down_to_the_live_records(tmp_path):
    with deployed_before_a_tick(tmp_path) as (deployment, tick):
        deployment.wait_until("yesterday is published", lambda: published(deployment))
        deployment.wait_until_idle()
        collected = deployment.materialised("bronze", "raw_items")
        assert set(collected) == {f"{yesterday()}|{source}" for source in SOURCES}
        assert min(collected.values()) >= tick.timestamp()
        # The freshness of all sources is checked every six hours, which may be now.
        ours = [run for run in deployment.runs() if run["jobName"] != "check_freshness"]
        assert sorted(run["jobName"] for run in ours) == sorted(
            [*(f"collect_{source}" for source in SOURCES), "find_issues"]
        )
        assert_live_equals_gold(deployment)
        assert {one["complete"] for one in deployment.live()} == {True}
        for asset in (("bronze", "raw_items"), ("silver", "clusters"), ("gold", "issues"), LIVE):
            # The scripted model writes about its posts as well as a script can.
            assert deployment.failed_checks(*asset) <= {"few_labels_failed"}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


def test_a_dead_source_holds_up_the_day_until_the_deadline_and_no_longer(tmp_path, receiver):
    settings = {"TRY_AGAIN_MINUTES": "0.1", "ALERT_WEBHOOK_URL": receiver.url}
    with deployed_before_a_tick(tmp_path, **settings) as (deployment, _):
        deployment.gate.is_open = False
        three = {f"{yesterday()}|{source}" for source in SOURCES if source != "hackernews"}
        deployment.wait_until(
            "the other three are in",
            lambda: set(deployment.materialised("bronze", "raw_items")) == three,
        )
        deployment.wait_until(
            "the dead source has failed a run",
            lambda: [
                run
                for run in deployment.runs()
                if (run["jobName"], run["status"]) == ("collect_hackernews", "FAILURE")
            ],
        )
        deadline = full_minute_in(30)
        deployment.change(PROCESS_DEADLINE=f"{deadline:%H:%M}")
        first = deployment.wait_until("yesterday is published", lambda: published(deployment))
        assert first >= deadline.timestamp()
        assert set(deployment.materialised("bronze", "raw_items")) == three
        assert_live_equals_gold(deployment)
        assert {one["complete"] for one in deployment.live()} == {False}
        failure = ("bronze/raw_items", f"{yesterday()}|hackernews", "answered 500")
        deployment.wait_until(
            "somebody is told of the failure",
            lambda: [text for text in receiver.texts if all(part in text for part in failure)],
        )

        deployment.gate.is_open = True
        deployment.wait_until(
            "the late source is published, too",
            lambda: (
                (published(deployment) or 0) > first
                and {one["complete"] for one in deployment.live()} == {True}
            ),
        )
        deployment.wait_until_idle()
        assert_live_equals_gold(deployment)
        assert deployment.query("SELECT 1 FROM bronze.raw_items WHERE source = 'hackernews'")
        assert len([run for run in deployment.runs() if run["jobName"] == "find_issues"]) == 2
