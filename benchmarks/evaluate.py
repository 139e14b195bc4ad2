"""``make eval``: how good it is. Groups and labels of real posts, beside peers and the truth.

Real posts of ``../shared/data/corpora`` are needed; for the labels a language model, the sandbox's
own if ``.env`` names no other.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from benchmarks import clustering_study, embedded, real_labels
from benchmarks.cleaning import measure_cleaning
from benchmarks.report import Report, run_parts


def main() -> int:
    """Run all parts, or those named; return 2 if there is nothing to measure with."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10, help="with 5 %% of the posts dropped")
    return run_parts(parser, PARTS, embedded.CORPORA, Path(".sandbox/eval.json"))


def _groups(report: Report, options: argparse.Namespace) -> None:
    for corpus in clustering_study.corpora(options.cache):
        report.add("groups of labelled posts", *clustering_study.beside_peers(*corpus))


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
    repositories = measure_cleaning(embedded.CORPORA)["repositories"]
    rows = ({"repository": name, **found} for name, found in repositories.items())
    report.add("template text before and after cleaning", *rows)


def _labels(_report: Report, _options: argparse.Namespace) -> None:
    if real_labels.main([]):
        raise SystemExit("The labels could not be measured.")


PARTS = {"groups": _groups, "day": _day, "cleaning": _cleaning, "labels": _labels}


if __name__ == "__main__":
    sys.exit(main())
