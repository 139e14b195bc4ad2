"""Start failed runs that may succeed later again, with exponentially growing waits.

This is the one level at which a step is repeated. Below it, a request to an API, a model or a store
is repeated where it is made; beside it, Dagster repeats a run whose process was lost.
"""

from datetime import UTC, datetime, timedelta

import dagster as dg

from issue_pipeline.assets import clusters, issues, live_issues, problems, raw_items
from issue_pipeline.assets.event_tags import OUT_OF_ORDER, is_out_of_order
from issue_pipeline.assets.failures import MAY_SUCCEED_LATER_TAG
from issue_pipeline.automation.history import PARTITION_TAG, ended_at
from issue_pipeline.automation.jobs import BEFORE_BACKFILLS, collect_jobs, find_issues_job
from issue_pipeline.partitions import daily_partitions
from issue_pipeline.settings import active_sources, try_again_after

CHECK_EVERY_S = 30
# Tries after the first one; each waits this many times longer than the one before.
MAX_TRIES = 10
GROWTH = 4
# By default the fifth try and those after it are a day apart: an outage of a week is made up for.
LONGEST_WAIT = timedelta(days=1)
TRY_TAG = "issue_pipeline/try"
# Older failures are history. Longer than any wait between two tries.
_MEMORY = timedelta(days=7)


def wait_before(number: int, first: timedelta) -> timedelta:
    """Return how long to wait before a try.

    Args:
        number: 1 for the first try after the failure.
        first: The wait before that one.
    """
    return min(first * int(GROWTH ** (number - 1)), max(first, LONGEST_WAIT))


@dg.sensor(
    jobs=[*collect_jobs.values(), find_issues_job],
    minimum_interval_seconds=CHECK_EVERY_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        "Starts again what failed for a reason that may pass (an outage, a spent quota, a locked"
        f" file): up to {MAX_TRIES} times, the first after TRY_AGAIN_MINUTES, each time waiting"
        f" {GROWTH} times longer, a day at most. What needs somebody to act is left alone."
    ),
)
def try_again(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    """Request the runs whose wait is over."""
    now = datetime.now(UTC)
    failed = context.instance.get_run_records(
        dg.RunsFilter(
            statuses=[dg.DagsterRunStatus.FAILURE],
            tags={MAY_SUCCEED_LATER_TAG: "yes"},
            updated_after=now - _MEMORY,
        )
    )
    requests, waiting = [], []
    for record in failed:
        run = record.dagster_run
        if not is_run_again(run) or _was_run_since(context.instance, record):
            continue
        number = _tries(run) + 1
        due = ended_at(record) + wait_before(number, try_again_after())
        if now < due:
            waiting.append(f"{run.tags[PARTITION_TAG]} at {due:%H:%M} UTC")
        else:
            requests.append(_request(run, number))
    told = f"Next: {', '.join(sorted(waiting))}" if waiting else "Nothing failed that may pass."
    return dg.SensorResult(run_requests=requests, skip_reason=None if requests else told)


def is_run_again(run: dg.DagsterRun) -> bool:
    """Return whether a failed run will be started again here, sooner or later."""
    return (
        run.tags.get(MAY_SUCCEED_LATER_TAG) == "yes"
        and _tries(run) < MAX_TRIES
        and _is_partition(run.tags.get(PARTITION_TAG, ""))
    )


def _tries(run: dg.DagsterRun) -> int:
    """Return how many tries led to a run: none, if somebody repeated one, whose tags it has."""
    tag = run.tags.get(TRY_TAG, "")
    return int(tag) if tag.isdecimal() and not run.parent_run_id else 0


def _is_partition(key: str) -> bool:
    """Return whether the partition is still wanted: the first day or the sources may be others."""
    day, _, source = key.partition("|")
    return source in (*active_sources(), "") and daily_partitions.has_partition_key(day)


def _was_run_since(instance: dg.DagsterInstance, record: dg.RunRecord) -> bool:
    """Return whether another run of the same partition of the same assets was begun later."""
    run = record.dagster_run
    later = instance.get_runs(
        dg.RunsFilter(
            tags={PARTITION_TAG: run.tags[PARTITION_TAG]},
            created_after=record.create_timestamp,
        )
    )
    return any(one.run_id != run.run_id and _assets(one) >= _assets(run) for one in later)


def _assets(run: dg.DagsterRun) -> frozenset[dg.AssetKey]:
    """Return the assets that a run was to make; a source's day has only one."""
    if run.asset_selection:
        return frozenset(run.asset_selection)
    if run.job_name == find_issues_job.name:
        return _FIND_ISSUES
    return frozenset([raw_items.key])


_FIND_ISSUES = frozenset([clusters.key, issues.key, problems.key, live_issues.key])


def _request(run: dg.DagsterRun, number: int) -> dg.RunRequest:
    """Return a request for a run's partition and assets, by the job that has them."""
    partition, assets = run.tags[PARTITION_TAG], _assets(run)
    collects = raw_items.key in assets
    job = collect_jobs[partition.split("|")[1]] if collects else find_issues_job
    return dg.RunRequest(
        run_key=f"again after {run.run_id}",
        job_name=job.name,
        partition_key=partition,
        asset_selection=sorted(assets),
        tags={
            TRY_TAG: str(number),
            **BEFORE_BACKFILLS,
            **(OUT_OF_ORDER if is_out_of_order(run.tags) else {}),
        },
    )
