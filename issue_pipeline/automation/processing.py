"""Sensor: request that a day is clustered, labelled and published.

At once when all sources are in; at the deadline with those that are; and again whenever the data
version of a source changes. A day of which labels are missing is run again once a day: the model
may have been down, or the run's budget spent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import dagster as dg

from issue_pipeline.assets import clusters, issues, raw_items
from issue_pipeline.assets.event_tags import (
    CLUSTERS_TAG,
    INPUT_VERSION_TAG,
    OUT_OF_ORDER,
    UNLABELLED_TAG,
    input_version,
)
from issue_pipeline.assets.silver import ClusteringConfig
from issue_pipeline.automation.history import (
    PARTITION_TAG,
    Materialised,
    latest_materialisations,
    source_day_key,
)
from issue_pipeline.automation.jobs import BEFORE_BACKFILLS, find_issues_job
from issue_pipeline.partitions import CATCH_UP_DAYS, SOURCES, daily_partitions
from issue_pipeline.settings import active_sources, process_deadline

# Labels that are missing are asked for once a day, so many days from the clustering on.
LABEL_AGAIN_DAYS = 7
CHECK_EVERY_S = 60
ONE_DAY = timedelta(days=1)
_UNFINISHED = [
    status
    for status in dg.DagsterRunStatus
    if status
    not in (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)
]


@dataclass(frozen=True, slots=True)
class DayState:
    """State of one day, from the records of its runs and materialisations.

    Attributes:
        day: UTC day.
        sources: The latest collection of each source that has one.
        clusters: The latest clusters; ``None`` if they were never made.
        labels: The latest labels; likewise.
        is_running: Whether a run works on the day, or waits for its turn.
        is_collecting: Likewise, a run that collects an active source's posts of the day.
    """

    day: date
    sources: Mapping[str, Materialised]
    clusters: Materialised | None
    labels: Materialised | None
    is_running: bool = False
    is_collecting: bool = False

    @property
    def waits_for(self) -> list[str]:
        """Sources that are not in yet, sorted."""
        return sorted(set(active_sources()) - set(self.sources))

    @property
    def is_processed(self) -> bool:
        """Whether the clusters are made of what the sources have given last."""
        current = {source: there.version for source, there in self.sources.items()}
        return self.clusters is not None and (
            self.clusters.tags.get(INPUT_VERSION_TAG) == input_version(current)
        )

    @property
    def lacks_labels(self) -> bool:
        """Whether clusters have no label: it failed, waits for its model, or was never begun."""
        if self.clusters is None or self.clusters.tags.get(CLUSTERS_TAG) == "0":
            return False
        if self.labels is None or self.labels.at < self.clusters.at:
            return True
        return self.labels.tags.get(UNLABELLED_TAG) != "0"


def due_at(day: date, deadline: time) -> datetime:
    """Return the moment from which a day waits for no source."""
    return datetime.combine(day + timedelta(days=1), deadline, UTC)


def reason_to_process(state: DayState, now: datetime, deadline: time) -> str | None:
    """Return why a day should be processed now.

    Args:
        state: Of a day that is over.
        now: Aware, UTC.
        deadline: Of the following day, UTC.

    Returns:
        Words that are the same as long as nothing new has happened, so that a day is not processed
        twice for one reason; ``None`` if there is none.
    """
    due = due_at(state.day, deadline)
    if not state.sources or (state.waits_for and now < due):
        return None
    if state.is_collecting and now - due >= ONE_DAY:
        return None  # it is late in any case: once with all of them, not once for each
    if not state.is_processed:
        newest = max(state.sources.values(), key=lambda there: there.at)
        return f"has {len(state.sources)} sources as of {newest.at.isoformat()}"
    # Before the deadline these are negative.
    days_late = (now - due).days
    if (
        state.lacks_labels
        and days_late > 0
        and not state.is_running
        and state.clusters is not None
        and now - state.clusters.at < LABEL_AGAIN_DAYS * ONE_DAY
    ):
        return f"lacks labels, {days_late} days after its deadline"
    return None


def day_states(instance: dg.DagsterInstance, days: Sequence[date]) -> list[DayState]:
    """Read from Dagster's records what became of days, with one query an asset and one for runs."""
    if not days:
        return []
    names = [day.isoformat() for day in days]
    keys = {(source, day): source_day_key(source, day) for source in SOURCES for day in days}
    collected = latest_materialisations(instance, raw_items.key, list(keys.values()))
    clustered = latest_materialisations(instance, clusters.key, names)
    labelled = latest_materialisations(instance, issues.key, names)
    partitions = [*names, *map(str, keys.values())]
    runs = instance.get_runs(dg.RunsFilter(tags={PARTITION_TAG: partitions}, statuses=_UNFINISHED))
    running = {run.tags[PARTITION_TAG] for run in runs}
    return [
        DayState(
            day=day,
            sources={
                source: collected[key]
                for source in SOURCES
                if (key := keys[source, day]) in collected
            },
            clusters=clustered.get(name),
            labels=labelled.get(name),
            is_running=name in running,
            is_collecting=any(str(keys[source, day]) in running for source in active_sources()),
        )
        for day, name in zip(days, names, strict=True)
    ]


@dg.sensor(
    job=find_issues_job,
    minimum_interval_seconds=CHECK_EVERY_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        f"Processes a day of the last {CATCH_UP_DAYS} at once when all sources are in; at the"
        " deadline"
        f" ({process_deadline():%H:%M} UTC of the next day) with those that are; again when one"
        " brings something new; and once a day while labels are missing."
    ),
)
def process_days(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    """Request the days that are due."""
    now, deadline = datetime.now(UTC), process_deadline()
    yesterday = now.date() - timedelta(days=1)
    days = [now.date() - timedelta(days=back) for back in range(CATCH_UP_DAYS, 0, -1)]
    days = [day for day in days if daily_partitions.has_partition_key(day.isoformat())]
    requests, waiting = [], []
    for state in day_states(context.instance, days):
        day = state.day
        reason = reason_to_process(state, now, deadline)
        if reason is not None:
            requests.append(
                dg.RunRequest(
                    run_key=f"{day} {reason}",
                    partition_key=day.isoformat(),
                    # Recorded with the run, where the Launchpad of a run by hand shows it, too.
                    run_config=dg.RunConfig(ops={clusters.node_def.name: ClusteringConfig()}),
                    tags=BEFORE_BACKFILLS | (OUT_OF_ORDER if day < yesterday else {}),
                )
            )
        elif state.waits_for and now < due_at(day, deadline):
            waiting.append(
                f"{day} waits for {', '.join(state.waits_for)} until {deadline:%H:%M} UTC"
            )
    return dg.SensorResult(
        run_requests=requests,
        skip_reason=None if requests else "; ".join(waiting) or "Every collected day is processed.",
    )
