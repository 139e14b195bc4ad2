"""Run one day of the configured sources in this process (``issue-pipeline run DAY``).

The same jobs as the schedule's, recorded in the same Dagster instance, one after the other. What
nobody has configured (PocketBase, a language model) runs beside it meanwhile.
"""

import logging
import os
import re
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import stamina
from dagster._core.execution.plan.objects import ErrorSource
from dotenv import load_dotenv
from rich.console import Console

from issue_pipeline.errors import ConfigurationError, IssuePipelineError
from issue_pipeline.local.stand_ins import RunningStandIns, needed_stand_ins, running_stand_ins
from issue_pipeline.ops.announcement import announcement
from issue_pipeline.ops.dagster_home import DEFAULT_DAGSTER_HOME, prepare_dagster_home

logger = logging.getLogger(__name__)

# Of the stand-ins: data, logs and the superuser.
DATA_FOLDER = Path("data")
# Dagster's own console would drown the progress of the steps.
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
_CHECK_S = 1.0
_OF_A_RUN = re.compile(r"(?<=  )\w+ - [0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12} - (\w+ - )?")

# A store of one's own is named by all three; without any of them one runs beside the pipeline.
STORE_SETTINGS = {
    "POCKETBASE_URL": "where your PocketBase serves, such as http://127.0.0.1:8090",
    "POCKETBASE_EMAIL": "a superuser of your PocketBase",
    "POCKETBASE_PASSWORD": "the superuser's password",
}


@dataclass(frozen=True, slots=True)
class StepFailure:
    """A step that failed, and why."""

    step: str
    reason: str


def accepted_day(day: date | None, now: datetime) -> date:
    """Return the day to run: the one that was asked for, or yesterday.

    Args:
        day: UTC day; ``None`` for yesterday.
        now: Aware, UTC.

    Raises:
        ConfigurationError: It is not over yet, or is before ``ISSUES_START_DATE``; the message is
            one sentence.
    """
    # Imported late: the partitions read the environment when they load.
    from issue_pipeline.partitions import daily_partitions

    first, yesterday = daily_partitions.start.date(), now.date() - timedelta(days=1)
    if first > yesterday:
        raise ConfigurationError(
            f"ISSUES_START_DATE is {first}, and no day from then on is over: the newest day that"
            f" can be collected is yesterday, {yesterday} (UTC)."
        )
    if day is None:
        return yesterday
    if day > yesterday:
        raise ConfigurationError(
            f"{day} is not over: days go from {first} (ISSUES_START_DATE) to yesterday,"
            f" {yesterday} (UTC)."
        )
    if day < first:
        raise ConfigurationError(
            f"{day} is before the first day: days go from {first} (ISSUES_START_DATE, which can be"
            f" set to an earlier one) to yesterday, {yesterday} (UTC)."
        )
    return day


def run_day(day: date) -> list[StepFailure]:
    """Collect, cluster, label and publish one UTC day, as the environment configures it.

    A source that fails does not hold up the others; the day is then processed without it.

    Returns:
        What failed; [] when everything went well.

    Raises:
        ConfigurationError: A setting is malformed, or the day is outside the partitions.
        KeyboardInterrupt: Somebody interrupted a step.
    """
    # Imported late: the partitions and the resources read the environment when they load.
    from issue_pipeline.definitions import defs
    from issue_pipeline.settings import active_sources

    day = accepted_day(day, datetime.now(UTC))
    failures = []
    with dg.DagsterInstance.get() as instance:
        for source in active_sources():
            key = dg.MultiPartitionKey({"source": source, "date": day.isoformat()})
            job, step = f"collect_{source}", f"collect {source} {day}"
            failures += _execute(defs, instance, job, key, step)
        failures += _execute(defs, instance, "find_issues", day.isoformat(), f"find issues {day}")
    return failures


def _execute(
    defs: dg.Definitions, instance: dg.DagsterInstance, job: str, partition_key: str, step: str
) -> list[StepFailure]:
    with _timed(step):
        result = defs.resolve_job_def(job).execute_in_process(
            partition_key=partition_key,
            instance=instance,
            run_config=_QUIET,
            raise_on_error=False,
        )
    # Dagster leaves SIGTERM to do what SIGINT does, which in a background job is nothing.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if result.success:
        return []
    from issue_pipeline.assets.failures import failure_reason

    failed = [event for event in result.all_events if event.is_step_failure]
    if any(event.step_failure_data.error_source == ErrorSource.INTERRUPT for event in failed):
        raise KeyboardInterrupt  # Dagster reports it as the failure of a step
    return [StepFailure(event.step_key or step, failure_reason(event)) for event in failed] or [
        StepFailure(step, "the run failed before any step; see the Dagster UI")
    ]


