"""Schedules: collect each source daily, and check its freshness every few hours."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import dagster as dg

from issue_pipeline.assets import raw_items
from issue_pipeline.assets.event_tags import COMPLETE_TAG
from issue_pipeline.automation.history import latest_materialisations, source_day_key
from issue_pipeline.automation.jobs import BEFORE_BACKFILLS, check_freshness_job, collect_jobs
from issue_pipeline.partitions import daily_partitions
from issue_pipeline.resources.collectors.registry import SOURCES as REGISTRY
from issue_pipeline.settings import active_sources, collect_at, process_deadline

FRESHNESS_EVERY_HOURS = 6
CATCH_UP_DAYS = 7


def collect_schedule(source: str) -> dg.ScheduleDefinition:
    """Return the schedule that collects yesterday from one source, at the time of its setting."""
    at = collect_at(source)

    @dg.schedule(
        name=f"collect_{source}_daily",
        job=collect_jobs[source],
        cron_schedule=f"{at.minute} {at.hour} * * *",
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=(
            f"Yesterday's posts of {REGISTRY[source].title}, at {at:%H:%M} UTC; and what is"
            " missing of the week before."
        ),
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        tick = context.scheduled_execution_time
        yesterday = tick.date() - timedelta(days=1)
        days = [*missing_before(context.instance, source, yesterday), yesterday]
        days = [day for day in days if day >= daily_partitions.start.date()]
        for day in days:
            # Ticks that were missed are made up for together: each day is asked for once then.
            asked = (
                f"{tick:%Y-%m-%d %H:%M}" if day == yesterday else f"{datetime.now(UTC):%Y-%m-%d}"
            )
            yield dg.RunRequest(
                run_key=f"{source} {day} at {asked}",
                partition_key=source_day_key(source, day),
                tags=BEFORE_BACKFILLS,
            )
        if not days:
            yield dg.SkipReason(f"{yesterday} is before ISSUES_START_DATE.")

    return schedule


def missing_before(instance: dg.DagsterInstance, source: str, yesterday: date) -> list[date]:
    """Return the days of the last week that should be collected beside yesterday, the oldest first.

    Those that are missing since the first one that the source was collected of: the machine was
    off, or a key was wrong. And those that are stored incomplete: a quota that was spent, or an
    index that was behind, may have more to give by now.
    """
    days = [yesterday - timedelta(days=back) for back in range(CATCH_UP_DAYS - 1, 0, -1)]
    keys = {day: source_day_key(source, day) for day in days}
    known = latest_materialisations(instance, raw_items.key, list(keys.values()))
    first = next((day for day in days if keys[day] in known), yesterday)

    def is_wanted(day: date) -> bool:
        stored = known.get(keys[day])
        return day > first if stored is None else stored.tags.get(COMPLETE_TAG) == "no"

    return [day for day in days if is_wanted(day)]


def _freshness_schedule() -> dg.ScheduleDefinition:
    deadline = process_deadline()
    hours = sorted((deadline.hour + hours) % 24 for hours in range(0, 24, FRESHNESS_EVERY_HOURS))
    return dg.ScheduleDefinition(
        name="check_freshness_regularly",
        job=check_freshness_job,
        cron_schedule=f"{deadline.minute} {','.join(map(str, hours))} * * *",
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"Every {FRESHNESS_EVERY_HOURS} hours, from {deadline:%H:%M} UTC on.",
    )


all_schedules = [*map(collect_schedule, active_sources()), _freshness_schedule()]
