"""What the assets share: their partition's day, and failures that say whether to try again."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import dagster as dg

from issue_pipeline.errors import (
    AccessDeniedError,
    ConfigurationError,
    IssuePipelineError,
    MissingInputError,
    QuotaExhaustedError,
    RequestRejectedError,
)

# Trying again changes nothing until somebody acts.
_PERMANENT = (
    AccessDeniedError,
    ConfigurationError,
    MissingInputError,
    QuotaExhaustedError,
    RequestRejectedError,
)
MAX_RETRIES = 2
# Before the first retry; twice as long before the second.
RETRY_WAIT_S = 30


def day_of(context: dg.AssetExecutionContext) -> date:
    """Give the UTC day of a daily partition."""
    return date.fromisoformat(context.partition_key)


def source_and_day_of(context: dg.AssetExecutionContext) -> tuple[str, date]:
    """Give the source and the UTC day of a source × date partition."""
    key = context.partition_key
    assert isinstance(key, dg.MultiPartitionKey)
    return key.keys_by_dimension["source"], date.fromisoformat(key.keys_by_dimension["date"])


@contextmanager
def clear_failures(context: dg.AssetExecutionContext) -> Iterator[None]:
    """Turn our errors into Dagster failures, retried only where that can help.

    A ``RetryPolicy`` would also retry a step that somebody interrupted, and one that hit a bug.
    """
    try:
        yield
    except IssuePipelineError as error:
        retries = context.op_execution_context.retry_number
        if isinstance(error, _PERMANENT) or retries >= MAX_RETRIES:
            raise dg.Failure(description=str(error), allow_retries=False) from error
        context.log.warning(f"Trying again: {error}")
        raise dg.RetryRequested(MAX_RETRIES, RETRY_WAIT_S * 2**retries) from error
