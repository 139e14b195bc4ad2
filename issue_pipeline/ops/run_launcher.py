"""A run launcher for one machine that can check whether a run's process is alive."""

from contextlib import suppress
from pathlib import Path

import dagster as dg
import grpc
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._core.launcher import DefaultRunLauncher
from dagster._core.launcher.base import CheckRunHealthResult, WorkerStatus
from dagster._grpc.types import CanCancelExecutionRequest, CanCancelExecutionResult
from dagster._serdes import deserialize_value


class WatchfulRunLauncher(DefaultRunLauncher):
    """Dagster's default launcher with health checks of run processes.

    Without them, a run stays "started" for ever when the machine, or the code server that holds its
    process, is killed: it would keep its place in the queue and block every other run of its
    partition. With them, Dagster's run monitoring fails the run and starts it once more.
    """

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Return True: Dagster's run monitoring may call the check."""
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Return RUNNING or FAILED, as the code server that started the process reports it."""
        client = self._get_grpc_client_for_termination(run.run_id)  # type: ignore[no-untyped-call]
        if client is None:  # somebody runs it in a process of their own, as `make run` does
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        try:
            reply = client.can_cancel_execution(CanCancelExecutionRequest(run_id=run.run_id))
        except DagsterUserCodeUnreachableError as error:
            # Nobody there, rather than somebody who is too busy to answer. The run's process goes
            # on for a while without its server.
            if not _is_gone(error) or self._process_is_alive(run):
                return CheckRunHealthResult(WorkerStatus.RUNNING)
        else:
            if deserialize_value(reply, CanCancelExecutionResult).can_cancel:
                return CheckRunHealthResult(WorkerStatus.RUNNING)
        # Of a run that has just ended well, Dagster sees that itself before it acts on this.
        return CheckRunHealthResult(
            WorkerStatus.FAILED, "The run's process is gone: it, or the machine, was killed."
        )

    def _process_is_alive(self, run: dg.DagsterRun) -> bool:
        """Return whether the process that logged the steps exists; False without ``/proc``."""
        for entry in reversed(self._instance.all_logs(run.run_id)):
            event = entry.dagster_event
            if event is not None and event.pid is not None:
                with suppress(OSError):
                    # The number may be another process's by now, which began later.
                    return Path(f"/proc/{event.pid}").stat().st_ctime <= entry.timestamp
                return False
        return False


def _is_gone(error: DagsterUserCodeUnreachableError) -> bool:
    """Return whether no server is there, as opposed to one that did not answer in time."""
    cause = error.__cause__
    return isinstance(cause, grpc.RpcError) and cause.code() == grpc.StatusCode.UNAVAILABLE
