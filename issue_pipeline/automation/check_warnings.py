"""Asset checks that warn: those of ended runs that were not yet reported, in one message."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluation

from issue_pipeline.automation.history import PARTITION_TAG
from issue_pipeline.utils.printable import printable

# One message names so many; of the others it says how many there are.
MAX_NAMED = 20
_MAX_DESCRIPTION_CHARS = 300
_MAX_PARTITION_CHARS = 200
_KEY_CHARS = 12


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of one check of one partition.

    Attributes:
        key: The same for every run of the same check and partition.
        passed: Whether it passed; those that block are no warnings and count as passed.
        text: For people, one line.
        run_id: Where it was evaluated.
    """

    key: str
    passed: bool
    text: str
    run_id: str


def check_results(instance: dg.DagsterInstance, run: dg.DagsterRun) -> list[CheckResult]:
    """Return the results of a run's checks, in the order of their evaluation."""
    kind = dg.DagsterEventType.ASSET_CHECK_EVALUATION
    records = instance.get_records_for_run(run.run_id, of_type=kind).records
    events = (record.event_log_entry.dagster_event for record in records)
    return [
        _result(event.asset_check_evaluation_data, run) for event in events if event is not None
    ]


def open_warnings(
    results: Iterable[CheckResult], reported: Mapping[str, str]
) -> tuple[list[CheckResult], set[str]]:
    """Sort results into news and what is over.

    Args:
        results: Of the runs that ended since, the oldest first.
        reported: Keys of the warnings that were reported.

    Returns:
        The warnings that were not reported yet, the last result of each; and the keys of those
        that have passed since, which are reported again should they fail again.
    """
    last = {result.key: result for result in results}
    news = [one for key, one in last.items() if not one.passed and key not in reported]
    return news, {key for key, one in last.items() if one.passed}


def warning_text(warnings: Iterable[CheckResult], ui_url: str) -> str:
    """Word several warnings as one message.

    Args:
        warnings: At least one.
        ui_url: Where the Dagster UI is, without a slash at the end.
    """
    named = list(warnings)
    lines = [f"• {one.text} {ui_url}/runs/{one.run_id}" for one in named[:MAX_NAMED]]
    if len(named) > MAX_NAMED:
        lines.append(f"and {len(named) - MAX_NAMED} more; see the checks in {ui_url}")
    count = "One check warns" if len(named) == 1 else f"{len(named)} checks warn"
    return "\n".join([f"{count}; what is stored is right, but somebody should look:", *lines])


def _result(evaluation: AssetCheckEvaluation, run: dg.DagsterRun) -> CheckResult:
    partition = evaluation.partition or run.tags.get(PARTITION_TAG, "")
    name = f"{evaluation.asset_key.to_user_string()} {partition} {evaluation.check_name}"
    is_warning = evaluation.severity == dg.AssetCheckSeverity.WARN
    described = printable(evaluation.description or "", _MAX_DESCRIPTION_CHARS)
    return CheckResult(
        key=hashlib.sha256(name.encode()).hexdigest()[:_KEY_CHARS],
        passed=evaluation.passed or not is_warning,
        text=f"{printable(name, _MAX_PARTITION_CHARS)}: {described}",
        run_id=run.run_id,
    )
