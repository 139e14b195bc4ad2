"""When the sources are collected, and when it is checked that they were."""

from collections.abc import Iterator
from datetime import timedelta

import dagster as dg

from issue_pipeline.assets import raw_items
from issue_pipeline.automation.history import last_materialised, source_day_key
from issue_pipeline.automation.jobs import check_freshness_job, collect_jobs
from issue_pipeline.partitions import SOURCES, daily_partitions
from issue_pipeline.settings import collect_at, process_deadline

FRESHNESS_EVERY_HOURS = 6


def collect_schedule(source: str) -> dg.ScheduleDefinition:
    """Collect yesterday from one source, every day at the time that the settings name.

    The day before yesterday is collected again if it is stored incomplete: a quota that was spent,
    or an index that was behind, may have more to give by now.
    """
    at = collect_at(source)

    @dg.schedule(
        name=f"collect_{source}_daily",
        job=collect_jobs[source],
        cron_schedule=f"{at.minute} {at.hour} * * *",
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=(
            f"Yesterday's posts of {source}, at {at:%H:%M} UTC; and those of the day before if they"
            " are stored incomplete."
        ),
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        tick = context.scheduled_execution_time
        yesterday, before = (tick.date() - timedelta(days=back) for back in (1, 2))
        known = last_materialised(context.instance, raw_items.key, source_day_key(source, before))
        incomplete = known is not None and known.metadata.get("complete") is False
        days = [
            day
            for day in ([before] if incomplete else []) + [yesterday]
            if day >= daily_partitions.start.date()
        ]
        for day in days:
            yield dg.RunRequest(
                run_key=f"{source} {day} at {tick:%Y-%m-%d %H:%M}",
                partition_key=source_day_key(source, day),
            )
        if not days:
            yield dg.SkipReason(f"{yesterday} is before ISSUES_START_DATE.")

    return schedule


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
