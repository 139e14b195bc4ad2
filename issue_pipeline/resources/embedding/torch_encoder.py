"""The embedding model in torch."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from issue_pipeline.errors import EmbeddingModelError
from issue_pipeline.resources.embedding.token_batches import (
    BATCH_TEXTS,
    Inputs,
    Tokenizer,
    batches_of_one_shape,
    padded_length,
)
from issue_pipeline.utils.embeddings import DIMENSIONS, Vectors
from issue_pipeline.utils.executor import LocalExecutor
from issue_pipeline.utils.precision import Precision, best_precision

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from torch import Tensor

# Batches that a GPU gets at once: only among many texts are there enough of one length.
_GPU_BATCHES = 32


@dataclass(frozen=True, slots=True)
class BatchSize:
    """Most tokens and most texts of what a model reads at once, a text at least."""

    tokens: int
    texts: int


# A core is busy with few texts, a GPU is not.
CPU_BATCH = BatchSize(tokens=512, texts=BATCH_TEXTS)
GPU_BATCH = BatchSize(tokens=65_536, texts=2_048)


class TorchEncoder:
    """Embeds with the modules of a sentence-transformers model, on a GPU where there is one.

    A CPU works on as many batches at once as torch has threads, each batch in one thread: several
    threads for one batch would wait for each other more than they compute, above all on a busy
    machine.

    A text's vector does not depend on the texts beside it, for all batches of one length have one
    shape: with another number of rows torch computes in another order and rounds otherwise.
    """

    def __init__(
        self,
        model: "SentenceTransformer",
        precision: Precision | None = None,
        batch_size: BatchSize | None = None,
    ) -> None:
        """Wrap a model, and convert it to the precision.

        Args:
            model: On the device where it is to run.
            precision: The processor's best by default.
            batch_size: What suits the device by default.
        """
        self._model = model.eval()
        self._tokenizer = Tokenizer(model)
        self._on_cpu = model.device.type == "cpu"
        self._executor = LocalExecutor()
        self._batch_size = batch_size or (CPU_BATCH if self._on_cpu else GPU_BATCH)
        if (precision or best_precision(model.device.type)) == "bfloat16":
            model.bfloat16()

    def encode(self, texts: list[str]) -> Vectors:
        """Return float32 (n, 384), rows of length 1 up to the precision."""
        vectors = np.full((len(texts), DIMENSIONS), np.nan, dtype=np.float32)
        tokens = self._tokenizer.tokens(texts)
        lengths = [padded_length(ids) for ids in tokens]
        size = self._batch_size
        batches = list(batches_of_one_shape(lengths, size.tokens, size.texts))
        inputs = (self._tokenizer.inputs([tokens[row] for row in rows]) for rows in batches)
        # A GPU gets all batches before any result is waited for.
        results = (
            self._executor.map(self._embed, inputs)
            if self._on_cpu
            else [self._embed(one) for one in inputs]
        )
        for rows, embedded in zip(batches, results, strict=True):
            vectors[rows] = embedded.cpu().numpy()
        return vectors

    def encode_batches(self, batches: Sequence[list[str]]) -> Iterator[Vectors]:
        """Return float32 (n, 384) for each batch of n texts, in order.

        A GPU gets many batches together.
        """
        together = 1 if self._on_cpu else _GPU_BATCHES
        for start in range(0, len(batches), together):
            some = batches[start : start + together]
            vectors = self.encode([text for batch in some for text in batch])
            yield from np.split(vectors, np.cumsum([len(batch) for batch in some])[:-1])

    def _embed(self, inputs: Inputs) -> "Tensor":
        import torch

        with torch.inference_mode():
            features = {
                name: self._on_device(torch.from_numpy(ids)) for name, ids in inputs.items()
            }
            embedded: Tensor = self._model(features)["sentence_embedding"]
            return embedded.float()

    def _on_device(self, ids: "Tensor") -> "Tensor":
        if self._on_cpu:
            return ids
        # From pinned memory it is copied while the device still computes the batch before.
        return ids.pin_memory().to(self._model.device, non_blocking=True)


def load_model(name: str, device: str | None = None) -> "SentenceTransformer":
    """Load a model of sentence-transformers.

    Args:
        name: On the Hugging Face hub, or a folder.
        device: Of torch; the best there is if not given.

    Raises:
        EmbeddingModelError: It cannot be loaded, or has other than 384 dimensions.
    """
    # Seconds of import time that only steps which embed should pay.
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # it would draw over the steps' own progress

    try:
        model = SentenceTransformer(name, device=device)
    except (OSError, ValueError) as error:
        raise EmbeddingModelError(
            f"Cannot load the embedding model {name!r}: {error}\nSet EMBEDDING_MODEL to a model of"
            " sentence-transformers or to a folder that holds one."
        ) from error
    if model.get_embedding_dimension() != DIMENSIONS:
        raise EmbeddingModelError(
            f"The embedding model {name!r} gives {model.get_embedding_dimension()}"
            f" dimensions; expected {DIMENSIONS}. Set EMBEDDING_MODEL to a model with {DIMENSIONS}:"
            " all-MiniLM-L6-v2, or for other languages than English"
            " paraphrase-multilingual-MiniLM-L12-v2."
        )
    return model
