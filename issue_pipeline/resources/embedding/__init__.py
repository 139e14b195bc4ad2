"""The sentence embedding model: torch, or OpenVINO in int8."""

from issue_pipeline.resources.embedding.resource import BACKENDS as BACKENDS
from issue_pipeline.resources.embedding.resource import EmbeddingResource as EmbeddingResource
