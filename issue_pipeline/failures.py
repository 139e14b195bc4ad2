"""From our errors to Dagster's failures: which are worth another try, and which need somebody."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from issue_pipeline.errors import (
    AccessDeniedError,
    ConfigurationError,
    EmbeddingModelError,
    IssuePipelineError,
    LiveStoreAccessError,
    MissingInputError,
    QuotaExhaustedError,
    RequestRejectedError,
    TimeBudgetError,
    UnreachableError,
)

# Trying again changes nothing until somebody acts.
_PERMANENT = (
    AccessDeniedError,
    ConfigurationError,
    EmbeddingModelError,
    LiveStoreAccessError,
    MissingInputError,
    QuotaExhaustedError,
    RequestRejectedError,
    TimeBudgetError,
    UnreachableError,
)
MAX_RETRIES = 2
# Before the first retry; twice as long before the second.
RETRY_WAIT_S = 30
# A run with this tag fails at the first error: somebody is watching, who would wait through every
# retry, and whose Ctrl-C Dagster does not hear meanwhile.
NO_RETRIES_TAG = "issue_pipeline/no_retries"


@contextmanager
def clear_failures(context: dg.AssetExecutionContext) -> Iterator[None]:
    """Turn our errors into Dagster failures, retried only where that can help.

    A ``RetryPolicy`` would also retry a step that somebody interrupted, and one that hit a bug.
    """
    try:
        yield
    except IssuePipelineError as error:
        retries = context.op_execution_context.retry_number
        if (
            isinstance(error, _PERMANENT)
            or retries >= MAX_RETRIES
            or NO_RETRIES_TAG in context.run.tags
        ):
            raise dg.Failure(description=str(error), allow_retries=False) from error
        context.log.warning(f"Trying again: {error}")
        raise dg.RetryRequested(MAX_RETRIES, RETRY_WAIT_S * 2**retries) from error
