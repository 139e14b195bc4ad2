import dagster as dg
import pytest

from issue_pipeline import failures
from issue_pipeline.errors import AccessDeniedError, TransientError
from issue_pipeline.failures import MAX_RETRIES, NO_RETRIES_TAG, clear_failures


def _attempts_at(
    raised: BaseException, tags: dict[str, str] | None = None
) -> tuple[int, dg.ExecuteInProcessResult]:
    attempts = []

    @dg.asset
    def step(context: dg.AssetExecutionContext) -> None:
        with clear_failures(context):
            attempts.append(raised)
            raise raised

    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize([step], instance=instance, raise_on_error=False, tags=tags)
    assert not result.success
    return len(attempts), result


def _description(result: dg.ExecuteInProcessResult) -> str:
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    return failure.step_failure_data.user_failure_data.description


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(failures, "RETRY_WAIT_S", 0)


def test_what_may_pass_is_tried_again_and_then_told_in_its_own_words():
    attempts, result = _attempts_at(TransientError("GitHub answered 502."))
    assert attempts == 1 + MAX_RETRIES
    assert _description(result) == "GitHub answered 502."


def test_what_needs_somebody_to_act_is_tried_once():
    attempts, result = _attempts_at(AccessDeniedError("Check GITHUB_TOKEN."))
    assert attempts == 1
    assert _description(result) == "Check GITHUB_TOKEN."


@pytest.mark.parametrize("raised", [KeyboardInterrupt(), ZeroDivisionError()])
def test_an_interrupted_step_and_a_bug_are_not_tried_again(raised):
    assert _attempts_at(raised)[0] == 1


def test_a_run_that_somebody_watches_fails_at_the_first_error():
    assert _attempts_at(TransientError("502"), tags={NO_RETRIES_TAG: "true"})[0] == 1
