"""A failed step says what to do, is not repeated, and is marked if its cause may pass."""

import dagster as dg
import pytest

from issue_pipeline.assets.failures import MAY_SUCCEED_LATER_TAG, clear_failures, failure_reason
from issue_pipeline.errors import (
    AccessDeniedError,
    ConfigurationError,
    LiveStoreError,
    LiveStoreRefusedError,
    QuotaExhaustedError,
    StoreBusyError,
    StoreError,
    TransientError,
    UnreachableError,
)


def _failed(raised: BaseException) -> tuple[int, str, str | None]:
    """Let a step fail; gives its attempts, the reason told, and whether it may succeed later."""
    attempts = []

    @dg.asset
    def step(context: dg.AssetExecutionContext) -> None:
        with clear_failures(context):
            attempts.append(raised)
            raise raised

    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize([step], instance=instance, raise_on_error=False)
        run = instance.get_run_by_id(result.run_id)
    assert not result.success
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    return len(attempts), failure_reason(failure), run.tags.get(MAY_SUCCEED_LATER_TAG)


@pytest.mark.parametrize(
    "error",
    [TransientError, UnreachableError, QuotaExhaustedError, LiveStoreError, StoreBusyError],
)
def test_what_may_pass_fails_at_once_in_its_own_words_and_is_marked(error):
    assert _failed(error("GitHub answered 502.")) == (1, "GitHub answered 502.", "yes")


@pytest.mark.parametrize(
    "error", [AccessDeniedError, ConfigurationError, StoreError, LiveStoreRefusedError]
)
def test_what_needs_somebody_to_act_is_marked_as_such(error):
    assert _failed(error("Check GITHUB_TOKEN.")) == (1, "Check GITHUB_TOKEN.", "no")


@pytest.mark.parametrize("raised", [KeyboardInterrupt(), ZeroDivisionError("a bug")])
def test_an_interrupted_step_and_a_bug_are_neither_repeated_nor_marked(raised):
    attempts, _, marked = _failed(raised)
    assert (attempts, marked) == (1, None)
