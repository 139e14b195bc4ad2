"""A failed run, told to a webhook: what failed, of which partition, why, and where to look."""

import dagster as dg
import httpx
import stamina

from issue_pipeline.automation.history import PARTITION_TAG
from issue_pipeline.automation.retries import is_run_again
from issue_pipeline.failures import MAX_REASON_CHARS, failure_reason
from issue_pipeline.settings import alert_webhook_url, dagster_ui_url
from issue_pipeline.utils.printable import printable

# Dagster hands over up to five failures at a time, and gives a sensor one minute.
ATTEMPTS = 2
TIMEOUT_S = 3.0
WAIT_S = 1.0
# Dagster's, on a run whose process was lost.
_LOST_AND_RUN_AGAIN_TAG = "dagster/will_retry"


def alert_text(run: dg.DagsterRun, reason: str, ui_url: str) -> str:
    """Put a failure into words: one line for what and why, one for where to look.

    Args:
        run: The failed run.
        reason: Why, in one line.
        ui_url: Where the Dagster UI is, without a slash at the end.
    """
    partition = run.tags.get(PARTITION_TAG, "")
    again = is_run_again(run) or run.tags.get(_LOST_AND_RUN_AGAIN_TAG) == "true"
    outlook = "It is tried again by itself." if again else "Somebody must act."
    return f"{_what(run)} {partition} failed: {reason} {outlook}\n{ui_url}/runs/{run.run_id}"


def _what(run: dg.DagsterRun) -> str:
    assets = sorted(key.to_user_string() for key in run.asset_selection or ())
    return ", ".join(assets) or run.job_name


def post_alert(url: str, text: str) -> None:
    """Send a text as Slack, Mattermost and their like take it: ``{"text": ...}``.

    Raises:
        httpx.HTTPError: The receiver did not take it, each time.
    """
    for attempt in stamina.retry_context(
        on=httpx.HTTPError, attempts=ATTEMPTS, timeout=None, wait_initial=WAIT_S
    ):
        with attempt:
            httpx.post(url, json={"text": text}, timeout=TIMEOUT_S).raise_for_status()


def alert_sensors() -> list[dg.SensorDefinition]:
    """Give the sensor that tells failures, if a webhook is configured."""
    url = alert_webhook_url()
    if not url:
        return []

    @dg.run_failure_sensor(
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Posts every failed run to ALERT_WEBHOOK_URL.",
    )
    def alert_on_failure(context: dg.RunFailureSensorContext) -> None:
        steps = context.get_step_failure_events()
        # Without a failed step the run's process was lost.
        reason = printable(context.failure_event.message or "", MAX_REASON_CHARS)
        if steps:
            step = (steps[0].step_key or "").replace("__", "/")
            reason = f"{step}: {failure_reason(steps[0])}"
        text = alert_text(context.dagster_run, reason, dagster_ui_url())
        try:
            post_alert(url, text)
        except httpx.HTTPError as error:
            # The address may hold a secret, and httpx names it.
            why = type(error).__name__
            context.log.warning(f"The alert was not taken ({why}): {text}")

    return [alert_on_failure]
