"""Errors of the sandbox's local services."""

from issue_pipeline.errors import IssuePipelineError


class SandboxError(IssuePipelineError):
    """The sandbox cannot be used as it is: something is missing, altered or already in use."""


class ServiceError(SandboxError):
    """A local service did not start, or died. The message ends with the last lines of its log."""
