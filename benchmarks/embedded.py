"""The labelled corpora as vectors, embedded once and kept in a folder."""

import os
import re
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.real_posts import WITH_BODY, posts
from issue_pipeline.local.model_weights import all_minilm_folder
from issue_pipeline.resources.embedding import EmbeddingResource
from issue_pipeline.utils.embeddings import Vectors, clean_item, embed_texts

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")


def truth(rows: list[dict[str, Any]], key: str) -> NDArray[np.int64]:
    """Number the posts' groups from 0: int64 (n,)."""
    return np.unique([row[key] for row in rows], return_inverse=True)[1].astype(np.int64)


def vectors(name: str, cache: Path) -> Vectors:
    """Return a corpus's vectors, in its order: float32 (n, 384)."""
    return _cached(cache / name, [clean_item(row).text for row in posts(name)])


def texts(some: list[str], path: Path) -> Vectors:
    """Return the vectors of any texts, kept under a path: float32 (n, 384)."""
    return _cached(path, some)


def sentences_of(text: str) -> list[str]:
    """Cut a text into its sentences."""
    return _SENTENCE_END.split(text)


def day(cache: Path) -> Vectors:
    """Return the vectors of all posts that have a body."""
    parts = []
    for name in WITH_BODY:
        has_body = np.array([bool(row["body"]) for row in posts(name)])
        parts.append(vectors(name, cache)[has_body])
    return np.concatenate(parts)


def sentences(cache: Path, count: int) -> Path:
    """Return a file of the vectors of so many distinct sentences of the posts, chosen at random."""
    found: dict[str, None] = {}
    for name in WITH_BODY:
        for row in posts(name):
            split = sentences_of(clean_item(row).text)
            found.update((one, None) for one in split if 20 <= len(one) <= 200)
    texts = list(found)
    chosen = np.random.default_rng(0).permutation(len(texts))[:count]
    return _embedded(cache / f"sentences_{count}", [texts[i] for i in chosen])


def _cached(path: Path, texts: list[str]) -> Vectors:
    loaded: Vectors = np.load(_embedded(path, texts))
    return loaded


def _embedded(path: Path, texts: list[str]) -> Path:
    """Embed texts once: the file's name changes with the clean texts and with the model.

    Of the model, its precision and its libraries the vector of one text tells.
    """
    model = EmbeddingResource(embedding_model=str(all_minilm_folder())).get_model()
    digest = sha256("\0".join(texts).encode("utf-8", "replace"))
    digest.update(embed_texts(["The export of a large workspace hangs"], model).tobytes())
    path = path.with_name(f"{path.name}-{digest.hexdigest()[:12]}.npy")
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        # Under another name until it is whole.
        unfinished = path.with_suffix(f".{os.getpid()}.npy")
        np.save(unfinished, embed_texts(texts, model))
        unfinished.replace(path)
    return path
