"""The asset checks: what must hold of a day after each step.

Each step runs its own checks on what it has just stored, and reports them with it. A blocking check
that fails ends the run, so that nothing made of wrong data is labelled or published. The others
warn: the data is right, but somebody should look.
"""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

import dagster as dg
import duckdb

from issue_pipeline.errors import UnsoundInputError
from issue_pipeline.labels.validation import stored_label_problem
from issue_pipeline.partitions import daily_partitions, source_day_partitions
from issue_pipeline.records import IssueRow
from issue_pipeline.sql import checks as promises
from issue_pipeline.sql import gold

RAW_ITEMS = dg.AssetKey(["bronze", "raw_items"])
CLUSTERS = dg.AssetKey(["silver", "clusters"])
ISSUES = dg.AssetKey(["gold", "issues"])
LIVE_ISSUES = dg.AssetKey(["gold", "live_issues"])

# Its result is told where the source-day is collected (bronze.py).
DAY_IS_COMPLETE = "day_is_complete"
# One cluster with more than this of a day says nothing. Of fewer posts shares say little.
MAX_LARGEST_SHARE = 0.25
MIN_POSTS_TO_JUDGE = 200
# Real days have about half; plain HDBSCAN leaves three posts in four.
MAX_NOISE = 0.8
MAX_FAILED_LABELS = 0.1
_EXAMPLES = 3


def _spec(
    asset: dg.AssetKey, name: str, description: str, *, blocking: bool = False
) -> dg.AssetCheckSpec:
    """Declare a check of each partition of an asset."""
    partitions = source_day_partitions if asset == RAW_ITEMS else daily_partitions
    with warnings.catch_warnings():
        # A preview in Dagster; without it the UI shows a check's last result as if of all days.
        warnings.simplefilter("ignore", dg.PreviewWarning)
        return dg.AssetCheckSpec(
            name,
            asset=asset,
            description=description,
            blocking=blocking,
            partitions_def=partitions,
        )


BRONZE_CHECKS = [
    _spec(
        RAW_ITEMS,
        DAY_IS_COMPLETE,
        "Every post that the source has of the day is stored; warns with why not.",
    ),
    _spec(
        RAW_ITEMS,
        "posts_are_unique",
        "No post of the source and day is stored twice.",
        blocking=True,
    ),
    _spec(
        RAW_ITEMS,
        "posts_are_of_the_day",
        "Every post was created on the UTC day that it is stored under.",
        blocking=True,
    ),
]
SILVER_CHECKS = [
    _spec(
        CLUSTERS,
        "every_post_is_assigned_once",
        "Every post of the day is in one cluster or noise, and clusters have the size that they"
        " say.",
        blocking=True,
    ),
    _spec(
        CLUSTERS,
        "no_collapse",
        f"No cluster holds more than {MAX_LARGEST_SHARE:.0%} of a day of {MIN_POSTS_TO_JUDGE} posts"
        " or more.",
    ),
    _spec(
        CLUSTERS,
        "noise_is_bounded",
        f"At most {MAX_NOISE:.0%} of {MIN_POSTS_TO_JUDGE} posts or more are in no cluster.",
    ),
]
GOLD_CHECKS = [
    _spec(
        ISSUES,
        "every_cluster_has_a_row",
        "The day's labels, good or failed, are those of its clusters.",
        blocking=True,
    ),
    _spec(
        ISSUES,
        "labels_are_valid",
        "Every good label passes the schema and its rules for plain text.",
        blocking=True,
    ),
    _spec(
        ISSUES,
        "evidence_matches_assignments",
        "The evidence is exactly the posts of the clusters whose label is good.",
        blocking=True,
    ),
    _spec(
        ISSUES,
        "few_labels_failed",
        f"At most {MAX_FAILED_LABELS:.0%} of the clusters are without a label.",
    ),
]
LIVE_CHECKS = [
    _spec(
        LIVE_ISSUES,
        "live_equals_gold",
        "Read again after it was written, the live store shows the day's good labels and their"
        " evidence, and nothing else.",
        blocking=True,
    )
]


def bronze_checks(
    connection: duckdb.DuckDBPyConnection, source: str, day: date
) -> list[dg.AssetCheckResult]:
    """Check what is stored of a source and day; whether that is all, ``day_is_complete`` says."""
    of: dict[str, date | str] = {"day": day, "source": source}
    return [
        _held("posts_are_unique", promises.violations(connection, promises.KEYS_REPEATED, of)),
        _held("posts_are_of_the_day", promises.violations(connection, promises.OTHER_DAYS, of)),
    ]


