"""A failed run reaches a real receiver over HTTP: what, which day, why, and where to look."""

import re
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from issue_pipeline.assets.failures import MAY_SUCCEED_LATER_TAG, clear_failures
from issue_pipeline.automation import alerts, webhook
from issue_pipeline.automation.alerts import alert_sensors, alert_text
from issue_pipeline.automation.retries import MAX_TRIES, TRY_TAG
from issue_pipeline.definitions import defs
from issue_pipeline.errors import (
    AccessDeniedError,
    ConfigurationError,
    IssuePipelineError,
    TransientError,
)
from issue_pipeline_tests.support.receiver import Receiver

PARTITION = "2026-03-10|github"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


def fail(instance: dg.DagsterInstance, error: IssuePipelineError) -> str:
    """Let a step fail; gives the run's id."""

    @dg.asset(
        key=["bronze", "raw_items"], partitions_def=dg.StaticPartitionsDefinition([PARTITION])
    )
    def step(context: dg.AssetExecutionContext) -> None:
        with clear_failures(context):
            raise error

    result = dg.materialize(
        [step], instance=instance, partition_key=PARTITION, raise_on_error=False
    )
    assert not result.success
    return result.run_id


class Looks:
    """The sensor, looking again and again, as the daemon lets it."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self._instance = instance
        self._cursor: str | None = None

    def __call__(self) -> str:
        """Look once; gives what the UI shows of it."""
        (sensor,) = alert_sensors()
        context = dg.build_sensor_context(instance=self._instance, cursor=self._cursor)
        seen = sensor.evaluate_tick(context)
        self._cursor = seen.cursor
        return seen.skip_message or ""


@pytest.fixture
def look(instance, monkeypatch, receiver) -> Looks:
    monkeypatch.setenv("ALERT_WEBHOOK_URL", receiver.url)
    monkeypatch.setenv("DAGSTER_UI_URL", "https://dagster.example/")
    monkeypatch.setattr(webhook, "TIMEOUT_S", 60.0)
    return Looks(instance)


def test_an_alert_names_asset_partition_time_reason_and_where_to_look(instance, look, receiver):
    before = datetime.now(UTC).replace(second=0, microsecond=0)
    run_id = fail(instance, AccessDeniedError("Check GITHUB_TOKEN."))
    look()
    (text,) = receiver.texts
    for part in ("bronze/raw_items", PARTITION, "Check GITHUB_TOKEN.", "Somebody must act."):
        assert part in text
    (at,) = re.findall(r"failed at (.{16}) UTC:", text)
    assert before <= datetime.fromisoformat(f"{at}Z") <= datetime.now(UTC)
    assert text.endswith(f"https://dagster.example/runs/{run_id}")


def test_an_alert_says_whether_the_pipeline_tries_again_by_itself(instance, look, receiver):
    fail(instance, TransientError("GitHub answered 502."))
    look()
    (text,) = receiver.texts
    assert "It is tried again by itself." in text


def test_a_run_whose_process_was_lost_is_told_too(instance, look, receiver):
    run = instance.create_run_for_job(defs.resolve_job_def("collect_github"))
    instance.report_run_failed(run, "Its process is gone.")
    look()
    (text,) = receiver.texts
    assert "Its process is gone." in text


def test_a_failure_is_told_once(instance, look, receiver):
    for error in (AccessDeniedError("first"), AccessDeniedError("second")):
        fail(instance, error)
        assert error.args[0] in look()
        look()
    first, second = receiver.texts
    assert "first" in first
    assert "second" in second


def test_what_there_is_no_time_for_is_told_at_the_next_look(instance, look, receiver, monkeypatch):
    for number in range(3):
        fail(instance, AccessDeniedError(f"number {number}"))
    monkeypatch.setattr(alerts, "LOOK_S", -1.0)
    assert "at the next look" in look()
    assert receiver.texts == []
    monkeypatch.undo()
    monkeypatch.setenv("ALERT_WEBHOOK_URL", receiver.url)
    look()
    assert [f"number {place}" in text for place, text in enumerate(receiver.texts)] == [True] * 3


def test_a_text_that_is_refused_keeps_no_other_from_being_told(instance, look, monkeypatch):
    for word in ("first", "second"):
        fail(instance, AccessDeniedError(word))
    receiver = Receiver(refusals=1, status=400)
    monkeypatch.setenv("ALERT_WEBHOOK_URL", receiver.url)
    assert "Refused with 400" in look()
    look()
    assert [text.count("second") for text in receiver.texts] == [1, 0]  # the first came later
    receiver.close()


def test_a_receiver_that_never_answers_is_sent_each_alert_once(instance, look, monkeypatch):
    monkeypatch.setattr(webhook, "TIMEOUT_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("ALERT_WEBHOOK_URL", f"http://127.0.0.1:{silent.getsockname()[1]}/")
        fail(instance, AccessDeniedError("Check GITHUB_TOKEN."))
        assert "Sent, but not answered" in look()
        assert look() == "No other run failed, and no check warns."


def test_yesterdays_failures_are_history(instance, look, receiver, monkeypatch):
    fail(instance, AccessDeniedError("long ago"))
    monkeypatch.setattr(alerts, "TOLD_FOR", timedelta(0))
    assert look() == "No other run failed, and no check warns."
    assert receiver.texts == []


def test_hostile_words_call_nobody_and_are_no_markup(instance, look, receiver):
    fail(instance, AccessDeniedError("<!channel> @all <https://evil.example|click>\n\x1b[31m"))
    look()
    (text,) = receiver.texts
    first, *others = text.splitlines()
    assert len(others) == 1
    for sign in ("<", ">", "@all", "\x1b"):
        assert sign not in text
    assert "!channel" in first


def test_what_a_receiver_does_not_take_is_told_when_it_is_back(instance, look, monkeypatch):
    for number in range(3):
        fail(instance, AccessDeniedError(f"number {number}"))
    receiver = Receiver(refusals=2)
    monkeypatch.setenv("ALERT_WEBHOOK_URL", receiver.url)
    for _ in range(2):
        assert "Refused with 503" in look()
        assert receiver.texts == []
    look()
    assert [text.count(f"number {place}") for place, text in enumerate(receiver.texts)] == [1, 1, 1]
    receiver.close()


def test_a_receiver_that_is_gone_is_reported_without_its_secret_address(
    instance, look, receiver, monkeypatch
):
    monkeypatch.setenv("ALERT_WEBHOOK_URL", f"{receiver.url}/secret")
    receiver.close()
    fail(instance, AccessDeniedError("Check GITHUB_TOKEN."))
    seen = look()
    assert "ConnectError" in seen
    assert "Check GITHUB_TOKEN." in seen
    assert "secret" not in seen


def warn(
    instance: dg.DagsterInstance, *shares: float, partition: str = PARTITION, fails: bool = False
) -> str:
    """Let a step's checks warn (a share above 0.1) or pass, and fail it if told so."""
    names = [f"check_{number}" for number in range(len(shares))]

    @dg.asset(
        key=["bronze", "raw_items"],
        partitions_def=dg.StaticPartitionsDefinition([partition]),
        check_specs=[dg.AssetCheckSpec(name, asset=["bronze", "raw_items"]) for name in names],
    )
    def step() -> dg.MaterializeResult:
        return dg.MaterializeResult(
            check_results=[
                dg.AssetCheckResult(
                    check_name=name,
                    passed=share <= 0.1,
                    severity=dg.AssetCheckSeverity.WARN,
                    description=f"{share:.0%} <@all> have no label.",
                )
                for name, share in zip(names, shares, strict=True)
            ]
        )

    return dg.materialize([step], instance=instance, partition_key=partition).run_id


