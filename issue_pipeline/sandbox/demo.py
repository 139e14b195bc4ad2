"""``make demo``: two fixed days, from HTTP to the live page, on real parts."""

import argparse
import contextlib
import os
import time
from datetime import date
from pathlib import Path

from rich.console import Console

from issue_pipeline.errors import IssuePipelineError
from issue_pipeline.ops.run_day import end_process, prepare_dagster_home, run_day, show_progress
from issue_pipeline.sandbox.services import Services, sandbox_services
from issue_pipeline.utils.clustering import MODES

ROOT = Path(".sandbox")
DAYS = (date(2026, 3, 10), date(2026, 3, 11))
# The simulated APIs live in the morning after, when both days are over.
NOW = "2026-03-12T06:00:00Z"
# How far back they can tell; Reddit's listings reach beyond the days that are collected.
HISTORY_DAYS = "14"
_CHECK_S = 1.0


def main() -> int:
    """Run the main job on two days of simulated sources and show what it found.

    Exit status 0 only if every step succeeded.
    """
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--mode", choices=MODES, default="smoothed", help="clustering mode")
    parser.add_argument("--corpus", type=Path, help="serve these real posts instead")
    parser.add_argument(
        "--posts-per-day",
        type=int,
        default=1500,
        help="size of the synthetic world (default: 1500)",
    )
    parser.add_argument("--root", type=Path, default=ROOT, help="folder for everything it writes")
    parser.add_argument("--serve", action="store_true", help="keep the page up until Ctrl-C")
    options = parser.parse_args()
    show_progress()
    console = Console()
    world_args = ["--now", NOW, "--history-days", HISTORY_DAYS]
    if options.corpus:
        days = ",".join(day.isoformat() for day in DAYS)
        world_args += ["--corpus", str(options.corpus), "--days", days]
    else:
        world_args += ["--posts-per-day", str(options.posts_per_day)]
    try:
        with sandbox_services(options.root, world_args=world_args) as services:
            status = _run(services, options.mode, console)
            if options.serve:
                _serve(services, console)
    except IssuePipelineError as error:
        console.print(f"The demo failed: {error}", style="red", markup=False)
        return 1
    except KeyboardInterrupt:
        console.print("Stopped.")
        return 130
    return status


def _run(services: Services, mode: str, console: Console) -> int:
    os.environ.update(services.environment() | {"CLUSTERING_MODE": mode})
    prepare_dagster_home(services.root / "dagster_home")
    failures = [failure for day in DAYS for failure in run_day(day)]

    # Imported late: the partitions, which it shows, read the environment when they load.
    from issue_pipeline.resources.duckdb import IssuesDatabase
    from issue_pipeline.sandbox.report import show_report

    with IssuesDatabase(database=str(services.duckdb_path)).read() as connection:
        show_report(console, connection, list(DAYS))
    for failure in failures:
        console.print(f"{failure.step} failed: {failure.reason}", style="red", markup=False)
    console.print(
        f"The tables are in {services.duckdb_path}.\n"
        "The live page: make demo SERVE=1. The runs, and more days to materialise: make dev.",
        markup=False,
        soft_wrap=True,
    )
    return 1 if failures else 0


def _serve(services: Services, console: Console) -> None:
    console.print(f"\nThe live page: {services.pocketbase_url}/  (Ctrl-C ends it)", markup=False)
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            services.require_running()
            time.sleep(_CHECK_S)


if __name__ == "__main__":
    end_process(main())
