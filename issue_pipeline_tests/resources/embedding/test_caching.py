"""A text is embedded once in a process, and its vector is the one that would be computed."""

from collections.abc import Iterator

import numpy as np

from issue_pipeline.resources.embedding.caching import CachingEncoder, uncached
from issue_pipeline.utils.embeddings import DIMENSIONS


class Counting:
    """Embeds a text as a row of its length, and notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode(self, texts: list[str]) -> np.ndarray:
        self.asked += texts
        return np.array([[len(text)] * DIMENSIONS for text in texts], dtype=np.float32)


def test_no_text_is_embedded_twice_and_the_order_is_that_of_the_texts():
    inner = Counting()
    encoder = CachingEncoder(inner)
    encoder.encode(["a", "bb"])
    again = encoder.encode(["ccc", "bb", "ccc", "a"])
    assert inner.asked == ["a", "bb", "ccc"]
    assert again[:, 0].tolist() == [3, 2, 3, 1]
    assert (encoder.computed, encoder.reused) == (3, 3)


def test_an_encoder_of_batches_gets_all_that_is_missing_at_once():
    class InBatches(Counting):
        def encode_batches(self, batches: list[list[str]]) -> Iterator[np.ndarray]:
            self.batches = batches
            return map(self.encode, batches)

    inner = InBatches()
    encoder = CachingEncoder(inner)
    encoder.encode(["a", "bb"])
    found = list(encoder.encode_batches([["bb"], ["ccc", "a"], [], ["dddd"]]))
    assert inner.batches == [["ccc"], ["dddd"]]
    assert [one[:, 0].tolist() for one in found] == [[2], [3, 1], [], [4]]


def test_only_so_many_are_kept_and_those_used_last():
    inner = Counting()
    encoder = CachingEncoder(inner, max_vectors=2)
    encoder.encode(["a"])
    encoder.encode(["bb"])
    encoder.encode(["a"])
    encoder.encode(["ccc"])
    inner.asked.clear()
    encoder.encode(["a", "ccc"])
    assert inner.asked == []
    encoder.encode(["bb"])
    assert inner.asked == ["bb"]


def test_more_texts_than_are_kept_are_all_embedded():
    texts = ["x" * length for length in range(1, 9)]
    vectors = CachingEncoder(Counting(), max_vectors=2).encode(texts)
    assert vectors[:, 0].tolist() == list(range(1, 9))


def test_no_text_gives_no_row():
    assert CachingEncoder(Counting()).encode([]).shape == (0, DIMENSIONS)


def test_half_a_surrogate_pair_is_a_text_like_any_other():
    encoder = CachingEncoder(Counting())
    assert encoder.encode(["\ud800"]).shape == (1, DIMENSIONS)


def test_who_measures_gets_the_encoder_that_computes_every_vector():
    inner = Counting()
    assert uncached(CachingEncoder(inner)) is inner
    assert uncached(inner) is inner
