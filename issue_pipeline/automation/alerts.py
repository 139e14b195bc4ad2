"""Post failed runs to a webhook: what failed, of which partition, when, why, and where to look.

An alert that the receiver does not accept is sent again at the next evaluation. Dagster's own
failure sensor evaluates each failure once, so it does not fit.
"""

import html
import time
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import NamedTuple

import dagster as dg
import httpx

from issue_pipeline.assets.failures import MAX_REASON_CHARS, failure_reason
from issue_pipeline.automation.history import PARTITION_TAG, ended_at
from issue_pipeline.automation.retries import is_run_again
from issue_pipeline.settings import alert_webhook_url, dagster_ui_url
from issue_pipeline.utils.printable import printable

CHECK_EVERY_S = 30
# Older failures are history: for a receiver that is down, and for one that was just configured.
TOLD_FOR = timedelta(days=1)
# Longer, since a run's record may change after it has ended.
MEMORY = timedelta(days=7)
TIMEOUT_S = 3.0
# No further alert is begun after so long; Dagster gives a sensor one minute.
LOOK_S = 30.0
MAX_PARTITION_CHARS = 200
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
        f"{_what(run)} {_inert(partition)} failed at {at:%Y-%m-%d %H:%M} UTC: {_inert(reason)}"
        f" {outlook}\n{ui_url}/runs/{run.run_id}"
    )


def _what(run: dg.DagsterRun) -> str:
    assets = sorted(key.to_user_string() for key in run.asset_selection or ())
    return ", ".join(assets) or run.job_name


def _inert(text: str) -> str:
    """Return foreign text without effect in a chat: no markup, no disguised link, no mention."""
    return html.escape(text, quote=False).replace("@", "@\u200b")


class Delivery(NamedTuple):
    """Outcome of sending an alert.

    Attributes:
        is_taken: Whether it need not be sent again.
        takes_others: Whether the receiver is up, so that others may be sent.
        words: The outcome in words, for the UI.
    """

    is_taken: bool
    takes_others: bool
    words: str


def post_alert(url: str, text: str) -> Delivery:
    """Send a text as Slack, Mattermost and their like take it: ``{"text": ...}``."""
    try:
        httpx.post(url, json={"text": text}, timeout=TIMEOUT_S).raise_for_status()
    except httpx.ReadTimeout:
        # Or a slow receiver would get it every half minute.
        return Delivery(True, True, "Sent, but not answered")
    except httpx.HTTPStatusError as error:
        code = error.response.status_code
        is_about_this = error.response.is_client_error and code != HTTPStatus.TOO_MANY_REQUESTS
        return Delivery(False, is_about_this, f"Refused with {code}")
    # The last for an address that passes for one and is none. None of them is shown: the address
    # may hold a secret, and httpx names it.
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        return Delivery(False, False, f"Not taken ({type(error).__name__})")
    return Delivery(True, True, "Told")


def alert_sensors() -> list[dg.SensorDefinition]:
    """Return the sensor that posts failures, if a webhook is configured."""
    url = alert_webhook_url()
    if not url:
        return []

    @dg.sensor(
        minimum_interval_seconds=CHECK_EVERY_S,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=(
            "Posts every failed run to ALERT_WEBHOOK_URL; what is not taken, again at the next"
            f" look, for {TOLD_FOR.days} day."
        ),
    )
    def alert_on_failure(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        failed = {record.dagster_run.run_id: record for record in _failed_runs(context)}
        # Ids of the runs that were told; those that are history are forgotten.
        told = failed.keys() & set((context.cursor or "").split())
        outcomes = []
        began = time.monotonic()
        for run_id, record in failed.items():
            if run_id in told or ended_at(record) < datetime.now(UTC) - TOLD_FOR:
                continue
            if time.monotonic() - began > LOOK_S:
                outcomes.append("The rest is told at the next look.")
                break
            reason = _reason(context.instance, run_id)
            text = alert_text(record.dagster_run, ended_at(record), reason, dagster_ui_url())
            delivery = post_alert(url, text)
            outcomes.append(f"{delivery.words}: {text}")
            if delivery.is_taken:
                told.add(run_id)
            else:
                context.log.warning(outcomes[-1])
            if not delivery.takes_others:
                break
        context.update_cursor(" ".join(sorted(told)))
        return dg.SkipReason("\n".join(outcomes) or "No other run failed.")

    return [alert_on_failure]


def _failed_runs(context: dg.SensorEvaluationContext) -> list[dg.RunRecord]:
    """Return the failed runs of our code location, the oldest first."""
    records = context.instance.get_run_records(
        dg.RunsFilter(
            statuses=[dg.DagsterRunStatus.FAILURE], updated_after=datetime.now(UTC) - MEMORY
        )
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
