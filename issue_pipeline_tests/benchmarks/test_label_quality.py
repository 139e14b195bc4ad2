from typing import Any

import numpy as np
import pytest

from benchmarks.label_quality import (
    agreement,
    effort,
    expectations,
    form,
    grounding_by_style,
    implied_category,
    reuse,
)
from benchmarks.labelled_days import ClusteredDay, LabelledDay, first_clusters
from issue_pipeline.labels.preparation import PreparedCluster, prepare_cluster
from issue_pipeline.labels.problem_scoring import ProblemScorer
from issue_pipeline.resources.llm import LLMResource
from issue_pipeline.sandbox.world.posts import Truth
from issue_pipeline.utils.embeddings import CleanText
from issue_pipeline_tests.labels.test_labelling import item
from issue_pipeline_tests.sql.test_gold import a_failure, an_issue

AXES = np.eye(384, dtype=np.float32)
EXPORT = Truth("export", "devtools", would_pay=False, impact="high")


class NearTitles:
    """Every text lies on the first axis, but those about whales."""

    def encode(self, sentences: list[str], **_: Any) -> Any:
        return AXES[[int("whale" in sentence) for sentence in sentences]]


SCORER = ProblemScorer(NearTitles())


def cluster(number: int, *names: str) -> PreparedCluster:
    items = [item(name, name) for name in names]
    texts = [CleanText(one.title, one.body) for one in items]
    return prepare_cluster(number, items, texts, AXES[[0] * len(items)], SCORER)


def day(*names: str, group: str = "vim", truth: Truth | None = None) -> ClusteredDay:
    clusters = [cluster(number, name) for number, name in enumerate(names)]
    return ClusteredDay(clusters, dict.fromkeys(names, group), dict.fromkeys(names, truth))


LABELLED = LabelledDay(
    day("a", "b", "c", "d", "e"),
    [
        an_issue(0, attempts=1, seconds=2.0, canonical_title="Export fails"),
        an_issue(1, attempts=2, seconds=4.0, canonical_title="EXPORT  fails"),
        an_issue(2, attempts=1, canonical_title="whales […]", category="ai", label_source="remote"),
        a_failure(3, attempts=4),
        a_failure(4, attempts=0),
    ],
)


def test_a_category_is_implied_by_the_groups_of_half_of_the_posts():
    groups = {"a": "git", "b": "git_2", "c": "startups", "d": "bitcoin/bitcoin", "e": "startups"}
    assert implied_category(cluster(0, "a", "b", "c", "d"), groups) == "devtools"
    assert implied_category(cluster(0, "a", "c", "e"), groups) is None
    assert implied_category(cluster(0, "c", "e"), groups) is None


def test_clusters_are_counted_by_what_came_of_them():
    assert form([LABELLED], NearTitles()) == {
        "clusters": 5,
        "valid, one call": 0.4,
        "valid": 0.6,
        "grounded, one call": 0.2,
        "grounded": 0.4,
        "failed": 1,
        "waiting": 1,
        "same title": 2,
        "masked": 1,
    }
    # On another day the same title is no fault.
    tomorrow = LabelledDay(day("a"), [an_issue(0, attempts=1, canonical_title="Export fails")])
    assert form([LABELLED, tomorrow], NearTitles())["same title"] == 2


def test_grounding_is_counted_apart_for_what_was_written_and_what_was_chosen():
    llm = LLMResource(local_model="openai/small", local_style="choose", remote_model="openai/big")
    written, chosen = grounding_by_style([LABELLED], llm, NearTitles())
    assert written == {"style": "write", "labels": 1, "grounded, one call": 0, "grounded": 0}
    assert chosen == {"style": "choose", "labels": 2, "grounded, one call": 0.5, "grounded": 1}


def test_what_labels_took_is_of_the_clusters_that_were_asked_about():
    took = effort([LABELLED])
    assert (took["calls"], took["tokens, median"]) == (8, 812 + 64)
    assert took["seconds, median"] == pytest.approx(1.0)
    assert took["dollars"] == pytest.approx(4 * 0.3)


def test_a_later_day_can_reuse_what_any_day_before_it_had():
    assert reuse([day("a", "b"), day("c", "b"), day("a", "d")]) == {
        "later days": 2,
        "clusters": 4,
        "known": 2,
        "share": 0.5,
    }


def test_labels_are_compared_with_known_truths_and_with_what_groups_imply():
    pairs = expectations([LABELLED])
    assert pairs == {"category, by group": [("devtools", "devtools")] * 2 + [("devtools", "ai")]}
    assert agreement(pairs["category, by group"])["accuracy"] == pytest.approx(2 / 3)
    told = LabelledDay(day("a", group="startups", truth=EXPORT), [an_issue(0)])
    assert expectations([told]) == {
        "category": [("devtools", "devtools")],
        "would_pay": [(False, True)],
        "impact": [("high", "high")],
    }


def test_clusters_are_taken_day_by_day_until_there_are_enough():
    days = [day("a", "b"), day("c", "d"), day("e")]
    for count, expected in ((1, [1]), (2, [2]), (3, [2, 1]), (9, [2, 2, 1])):
        assert [len(one.clusters) for one in first_clusters(days, count)] == expected
