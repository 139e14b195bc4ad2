from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.real_labels import RealDay, implied_category, main, measure
from issue_pipeline.labeling import PreparedCluster, prepare_cluster
from issue_pipeline.utils.embeddings import CleanText
from issue_pipeline_tests.sql.test_gold import a_failure, an_issue
from issue_pipeline_tests.test_labeling import item

AXES = np.eye(384, dtype=np.float32)


class NearTitles:
    """Every text lies on the first axis, but those about whales."""

    def encode(self, sentences: list[str], **_: Any) -> Any:
        return AXES[[int("whale" in sentence) for sentence in sentences]]


def cluster(number: int, *names: str) -> PreparedCluster:
    items = [item(name, name) for name in names]
    texts = [CleanText(one.title, one.body) for one in items]
    return prepare_cluster(number, items, texts, AXES[[0] * len(items)])


def test_a_category_is_implied_by_the_groups_of_half_of_the_posts():
    groups = {"a": "git", "b": "git_2", "c": "startups", "d": "bitcoin/bitcoin", "e": "startups"}
    assert implied_category(cluster(0, "a", "b", "c", "d"), groups) == "devtools"
    assert implied_category(cluster(0, "a", "c", "e"), groups) is None
    assert implied_category(cluster(0, "c", "e"), groups) is None


def test_labels_are_counted_by_how_they_came_to_be():
    clusters = [cluster(number, f"m{number}") for number in range(5)]
    day = RealDay(clusters, {f"m{number}": "vim" for number in range(5)})
    rows = [
        an_issue(0, attempts=1, seconds=2.0, canonical_title="Export fails"),
        an_issue(1, attempts=2, canonical_title="EXPORT  fails"),
        an_issue(2, attempts=1, canonical_title="whales", category="ai"),
        a_failure(3, attempts=4),
        a_failure(4, attempts=0),
    ]
    quality = measure([(day, rows)], NearTitles())
    assert (quality.clusters, quality.valid_first, quality.valid) == (5, 2, 3)
    assert (quality.failed, quality.waiting, quality.calls) == (1, 1, 8)
    assert (quality.grounded_first, quality.grounded, quality.twins) == (1, 2, 2)
    assert quality.pairs == [("devtools", "devtools")] * 2 + [("devtools", "ai")]
    tomorrow = [replace(row, canonical_title="Another") for row in rows[:1]]
    both = measure([(day, rows), (RealDay(clusters[:1], day.groups), tomorrow)], NearTitles())
    assert both.twins == 2


def test_without_a_corpus_it_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["--corpus", str(tmp_path / "none")]) == 1
    assert "name posts with --corpus" in capsys.readouterr().err
