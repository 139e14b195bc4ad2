"""When the sources are collected, and when it is checked that they were."""

from collections.abc import Iterator
from datetime import date, timedelta

import dagster as dg

from issue_pipeline.assets import raw_items
from issue_pipeline.automation.history import last_materialised, source_day_key
from issue_pipeline.automation.jobs import check_freshness_job, collect_jobs
from issue_pipeline.partitions import SOURCES, daily_partitions
from issue_pipeline.settings import collect_at, process_deadline

FRESHNESS_EVERY_HOURS = 6
CATCH_UP_DAYS = 7


def collect_schedule(source: str) -> dg.ScheduleDefinition:
    """Collect yesterday from one source, every day at the time that the settings name."""
    at = collect_at(source)

    @dg.schedule(
        name=f"collect_{source}_daily",
        job=collect_jobs[source],
        cron_schedule=f"{at.minute} {at.hour} * * *",
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=(
            f"Yesterday's posts of {source}, at {at:%H:%M} UTC; and what is missing since the last"
            " collection."
        ),
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        tick = context.scheduled_execution_time
        yesterday = tick.date() - timedelta(days=1)
        days = [*missing_before(context.instance, source, yesterday), yesterday]
        days = [day for day in days if day >= daily_partitions.start.date()]
        for day in days:
            yield dg.RunRequest(
                run_key=f"{source} {day} at {tick:%Y-%m-%d %H:%M}",
                partition_key=source_day_key(source, day),
            )
        if not days:
            yield dg.SkipReason(f"{yesterday} is before ISSUES_START_DATE.")

    return schedule


def missing_before(instance: dg.DagsterInstance, source: str, yesterday: date) -> list[date]:
    """List the days that should be collected beside yesterday, the oldest first.

    Those since the last one that the source was collected of, if that was within a week: the
    machine was off, or a key was wrong. And the day before yesterday, if it is stored incomplete: a
    quota that was spent, or an index that was behind, may have more to give by now.
    """
    missing: list[date] = []
    for back in range(1, CATCH_UP_DAYS):
        day = yesterday - timedelta(days=back)
        known = last_materialised(instance, raw_items.key, source_day_key(source, day))
        if known is not None:
            retold = [day] if back == 1 and known.metadata.get("complete") is False else []
            return retold + missing[::-1]
        missing.append(day)
    return []  # never collected, or so long ago that somebody should choose


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


all_schedules = [*map(collect_schedule, SOURCES), _freshness_schedule()]
