"""The Dagster UI with the sandbox's services beside it (``issue-pipeline dev``)."""

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from issue_pipeline.errors import IssuePipelineError
from issue_pipeline.ops.run_day import prepare_dagster_home
from issue_pipeline.sandbox.demo import HISTORY_DAYS
from issue_pipeline.sandbox.errors import ServiceError
from issue_pipeline.sandbox.processes import ManagedProcess
from issue_pipeline.sandbox.services import Services, sandbox_services

# Time for its webserver, daemon and code server to stop in good order.
DAGSTER_GRACE_S = 20.0
DAGSTER_DEV = ("-m", "dagster", "dev", "--module-name", "issue_pipeline.definitions")
_CHECK_S = 1.0


def run_dev(root: Path, options: Sequence[str]) -> int:
    """Run ``dagster dev`` on the sandbox's services until Ctrl-C.

    Args:
        root: Folder for everything it writes; made if missing.
        options: Passed on to ``dagster dev``: ``["--port", "3001"]``.

    Returns:
        The exit status: 0, or 1 if a service or the UI did not start or ended by itself.
    """
    console = Console()
    try:
        with sandbox_services(root, world_args=["--history-days", HISTORY_DAYS]) as services:
            console.print(f"The live page: {services.pocketbase_url}/", markup=False)
            _run_dagster(services, options)
    except IssuePipelineError as error:
        console.print(str(error), style="red", markup=False)
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


def _run_dagster(services: Services, options: Sequence[str]) -> None:
    prepare_dagster_home(services.root / "dagster_home")
    # Dagster reads .env of the folder it starts in, over the environment it is given: a user's own
    # keys and stores must not get into the sandbox.
    os.chdir(services.root)
    with ManagedProcess(
        "dagster dev",
        [
            sys.executable,
            "-m",
            "dagster",
            "dev",
            "--module-name",
            "issue_pipeline.definitions",
            *options,
        ],
        log=Path("/dev/stderr"),
        environment=os.environ | services.environment(),
        stop_grace_s=DAGSTER_GRACE_S,
    ) as process:
        while process.is_running():
            services.require_running()
            time.sleep(_CHECK_S)
    raise ServiceError("dagster dev ended by itself; why, it says above.")
