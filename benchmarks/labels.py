"""How good a day's labels are: ``python -m benchmarks.labels [--database .sandbox/issues.duckdb]``.

Needs a database that ``make demo`` filled on the synthetic world, whose posts' truth is known. A
cluster has the problem that at least half of its posts report, or none. For each day and in all:

- clusters, and how many of them have a problem,
- of the problems with at least twice ``min_cluster_size`` posts, the share that comes back, and
  the adjusted Rand index over all posts, both as in ``benchmarks.world``,
- the share of labels that are valid,
- of the labels that say there is a problem, the share whose posts are reports by half (precision),
  and of the clusters whose posts are, the share that is labelled so (recall),
- for category, would-pay and impact, over the valid labels of clusters with a problem: accuracy and
  balanced accuracy (the mean over the true values of the share labelled right), beside what
  answering the commonest truth every time would get.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.world import comes_back, rand_indices
from issue_pipeline.partitions import SOURCES
from issue_pipeline.records import IssueRow
from issue_pipeline.sandbox.apis.addresses import permalink
from issue_pipeline.sandbox.world.posts import Truth
from issue_pipeline.sandbox.world.synthetic import SyntheticWorld
from issue_pipeline.sql import gold
from issue_pipeline.utils.clustering import NOISE, ClusterIds

FIELDS = ("category", "would_pay", "impact")
# Fewer known posts than this and the database was not filled by this world.
MIN_SHARE_KNOWN = 0.95

Pairs = list[tuple[object, object]]


@dataclass(frozen=True, slots=True)
class DayResult:
    """What was measured on one day.

    Attributes:
        large: Problems with at least twice ``min_cluster_size`` posts.
        back: Those of them that come back.
        rand: Adjusted Rand index over all posts.
        problems: Of each good label: whether its posts are reports by half, and what it says.
        pairs: By field, the (truth, label) of each validly labelled cluster with a problem.
    """

    clusters: int
    with_problem: int
    large: int
    back: int
    rand: float
    labels: int
    valid: int
    problems: Pairs
    pairs: dict[str, Pairs]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; return 1 if the database is not one of the synthetic world."""
    parser = argparse.ArgumentParser(description="Compare labels with the synthetic truth.")
    parser.add_argument("--database", type=Path, default=Path(".sandbox/issues.duckdb"))
    parser.add_argument("--seed", type=int, default=7, help="of the synthetic world (default: 7)")
    parser.add_argument("--posts", type=int, default=1500, help="its posts a day (default: 1500)")
    options = parser.parse_args(arguments)
    if not options.database.exists():
        print(f"There is no {options.database}. Run make demo first.", file=sys.stderr)
        return 1
    world = SyntheticWorld(options.seed, options.posts)
    results: dict[str, DayResult] = {}
    with duckdb.connect(str(options.database), read_only=True) as connection:
        days = connection.execute(
            "SELECT DISTINCT cluster_date FROM silver.cluster_assignments ORDER BY 1"
        ).fetchall()
        for (day,) in days:
            try:
                results[str(day)] = measure_day(connection, world, day)
            except ValueError as error:
                print(error, file=sys.stderr)
                return 1
    if not results:
        print(f"{options.database} holds no clustered day. Run make demo first.", file=sys.stderr)
        return 1
    results["all"] = in_all(list(results.values()))
    show(Console(), results)
    return 0


def measure_day(
    connection: duckdb.DuckDBPyConnection, world: SyntheticWorld, day: date
) -> DayResult:
    """Compare one day's clusters and labels with the truth.

    Raises:
        ValueError: The day's posts are not those of the world.
    """
    truths = {
        permalink(post): post.truth for source in SOURCES for post in world.posts(source, day)
    }
    rows = connection.execute(
        "SELECT url, cluster_id FROM silver.cluster_assignments JOIN bronze.raw_items"
        " USING (url_hash) WHERE cluster_date = $day AND collection_date = $day ORDER BY url_hash",
        {"day": day},
    ).fetchall()
    known = sum(url in truths for url, _ in rows)
    if known < MIN_SHARE_KNOWN * len(rows):
        raise ValueError(
            f"Only {known} of the {len(rows)} posts of {day} are of the synthetic world."
            " Expected a database that make demo filled, with the same --seed and --posts."
        )
    found = [truths.get(url) for url, _ in rows]
    labels = np.array([cluster for _, cluster in rows])
    problems = [truth.problem if truth else None for truth in found]
    (least,) = connection.execute(
        "SELECT 2 * max(min_cluster_size) FROM silver.clusters WHERE cluster_date = ?", [day]
    ).fetchone() or (None,)
    sizes = Counter(problem for problem in problems if problem)
    large = [problem for problem, size in sizes.items() if least and size >= least]
    ids = sorted({int(label) for label in labels if label != NOISE})
    truth_of = {
        cluster: majority([found[row] for row in np.flatnonzero(labels == cluster)])
        for cluster in ids
    }
    issues = gold.issues_of_day(connection, day)
    return DayResult(
        clusters=len(ids),
        with_problem=sum(truth is not None for truth in truth_of.values()),
        large=len(large),
        back=sum(comes_back(problem, problems, labels) for problem in large),
        rand=rand_indices(problems, labels)[0],
        labels=len(issues),
        valid=sum(not issue.label_failed for issue in issues),
        problems=problem_pairs(issues, found, labels),
        pairs=label_pairs(issues, truth_of),
    )


