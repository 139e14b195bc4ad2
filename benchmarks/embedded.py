"""The labelled corpora as vectors, embedded once and kept in a folder."""

import gzip
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from issue_pipeline.resources.embedding import EmbeddingResource
from issue_pipeline.sandbox.model_weights import all_minilm_folder
from issue_pipeline.utils.embeddings import (
    Vectors,
    clean_item,
    compute_embeddings_for_items,
    embed_texts,
)

CORPORA = Path("../shared/data/corpora")
# The corpora whose posts have bodies: together they are the whole real day.
WITH_BODY = (
    "github_issues",
    "reddit_posts",
    "stackoverflow_questions_full",
    "hackernews_stories",
)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")


def posts(name: str) -> list[dict[str, Any]]:
    """Read a corpus."""
    with gzip.open(CORPORA / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def truth(rows: list[dict[str, Any]], key: str) -> NDArray[np.int64]:
    """Number the posts' groups from 0: int64 (n,)."""
    return np.unique([row[key] for row in rows], return_inverse=True)[1].astype(np.int64)


def vectors(name: str, cache: Path) -> Vectors:
    """Give a corpus's vectors, in its order: float32 (n, 384)."""
    return _cached(
        cache / f"{name}.npy", lambda: compute_embeddings_for_items(posts(name), _model())
    )


def day(cache: Path) -> Vectors:
    """Give the vectors of all posts that have a body."""
    parts = []
    for name in WITH_BODY:
        has_body = np.array([bool(row["body"]) for row in posts(name)])
        parts.append(vectors(name, cache)[has_body])
    return np.concatenate(parts)


def sentences(cache: Path, count: int) -> Vectors:
    """Give the vectors of so many distinct sentences of the posts' clean text, chosen at random."""

    def embed() -> Vectors:
        found: dict[str, None] = {}
        for name in WITH_BODY:
            for row in posts(name):
                split = _SENTENCE_END.split(clean_item(row).text)
                found.update((one, None) for one in split if 20 <= len(one) <= 200)
        texts = list(found)
        chosen = np.random.default_rng(0).permutation(len(texts))[:count]
        return embed_texts([texts[i] for i in chosen], _model())

    return _cached(cache / f"sentences_{count}.npy", embed)


def _model() -> Any:  # noqa: ANN401
    return EmbeddingResource(embedding_model=str(all_minilm_folder())).get_model()


def _cached(path: Path, compute: Any) -> Vectors:  # noqa: ANN401
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, compute())
    loaded: Vectors = np.load(path)
    return loaded
