"""``make eval``: how good it is. Groups and labels of real posts, beside peers and the truth.

Real posts are needed, in the folder that ``CORPORA`` names (docs/corpora.md). Labels are measured
of the language models that the environment names (``LLM_...``; the local one also in ``.env``), or
of the sandbox's own.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from benchmarks import clustering_problems, clustering_study, embedded, real_posts
from benchmarks.cleaning import measure_cleaning
from benchmarks.followed_world import followed_world
from benchmarks.label_quality import measure_labels
from benchmarks.labels_by_meaning import labels_taken_over
from benchmarks.problem_identity import problem_identity
from benchmarks.report import Report, run_parts


def main() -> int:
    """Run all parts, or those named; return 2 if there is nothing to measure with."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10, help="with 5 %% of the posts dropped")
    parser.add_argument("--clusters", type=int, default=100, help="of either world, to label")
    return run_parts(parser, PARTS, real_posts.CORPORA, Path(".sandbox/eval.json"))


def _groups(report: Report, options: argparse.Namespace) -> None:
    for corpus in clustering_study.corpora(options.cache):
        report.add("groups of labelled posts", *clustering_study.beside_peers(*corpus))


def _problems(report: Report, options: argparse.Namespace) -> None:
    report.add("one problem among real posts", *clustering_problems.one_problem(options.cache))
    report.add("a loud topic among real posts", *clustering_problems.loud_topics(options.cache))


def _identity(report: Report, _options: argparse.Namespace) -> None:
    report.add("problems followed over ten days", *problem_identity())


def _followed(report: Report, _options: argparse.Namespace) -> None:
    report.add("thirty days of the world, clustered and followed", *followed_world())


def _continued(report: Report, _options: argparse.Namespace) -> None:
    saved, *fields = labels_taken_over()
    report.add("labels of thirty days of the world", saved)
    report.add("labels that were taken over by meaning, beside fresh ones", *fields)


def _day(report: Report, options: argparse.Namespace) -> None:
    vectors = embedded.day(options.cache)
    whole, runs = clustering_study.stability(vectors, options.runs)
    report.add("the whole real day", whole)
    report.add("the same with 5 % of the posts dropped", *runs)
    for name in ("all", "both"):
        indices = [run[name] for run in runs]
        report.add(
            f"index, {name}", {"mean": float(np.mean(indices)), "least": float(np.min(indices))}
        )


def _cleaning(report: Report, _options: argparse.Namespace) -> None:
    repositories = measure_cleaning(real_posts.CORPORA)["repositories"]
    rows = ({"repository": name, **found} for name, found in repositories.items())
    report.add("template text before and after cleaning", *rows)


def _labels(report: Report, options: argparse.Namespace) -> None:
    measure_labels(report, real_posts.CORPORA, options.clusters)


PARTS = {
    "groups": _groups,
    "problems": _problems,
    "identity": _identity,
    "followed": _followed,
    "continued": _continued,
    "day": _day,
    "cleaning": _cleaning,
    "labels": _labels,
}


if __name__ == "__main__":
    sys.exit(main())
