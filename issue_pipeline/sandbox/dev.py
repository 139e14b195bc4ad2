"""``make dev``: the Dagster UI with the sandbox's services beside it, everything configured."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from rich.console import Console

from issue_pipeline.errors import IssuePipelineError
from issue_pipeline.run_day import prepare_dagster_home
from issue_pipeline.sandbox.demo import HISTORY_DAYS, ROOT
from issue_pipeline.sandbox.services import sandbox_services


def main() -> int:
    """Run ``dagster dev`` until it ends; options are passed on to it (``--port 3001``)."""
    console = Console()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with sandbox_services(ROOT, world_args=["--history-days", HISTORY_DAYS]) as services:
            environment = os.environ | services.environment()
            prepare_dagster_home(ROOT / "dagster_home")
            environment["DAGSTER_HOME"] = os.environ["DAGSTER_HOME"]
            console.print(f"The live page: {services.pocketbase_url}/", markup=False)
            return _dagster_dev(environment)
    except IssuePipelineError as error:
        console.print(f"Cannot start: {error}", style="red", markup=False)
        return 1


def _dagster_dev(environment: dict[str, str]) -> int:
    command = [str(Path(sys.executable).parent / "dagster"), "dev", *sys.argv[1:]]
    # It shares the terminal, so Ctrl-C reaches it, too: it stops by itself, and we wait for that.
    with subprocess.Popen(command, env=environment) as dagster:
        while True:
            try:
                return dagster.wait()
            except KeyboardInterrupt:
                continue
            finally:
                if sys.exc_info()[0] is SystemExit:
                    dagster.terminate()


if __name__ == "__main__":
    sys.exit(main())
