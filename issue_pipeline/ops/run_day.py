"""Run one day of the configured sources in this process (``issue-pipeline run DAY``).

The same jobs as the schedule's, recorded in the same Dagster instance, one after the other.
"""

import logging
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import dagster as dg
import stamina
from dagster._core.execution.plan.objects import ErrorSource
from dotenv import load_dotenv

from issue_pipeline.errors import ConfigurationError

logger = logging.getLogger(__name__)

DEFAULT_DAGSTER_HOME = Path("data/dagster_home")
DAGSTER_YAML = Path(__file__).with_name("dagster.yaml")
# Dagster's own console would drown the progress of the steps.
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}

# What the real APIs and stores cannot do without, and where to get it.
REQUIRED_SETTINGS = {
    "POCKETBASE_URL": "where your PocketBase serves, such as http://127.0.0.1:8090",
    "POCKETBASE_EMAIL": "a superuser: pocketbase superuser upsert EMAIL PASSWORD",
    "POCKETBASE_PASSWORD": "the superuser's password",
}
RECOMMENDED_SETTINGS = {
    "GITHUB_TOKEN": "https://github.com/settings/tokens, no scopes needed: 30 searches a minute"
    " instead of 10",
    "REDDIT_CLIENT_ID": "https://www.reddit.com/prefs/apps: Reddit's own API instead of an archive",
    "STACKEXCHANGE_KEY": "https://stackapps.com/apps/oauth/register: 10,000 requests a day"
    " instead of 300",
}


@dataclass(frozen=True, slots=True)
class StepFailure:
    """A step that failed, and why."""

    step: str
    reason: str


def prepare_dagster_home(folder: Path) -> None:
    """Make a folder Dagster's home, with the project's ``dagster.yaml`` in it."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(DAGSTER_YAML, folder / "dagster.yaml")
    os.environ["DAGSTER_HOME"] = str(folder.resolve())


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
    from issue_pipeline.partitions import SOURCES, daily_partitions

    days = daily_partitions.get_partition_keys()
    if day.isoformat() not in days:
        raise ConfigurationError(
            f"{day} cannot be collected: days go from {days[0]} (ISSUES_START_DATE) to yesterday,"
            f" {days[-1]}."
        )
    failures = []
    with dg.DagsterInstance.get() as instance:
        for source in SOURCES:
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
    """Return the required settings that are not set, each with where to get it."""
    missing = [
        f"{name}: {where}" for name, where in REQUIRED_SETTINGS.items() if not environment.get(name)
    ]
    if not (environment.get("LLM_LOCAL_MODEL") or environment.get("LLM_REMOTE_MODEL")):
        missing.append(
            "LLM_LOCAL_MODEL (such as ollama_chat/llama3.1) or LLM_REMOTE_MODEL with"
            " LLM_REMOTE_API_KEY (such as groq/openai/gpt-oss-120b, a key from"
            " https://console.groq.com/keys)"
        )
    elif environment.get("LLM_REMOTE_MODEL") and not environment.get("LLM_REMOTE_API_KEY"):
        missing.append("LLM_REMOTE_API_KEY: the key of LLM_REMOTE_MODEL's provider")
    return missing


def show_progress() -> None:
    """Print the pipeline's own log, and only warnings of libraries."""
    logging.basicConfig(
        level=logging.WARNING, format="%(asctime)s  %(message)s", datefmt="%H:%M:%S"
    )
    logging.getLogger("issue_pipeline").setLevel(logging.INFO)
    # What is tried again, and why, is logged where it happens.
    stamina.instrumentation.set_on_retry_hooks([])


def run_configured_day(day: date) -> int:
    """Run a day as the environment and ``.env`` configure it, and print what failed.

    Returns:
        The exit status: 0 if every step succeeded, 1 if one failed, 2 if a setting is missing or
        malformed or the day is outside the partitions, 130 after an interrupt.
    """
    load_dotenv(".env")
    show_progress()
    if missing := missing_settings(os.environ):
        print(
            "Some settings are missing. Set them in the environment, or in .env of this folder"
            " (.env.example explains every setting):",
            file=sys.stderr,
        )
        for line in missing:
            print(f"  {line}", file=sys.stderr)
        return 2
    for name, where in RECOMMENDED_SETTINGS.items():
        if not os.environ.get(name):
            logger.warning("%s is not set (%s)", name, where)
    prepare_dagster_home(Path(os.environ.get("DAGSTER_HOME") or DEFAULT_DAGSTER_HOME))
    try:
        failures = run_day(day)
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    for failure in failures:
        print(f"{failure.step} failed: {failure.reason}", file=sys.stderr)
    return 1 if failures else 0