def test_the_checks_that_warn_reach_the_receiver_once_in_one_message(instance, look, receiver):
    run_id = warn(instance, 0.5, 0.02, 0.3)
    warn(instance, 0.4, partition="2026-03-11|github")
    look()
    look()
    (text,) = receiver.texts
    assert text.startswith("3 checks warn")
    for part in (f"{PARTITION} check_0: 50%", "check_2: 30%", "2026-03-11|github", run_id):
        assert part in text
    assert "check_1" not in text
    assert "<@all>" not in text


def test_a_check_that_warns_again_is_told_again_only_after_it_has_passed(instance, look, receiver):
    for shares, messages in (([0.5], 1), ([0.6], 1), ([0.0], 1), ([0.5], 2)):
        warn(instance, *shares)
        look()
        assert len(receiver.texts) == messages


def test_warnings_that_the_receiver_does_not_take_are_told_when_it_is_back(
    instance, look, monkeypatch
):
    warn(instance, 0.5)
    receiver = Receiver(refusals=1)
    monkeypatch.setenv("ALERT_WEBHOOK_URL", receiver.url)
    assert "Refused with 503" in look()
    look()
    look()
    assert [text.count("check_0") for text in receiver.texts] == [1]
    receiver.close()


def test_very_many_warnings_are_counted_instead_of_named(instance, look, receiver):
    warn(instance, *[0.5] * 30)
    look()
    (text,) = receiver.texts
    assert text.startswith("30 checks warn")
    assert text.count("have no label") == 20
    assert "and 10 more" in text


def test_a_cursor_of_an_earlier_version_repeats_no_failure(instance, look, receiver):
    run_id = fail(instance, AccessDeniedError("told long ago"))
    look._cursor = run_id
    assert look() == "No other run failed, and no check warns."
    assert receiver.texts == []


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
    text = alert_text(run, datetime.now(UTC), "GitHub answered 502.", "https://dagster.example")
    assert outlook in text
