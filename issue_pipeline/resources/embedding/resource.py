"""``EmbeddingResource``: the embedding model, loaded once per process."""

from functools import lru_cache
from typing import Annotated

import dagster as dg
from pydantic import AfterValidator, Field

from issue_pipeline.resources.cache_folder import cache_folder
from issue_pipeline.resources.compute.resource import (
    DEFAULT_PIECE_TIMEOUT_S,
    ComputeResource,
    check_ray_address,
)
from issue_pipeline.resources.embedding.caching import CachingEncoder
from issue_pipeline.resources.embedding.cluster_encoder import ClusterEncoder
from issue_pipeline.resources.embedding.torch_encoder import TorchEncoder, load_model
from issue_pipeline.utils.embeddings import TextEncoder

DEFAULT_MODEL = "sentence-transformers/all-MiniLM-L6-v2"
BACKENDS = ("torch", "openvino")


class EmbeddingResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Hands out the embedding model.

    Attributes:
        embedding_model: Name on the Hugging Face hub, or a local folder. Must give 384 dimensions.
        backend: ``torch``, in the best precision of the processor or on a GPU; or ``openvino``,
            in int8, which needs the extra ``fast``.
        cache_dir: Where ``openvino`` keeps the model it made; empty for the user's cache folder.
        ray_address: Of the Ray cluster that embeds many texts, as of ``ComputeResource``; empty for
            this process. ``openvino`` embeds in this process only.
        piece_timeout_s: As of ``ComputeResource``.
    """

    embedding_model: str = DEFAULT_MODEL
    backend: str = BACKENDS[0]
    cache_dir: str = ""
    # Not the other resource itself: Dagster warns of how it resolves one resource in another.
    ray_address: Annotated[str, AfterValidator(check_ray_address)] = ""
    piece_timeout_s: float = Field(default=DEFAULT_PIECE_TIMEOUT_S, gt=0)

    def get_model(self) -> TextEncoder:
        """Load the model, or give the one already loaded; where there is a cluster, when needed.

        Raises:
            EmbeddingModelError: It cannot be loaded, or has other than 384 dimensions.
            ConfigurationError: The extra ``fast`` is not installed, or the cache folder cannot
                be made.
        """
        if self.ray_address and self.backend == "torch":
            return _cluster_encoder(self.embedding_model, self.ray_address, self.piece_timeout_s)
        return _encoder(self.embedding_model, self.backend, self.cache_dir)


@lru_cache(maxsize=1)
def _encoder(name: str, backend: str, cache_dir: str) -> TextEncoder:
    if backend == "openvino":
        from issue_pipeline.resources.embedding.openvino_encoder import (
            OpenVinoEncoder,
            require_openvino,
        )

        require_openvino()  # before seconds of loading
        folder = cache_folder(cache_dir, "embedding")
        return CachingEncoder(OpenVinoEncoder(load_model(name, device="cpu"), folder))
    return CachingEncoder(TorchEncoder(load_model(name)))


@lru_cache(maxsize=1)
def _cluster_encoder(name: str, address: str, piece_timeout_s: float) -> TextEncoder:
    compute = ComputeResource(address=address, piece_timeout_s=piece_timeout_s)
    return CachingEncoder(ClusterEncoder(name, compute))
