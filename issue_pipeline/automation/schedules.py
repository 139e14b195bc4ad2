"""Schedules: collect each source daily, and check its freshness every few hours."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import dagster as dg

from issue_pipeline.assets import raw_items
from issue_pipeline.assets.event_tags import COMPLETE_TAG
from issue_pipeline.automation.history import latest_materialisations, source_day_key
from issue_pipeline.automation.jobs import BEFORE_BACKFILLS, check_freshness_job, collect_jobs
from issue_pipeline.partitions import CATCH_UP_DAYS, daily_partitions
from issue_pipeline.resources.collectors.registry import SOURCES as REGISTRY
from issue_pipeline.settings import active_sources, collect_at, process_deadline

FRESHNESS_EVERY_HOURS = 6
# A day that is stored incomplete is collected again so long.
COLLECT_AGAIN_DAYS = 7


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
            f"Yesterday's posts of {REGISTRY[source].title}, at {at:%H:%M} UTC; what was missed"
            f" of the last {CATCH_UP_DAYS} days; and what is incomplete of the last week."
        ),
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        tick = context.scheduled_execution_time
        yesterday = tick.date() - timedelta(days=1)
        days = [*missing_before(context.instance, source, yesterday), yesterday]
        days = [day for day in days if day >= daily_partitions.start.date()]
        if gap := out_of_reach(context.instance, source, yesterday):
            context.log.warning(
                f"{REGISTRY[source].title}: {gap[0]} to {gap[-1]} ({len(gap)} days) were missed"
                f" and are too old to be made up for by themselves ({CATCH_UP_DAYS} days):"
                " materialise bronze/raw_items for them by hand, or leave them out."
            )
        today = datetime.now(UTC).date()
        for day in days:
            # Ticks that were missed are made up for together: each day is asked for once then.
            is_regular = day == yesterday and tick.date() == today
            asked = f"{tick:%Y-%m-%d %H:%M}" if is_regular else f"{today}"
            yield dg.RunRequest(
                run_key=f"{source} {day} at {asked}",
                partition_key=source_day_key(source, day),
                tags=BEFORE_BACKFILLS,
            )
        if not days:
            yield dg.SkipReason(f"{yesterday} is before ISSUES_START_DATE.")

    return schedule


def missing_before(instance: dg.DagsterInstance, source: str, yesterday: date) -> list[date]:
    """Return the days that should be collected beside yesterday, the oldest first.

    Those of the last ``CATCH_UP_DAYS`` that are missing since the first one that the source was
    collected of: the machine was off, or a key was wrong. And those of the last week that are
    stored incomplete: a quota that was spent, or an index that was behind, may have more to give.
    """
    days = [yesterday - timedelta(days=back) for back in range(CATCH_UP_DAYS - 1, 0, -1)]
    keys = {day: source_day_key(source, day) for day in days}
    known = latest_materialisations(instance, raw_items.key, list(keys.values()))
    first = next((day for day in days if keys[day] in known), yesterday)
    if _last_collected_before(instance, source, days[0]) is not None:
        first = date.min

    def is_wanted(day: date) -> bool:
        stored = known.get(keys[day])
        if stored is None:
            return day > first
        is_recent = (yesterday - day).days < COLLECT_AGAIN_DAYS
        return is_recent and stored.tags.get(COMPLETE_TAG) == "no"

    return [day for day in days if is_wanted(day)]


def out_of_reach(instance: dg.DagsterInstance, source: str, yesterday: date) -> list[date]:
    """Return the missed days that end where those begin that are made up for; [] for none."""
    first = yesterday - timedelta(days=CATCH_UP_DAYS - 1)
    last = _last_collected_before(instance, source, first)
    if last is None:
        return []
    return [last + timedelta(days=ahead) for ahead in range(1, (first - last).days)]


def _last_collected_before(instance: dg.DagsterInstance, source: str, before: date) -> date | None:
    """Return the newest day before another one that the source was collected of."""
    days = (
        date.fromisoformat(day)
        for key in instance.get_materialized_partitions(raw_items.key)
        for day, _, name in (key.partition("|"),)
        if name == source
    )
    return max((day for day in days if day < before), default=None)


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
