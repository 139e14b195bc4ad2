"""A failed run, told to a webhook: what failed, of which partition, when, why, and where to look.

What the receiver does not take is told again at the next look. So Dagster's own failure sensor,
which shows each failure once, would not do.
"""

from datetime import UTC, datetime, timedelta

import dagster as dg
import httpx

from issue_pipeline.automation.history import PARTITION_TAG, ended_at
from issue_pipeline.automation.retries import is_run_again
from issue_pipeline.failures import MAX_REASON_CHARS, failure_reason
from issue_pipeline.settings import alert_webhook_url, dagster_ui_url
from issue_pipeline.utils.printable import printable

CHECK_EVERY_S = 30
# For a receiver that is down, and for one that was only just configured.
MEMORY = timedelta(days=1)
# Dagster gives a sensor one minute.
MOST_AT_ONCE = 10
TIMEOUT_S = 3.0
# Dagster's, on a run whose process was lost.
_LOST_AND_RUN_AGAIN_TAG = "dagster/will_retry"


def alert_text(run: dg.DagsterRun, at: datetime, reason: str, ui_url: str) -> str:
    """Put a failure into words: one line for what and why, one for where to look.

    Args:
        run: The failed run.
        at: When it failed; aware, UTC.
        reason: Why, in one line.
        ui_url: Where the Dagster UI is, without a slash at the end.
    """
    partition = run.tags.get(PARTITION_TAG, "")
    again = is_run_again(run) or run.tags.get(_LOST_AND_RUN_AGAIN_TAG) == "true"
    outlook = "It is tried again by itself." if again else "Somebody must act."
    return (
        f"{_what(run)} {partition} failed at {at:%Y-%m-%d %H:%M} UTC: {reason} {outlook}\n"
        f"{ui_url}/runs/{run.run_id}"
    )


def _what(run: dg.DagsterRun) -> str:
    assets = sorted(key.to_user_string() for key in run.asset_selection or ())
    return ", ".join(assets) or run.job_name


def post_alert(url: str, text: str) -> None:
    """Send a text as Slack, Mattermost and their like take it: ``{"text": ...}``.

    Raises:
        httpx.HTTPError: The receiver did not take it.
    """
    httpx.post(url, json={"text": text}, timeout=TIMEOUT_S).raise_for_status()


def alert_sensors() -> list[dg.SensorDefinition]:
    """Give the sensor that tells failures, if a webhook is configured."""
    url = alert_webhook_url()
    if not url:
        return []

    @dg.sensor(
        minimum_interval_seconds=CHECK_EVERY_S,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=(
            "Posts every failed run to ALERT_WEBHOOK_URL; what is not taken, again at the next"
            f" look, for {MEMORY.days} day."
        ),
    )
    def alert_on_failure(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        failed = {record.dagster_run.run_id: record for record in _failed_runs(context)}
        # Ids of the runs that were told; those that are history are forgotten.
        told = failed.keys() & set((context.cursor or "").split())
        untold = [run_id for run_id in failed if run_id not in told]
        outcome = "No other run failed."
        for run_id in untold[:MOST_AT_ONCE]:
            record, reason = failed[run_id], _reason(context.instance, run_id)
            text = alert_text(record.dagster_run, ended_at(record), reason, dagster_ui_url())
            try:
                post_alert(url, text)
            except httpx.HTTPError as error:
                # The address may hold a secret, and httpx names it.
                outcome = f"The alert was not taken ({type(error).__name__}): {text}"
                context.log.warning(outcome)
                break
            outcome = f"Told: {text}"
            told.add(run_id)
        context.update_cursor(" ".join(sorted(told)))
        return dg.SkipReason(outcome)

    return [alert_on_failure]


def _failed_runs(context: dg.SensorEvaluationContext) -> list[dg.RunRecord]:
    """Find the failed runs of our code location, the oldest first."""
    records = context.instance.get_run_records(
        dg.RunsFilter(
            statuses=[dg.DagsterRunStatus.FAILURE], updated_after=datetime.now(UTC) - MEMORY
        )
    )
    ours = context.code_location_origin
    return [
        record
        for record in reversed(records)
        if (origin := record.dagster_run.remote_job_origin) is None
        or ours is None
        or origin.location_name == ours.location_name
    ]


def _reason(instance: dg.DagsterInstance, run_id: str) -> str:
    """Say why a run failed, in one line."""

    def first(kind: dg.DagsterEventType) -> dg.DagsterEvent | None:
        records = instance.get_records_for_run(run_id, of_type=kind, limit=1).records
        return records[0].event_log_entry.dagster_event if records else None

    if step := first(dg.DagsterEventType.STEP_FAILURE):
        return f"{(step.step_key or '').replace('__', '/')}: {failure_reason(step)}"
    # Without a failed step the run's process was lost.
    lost = first(dg.DagsterEventType.RUN_FAILURE)
    return printable((lost and lost.message) or "", MAX_REASON_CHARS)
