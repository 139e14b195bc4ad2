"""The embedding model in torch."""

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from issue_pipeline.errors import EmbeddingModelError
from issue_pipeline.resources.embedding.token_batches import (
    Inputs,
    Tokenizer,
    batches_of_one_shape,
    padded_length,
)
from issue_pipeline.utils.embeddings import DIMENSIONS, Vectors
from issue_pipeline.utils.precision import Precision, best_precision

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

# Tokens of a batch. A core is busy with few; a GPU is not, so it gets as many texts as may be.
CPU_BATCH_TOKENS = 512
GPU_BATCH_TOKENS = 4096


class TorchEncoder:
    """Embeds with the modules of a sentence-transformers model, on a GPU where there is one.

    A CPU works on as many batches at once as torch has threads, each batch in one thread: several
    threads for one batch would wait for each other more than they compute, above all on a busy
    machine.

    A text's vector does not depend on the texts beside it, for all batches of one length have one
    shape: with another number of rows torch computes in another order and rounds otherwise.
    """

    def __init__(self, model: "SentenceTransformer", precision: Precision | None = None) -> None:
        """Take the model over, and change it to the precision: the processor's best by default."""
        import torch

        self._model = model.eval()
        self._tokenizer = Tokenizer(model)
        self._on_cpu = model.device.type == "cpu"
        self._threads = torch.get_num_threads()
        if (precision or best_precision(model.device.type)) == "bfloat16":
            model.bfloat16()

    def encode(self, texts: list[str]) -> Vectors:
        """Return float32 (n, 384), rows of length 1 up to the precision."""
        import torch

        vectors = np.full((len(texts), DIMENSIONS), np.nan, dtype=np.float32)
        tokens = self._tokenizer.tokens(texts)
        batches = batches_of_one_shape(
            [padded_length(ids) for ids in tokens],
            CPU_BATCH_TOKENS if self._on_cpu else GPU_BATCH_TOKENS,
        )

        def embed(rows: list[int]) -> None:
            vectors[rows] = self._embed(self._tokenizer.inputs([tokens[row] for row in rows]))

        if self._on_cpu:
            try:
                with ThreadPoolExecutor(
                    self._threads, initializer=torch.set_num_threads, initargs=(1,)
                ) as workers:
                    list(workers.map(embed, batches))  # the list raises what a worker raised
            finally:
                # Torch gives every later thread what any thread has set last.
                torch.set_num_threads(self._threads)
        else:
            for rows in batches:
                embed(rows)
        return vectors

    def _embed(self, inputs: Inputs) -> Vectors:
        import torch

        device = self._model.device
        with torch.inference_mode():
            features = {name: torch.from_numpy(ids).to(device) for name, ids in inputs.items()}
            embedded = self._model(features)["sentence_embedding"]
            vectors: Vectors = embedded.float().cpu().numpy()
        return vectors


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
