"""``EmbeddingResource``: the embedding model, loaded once per process."""

import sys
from functools import lru_cache
from typing import TYPE_CHECKING

import dagster as dg
import numpy as np

from issue_pipeline.errors import EmbeddingModelError
from issue_pipeline.utils.cache_folder import cache_folder
from issue_pipeline.utils.embeddings import DIMENSIONS, TextEncoder, Vectors
from issue_pipeline.utils.text_cutting import cut_to_words

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

DEFAULT_MODEL = "sentence-transformers/all-MiniLM-L6-v2"
BACKENDS = ("torch", "openvino")


class EmbeddingResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Hands out the embedding model.

    Attributes:
        embedding_model: Name on the Hugging Face hub, or a local folder. Must give 384 dimensions.
        backend: ``torch``, in the best precision of the processor or on a GPU; or ``openvino``,
            in int8, which needs the extra ``fast``.
        cache_dir: Where ``openvino`` keeps the model it made; empty for the user's cache folder.
    """

    embedding_model: str = DEFAULT_MODEL
    backend: str = BACKENDS[0]
    cache_dir: str = ""

    def get_model(self) -> TextEncoder:
        """Load the model, or give the one already loaded.

        Raises:
            EmbeddingModelError: It cannot be loaded, or has other than 384 dimensions.
            ConfigurationError: The extra ``fast`` is not installed, or the cache folder cannot
                be made.
        """
        return _encoder(self.embedding_model, self.backend, self.cache_dir)


class TorchEncoder:
    """Embeds with sentence-transformers, on a GPU where there is one.

    A text's vector does not depend on the order of the texts, but its last digits do on which
    others are embedded with it, since they decide how far it is padded; see docs/embedding.md.
    """

    def __init__(self, model: "SentenceTransformer") -> None:
        """Take the model over; on a processor that multiplies bfloat16 it changes to that."""
        self._model = model
        self._max_words = model.max_seq_length or sys.maxsize
        if _prefers_bfloat16(str(model.device)):
            model.bfloat16()

    def encode(self, texts: list[str]) -> Vectors:
        """Give float32 (n, 384), rows of length 1 up to the precision, n >= 1."""
        vectors = self._model.encode(
            [cut_to_words(text, self._max_words) for text in texts],
            normalize_embeddings=True,
            show_progress_bar=False,
        )
        return np.asarray(vectors, dtype=np.float32)


@lru_cache(maxsize=1)
def _encoder(name: str, backend: str, cache_dir: str) -> TextEncoder:
    if backend == "openvino":
        from issue_pipeline.resources.openvino_encoder import OpenVinoEncoder, require_openvino

        require_openvino()  # before seconds of loading
        folder = cache_folder(cache_dir, "embedding")
        return OpenVinoEncoder(_load(name, device="cpu"), folder)
    return TorchEncoder(_load(name))


def _load(name: str, device: str | None = None) -> "SentenceTransformer":
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
            f" dimensions; expected {DIMENSIONS}. Set EMBEDDING_MODEL."
        )
    return model


def _prefers_bfloat16(device: str) -> bool:
    """Whether the processor multiplies bfloat16 natively: nearly twice as fast as float32.

    Cosine to the float32 vectors is at least 0.998.
    """
    import torch

    return device == "cpu" and bool(
        torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    )
