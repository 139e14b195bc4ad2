"""Each source has its own schedule; what is incomplete is asked for again for a week."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from issue_pipeline.assets import raw_items
from issue_pipeline.assets.event_tags import collected_tags
from issue_pipeline.automation.schedules import all_schedules, collect_schedule, out_of_reach
from issue_pipeline.partitions import CATCH_UP_DAYS, SOURCES

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


def days_asked_for(instance: dg.DagsterInstance, tick: datetime = TICK) -> list[date]:
    return [date.fromisoformat(one.split("|")[0]) for one in requested(instance, "github", tick)]


@pytest.mark.parametrize("off", [8, 11, 21, CATCH_UP_DAYS - 1])
def test_every_day_since_the_last_good_one_is_made_up_for_the_oldest_first(instance, off):
    yesterday = (TICK - timedelta(days=1)).date()
    last_good = yesterday - timedelta(days=off)
    collected(instance, f"{last_good}|github", complete=True)
    collected(instance, f"{last_good}|reddit", complete=True)
    assert days_asked_for(instance) == [
        last_good + timedelta(days=ahead) for ahead in range(1, off + 1)
    ]


def test_what_was_missed_before_the_bound_is_left_out_and_reported(instance):
    yesterday = (TICK - timedelta(days=1)).date()
    collected(instance, "2026-01-20|github", complete=True)
    collected(instance, "2026-01-05|reddit", complete=True)
    first = yesterday - timedelta(days=CATCH_UP_DAYS - 1)
    assert days_asked_for(instance) == [
        first + timedelta(days=ahead) for ahead in range(CATCH_UP_DAYS)
    ]
    gap = out_of_reach(instance, "github", yesterday)
    assert (gap[0], gap[-1]) == (date(2026, 1, 21), first - timedelta(days=1))
    assert out_of_reach(instance, "stackoverflow", yesterday) == []


def test_nothing_is_out_of_reach_where_the_last_good_day_is_next_to_what_is_made_up_for(instance):
    yesterday = (TICK - timedelta(days=1)).date()
    collected(instance, f"{yesterday - timedelta(days=CATCH_UP_DAYS)}|github", complete=True)
    assert len(days_asked_for(instance)) == CATCH_UP_DAYS
    assert out_of_reach(instance, "github", yesterday) == []


def test_a_day_that_was_stored_incomplete_long_ago_is_left_as_it_is(instance):
    collected(instance, "2026-02-20|github", complete=True)
    for ahead in range(1, 18):
        day = date(2026, 2, 20) + timedelta(days=ahead)
        collected(instance, f"{day}|github", complete=False)
    assert days_asked_for(instance) == [date(2026, 3, day) for day in range(4, 11)]


def test_a_day_of_a_missed_tick_is_asked_for_once_by_all_ticks_together(instance):
    now = datetime.now(UTC).replace(hour=0, minute=30)
    collected(instance, f"{(now - timedelta(days=9)).date()}|github", complete=True)
    asked = [
        (str(one.partition_key), one.run_key)
        for back in (4, 3, 2, 1, 0)
        for one in collect_schedule("github")(
            dg.build_schedule_context(
                instance=instance, scheduled_execution_time=now - timedelta(days=back)
            )
        )
        if isinstance(one, dg.RunRequest)
    ]
    assert len(set(asked)) == len({partition for partition, _ in asked}) == 8


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
