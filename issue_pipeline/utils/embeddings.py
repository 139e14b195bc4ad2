"""Posts to vectors. Vectors are computed where they are needed and never stored."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from issue_pipeline.utils.text_cleaning import clean_body, clean_title

logger = logging.getLogger(__name__)

Vectors = NDArray[np.float32]

DIMENSIONS = 384
# Items handed to the model at a time; also how often a long run reports.
BATCH_ITEMS = 1_000
# The model reads 256 tokens; this many characters hold more of them in any language it knows, and
# tokenising what it then cuts away costs as much as the rest.
MAX_TEXT_CHARS = 4_000


class TextEncoder(Protocol):
    """What a sentence-transformers model offers."""

    def encode(self, sentences: list[str], **kwargs: Any) -> Any:  # noqa: ANN401
        """Give one row per text."""
        ...


def embed_texts(texts: Sequence[str], model: TextEncoder) -> Vectors:
    """Embed texts as unit vectors, each distinct text once.

    Args:
        texts: Any number of texts; empty ones are allowed.
        model: A sentence-transformers model with 384 dimensions.

    Returns:
        float32 (n, 384), rows of length 1; (0, 384) for no text.

    Raises:
        ValueError: The model gives another shape or non-finite numbers.
    """
    distinct = list(dict.fromkeys(text[:MAX_TEXT_CHARS] for text in texts))
    vectors = np.zeros((len(distinct), DIMENSIONS), dtype=np.float32)
    for start in range(0, len(distinct), BATCH_ITEMS):
        batch = distinct[start : start + BATCH_ITEMS]
        encoded = np.asarray(
            model.encode(batch, normalize_embeddings=True, show_progress_bar=False),
            dtype=np.float32,
        )
        if encoded.shape != (len(batch), DIMENSIONS) or not np.isfinite(encoded).all():
            raise ValueError(
                f"The embedding model gave an array of shape {encoded.shape}; expected finite"
                f" numbers of shape {(len(batch), DIMENSIONS)}. Check EMBEDDING_MODEL."
            )
        vectors[start : start + len(batch)] = encoded
        if len(distinct) > BATCH_ITEMS:
            logger.info("embedded %d of %d texts", start + len(batch), len(distinct))
    # A reduced precision leaves rows a little off unit length.
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    row_of = {text: row for row, text in enumerate(distinct)}
    return vectors[[row_of[text[:MAX_TEXT_CHARS]] for text in texts]].reshape(-1, DIMENSIONS)


def compute_embeddings_for_items(items: Sequence[Any], model: TextEncoder) -> Vectors:
    """Embed posts by their title and clean body.

    Args:
        items: Objects or mappings with ``source``, ``title`` and ``body``. Embed the items of a
            day in ``url_hash`` order where results are to be repeatable to the last bit.
        model: What ``EmbeddingResource.get_model`` hands out.

    Returns:
        float32 (n, 384), rows of length 1, in the order of the items; (0, 384) for none.
    """
    return embed_texts([clean_item(item).text for item in items], model)


@dataclass(frozen=True, slots=True)
class CleanText:
    """A post reduced to plain, redacted text."""

    title: str
    body: str

    @property
    def text(self) -> str:
        """The text that stands for the post: its title, a line break, its body."""
        return f"{self.title}\n{self.body}".strip()


def clean_item(item: Any) -> CleanText:  # noqa: ANN401
    """Clean a post, given as an object or mapping with ``source``, ``title`` and ``body``."""
    source, title, body = (_get(item, name) for name in ("source", "title", "body"))
    return CleanText(clean_title(source, title), clean_body(source, body))


def _get(item: Any, name: str) -> Any:  # noqa: ANN401
    return item[name] if isinstance(item, Mapping) else getattr(item, name)
