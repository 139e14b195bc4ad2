"""How the daemon starts runs on one machine, and notices that one was lost."""

import dagster as dg
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._core.launcher import DefaultRunLauncher
from dagster._core.launcher.base import CheckRunHealthResult, WorkerStatus
from dagster._grpc.types import CanCancelExecutionRequest, CanCancelExecutionResult
from dagster._serdes import deserialize_value


class WatchfulRunLauncher(DefaultRunLauncher):
    """Dagster's own launcher, which can also tell whether a run's process is still there.

    Without that, a run stays "started" for ever when the machine, or the code server that holds its
    process, is killed; it would keep its place in the queue, and hold up every other run of its
    partition. With it, Dagster's run monitoring ends the run, and starts it once more.
    """

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Tell Dagster's run monitoring that it may ask."""
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Ask the code server that started the run's process whether it is alive."""
        client = self._get_grpc_client_for_termination(run.run_id)  # type: ignore[no-untyped-call]
        if client is not None:
            try:
                reply = client.can_cancel_execution(CanCancelExecutionRequest(run_id=run.run_id))
            except DagsterUserCodeUnreachableError:
                pass  # it went with the machine, or on its own
            else:
                if deserialize_value(reply, CanCancelExecutionResult).can_cancel:
                    return CheckRunHealthResult(WorkerStatus.RUNNING)
        # Of a run that has just ended well, Dagster sees that itself before it acts on this.
        return CheckRunHealthResult(
            WorkerStatus.FAILED, "The run's process is gone: it, or the machine, was killed."
        )
