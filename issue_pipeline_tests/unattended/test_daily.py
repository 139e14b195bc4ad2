"""The day runs by itself under the real webserver and daemon, watched through GraphQL."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from issue_pipeline.partitions import SOURCES
from issue_pipeline_tests.automation.receiver import Receiver
from issue_pipeline_tests.unattended.deployment import Deployment, deployed

pytestmark = pytest.mark.e2e

POSTS_PER_DAY = 160
START_S = 90
LIVE = ("gold", "live_issues")


@pytest.fixture(autouse=True)
def no_midnight_within_the_test():
    if datetime.now(UTC) + timedelta(minutes=20) > _midnight():
        pytest.skip("yesterday would become another day within this test")


def _midnight() -> datetime:
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today + timedelta(days=1)


def soon() -> datetime:
    """The next full minute that leaves everything time to start."""
    moment = datetime.now(UTC) + timedelta(seconds=START_S)
    return moment.replace(second=0, microsecond=0) + timedelta(minutes=1)


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
    tick = soon()
    settings = {"COLLECT_AT": f"{tick:%H:%M}", "PROCESS_DEADLINE": "23:59"}
    with deployed(tmp_path, posts_per_day=POSTS_PER_DAY, **settings) as deployment:
        deployment.wait_until("yesterday is published", lambda: published(deployment))
        deployment.wait_until_idle()
        collected = deployment.materialised("bronze", "raw_items")
        assert set(collected) == {f"{yesterday()}|{source}" for source in SOURCES}
        assert min(collected.values()) >= tick.timestamp()
        jobs = sorted(run["jobName"] for run in deployment.runs())
        assert jobs == sorted([*(f"collect_{source}" for source in SOURCES), "find_issues"])
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
    tick = soon()
    deadline = tick + timedelta(minutes=3)
    settings = {
        "COLLECT_AT": f"{tick:%H:%M}",
        "PROCESS_DEADLINE": f"{deadline:%H:%M}",
        "TRY_AGAIN_MINUTES": "0.1",
        "ALERT_WEBHOOK_URL": receiver.url,
    }
    with deployed(tmp_path, posts_per_day=POSTS_PER_DAY, **settings) as deployment:
        deployment.gate.is_open = False
        first = deployment.wait_until("yesterday is published", lambda: published(deployment))
        assert first >= deadline.timestamp()
        assert set(deployment.materialised("bronze", "raw_items")) == {
            f"{yesterday()}|{source}" for source in SOURCES if source != "hackernews"
        }
        assert_live_equals_gold(deployment)
        assert {one["complete"] for one in deployment.live()} == {False}
        deployment.wait_until(
            "the dead source has failed a run",
            lambda: [
                run
                for run in deployment.runs()
                if (run["jobName"], run["status"]) == ("collect_hackernews", "FAILURE")
            ],
        )

        (alert, *_) = deployment.wait_until("somebody is told", lambda: receiver.texts)
        for part in ("bronze/raw_items", f"{yesterday()}|hackernews", "answered 500"):
            assert part in alert

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
