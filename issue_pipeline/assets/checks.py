"""Asset checks: each is declared once, with its name, and evaluated by the step it checks.

A step evaluates its checks on what it has just stored. A blocking check that fails ends the run, so
that nothing derived from wrong data is labelled or published. The others warn.
"""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import dagster as dg
import duckdb

from issue_pipeline.assets.keys import CLUSTERS, ISSUES, LIVE_ISSUES, PROBLEMS, RAW_ITEMS
from issue_pipeline.errors import UnsoundInputError
from issue_pipeline.labels.validation import stored_label_problem
from issue_pipeline.partitions import daily_partitions, source_day_partitions
from issue_pipeline.records import IssueRow
from issue_pipeline.sql import checks as sql_checks
from issue_pipeline.sql import gold
from issue_pipeline.sql.checks import violations

# One cluster with more than this of a day says nothing. Of fewer posts shares say little.
MAX_LARGEST_SHARE = 0.25
MIN_POSTS_TO_JUDGE = 200
# Real days have about half; plain HDBSCAN leaves three posts in four.
MAX_NOISE = 0.8
MAX_FAILED_LABELS = 0.1
_EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Check:
    """One asset check: declared on its asset, and reported by the step that makes the asset.

    Attributes:
        asset: Key of the asset.
        name: Of the check.
        description: What holds if it passes.
        blocking: Whether a failure ends the run; otherwise it warns.
    """

    asset: dg.AssetKey
    name: str
    description: str
    blocking: bool = False

    def spec(self) -> dg.AssetCheckSpec:
        """Return the declaration, for each partition of the asset."""
        partitions = source_day_partitions if self.asset == RAW_ITEMS else daily_partitions
        with warnings.catch_warnings():
            # A preview in Dagster; without it the UI shows a check's last result as if of all days.
            warnings.simplefilter("ignore", dg.PreviewWarning)
            return dg.AssetCheckSpec(
                self.name,
                asset=self.asset,
                description=self.description,
                blocking=self.blocking,
                partitions_def=partitions,
            )

    def result(
        self, passed: bool, description: str, metadata: Mapping[str, float | str]
    ) -> dg.AssetCheckResult:
        """Return a result, an error if the check is blocking and a warning if not."""
        severity = dg.AssetCheckSeverity.ERROR if self.blocking else dg.AssetCheckSeverity.WARN
        return dg.AssetCheckResult(
            check_name=self.name,
            passed=passed,
            severity=severity,
            description=description,
            metadata=dict(metadata),
        )

    def holds_unless(self, violations: Sequence[str]) -> dg.AssetCheckResult:
        """Return the result for something that holds for everything or is violated."""
        examples = ", ".join(violations[:_EXAMPLES])
        description = f"Broken {len(violations)} times: {examples}" if violations else "Holds."
        return self.result(not violations, description, {"violations": len(violations)})

    def is_within(self, share: float, limit: float, of_what: str) -> dg.AssetCheckResult:
        """Return the result for a share, in [0, 1], that should be at most a limit."""
        description = f"{share:.1%} {of_what}; at most {limit:.0%} should be."
        measured = {"share": round(share, 4), "limit": limit}
        return self.result(share <= limit, description, measured)


