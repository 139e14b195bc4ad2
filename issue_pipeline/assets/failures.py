"""From our errors to Dagster's failures: what may pass by itself, and what needs somebody."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from issue_pipeline.errors import IssuePipelineError
from issue_pipeline.utils.printable import printable

# On a failed run: whether its cause may pass, "yes" or "no". If it may, the daemon starts the run
# again (automation/retries.py).
MAY_SUCCEED_LATER_TAG = "issue_pipeline/may_succeed_later"
MAX_REASON_CHARS = 2_000


@contextmanager
def clear_failures(context: dg.AssetExecutionContext) -> Iterator[None]:
    """Turn our errors into Dagster failures that say what to do, and mark those that may pass.

    A step is never repeated within its run. Requests are repeated where they are made, and a cause
    that outlasts those is there for longer than a run should wait.
    """
    try:
        yield
    except IssuePipelineError as error:
        # Said either way: a run that repeats another one has the other's tags.
        tag = {MAY_SUCCEED_LATER_TAG: "yes" if error.may_pass else "no"}
        context.instance.add_run_tags(context.run.run_id, tag)
        raise dg.Failure(description=str(error), allow_retries=False) from error


def failure_reason(event: dg.DagsterEvent) -> str:
    """Return the reason of a step's failure in one line."""
    failure = event.step_failure_data
    text = "unknown; see the Dagster UI"
    if failure.user_failure_data and failure.user_failure_data.description:
        text = failure.user_failure_data.description
    elif failure.error:
        text = failure.error.message
    return printable(text, MAX_REASON_CHARS)