def silver_checks(
    connection: duckdb.DuckDBPyConnection, day: date, *, posts: int, sizes: Sequence[int]
) -> list[dg.AssetCheckResult]:
    """Check a day's clusters.

    Args:
        connection: To read with.
        day: UTC day.
        posts: How many the day has.
        sizes: Of its clusters.
    """
    judged = posts >= MIN_POSTS_TO_JUDGE
    largest = max(sizes, default=0) / posts if judged else 0.0
    noise = 1 - sum(sizes) / posts if judged else 0.0
    return [
        *assignment_checks(connection, day),
        _within("no_collapse", largest, MAX_LARGEST_SHARE, "of the posts are in one cluster"),
        _within("noise_is_bounded", noise, MAX_NOISE, "of the posts are in no cluster"),
    ]


def assignment_checks(
    connection: duckdb.DuckDBPyConnection, day: date
) -> list[dg.AssetCheckResult]:
    """Check that each post of a day has its place, and each cluster its size."""
    misplaced = promises.violations(connection, promises.NOT_ASSIGNED_ONCE, {"day": day})
    return [_held("every_post_is_assigned_once", misplaced)]


def gold_checks(connection: duckdb.DuckDBPyConnection, day: date) -> list[dg.AssetCheckResult]:
    """Check a day's labels and their evidence."""
    of = {"day": day}
    rows = gold.issues_of_day(connection, day)
    failed = sum(row.label_failed for row in rows) / len(rows) if rows else 0.0
    return [
        _held(
            "every_cluster_has_a_row",
            promises.violations(connection, promises.LABELS_MISPLACED, of),
        ),
        *label_checks(rows),
        _held(
            "evidence_matches_assignments",
            promises.violations(connection, promises.EVIDENCE_MISPLACED, of),
        ),
        _within("few_labels_failed", failed, MAX_FAILED_LABELS, "of the clusters have no label"),
    ]


def label_checks(rows: Iterable[IssueRow]) -> list[dg.AssetCheckResult]:
    """Check that each good label is what a label must be."""
    return [_held("labels_are_valid", [told for row in rows if (told := _invalid(row))])]


def live_checks(differing: Iterable[str]) -> list[dg.AssetCheckResult]:
    """Report the ids of live records that differ from gold, missing and surplus ones included."""
    return [_held("live_equals_gold", [f"record {one}" for one in differing])]


def require_sound(what: str, results: Iterable[dg.AssetCheckResult]) -> None:
    """Work on nothing that fails a blocking check, whoever made it and in whichever run.

    Args:
        what: What was checked, for the message.
        results: Of its checks.

    Raises:
        UnsoundInputError: A check that blocks has failed.
    """
    for result in results:
        if not result.passed and result.severity == dg.AssetCheckSeverity.ERROR:
            raise UnsoundInputError(
                f"{what} fails its check {result.check_name} ({result.description}). Materialise it"
                " again; nothing was made of it."
            )


def _invalid(row: IssueRow) -> str | None:
    """Say what is wrong with a good label; ``None`` if nothing is."""
    problem = None if row.label_failed else stored_label_problem(row)
    return None if problem is None else f"cluster {row.cluster_id}: {problem}"


def _held(name: str, broken: Sequence[str]) -> dg.AssetCheckResult:
    """Report a promise that holds for everything or is broken."""
    told = (
        "Holds." if not broken else f"Broken {len(broken)} times: {', '.join(broken[:_EXAMPLES])}"
    )
    return _result(name, not broken, dg.AssetCheckSeverity.ERROR, told, {"violations": len(broken)})


def _within(name: str, share: float, limit: float, of_what: str) -> dg.AssetCheckResult:
    """Report a share that should stay within a limit."""
    told = f"{share:.1%} {of_what}; at most {limit:.0%} should be."
    measured = {"share": round(share, 4), "limit": limit}
    return _result(name, share <= limit, dg.AssetCheckSeverity.WARN, told, measured)


def _result(
    name: str,
    passed: bool,
    severity: dg.AssetCheckSeverity,
    description: str,
    metadata: Mapping[str, float],
) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name=name,
        passed=passed,
        severity=severity,
        description=description,
        metadata=dict(metadata),
    )
