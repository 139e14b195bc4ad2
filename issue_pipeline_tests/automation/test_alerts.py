"""A failed run reaches a real receiver over HTTP: what, which day, why, and where to look."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import httpx
import pytest

from issue_pipeline.automation import alerts
from issue_pipeline.automation.alerts import alert_sensors, alert_text, post_alert
from issue_pipeline.automation.retries import MAX_TRIES, TRY_TAG
from issue_pipeline.errors import (
    AccessDeniedError,
    ConfigurationError,
    IssuePipelineError,
    TransientError,
)
from issue_pipeline.failures import MAY_SUCCEED_LATER_TAG, clear_failures
from issue_pipeline_tests.automation.receiver import Receiver

PARTITION = "2026-03-10|github"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


def alert_about(error: IssuePipelineError, monkeypatch: Any, receiver: Receiver) -> tuple[str, str]:
    """Let a step fail and the sensor see it; gives the alert's text and the run's id."""
    monkeypatch.setenv("ALERT_WEBHOOK_URL", receiver.url)
    monkeypatch.setenv("DAGSTER_UI_URL", "https://dagster.example/")

    @dg.asset(
        key=["bronze", "raw_items"], partitions_def=dg.StaticPartitionsDefinition([PARTITION])
    )
    def step(context: dg.AssetExecutionContext) -> None:
        with clear_failures(context):
            raise error

    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(
            [step], instance=instance, partition_key=PARTITION, raise_on_error=False
        )
        (event,) = [one for one in result.all_events if one.event_type_value == "PIPELINE_FAILURE"]
        run = instance.get_run_by_id(result.run_id)
        context = dg.build_run_status_sensor_context(
            "alert_on_failure", event, instance, run
        ).for_run_failure()
        (sensor,) = alert_sensors()
        sensor(context)
    (text,) = receiver.texts
    return text, result.run_id


def test_an_alert_names_asset_partition_reason_and_where_to_look(monkeypatch, receiver):
    text, run_id = alert_about(AccessDeniedError("Check GITHUB_TOKEN."), monkeypatch, receiver)
    for part in ("bronze/raw_items", PARTITION, "Check GITHUB_TOKEN.", "Somebody must act."):
        assert part in text
    assert text.endswith(f"https://dagster.example/runs/{run_id}")


def test_an_alert_says_whether_the_pipeline_tries_again_by_itself(monkeypatch, receiver):
    text, _ = alert_about(TransientError("GitHub answered 502."), monkeypatch, receiver)
    assert "It is tried again by itself." in text


def test_a_receiver_that_stumbles_is_asked_again(monkeypatch):
    monkeypatch.setattr(alerts, "WAIT_S", 0.0)
    receiver = Receiver(refusals=1)
    post_alert(receiver.url, "one refusal")
    assert receiver.texts == ["one refusal"]
    receiver.close()


def test_a_receiver_that_is_gone_is_reported(monkeypatch):
    monkeypatch.setattr(alerts, "WAIT_S", 0.0)
    receiver = Receiver()
    receiver.close()
    with pytest.raises(httpx.HTTPError):
        post_alert(receiver.url, "nobody listens")


def test_without_a_webhook_nobody_is_told(monkeypatch):
    monkeypatch.delenv("ALERT_WEBHOOK_URL", raising=False)
    assert alert_sensors() == []


def test_an_address_that_is_none_is_refused_without_being_shown(monkeypatch):
    monkeypatch.setenv("ALERT_WEBHOOK_URL", "hooks.example/secret")
    with pytest.raises(ConfigurationError, match="ALERT_WEBHOOK_URL") as refused:
        alert_sensors()
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("tags", "outlook"),
    [
        ({MAY_SUCCEED_LATER_TAG: "yes", TRY_TAG: str(MAX_TRIES - 1)}, "It is tried again"),
        ({MAY_SUCCEED_LATER_TAG: "yes", TRY_TAG: str(MAX_TRIES)}, "Somebody must act."),
        ({MAY_SUCCEED_LATER_TAG: "no"}, "Somebody must act."),
        ({"dagster/will_retry": "true"}, "It is tried again"),  # its process was lost
        ({}, "Somebody must act."),
    ],
)
def test_the_outlook_is_what_will_happen(tags, outlook):
    run = dg.DagsterRun(job_name="collect_github", tags={"dagster/partition": PARTITION, **tags})
    assert outlook in alert_text(run, "GitHub answered 502.", "https://dagster.example")
