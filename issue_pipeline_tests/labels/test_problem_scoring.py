from typing import Any

import numpy as np
import pytest

from issue_pipeline.labels import problem_score
from issue_pipeline.labels.problem_phrases import PAIRS
from issue_pipeline.labels.problem_scoring import MIN_PROBLEM_SCORE, ProblemScorer

SILENT = np.eye(384, dtype=np.float32)[383]


class PhraseEncoder:
    """Each phrase has an axis of its own."""

    def __init__(self) -> None:
        self.calls = 0

    def encode(self, sentences: list[str], **_: Any) -> Any:
        self.calls += 1
        phrases = [phrase for pair in PAIRS for phrase in pair]
        return np.eye(384, dtype=np.float32)[[phrases.index(text) for text in sentences]]


def score(*texts: str) -> float:
    """The score of posts by their words alone."""
    return problem_score(texts, np.stack([SILENT] * len(texts)), PhraseEncoder())


def test_no_phrase_stands_twice():
    phrases = [phrase for pair in PAIRS for phrase in pair]
    assert len(set(phrases)) == len(phrases) <= 384


@pytest.mark.parametrize(
    "text",
    [
        "The export crashes with an error",
        "I can't log in",
        "The reset mail never arrives",
        "How do I turn this off?",
        "Please add an option for this",
    ],
)
def test_failures_negations_and_requests_raise_the_score(text: str):
    assert score(text) > MIN_PROBLEM_SCORE


@pytest.mark.parametrize(
    "text",
    [
        "Show HN: I made a small game",
        "What are you reading?",
        "My favourite podcasts of the year",
        "Acme is hiring",
        "A history of the harbour",
    ],
)
def test_shows_polls_and_news_lower_it(text: str):
    assert score(text) < 0


def test_vectors_near_problem_phrases_raise_the_score_and_near_the_others_lower_it():
    model = PhraseEncoder()
    bad, fine = (model.encode([pair[side] for pair in PAIRS[:9]]) for side in (0, 1))
    assert problem_score(["x"] * 9, bad, model) > MIN_PROBLEM_SCORE
    assert problem_score(["x"] * 9, fine, model) < 0


def test_the_score_of_a_cluster_is_the_mean_of_its_posts_whatever_their_order():
    texts = ["It crashes", "Show HN: I made this", "Nothing to see"]
    vectors = np.stack([SILENT] * 3)
    scorer = ProblemScorer(PhraseEncoder())
    each = [scorer.score([text], vectors[:1]) for text in texts]
    assert scorer.score(texts, vectors) == pytest.approx(sum(each) / 3, abs=2e-3)
    assert scorer.score(texts[::-1], vectors) == scorer.score(texts, vectors)


def test_one_post_cannot_shout():
    assert score("error " * 100_000) == score("error error error")


def test_no_post_scores_nothing_and_numbers_must_agree():
    model = PhraseEncoder()
    assert problem_score([], np.zeros((0, 384), dtype=np.float32), model) == 0
    with pytest.raises(ValueError, match="1 texts and 2 embeddings"):
        problem_score(["x"], np.stack([SILENT] * 2), model)


def test_phrases_are_embedded_once_for_a_model():
    model = PhraseEncoder()
    for _ in range(3):
        problem_score(["x"], SILENT[None], model)
    assert model.calls == 2