@contextmanager
def _timed(step: str) -> Iterator[None]:
    started = time.monotonic()
    logger.info("%s ...", step)
    yield
    logger.info("%s: %.1f s", step, time.monotonic() - started)


def missing_settings(environment: Mapping[str, str]) -> list[str]:
    """Return what is missing of a service that is named in part, each with where to get it."""

    def is_set(name: str) -> bool:
        return bool((environment.get(name) or "").strip())

    missing = []
    if any(map(is_set, STORE_SETTINGS)):
        missing = [f"{name}: {what}" for name, what in STORE_SETTINGS.items() if not is_set(name)]
    if is_set("LLM_REMOTE_MODEL") and not is_set("LLM_REMOTE_API_KEY"):
        missing.append("LLM_REMOTE_API_KEY: the key of LLM_REMOTE_MODEL's provider")
    return missing


def require_settings(environment: Mapping[str, str]) -> None:
    """Refuse services that are named in part.

    Raises:
        ConfigurationError: The message names each missing setting, with where to get it.
    """
    if missing := missing_settings(environment):
        raise ConfigurationError(
            "Some settings are missing. Set them in the environment, or in .env of this folder"
            " (.env.example explains every setting):\n  " + "\n  ".join(missing)
        )


class _Plain(logging.Formatter):
    """Leaves out what Dagster puts before a message within a run: job, run id and step."""

    def format(self, record: logging.LogRecord) -> str:
        return _OF_A_RUN.sub("", super().format(record), count=1)


def show_progress() -> None:
    """Print the pipeline's own log, and only warnings of libraries."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Plain("%(asctime)s  %(message)s", datefmt="%H:%M:%S"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("issue_pipeline").setLevel(logging.INFO)
    # What is tried again, and why, is logged where it happens.
    stamina.instrumentation.set_on_retry_hooks([])


def run_configured_day(day: date | None, *, serve: bool) -> int:
    """Run a day as the environment and ``.env`` configure it, and show what it found.

    Args:
        day: UTC day; ``None`` for yesterday.
        serve: Keep the live page up until Ctrl-C, where it is served from here.

    Returns:
        The exit status: 0 if every step succeeded, 1 if one failed, 2 if a setting is missing or
        malformed or the day is outside the partitions, 130 after an interrupt.
    """
    load_dotenv(".env")
    show_progress()
    console = Console(soft_wrap=True, highlight=False)
    try:
        require_settings(os.environ)
        accepted = accepted_day(day, datetime.now(UTC))
        return _run_with_stand_ins(accepted, console, serve=serve)
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return 2
    except IssuePipelineError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _run_with_stand_ins(day: date, console: Console, *, serve: bool) -> int:
    from issue_pipeline.settings import active_sources

    wanted = needed_stand_ins(os.environ)
    for line in announcement(day, active_sources(), wanted, os.environ):
        console.print(line, markup=False)
    home = os.environ.get("DAGSTER_HOME", "").strip()
    prepare_dagster_home(Path(home) if home else DEFAULT_DAGSTER_HOME)
    with running_stand_ins(wanted, DATA_FOLDER) as running:
        os.environ.update(running.variables)
        page = f"{os.environ['POCKETBASE_URL'].rstrip('/')}/"
        if wanted.pocketbase:
            console.print(
                f"  PocketBase: {page}  (superuser: {DATA_FOLDER}/pocketbase/superuser.json)",
                markup=False,
            )
        failures = run_day(day)
        _show_summary(day, failures, console)
        if wanted.pocketbase and serve:
            console.print(f"The live page: {page}  (Ctrl-C ends it)", markup=False)
            _serve(running)
        elif wanted.pocketbase:
            console.print(
                f"The live page, with --serve (make run DAY={day} SERVE=1): {page}", markup=False
            )
        else:
            console.print(f"Published to {page}", markup=False)
    return 1 if failures else 0


def _show_summary(day: date, failures: list[StepFailure], console: Console) -> None:
    # Imported late, as above.
    from issue_pipeline.ops.report import show_report
    from issue_pipeline.resources.duckdb import IssuesDatabase
    from issue_pipeline.settings import duckdb_path

    with IssuesDatabase(database=duckdb_path()).read() as connection:
        show_report(Console(), connection, [day])
    for failure in failures:
        print(f"{failure.step} failed: {failure.reason}", file=sys.stderr)
    console.print(
        f"The tables are in {duckdb_path()}. Every day by itself: issue-pipeline dev --real (make"
        " dev REAL=1).",
        markup=False,
    )


def _serve(running: RunningStandIns) -> None:
    with suppress(KeyboardInterrupt):
        while True:
            running.require_running()
            time.sleep(_CHECK_S)
