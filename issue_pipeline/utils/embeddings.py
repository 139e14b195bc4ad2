"""Embeds posts. Vectors are computed where they are needed and never stored."""

import logging
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any, Protocol, runtime_checkable
from unicodedata import category

import numpy as np
from numpy.typing import NDArray

from issue_pipeline.utils.cleaning.redaction import without_marks
from issue_pipeline.utils.cleaning.shared_headings import shared_headings
from issue_pipeline.utils.cleaning.shared_sentences import shared_sentences, without_sentences
from issue_pipeline.utils.parallel_cleaning import RawText, clean_texts
from issue_pipeline.utils.text_cleaning import clean_body, clean_title, cleaned_as

logger = logging.getLogger(__name__)

Vectors = NDArray[np.float32]

DIMENSIONS = 384
# Items handed to the model at a time: some seconds of work, after which progress is logged.
BATCH_ITEMS = 250
PROGRESS_EVERY_S = 10.0
_ADDRESS = re.compile(r"(?:[a-z][a-z0-9+.-]{0,20}+://|www\.)\S++", re.IGNORECASE)
_TWO_LETTERS = re.compile(r"[^\W\d_]{2}")


class TextEncoder(Protocol):
    """An embedding model."""

    def encode(self, texts: list[str], /) -> Any:  # noqa: ANN401  (any array, checked where used)
        """Return one row per text."""
        ...


@runtime_checkable
class BatchEncoder(TextEncoder, Protocol):
    """An embedding model that works on several batches at once."""

    def encode_batches(self, batches: Sequence[list[str]], /) -> Iterator[Any]:
        """Return one array a batch, in order, as they are done."""
        ...


def encode_batches(model: TextEncoder, batches: Sequence[list[str]]) -> Iterator[Any]:
    """Return the model's array for each batch, in order, as they are done."""
    if isinstance(model, BatchEncoder):
        return model.encode_batches(batches)
    return map(model.encode, batches)


def embed_texts(texts: Sequence[str], model: TextEncoder) -> Vectors:
    """Embed texts as unit vectors, each distinct text once. A long run logs its progress.

    The order of the texts changes no vector.

    Args:
        texts: Any number of texts; empty ones are allowed.
        model: A model with 384 dimensions.

    Returns:
        float32 (n, 384), rows of length 1; (0, 384) for no text.

    Raises:
        ValueError: The model returns another shape or non-finite numbers.
    """
    # Texts of about one length go together, which pads little, and the same ones in any order.
    distinct = sorted(set(texts), key=lambda text: (-len(text), text))
    vectors = np.zeros((len(distinct), DIMENSIONS), dtype=np.float32)
    progress = _Progress(len(distinct))
    starts = range(0, len(distinct), BATCH_ITEMS)
    batches = [distinct[start : start + BATCH_ITEMS] for start in starts]
    for start, batch, given in zip(starts, batches, encode_batches(model, batches), strict=True):
        encoded = np.asarray(given, dtype=np.float32)
        if encoded.shape != (len(batch), DIMENSIONS) or not np.isfinite(encoded).all():
            raise ValueError(
                f"The embedding model gave an array of shape {encoded.shape}; expected finite"
                f" numbers of shape {(len(batch), DIMENSIONS)}. Check EMBEDDING_MODEL."
            )
        vectors[start : start + len(batch)] = encoded
        progress.log(start + len(batch))
    # A reduced precision leaves rows a little off unit length.
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    row_of = {text: row for row, text in enumerate(distinct)}
    return vectors[[row_of[text] for text in texts]].reshape(-1, DIMENSIONS)


class _Progress:
    """Logs how far a run is, every ``PROGRESS_EVERY_S``, and the end of a run that was logged."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._started_s = self._logged_s = time.monotonic()

    def log(self, done: int) -> None:
        now_s = time.monotonic()
        logged_before = self._logged_s > self._started_s
        if now_s - self._logged_s >= PROGRESS_EVERY_S or (done == self._total and logged_before):
            rate = done / (now_s - self._started_s)
            logger.info("embedded %d of %d texts, %.0f a second", done, self._total, rate)
            self._logged_s = now_s


def compute_embeddings_for_items(items: Sequence[Any], model: TextEncoder) -> Vectors:
    """Embed a day's posts by their title and clean body.

    Args:
        items: Objects or mappings with ``source``, ``title`` and ``body``: all posts of the day,
            for boilerplate is what they share.
        model: What ``EmbeddingResource.get_model`` hands out.

    Returns:
        float32 (n, 384), rows of length 1, in the order of the items; (0, 384) for none.
    """
    return embed_texts([text.text for text in clean_day(items)], model)


@dataclass(frozen=True, slots=True)
class CleanText:
    """A post reduced to plain, redacted text."""

    title: str
    body: str

    @property
    def text(self) -> str:
        """The text that stands for the post: its title, a line break, its body.

        Without redaction marks: posts that have no more in common than a hidden secret are not
        about one thing.
        """
        return without_marks(f"{self.title}\n{self.body}").strip()


def has_words(text: str) -> bool:
    """Return whether a text says anything: has a word that is no address.

    A word has two letters, or one of a script without capitals: an ideograph is a word. A text of
    emoji, numbers, punctuation or addresses alone has none.
    """
    said = _ADDRESS.sub(" ", text)
    return bool(_TWO_LETTERS.search(said)) or any(category(sign) == "Lo" for sign in said)


def clean_day(items: Sequence[Any]) -> list[CleanText]:
    """Clean all posts of a day, in their order, without what they share as boilerplate.

    The result of the last call is cached in the process, for the posts that it was given: silver
    and gold of a run clean the same day.

    Args:
        items: All posts of the day, as objects or mappings with ``source``, ``title`` and ``body``.
            What boilerplate is, only all of them tell.
    """
    global _cached
    key, cached = _digest(items), _cached
    if cached is None or cached[0] != key:
        cached = _cached = key, _cleaned_day(items)
    # Another thread may have replaced the cached day meanwhile: this is ours.
    return list(cached[1])


# A digest of the posts of the last call, and their clean texts.
_cached: tuple[bytes, list[CleanText]] | None = None


def _digest(items: Sequence[Any]) -> bytes:
    digest = blake2b(digest_size=16)
    for item in items:
        digest.update(repr(_raw_text(item)).encode())
    return digest.digest()


def _cleaned_day(items: Sequence[Any]) -> list[CleanText]:
    raw = [_raw_text(item) for item in items]
    headings = shared_headings(body for source, _, body in raw if source == "github")
    texts = [CleanText(title, body) for title, body in clean_texts(raw, headings)]
    sentences = shared_sentences([text.title for text in texts], [text.body for text in texts])
    return [replace(text, body=without_sentences(text.body, sentences)) for text in texts]


def clean_item(item: Any) -> CleanText:  # noqa: ANN401
    """Clean a post by itself.

    Args:
        item: An object or mapping with ``source``, ``title`` and ``body``.
    """
    source, title, body = _raw_text(item)
    return CleanText(clean_title(source, title), clean_body(source, body))


def _raw_text(item: Any) -> RawText:  # noqa: ANN401
    return cleaned_as(_get(item, "source")), _get(item, "title"), _get(item, "body")


def _get(item: Any, name: str) -> Any:  # noqa: ANN401
    return item[name] if isinstance(item, Mapping) else getattr(item, name)
