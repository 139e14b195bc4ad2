"""A cache of vectors in the memory of the process, so that no text is embedded twice.

The steps of a run embed the same posts one after the other. Another process computes them again:
nothing is stored.
"""

from collections import OrderedDict
from hashlib import blake2b
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from issue_pipeline.utils.embeddings import DIMENSIONS, TextEncoder, Vectors

# The newest are kept: 1.5 KB each, 100 MB in all.
MAX_VECTORS = 65_536
_KEY_BYTES = 16


class CachingEncoder:
    """Keeps the vectors of another encoder in a least recently used cache.

    A text's vector must not depend on the other texts of a batch: then a cached vector is the one
    that would be computed. The encoders of this package see to that.

    Attributes:
        encoder: The other one, without a cache.
        computed: Texts that it has embedded.
        reused: Texts whose vectors were in the cache.
    """

    def __init__(self, encoder: TextEncoder, max_vectors: int = MAX_VECTORS) -> None:
        self.encoder = encoder
        self._max_vectors = max_vectors
        self._vectors: OrderedDict[bytes, NDArray[np.float32]] = OrderedDict()
        self._lock = Lock()
        self.computed = self.reused = 0

    def encode(self, texts: list[str]) -> Vectors:
        """Return float32 (n, 384), as the encoder gives them."""
        keys = [_key(text) for text in texts]
        with self._lock:
            known = {key: self._vectors[key] for key in keys if key in self._vectors}
            for key in known:
                self._vectors.move_to_end(key)
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        self.computed += len(missing)
        self.reused += len(texts) - len(missing)
        if missing:
            encoded = np.asarray(self.encoder.encode(list(missing.values())), dtype=np.float32)
            known |= dict(zip(missing, encoded, strict=True))
            self._keep(dict(zip(missing, encoded, strict=True)))
        if not texts:
            return np.zeros((0, DIMENSIONS), dtype=np.float32)
        return np.stack([known[key] for key in keys])

    def _keep(self, vectors: dict[bytes, NDArray[np.float32]]) -> None:
        with self._lock:
            for key, vector in vectors.items():
                # A copy: a row of the batch would hold all of it in memory.
                self._vectors[key] = vector.copy()
            while len(self._vectors) > self._max_vectors:
                self._vectors.popitem(last=False)


def _key(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_KEY_BYTES).digest()


def uncached(encoder: TextEncoder) -> TextEncoder:
    """Return the encoder that computes every vector, for who measures how long that takes."""
    return encoder.encoder if isinstance(encoder, CachingEncoder) else encoder