# Its result is reported where the source-day is collected (bronze.py).
DAY_IS_COMPLETE = Check(
    RAW_ITEMS,
    "day_is_complete",
    "Every post that the source has of the day is stored; warns with why not.",
)
POSTS_ARE_UNIQUE = Check(
    RAW_ITEMS,
    "posts_are_unique",
    "No post of the source and day is stored twice.",
    blocking=True,
)
POSTS_ARE_OF_THE_DAY = Check(
    RAW_ITEMS,
    "posts_are_of_the_day",
    "Every post was created on the UTC day that it is stored under.",
    blocking=True,
)
EVERY_POST_IS_ASSIGNED_ONCE = Check(
    CLUSTERS,
    "every_post_is_assigned_once",
    "Every post of the day is in one cluster or noise, and clusters have the size that they say.",
    blocking=True,
)
NO_COLLAPSE = Check(
    CLUSTERS,
    "no_collapse",
    f"No cluster holds more than {MAX_LARGEST_SHARE:.0%} of a day of {MIN_POSTS_TO_JUDGE} posts"
    " or more.",
)
NOISE_IS_BOUNDED = Check(
    CLUSTERS,
    "noise_is_bounded",
    f"At most {MAX_NOISE:.0%} of {MIN_POSTS_TO_JUDGE} posts or more are in no cluster.",
)
EVERY_CLUSTER_HAS_A_ROW = Check(
    ISSUES,
    "every_cluster_has_a_row",
    "The day's labels, good or failed, are those of its clusters.",
    blocking=True,
)
LABELS_ARE_VALID = Check(
    ISSUES,
    "labels_are_valid",
    "Every good label passes the schema and its rules for plain text.",
    blocking=True,
)
EVIDENCE_MATCHES_ASSIGNMENTS = Check(
    ISSUES,
    "evidence_matches_assignments",
    "The evidence is exactly the posts of the clusters whose label is good.",
    blocking=True,
)
FEW_LABELS_FAILED = Check(
    ISSUES,
    "few_labels_failed",
    f"At most {MAX_FAILED_LABELS:.0%} of the clusters are without a label.",
)
EVERY_PROBLEM_ISSUE_IS_LINKED_ONCE = Check(
    PROBLEMS,
    "every_problem_issue_is_linked_once",
    "Every issue of the day that is a problem belongs to exactly one problem, with the posts that"
    " it has; no other issue does.",
    blocking=True,
)
PROBLEMS_MATCH_THEIR_ISSUES = Check(
    PROBLEMS,
    "problems_match_their_issues",
    "Every problem has issues; its days and numbers are those of their evidence; former ids lead to"
    " problems that are there.",
    blocking=True,
)
LINKS_ARE_OF_ONE_PASS = Check(
    PROBLEMS,
    "links_are_of_one_pass",
    "All links are what one pass over the linked days in date order gives: no day has changed since"
    " it was linked, and none before it.",
)
LIVE_EQUALS_GOLD = Check(
    LIVE_ISSUES,
    "live_equals_gold",
    "Read again after it was written, the live store shows the day's good labels and their"
    " evidence, and nothing else.",
    blocking=True,
)
NOBODY_ELSE_WRITES = Check(
    LIVE_ISSUES,
    "nobody_else_writes",
    "A client without a login may write to no collection of the live store, nor sign up.",
)


def _specs(*checks: Check) -> list[dg.AssetCheckSpec]:
    return [check.spec() for check in checks]


BRONZE_CHECKS = _specs(DAY_IS_COMPLETE, POSTS_ARE_UNIQUE, POSTS_ARE_OF_THE_DAY)
SILVER_CHECKS = _specs(EVERY_POST_IS_ASSIGNED_ONCE, NO_COLLAPSE, NOISE_IS_BOUNDED)
GOLD_CHECKS = _specs(
    EVERY_CLUSTER_HAS_A_ROW, LABELS_ARE_VALID, EVIDENCE_MATCHES_ASSIGNMENTS, FEW_LABELS_FAILED
)
PROBLEM_CHECKS = _specs(
    EVERY_PROBLEM_ISSUE_IS_LINKED_ONCE, PROBLEMS_MATCH_THEIR_ISSUES, LINKS_ARE_OF_ONE_PASS
)
LIVE_CHECKS = _specs(LIVE_EQUALS_GOLD, NOBODY_ELSE_WRITES)


def bronze_checks(
    connection: duckdb.DuckDBPyConnection, source: str, day: date
) -> list[dg.AssetCheckResult]:
    """Return the results for what is stored of a source and day, without ``day_is_complete``."""
    of: dict[str, date | str] = {"day": day, "source": source}
    return [
        POSTS_ARE_UNIQUE.holds_unless(violations(connection, sql_checks.KEYS_REPEATED, of)),
        POSTS_ARE_OF_THE_DAY.holds_unless(violations(connection, sql_checks.OTHER_DAYS, of)),
    ]


