"""``EmbeddingResource``: the sentence-transformers model, loaded once per process."""

from functools import lru_cache

import dagster as dg

from issue_pipeline.errors import EmbeddingModelError
from issue_pipeline.utils.embeddings import DIMENSIONS, TextEncoder

DEFAULT_MODEL = "sentence-transformers/all-MiniLM-L6-v2"


class EmbeddingResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Hands out the embedding model.

    Attributes:
        embedding_model: Name on the Hugging Face hub, or a local folder. Must give 384 dimensions.
    """

    embedding_model: str = DEFAULT_MODEL

    def get_model(self) -> TextEncoder:
        """Load the model, or give the one already loaded.

        Raises:
            EmbeddingModelError: It cannot be loaded, or has other than 384 dimensions.
        """
        return _load(self.embedding_model)


@lru_cache(maxsize=1)
def _load(name: str) -> TextEncoder:
    # Seconds of import time that only steps which embed should pay.
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # it would draw over the steps' own progress

    try:
        model = SentenceTransformer(name)
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
    if _prefers_bfloat16(str(model.device)):
        model.bfloat16()
    encoder: TextEncoder = model
    return encoder


def _prefers_bfloat16(device: str) -> bool:
    """Whether the processor multiplies bfloat16 natively: nearly twice as fast as float32.

    Cosine to the float32 vectors is at least 0.998.
    """
    import torch

    return device == "cpu" and bool(torch.cpu._is_avx512_bf16_supported())
