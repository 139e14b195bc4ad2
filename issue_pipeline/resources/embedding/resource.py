"""``EmbeddingResource``: the embedding model, loaded once per process."""

from functools import lru_cache

import dagster as dg

from issue_pipeline.resources.cache_folder import cache_folder
from issue_pipeline.resources.compute import ComputeResource
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
        compute: Where many texts are embedded; in this process if not given, and with ``openvino``.
    """

    embedding_model: str = DEFAULT_MODEL
    backend: str = BACKENDS[0]
    cache_dir: str = ""
    compute: ComputeResource | None = None

    def get_model(self) -> TextEncoder:
        """Load the model, or give the one already loaded; where there is a cluster, when needed.

        Raises:
            EmbeddingModelError: It cannot be loaded, or has other than 384 dimensions.
            ConfigurationError: The extra ``fast`` is not installed, or the cache folder cannot
                be made.
        """
        if self.compute and self.compute.address and self.backend == "torch":
            return _cluster_encoder(
                self.embedding_model, self.compute.address, self.compute.piece_timeout_s
            )
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
