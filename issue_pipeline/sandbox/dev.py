"""``make dev``: the Dagster UI with the sandbox's services beside it, everything configured."""

import os
import sys
import time
from pathlib import Path

from rich.console import Console

from issue_pipeline.errors import IssuePipelineError
from issue_pipeline.ops.run_day import prepare_dagster_home
from issue_pipeline.sandbox.demo import HISTORY_DAYS, ROOT
from issue_pipeline.sandbox.processes import ManagedProcess
from issue_pipeline.sandbox.services import Services, sandbox_services

# Time for its webserver, daemon and code server to stop in good order.
DAGSTER_GRACE_S = 20.0
_CHECK_S = 1.0


def main() -> int:
    """Run ``dagster dev`` until Ctrl-C; options are passed on to it (``--port 3001``)."""
    console = Console()
    try:
        with sandbox_services(ROOT, world_args=["--history-days", HISTORY_DAYS]) as services:
            console.print(f"The live page: {services.pocketbase_url}/", markup=False)
            _run_dagster(services, sys.argv[1:])
    except IssuePipelineError as error:
        console.print(str(error), style="red", markup=False)
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


def _run_dagster(services: Services, options: list[str]) -> None:
    prepare_dagster_home(services.root / "dagster_home")
    # Dagster reads .env of the folder it starts in, over the environment it is given: a user's own
    # keys and stores must not get into the sandbox.
    os.chdir(services.root)
    dagster = Path(sys.executable).parent / "dagster"
    with ManagedProcess(
        "dagster dev",
        [str(dagster), "dev", "--module-name", "issue_pipeline.definitions", *options],
        log=Path("/dev/stderr"),
        environment=os.environ | services.environment(),
        stop_grace_s=DAGSTER_GRACE_S,
    ) as process:
        while process.is_running():
            services.require_running()
            time.sleep(_CHECK_S)


if __name__ == "__main__":
    sys.exit(main())