def majority(truths: Sequence[Truth | None]) -> Truth | None:
    """Return the truth of the problem that at least half of the posts report, if there is one."""
    counts = Counter(truth for truth in truths if truth)
    if not counts:
        return None
    truth, count = counts.most_common(1)[0]
    return truth if 2 * count >= len(truths) else None


def problem_pairs(
    issues: Sequence[IssueRow], found: Sequence[Truth | None], labels: ClusterIds
) -> Pairs:
    """Return (posts are reports by half, label says problem) of every good label."""
    is_report = np.array([truth is not None for truth in found])
    return [
        (bool(2 * is_report[labels == issue.cluster_id].mean() >= 1), bool(issue.is_problem))
        for issue in issues
        if not issue.label_failed
    ]


def precision_and_recall(pairs: Pairs) -> tuple[float, float]:
    """Return the share of the found that are true, and of the true that are found."""
    hits = sum(bool(truth and found) for truth, found in pairs)
    true, found = (sum(bool(pair[side]) for pair in pairs) for side in (0, 1))
    return hits / max(1, found), hits / max(1, true)


def label_pairs(issues: Sequence[IssueRow], truth_of: dict[int, Truth | None]) -> dict[str, Pairs]:
    """Give, by field, (truth, label) of every good label whose cluster has a problem."""
    pairs: dict[str, Pairs] = {field: [] for field in FIELDS}
    for issue in issues:
        truth = truth_of.get(issue.cluster_id)
        if truth and not issue.label_failed:
            pairs["category"].append((truth.category, issue.category))
            pairs["would_pay"].append((truth.would_pay, issue.would_pay_signal))
            pairs["impact"].append((truth.impact, issue.impact_level))
    return pairs


def in_all(days: Sequence[DayResult]) -> DayResult:
    """Add the days up; the Rand index is their mean."""
    return DayResult(
        clusters=sum(day.clusters for day in days),
        with_problem=sum(day.with_problem for day in days),
        large=sum(day.large for day in days),
        back=sum(day.back for day in days),
        rand=float(np.mean([day.rand for day in days])),
        labels=sum(day.labels for day in days),
        valid=sum(day.valid for day in days),
        problems=[pair for day in days for pair in day.problems],
        pairs={field: [pair for day in days for pair in day.pairs[field]] for field in FIELDS},
    )


def accuracy(pairs: Pairs) -> float:
    """Share of pairs whose two values are the same; NaN for no pair."""
    return float(np.mean([truth == label for truth, label in pairs])) if pairs else float("nan")


def balanced_accuracy(pairs: Pairs) -> float:
    """Mean over the true values of the share labelled right; NaN for no pair."""
    values = {truth for truth, _ in pairs}
    shares = [accuracy([pair for pair in pairs if pair[0] == value]) for value in values]
    return float(np.mean(shares)) if shares else float("nan")


def commonest(pairs: Pairs) -> Pairs:
    """The pairs as they would be if the commonest truth were always the answer."""
    counts = Counter(truth for truth, _ in pairs)
    return [(truth, counts.most_common(1)[0][0]) for truth, _ in pairs]


def show(console: Console, results: dict[str, DayResult]) -> None:
    """Print one column per day and one for all."""
    table = Table("", *results, title="Labels against the truth of the synthetic world")

    def line(name: str, values: Sequence[str], *, last: bool = False) -> None:
        table.add_row(name, *values, end_section=last)

    days = list(results.values())
    line("clusters", [str(day.clusters) for day in days])
    line("with one problem", [str(day.with_problem) for day in days])
    line("large problems back", [f"{_share(day.back, day.large)} of {day.large}" for day in days])
    line("adjusted Rand index", [f"{day.rand:.2f}" for day in days])
    line(
        "valid labels",
        [f"{_share(day.valid, day.labels)} of {day.labels}" for day in days],
    )
    line(
        "problem: precision, recall",
        ["{:.2f}, {:.2f}".format(*precision_and_recall(day.problems)) for day in days],
        last=True,
    )
    for field in FIELDS:
        pairs = [day.pairs[field] for day in days]
        line(f"{field}: accuracy", [f"{accuracy(own):.2f}" for own in pairs])
        line("  always the commonest", [f"{accuracy(commonest(own)):.2f}" for own in pairs])
        line(f"{field}: balanced", [f"{balanced_accuracy(own):.2f}" for own in pairs])
        line(
            "  always the commonest",
            [f"{balanced_accuracy(commonest(own)):.2f}" for own in pairs],
            last=True,
        )
    console.print(table)


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.0%}" if whole else "none"


if __name__ == "__main__":
    sys.exit(main())
