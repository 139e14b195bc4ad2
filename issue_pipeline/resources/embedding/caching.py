"""A cache of vectors in the memory of the process, so that no text is embedded twice.

The steps of a run embed the same posts one after the other. Another process computes them again:
nothing is stored.
"""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from issue_pipeline.utils.embeddings import DIMENSIONS, TextEncoder, Vectors, encode_batches

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
        (vectors,) = self.encode_batches([texts])
        return vectors

    def encode_batches(self, batches: Sequence[list[str]]) -> Iterator[Vectors]:
        """Return float32 (n, 384) for each batch of n texts, in order, as they are done."""
        looked_up = [self._look_up(texts) for texts in batches]
        encoded = encode_batches(
            self.encoder, [list(one.missing.values()) for one in looked_up if one.missing]
        )
        for one in looked_up:
            vectors = one.known
            if one.missing:
                fresh = np.asarray(next(encoded), dtype=np.float32)
                self._keep(dict(zip(one.missing, fresh, strict=True)))
                vectors = vectors | dict(zip(one.missing, fresh, strict=True))
            if one.keys:
                yield np.stack([vectors[key] for key in one.keys])
            else:
                yield np.zeros((0, DIMENSIONS), dtype=np.float32)

    def _look_up(self, texts: list[str]) -> "_LookedUp":
        keys = [_key(text) for text in texts]
        with self._lock:
            known = {key: self._vectors[key] for key in keys if key in self._vectors}
            for key in known:
                self._vectors.move_to_end(key)
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        self.computed += len(missing)
        self.reused += len(texts) - len(missing)
        return _LookedUp(keys, known, missing)

    def _keep(self, vectors: dict[bytes, NDArray[np.float32]]) -> None:
        with self._lock:
            for key, vector in vectors.items():
                # A copy: a row of the batch would hold all of it in memory.
                self._vectors[key] = vector.copy()
            while len(self._vectors) > self._max_vectors:
                self._vectors.popitem(last=False)


@dataclass(frozen=True, slots=True)
class _LookedUp:
    """Texts by their keys: vectors of those that are known, the others themselves."""

    keys: list[bytes]
    known: dict[bytes, NDArray[np.float32]]
    missing: dict[bytes, str]


def _key(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_KEY_BYTES).digest()


def uncached(encoder: TextEncoder) -> TextEncoder:
    """Return the encoder that computes every vector, for who measures how long that takes."""
    return encoder.encoder if isinstance(encoder, CachingEncoder) else encoder
