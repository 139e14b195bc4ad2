"""Texts to batches of tokens, such that no text's vector depends on the texts beside it."""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from issue_pipeline.utils.cleaning.text_cutting import cut_to_words

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

# Texts that a model reads together; more gain nothing on a CPU.
BATCH_TEXTS = 8
# Every text is padded to a multiple of this, and only texts of one padded length go together: so
# no text's vector depends on its neighbours, and the processor sees few different shapes.
PADDED_TO_TOKENS = 16

Tokens = list[int]
Inputs = dict[str, NDArray[np.int64]]


class Tokenizer:
    """A model's tokenizer, giving what the converted model takes."""

    def __init__(self, model: "SentenceTransformer") -> None:
        """Take the tokenizer of a model and the number of tokens that it reads."""
        self._tokenizer = model.tokenizer
        self._max_tokens = model.max_seq_length

    def tokens(self, texts: list[str]) -> list[Tokens]:
        """Return the ids of the tokens that the model reads of each text."""
        cut = [cut_to_words(text, self._max_tokens or sys.maxsize).strip() for text in texts]
        encoded = self._tokenizer(cut, truncation=True, max_length=self._max_tokens)
        tokens: list[Tokens] = encoded["input_ids"]
        return tokens

    def inputs(self, batch: list[Tokens]) -> Inputs:
        """Return ids and mask, int64 (b, padded length of the longest)."""
        shape = (len(batch), max(map(padded_length, batch)))
        ids = np.full(shape, self._tokenizer.pad_token_id or 0, dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, tokens in enumerate(batch):
            ids[row, : len(tokens)] = tokens
            mask[row, : len(tokens)] = 1
        return {"input_ids": ids, "attention_mask": mask}


def padded_length(tokens: Tokens) -> int:
    """Return the number of tokens after padding."""
    return -(-len(tokens) // PADDED_TO_TOKENS) * PADDED_TO_TOKENS


def batches_of_one_length(lengths: list[int]) -> Iterator[list[int]]:
    """Return the rows in batches of one length each, the longest first."""
    for _, rows in _rows_by_length(lengths):
        for start in range(0, len(rows), BATCH_TEXTS):
            yield rows[start : start + BATCH_TEXTS]


def batches_of_one_shape(
    lengths: list[int], batch_tokens: int, batch_texts: int = BATCH_TEXTS
) -> Iterator[list[int]]:
    """Return the rows in batches of one length and equally many of each, the longest first.

    For a model whose result for a row depends in its last bits on how many rows it computes. What
    is missing in the last batch of a length is filled up with its first row, so that one comes
    several times.

    Args:
        lengths: Of every row in tokens, at least 1.
        batch_tokens: A batch has as many rows as fit into it, but at least 1. Fewer of the longest
            make less to fill up.
        batch_texts: Most rows of a batch.
    """
    for length, rows in _rows_by_length(lengths):
        size = min(batch_texts, max(1, batch_tokens // length))
        for start in range(0, len(rows), size):
            batch = rows[start : start + size]
            yield batch + batch[:1] * (size - len(batch))


def _rows_by_length(lengths: list[int]) -> list[tuple[int, list[int]]]:
    rows_of: dict[int, list[int]] = {}
    for row, length in enumerate(lengths):
        rows_of.setdefault(length, []).append(row)
    return sorted(rows_of.items(), reverse=True)
