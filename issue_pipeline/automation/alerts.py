"""Alerts for a webhook: failed runs, each by itself, and checks that warn, grouped.

A failure says what failed, of which partition, when, why, and where to look. A check that warns is
reported once for its partition, until it has passed. What the receiver does not accept is sent
again at the next evaluation. Dagster's own failure sensor evaluates each failure once.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import dagster as dg

from issue_pipeline.assets.failures import MAX_REASON_CHARS, failure_reason
from issue_pipeline.automation.check_warnings import check_results, open_warnings, warning_text
from issue_pipeline.automation.history import PARTITION_TAG, ended_at
from issue_pipeline.automation.retries import is_run_again
from issue_pipeline.automation.webhook import Delivery, inert, post
from issue_pipeline.settings import alert_webhook_url, dagster_ui_url
from issue_pipeline.utils.printable import printable

CHECK_EVERY_S = 30
# Older failures are history: for a receiver that is down, and for one that was just configured.
TOLD_FOR = timedelta(days=1)
# Longer, since a run's record may change after it has ended.
MEMORY = timedelta(days=7)
# No further alert is begun after so long; Dagster gives a sensor one minute.
LOOK_S = 30.0
MAX_PARTITION_CHARS = 200
# Whose checks are read at one look, the oldest first: the others at the next.
MAX_RUNS = 200
OVERLAP_S = 60.0
# Dagster's, on a run whose process was lost.
_LOST_AND_RUN_AGAIN_TAG = "dagster/will_retry"


def alert_text(run: dg.DagsterRun, at: datetime, reason: str, ui_url: str) -> str:
    """Return an alert: one line for what failed and why, one for where to look.

    Args:
        run: The failed run.
        at: When it failed; aware, UTC.
        reason: Why, in one line.
        ui_url: Where the Dagster UI is, without a slash at the end.
    """
    partition = printable(run.tags.get(PARTITION_TAG, ""), MAX_PARTITION_CHARS)
    again = is_run_again(run) or run.tags.get(_LOST_AND_RUN_AGAIN_TAG) == "true"
    outlook = "It is tried again by itself." if again else "Somebody must act."
    return (
        f"{_what(run)} {inert(partition)} failed at {at:%Y-%m-%d %H:%M} UTC: {inert(reason)}"
        f" {outlook}\n{ui_url}/runs/{run.run_id}"
    )


def _what(run: dg.DagsterRun) -> str:
    assets = sorted(key.to_user_string() for key in run.asset_selection or ())
    return ", ".join(assets) or run.job_name


@dataclass(slots=True)
class Memory:
    """What was sent already, as the sensor's cursor keeps it.

    Attributes:
        failed: Ids of the failed runs that were sent.
        warned: Keys of the checks that were sent as warnings, and the day of that.
        checked_until: End of the last run whose checks were looked at, seconds since 1970.
    """

    failed: set[str] = field(default_factory=set)
    warned: dict[str, str] = field(default_factory=dict)
    checked_until: float = 0.0

    @classmethod
    def from_cursor(cls, cursor: str | None) -> "Memory":
        """Read a cursor; one of an earlier version names failed runs only."""
        if not (cursor or "").startswith("{"):
            return cls(failed=set((cursor or "").split()))
        kept = json.loads(cursor or "{}")
        return cls(set(kept["failed"]), dict(kept["warned"]), float(kept["checked_until"]))

    def to_cursor(self) -> str:
        """Write it down; warnings of long ago are forgotten."""
        oldest = (datetime.now(UTC) - MEMORY).date().isoformat()
        warned = {key: day for key, day in sorted(self.warned.items()) if day >= oldest}
        kept = {
            "failed": sorted(self.failed),
            "warned": warned,
            "checked_until": self.checked_until,
        }
        return json.dumps(kept)


def alert_sensors() -> list[dg.SensorDefinition]:
    """Return the sensor that sends alerts, if a webhook is configured."""
    url = alert_webhook_url()
    if not url:
        return []

    @dg.sensor(
        minimum_interval_seconds=CHECK_EVERY_S,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=(
            "Posts every failed run, and the checks that warn, to ALERT_WEBHOOK_URL; what is not"
            f" taken, again at the next look, for {TOLD_FOR.days} day."
        ),
    )
    def alert_on_failure(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        memory = Memory.from_cursor(context.cursor)
        outcomes: list[str] = []

        def send(text: str) -> Delivery:
            delivery = post(url, {"text": text})
            outcomes.append(f"{delivery.words}: {text}")
            if not delivery.is_taken:
                context.log.warning(outcomes[-1])
            return delivery

        if _send_failures(context, memory, send, outcomes):
            _send_warnings(context, memory, send)
        context.update_cursor(memory.to_cursor())
        return dg.SkipReason("\n".join(outcomes) or "No other run failed, and no check warns.")

    return [alert_on_failure]


def _send_failures(
    context: dg.SensorEvaluationContext,
    memory: Memory,
    send: Callable[[str], Delivery],
    outcomes: list[str],
) -> bool:
    """Send the failures that were not sent yet; return whether there is time for more."""
    failed = {
        record.dagster_run.run_id: record
        for record in _ended_runs(context, dg.DagsterRunStatus.FAILURE)
    }
    memory.failed &= failed.keys()  # those that are history are forgotten
    began = time.monotonic()
    for run_id, record in failed.items():
        if run_id in memory.failed or ended_at(record) < datetime.now(UTC) - TOLD_FOR:
            continue
        if time.monotonic() - began > LOOK_S:
            outcomes.append("The rest is sent at the next look.")
            return False
        reason = _reason(context.instance, run_id)
        text = alert_text(record.dagster_run, ended_at(record), reason, dagster_ui_url())
        delivery = send(text)
        if delivery.is_taken:
            memory.failed.add(run_id)
        if not delivery.takes_others:
            return False
    return True


def _send_warnings(
    context: dg.SensorEvaluationContext, memory: Memory, send: Callable[[str], Delivery]
) -> None:
    """Send the checks that warn in runs that ended since the last look, in one message."""
    # Of two runs the one that ended first may become visible last; reading one twice does no harm.
    since = max(memory.checked_until - OVERLAP_S, (datetime.now(UTC) - TOLD_FOR).timestamp())
    runs = [
        record
        for record in _ended_runs(
            context, dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, within=TOLD_FOR
        )
        if ended_at(record).timestamp() > since
    ]
    runs.sort(key=ended_at)
    runs = runs[:MAX_RUNS]
    results = [
        result for record in runs for result in check_results(context.instance, record.dagster_run)
    ]
    news, passed = open_warnings(results, memory.warned)
    if news and not send(inert(warning_text(news, dagster_ui_url()))).is_taken:
        return
    today = datetime.now(UTC).date().isoformat()
    memory.warned |= {one.key: today for one in news}
    for key in passed:
        memory.warned.pop(key, None)
    if runs:
        memory.checked_until = ended_at(runs[-1]).timestamp()


def _ended_runs(
    context: dg.SensorEvaluationContext,
    *statuses: dg.DagsterRunStatus,
    within: timedelta | None = None,
) -> list[dg.RunRecord]:
    """Return the runs of our code location that ended so, the oldest first."""
    records = context.instance.get_run_records(
        dg.RunsFilter(statuses=list(statuses), updated_after=datetime.now(UTC) - (within or MEMORY))
    )
    ours = context.code_location_origin
    return [
        record
        for record in reversed(records)
        if ours is None
        or (
            (origin := record.dagster_run.remote_job_origin) is not None
            and origin.location_name == ours.location_name
        )
    ]


def _reason(instance: dg.DagsterInstance, run_id: str) -> str:
    """Return why a run failed, in one line."""

    def first(kind: dg.DagsterEventType) -> dg.DagsterEvent | None:
        records = instance.get_records_for_run(run_id, of_type=kind, limit=1).records
        return records[0].event_log_entry.dagster_event if records else None

    if step := first(dg.DagsterEventType.STEP_FAILURE):
        return f"{(step.step_key or '').replace('__', '/')}: {failure_reason(step)}"
    # Without a failed step the run's process was lost.
    lost = first(dg.DagsterEventType.RUN_FAILURE)
    return printable((lost and lost.message) or "", MAX_REASON_CHARS)
