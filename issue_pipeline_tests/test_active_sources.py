"""SOURCES leaves sources out everywhere, and takes nothing away that is there."""

import json
import os
import subprocess
import sys
from datetime import UTC, date, datetime, time

import dagster as dg
import pytest

from issue_pipeline.assets.preconditions import incomplete_sources
from issue_pipeline.automation.history import Materialised
from issue_pipeline.automation.processing import DayState, reason_to_process
from issue_pipeline.automation.retries import is_run_again
from issue_pipeline.errors import ConfigurationError
from issue_pipeline.partitions import SOURCES, source_day_partitions
from issue_pipeline.records import LedgerEntry
from issue_pipeline.settings import active_sources, process_deadline

TWO = "github,hackernews"
NIGHT = datetime(2026, 3, 11, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _two_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCES", TWO)


@pytest.mark.parametrize("written", [" hackernews , github ", "github,hackernews,", TWO])
def test_the_order_is_the_registrys_however_it_is_written(written, monkeypatch):
    monkeypatch.setenv("SOURCES", written)
    assert active_sources() == ("github", "hackernews")


@pytest.mark.parametrize("nothing", [None, "", " ", ","])
def test_without_a_choice_all_are_active(nothing, monkeypatch):
    monkeypatch.delenv("SOURCES") if nothing is None else monkeypatch.setenv("SOURCES", nothing)
    assert active_sources() == SOURCES


@pytest.mark.parametrize("written", ["gitlab", "GitHub", "github hackernews"])
def test_a_source_that_there_is_not_is_named_with_those_there_are(written, monkeypatch):
    monkeypatch.setenv("SOURCES", written)
    with pytest.raises(ConfigurationError, match="expected some of github, stack"):
        active_sources()


def state(*sources: str) -> DayState:
    return DayState(
        date(2026, 3, 10), {one: Materialised(NIGHT, {}) for one in sources}, None, None
    )


def test_a_day_waits_for_active_sources_only():
    assert reason_to_process(state("github", "hackernews"), NIGHT, time(6)) is not None
    assert state("github").waits_for == ["hackernews"]
    assert reason_to_process(state("github"), NIGHT, time(6)) is None


def test_what_was_collected_of_others_is_still_processed():
    assert reason_to_process(state("github", "hackernews", "reddit"), NIGHT, time(6)) is not None


def entry(source: str, *, complete: bool) -> LedgerEntry:
    values = dict.fromkeys(LedgerEntry.__dataclass_fields__)
    return LedgerEntry(**values | {"source": source, "complete": complete})  # type: ignore[arg-type]


def test_a_day_is_complete_without_the_others():
    both = [entry("github", complete=True), entry("hackernews", complete=True)]
    assert incomplete_sources(both) == []
    assert incomplete_sources([*both, entry("reddit", complete=False)]) == []
    assert incomplete_sources(both[:1]) == ["hackernews"]


def test_only_active_sources_are_tried_again():
    def failed(partition: str) -> dg.DagsterRun:
        tags = {"issue_pipeline/may_succeed_later": "yes", "dagster/partition": partition}
        return dg.DagsterRun(job_name="x", run_id="y", tags=tags)

    assert is_run_again(failed("2026-03-10|github"))
    assert not is_run_again(failed("2026-03-10|reddit"))
    assert is_run_again(failed("2026-03-10"))


def test_the_deadline_need_not_wait_for_the_time_of_others(monkeypatch):
    monkeypatch.setenv("REDDIT_COLLECT_AT", "07:00")
    assert process_deadline() == time(6)
    monkeypatch.setenv("SOURCES", "github,reddit")
    with pytest.raises(ConfigurationError, match="PROCESS_DEADLINE"):
        process_deadline()


# What the code location has is decided when it loads.
LOADED = """
import json
from issue_pipeline.definitions import defs
repository = defs.get_repository_def()
print(json.dumps({
    "schedules": sorted(one.name for one in repository.schedule_defs),
    "jobs": sorted(one.name for one in repository.get_all_jobs()),
    "checks": sorted(key.name for key in defs.resolve_asset_graph().asset_check_keys),
}))
"""


@pytest.mark.slow
def test_schedules_and_freshness_follow_and_partitions_and_jobs_stay():
    result = subprocess.run(
        [sys.executable, "-c", LOADED], env=os.environ, capture_output=True, text=True, check=True
    )
    loaded = json.loads(result.stdout)
    assert [name for name in loaded["schedules"] if name.startswith("collect_")] == [
        "collect_github_daily",
        "collect_hackernews_daily",
    ]
    assert [name for name in loaded["checks"] if name.endswith("_is_fresh")] == [
        "github_is_fresh",
        "hackernews_is_fresh",
    ]
    assert {f"collect_{source}" for source in SOURCES} <= set(loaded["jobs"])
    assert source_day_partitions.has_partition_key(
        dg.MultiPartitionKey({"source": "reddit", "date": "2026-01-01"})
    )
