"""A failed run reaches a real receiver over HTTP: what, which day, why, and where to look."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import dagster as dg
import httpx
import pytest

from issue_pipeline.automation import alerts
from issue_pipeline.automation.alerts import alert_sensors, post_alert
from issue_pipeline.errors import (
    AccessDeniedError,
    ConfigurationError,
    IssuePipelineError,
    TransientError,
)
from issue_pipeline.failures import clear_failures


class Receiver:
    """Takes what is posted to it; refuses the first posts if told so."""

    def __init__(self, refusals: int = 0) -> None:
        self.texts: list[str] = []
        self.posts = 0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.posts += 1
                refused = receiver.posts <= refusals
                if not refused:
                    receiver.texts.append(json.loads(body)["text"])
                self.send_response(503 if refused else 200)
                self.end_headers()

            def log_message(self, *_: Any) -> None: ...

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        self._thread = Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


def alert_about(error: IssuePipelineError, monkeypatch: Any, receiver: Receiver) -> tuple[str, str]:
    """Let a step fail and the sensor see it; gives the alert's text and the run's id."""
    monkeypatch.setenv("ALERT_WEBHOOK_URL", receiver.url)
    monkeypatch.setenv("DAGSTER_UI_URL", "https://dagster.example/")

    @dg.asset(key=["bronze", "raw_items"], partitions_def=dg.StaticPartitionsDefinition(["day"]))
    def step(context: dg.AssetExecutionContext) -> None:
        with clear_failures(context):
            raise error

    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(
            [step], instance=instance, partition_key="day", raise_on_error=False
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
    for part in ("bronze/raw_items", "day", "Check GITHUB_TOKEN.", "Somebody must act."):
        assert part in text
    assert text.endswith(f"https://dagster.example/runs/{run_id}")


def test_an_alert_says_whether_the_pipeline_tries_again_by_itself(monkeypatch, receiver):
    text, _ = alert_about(TransientError("GitHub answered 502."), monkeypatch, receiver)
    assert "It is tried again by itself." in text


def test_a_receiver_that_stumbles_is_asked_again(monkeypatch):
    monkeypatch.setattr(alerts, "WAIT_S", 0.0)
    receiver = Receiver(refusals=2)
    post_alert(receiver.url, "two refusals")
    assert receiver.texts == ["two refusals"]
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
