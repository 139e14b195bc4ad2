"""Importing this loads the embedding model: for a process that others are forked from."""

from issue_pipeline.local.model_weights import all_minilm_folder
from issue_pipeline.resources.embedding import EmbeddingResource

EmbeddingResource(embedding_model=str(all_minilm_folder())).get_model()
