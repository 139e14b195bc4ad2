"""Some fixed days, from HTTP to the live page, on real parts (``issue-pipeline demo``)."""

import contextlib
import os
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from rich.console import Console

from issue_pipeline.errors import IssuePipelineError
from issue_pipeline.ops.dagster_home import prepare_dagster_home
from issue_pipeline.ops.run_day import run_day, show_progress
from issue_pipeline.sandbox.services import Services, sandbox_services

DAYS = tuple(date(2026, 3, day) for day in range(7, 12))
# Posts of a corpus are dealt onto so few days that groups are found on each.
CORPUS_DAYS = DAYS[-2:]
# The simulated APIs live in the morning after, when all days are over.
NOW = "2026-03-12T06:00:00Z"
# How far back they have posts; Reddit's listings reach beyond the days that are collected.
HISTORY_DAYS = "14"
_CHECK_S = 1.0


def run_demo(root: Path, *, mode: str, corpus: Path | None, posts_per_day: int, serve: bool) -> int:
    """Run the main job on days of simulated sources and show what it found.

    Args:
        root: Folder for everything it writes; made if missing.
        mode: Clustering mode.
        corpus: File or folder of posts to serve; ``None`` for the synthetic world.
        posts_per_day: Size of the synthetic world, at least 1.
        serve: Keep the live page up until Ctrl-C.

    Returns:
        The exit status: 0 only if every step succeeded, 1 for a failure, 130 after Ctrl-C.
    """
    show_progress()
    console = Console()
    world_args = ["--now", NOW, "--history-days", HISTORY_DAYS]
    days = DAYS if corpus is None else CORPUS_DAYS
    if corpus is not None:
        dealt_onto = ",".join(day.isoformat() for day in days)
        world_args += ["--corpus", str(corpus.resolve()), "--days", dealt_onto]
    else:
        world_args += ["--posts-per-day", str(posts_per_day)]
    try:
        with sandbox_services(root, world_args=world_args) as services:
            status = _run(services, mode, days, console)
            if serve:
                _serve(services, console)
    except IssuePipelineError as error:
        console.print(f"The demo failed: {error}", style="red", markup=False)
        return 1
    except KeyboardInterrupt:
        console.print("Stopped.")
        return 130
    return status


def _run(services: Services, mode: str, days: Sequence[date], console: Console) -> int:
    os.environ.update(services.environment() | {"CLUSTERING_MODE": mode})
    prepare_dagster_home(services.root / "dagster_home", is_ours=True)
    failures = [failure for day in days for failure in run_day(day)]

    # Imported late: the partitions, which it shows, read the environment when they load.
    from issue_pipeline.ops.report import show_report
    from issue_pipeline.resources.duckdb import IssuesDatabase

    with IssuesDatabase(database=str(services.duckdb_path)).read() as connection:
        show_report(console, connection, list(days))
    for failure in failures:
        console.print(f"{failure.step} failed: {failure.reason}", style="red", markup=False)
    console.print(
        f"The tables are in {services.duckdb_path}.\n"
        "The live page: issue-pipeline demo --serve (make demo SERVE=1). The runs, and more days to"
        " materialise: issue-pipeline dev (make dev).",
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