def silver_checks(
    connection: duckdb.DuckDBPyConnection, day: date, *, posts: int, sizes: Sequence[int]
) -> list[dg.AssetCheckResult]:
    """Return the results for a day's clusters.

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
        NO_COLLAPSE.is_within(largest, MAX_LARGEST_SHARE, "of the posts are in one cluster"),
        NOISE_IS_BOUNDED.is_within(noise, MAX_NOISE, "of the posts are in no cluster"),
    ]


def assignment_checks(
    connection: duckdb.DuckDBPyConnection, day: date
) -> list[dg.AssetCheckResult]:
    """Return the result for a day's assignments alone."""
    misplaced = violations(connection, sql_checks.NOT_ASSIGNED_ONCE, {"day": day})
    return [EVERY_POST_IS_ASSIGNED_ONCE.holds_unless(misplaced)]


def gold_checks(connection: duckdb.DuckDBPyConnection, day: date) -> list[dg.AssetCheckResult]:
    """Return the results for a day's labels and their evidence."""
    of = {"day": day}
    rows = gold.issues_of_day(connection, day)
    failed = sum(row.label_failed for row in rows) / len(rows) if rows else 0.0
    return [
        EVERY_CLUSTER_HAS_A_ROW.holds_unless(
            violations(connection, sql_checks.LABELS_MISPLACED, of)
        ),
        *label_checks(rows),
        EVIDENCE_MATCHES_ASSIGNMENTS.holds_unless(
            violations(connection, sql_checks.EVIDENCE_MISPLACED, of)
        ),
        FEW_LABELS_FAILED.is_within(failed, MAX_FAILED_LABELS, "of the clusters have no label"),
    ]


def label_checks(rows: Iterable[IssueRow]) -> list[dg.AssetCheckResult]:
    """Return the result for the schema of the good labels."""
    return [LABELS_ARE_VALID.holds_unless([wrong for row in rows if (wrong := _invalid(row))])]


def problem_checks(
    connection: duckdb.DuckDBPyConnection, day: date, *, changed: date | None
) -> list[dg.AssetCheckResult]:
    """Return the results for the links of a day, and for all problems.

    Args:
        connection: To read with.
        day: UTC day.
        changed: The first day that is not linked as it is now; ``None`` if there is none.
    """
    not_linked = violations(connection, sql_checks.NOT_LINKED_ONCE, {"day": day})
    differing = violations(connection, sql_checks.PROBLEMS_UNLIKE_ISSUES, {})
    return [
        EVERY_PROBLEM_ISSUE_IS_LINKED_ONCE.holds_unless(not_linked),
        PROBLEMS_MATCH_THEIR_ISSUES.holds_unless(differing),
        LINKS_ARE_OF_ONE_PASS.holds_unless(
            [f"{changed} and the days after it wait for a run"] if changed else []
        ),
    ]


def live_checks(
    differing: Iterable[str], open_collections: Sequence[str] = ()
) -> list[dg.AssetCheckResult]:
    """Return the results of a publication.

    Args:
        differing: Ids of the live records that differ from gold, or are missing.
        open_collections: Of the live store, to which a client without a login may write.
    """
    return [
        LIVE_EQUALS_GOLD.holds_unless([f"record {one}" for one in differing]),
        NOBODY_ELSE_WRITES.holds_unless([f"collection {one}" for one in open_collections]),
    ]


def require_sound(what: str, results: Iterable[dg.AssetCheckResult]) -> None:
    """Refuse input that fails a blocking check, whichever run stored it.

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
    """Return what is wrong with a good label; ``None`` if nothing is."""
    problem = None if row.label_failed else stored_label_problem(row)
    return None if problem is None else f"cluster {row.cluster_id}: {problem}"
