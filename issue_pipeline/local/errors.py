"""Errors of the services that run beside the pipeline."""

from issue_pipeline.errors import IssuePipelineError


class LocalSetupError(IssuePipelineError):
    """A local service cannot be had as it is: something is missing, altered or already in use."""


class ServiceError(LocalSetupError):
    """A local service did not start, or died. The message ends with the last lines of its log."""
