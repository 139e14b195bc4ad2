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

RETRY_POLICY = dg.RetryPolicy(
    max_retries=2, delay=30, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS
)


def day_of(context: dg.AssetExecutionContext) -> date:
    """Give the UTC day of a daily partition."""
    return date.fromisoformat(context.partition_key)


def source_and_day_of(context: dg.AssetExecutionContext) -> tuple[str, date]:
    """Give the source and the UTC day of a source × date partition."""
    key = context.partition_key
    assert isinstance(key, dg.MultiPartitionKey)
    return key.keys_by_dimension["source"], date.fromisoformat(key.keys_by_dimension["date"])


@contextmanager
def clear_failures() -> Iterator[None]:
    """Turn our errors into Dagster failures, retried only where that can help."""
    try:
        yield
    except IssuePipelineError as error:
        raise dg.Failure(
            description=str(error), allow_retries=not isinstance(error, _PERMANENT)
        ) from error
