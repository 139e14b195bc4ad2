"""Each source has its own schedule; what is incomplete is asked for again for a week."""

from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from issue_pipeline.assets import raw_items
from issue_pipeline.assets.event_tags import collected_tags
from issue_pipeline.automation.schedules import all_schedules, collect_schedule
from issue_pipeline.partitions import SOURCES

TICK = datetime(2026, 3, 11, 0, 30, tzinfo=UTC)


@pytest.fixture
def instance() -> Any:
    with dg.instance_for_test() as instance:
        yield instance


def requested(instance: dg.DagsterInstance, source: str, tick: datetime = TICK) -> list[str]:
    """Partitions that the schedule of a source asks for at a tick."""
    context = dg.build_schedule_context(instance=instance, scheduled_execution_time=tick)
    asked = collect_schedule(source)(context)
    return [str(one.partition_key) for one in asked if isinstance(one, dg.RunRequest)]


def collected(instance: dg.DagsterInstance, partition: str, *, complete: bool) -> None:
    instance.report_runless_asset_event(
        dg.AssetMaterialization(
            raw_items.key, partition=partition, tags=collected_tags(complete=complete)
        )
    )


@pytest.mark.parametrize("source", SOURCES)
def test_yesterday_is_asked_for_of_the_schedules_own_source(instance, source):
    assert requested(instance, source) == [f"2026-03-10|{source}"]


def test_a_day_that_was_stored_incomplete_is_asked_for_once_more(instance):
    collected(instance, "2026-03-09|reddit", complete=False)
    assert requested(instance, "reddit") == ["2026-03-09|reddit", "2026-03-10|reddit"]
    assert requested(instance, "github") == ["2026-03-10|github"]
    collected(instance, "2026-03-09|reddit", complete=True)
    assert requested(instance, "reddit") == ["2026-03-10|reddit"]


def test_every_incomplete_day_of_the_last_week_is_asked_for_until_it_is_whole(instance):
    collected(instance, "2026-03-03|reddit", complete=False)
    for day in (5, 7):
        collected(instance, f"2026-03-{day:02}|reddit", complete=False)
    for day in (4, 6, 8, 9):
        collected(instance, f"2026-03-{day:02}|reddit", complete=True)
    assert requested(instance, "reddit") == [f"2026-03-{day:02}|reddit" for day in (5, 7, 10)]


def test_days_that_were_missed_in_the_last_week_are_made_up_for(instance):
    collected(instance, "2026-03-06|github", complete=True)
    collected(instance, "2026-03-08|github", complete=True)
    assert requested(instance, "github") == [f"2026-03-{day:02}|github" for day in (7, 9, 10)]


def test_several_ticks_made_up_for_at_once_ask_for_a_missed_day_once(instance):
    collected(instance, "2026-03-06|github", complete=True)
    keys = set()
    for tick in (TICK - timedelta(days=1), TICK):
        context = dg.build_schedule_context(instance=instance, scheduled_execution_time=tick)
        keys |= {
            (str(one.partition_key), one.run_key)
            for one in collect_schedule("github")(context)
            if isinstance(one, dg.RunRequest) and one.partition_key == "2026-03-08|github"
        }
    assert len(keys) == 1


def test_a_gap_of_more_than_a_week_is_left_to_somebody(instance):
    collected(instance, "2026-03-01|github", complete=True)
    assert requested(instance, "github") == ["2026-03-10|github"]


def test_days_before_the_first_partition_are_not_asked_for(instance):
    assert requested(instance, "github", datetime(2026, 1, 1, 0, 30, tzinfo=UTC)) == []
    assert requested(instance, "github", datetime(2026, 1, 2, 0, 30, tzinfo=UTC)) == [
        "2026-01-01|github"
    ]


def test_the_time_of_each_source_is_a_setting(monkeypatch):
    monkeypatch.setenv("COLLECT_AT", "02:15")
    monkeypatch.setenv("REDDIT_COLLECT_AT", "03:45")
    assert collect_schedule("hackernews").cron_schedule == "15 2 * * *"
    assert collect_schedule("reddit").cron_schedule == "45 3 * * *"


def test_every_schedule_runs_by_default_in_utc():
    for schedule in all_schedules:
        assert schedule.default_status == dg.DefaultScheduleStatus.RUNNING
        assert schedule.execution_timezone == "UTC"
