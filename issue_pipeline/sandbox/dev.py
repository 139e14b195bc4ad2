"""The Dagster UI with the sandbox's services beside it (``issue-pipeline dev``)."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from issue_pipeline.errors import IssuePipelineError
from issue_pipeline.ops.dagster_dev import run_dagster_dev
from issue_pipeline.ops.dagster_home import prepare_dagster_home
from issue_pipeline.sandbox.demo import HISTORY_DAYS
from issue_pipeline.sandbox.services import sandbox_services


def run_dev(root: Path, options: Sequence[str]) -> int:
    """Run ``dagster dev`` on the sandbox's services until Ctrl-C.

    Args:
        root: Folder for everything it writes; made if missing.
        options: Passed on to ``dagster dev``: ``["--port", "3001"]``.

    Returns:
        The exit status: 0, or 1 if a service or the UI did not start or ended by itself.
    """
    console = Console(soft_wrap=True)
    try:
        with sandbox_services(root, world_args=["--history-days", HISTORY_DAYS]) as services:
            console.print(f"The live page: {services.pocketbase_url}/", markup=False)
            prepare_dagster_home(services.root / "dagster_home", is_ours=True)
            # A user's own keys and stores, in .env of the folder we are in, must not get into the
            # sandbox.
            run_dagster_dev(
                services.root, options, services.environment(), services.require_running
            )
    except IssuePipelineError as error:
        console.print(str(error), style="red", markup=False)
        return 1
    except KeyboardInterrupt:
        return 0
    return 0
