"""Rows of vectors where pieces of work are run, and distances whose errors are bounded.

Products of many rows are fast and round; differences of two rows are slow and exact. So products
propose, with a bound of what they may be off, and differences decide where that matters: what is
found depends neither on how a product rounds nor on how many threads or machines compute it.
"""

import ctypes
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from threading import local
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from issue_pipeline.utils.embeddings import Vectors
from issue_pipeline.utils.executor import Executor, Piece, Result, Shared

if TYPE_CHECKING:
    from torch import Tensor

Floats = NDArray[np.float64]
Points = NDArray[np.int64]
# int32 (p, m): of each of p rows, some others.
Ranks = NDArray[np.int32]

# Products held at a time by one thread: as many rows as fit, compared with all others.
BLOCK_BYTES = 128 * 1024**2
_MAX_BLOCK_ROWS = 1_024
# Pieces of work after which freed memory goes back to the system.
_PIECES_KEPT = 32
# Differences of rows are taken in pieces that stay in the processor's cache.
_CACHED_BYTES = 2 * 1024**2


@dataclass(frozen=True, slots=True)
class SharedRows:
    """Rows that an executor has brought to where the pieces run.

    Attributes:
        vectors: float32 (n, d), the rows.
        executor: Where they are.
        space: The rows as this process sees them.
        smoothed: Whether they are means of neighbours: these lie in clumps.
    """

    vectors: Vectors
    executor: Executor
    space: "Space"
    smoothed: bool
    _arrays: tuple[object, ...]

    @classmethod
    def of(cls, vectors: Vectors, executor: Executor, *, smoothed: bool = False) -> "SharedRows":
        """Share rows: float32 (n, d), finite. They must not change afterwards."""
        vectors = np.ascontiguousarray(vectors)
        n, d = vectors.shape
        half = np.empty(n)
        for block in blocks(n, d, item_bytes=8):
            half[block] = np.square(vectors[block], dtype=np.float64).sum(axis=1) / 2
        shared = executor.share(vectors), executor.share(half)
        return cls(vectors, executor, Space(vectors, half), smoothed, shared)

    @property
    def n(self) -> int:
        """The number of rows."""
        return len(self.vectors)

    def map(
        self, function: Callable[..., Result], pieces: Iterable[Piece], *more: object
    ) -> Iterator[Result]:
        """Call ``function(piece, *arrays, *more)`` for each piece, as of ``Executor.map``.

        The arrays are those that a :class:`Space` is made of.
        """
        return self.executor.map(function, pieces, *self._arrays, *more)

    def mapped(
        self, function: Callable[..., Result], pieces: Iterable[Piece]
    ) -> Iterator[tuple[Piece, Result]]:
        """Do what :meth:`map` does, and return each piece with its result."""
        begun: deque[Piece] = deque()

        def noted() -> Iterator[Piece]:
            for piece in pieces:
                begun.append(piece)
                yield piece

        for number, result in enumerate(self.map(function, noted()), start=1):
            yield begun.popleft(), result
            if number % _PIECES_KEPT == 0:
                give_memory_back()
        give_memory_back()


class Space:
    """Shared rows as a piece of work sees them."""

    def __init__(self, vectors: Shared, half: Shared) -> None:
        """Wrap the arrays of :class:`SharedRows`.

        Args:
            vectors: float32 (n, d), the rows.
            half: float64 (n,), half of each row's squared norm.
        """
        self.x: Tensor = on_device(vectors)
        self.half: Tensor = on_device(half)
        self.n, self.d = self.x.shape

    def products(
        self, rows: Points | slice, columns: Points | None = None
    ) -> "tuple[Tensor, Tensor]":
        """Compare rows with others, or with all: of one row, the nearest has the largest product.

        |x - y|² = |x|² + |y|² - 2xy, so what is computed is xy - |y|²/2.

        Returns:
            float32 (rows, columns), valid until the next call in this thread; float64 (rows,), the
            most by which a row's products are off.
        """
        chosen = slice(None) if columns is None else columns
        products = self.dots(self.x[rows], chosen).sub_(self.half[chosen].float())
        return products, self.error(rows)

    def dots(self, vectors: "Tensor", columns: Points | slice) -> "Tensor":
        """Multiply some rows' vectors, float32 (p, d), with those of others.

        Returns:
            float32 (p, columns), valid until the next call in this thread.
        """
        import torch

        others = self.x[columns]
        return torch.mm(vectors, others.T, out=_buffer(len(vectors), len(others)))

    def error(self, rows: Points | slice) -> "Tensor":
        """Return the most by which products of some rows with any others are off: float64 (p,)."""
        # A sum of d float32 terms, its rounded summand, and one more sum; twice, to be safe.
        rounding = (self.d + 4) * float(np.finfo(np.float32).eps)
        half, largest = self.half[rows], self.half.max()
        return rounding * ((2 * half).sqrt() * (2 * largest).sqrt() + largest)

    def squared_to(self, rows: Points, columns: Points | None = None) -> "Tensor":
        """Return squared distances of a few rows to others, or to all, by float64 products.

        Returns:
            float64 (rows, columns).
        """
        import torch

        some = self.x[rows].double()
        half = self.half if columns is None else self.half[columns]
        products = torch.empty((len(rows), len(half)), dtype=torch.float64, device=self.x.device)
        for block in blocks(len(half), self.d, item_bytes=8):
            others = self.x[block if columns is None else columns[block]]
            products[:, block] = some @ others.double().T
        return products.neg_().add_(half).add_(self.half[rows, None]).mul_(2).clamp_(min=0)

    def distances(self, rows: Points, others: NDArray[np.integer[Any]]) -> Floats:
        """Measure each of the rows (p,) against its others (p, m): float64 (p, m)."""
        pairs = np.repeat(np.asarray(rows), others.shape[1])
        return self.pair_distances(pairs, others.ravel()).reshape(others.shape)

    def pair_distances(self, rows: Points, others: NDArray[np.integer[Any]]) -> Floats:
        """Measure pairs of rows by their differences: float64 (p,) of two arrays (p,)."""
        import torch

        distances = np.empty(len(rows))
        step = max(1, _CACHED_BYTES // (4 * self.d))
        for start in range(0, len(rows), step):
            block = slice(start, start + step)
            # Twice as fast as indexing.
            ones, twos = (
                torch.index_select(self.x, 0, on_device(ends[block])) for ends in (rows, others)
            )
            norms = torch.linalg.vector_norm(ones.sub_(twos), dim=-1, dtype=torch.float64)
            distances[block] = norms.cpu().numpy()
        return distances


def blocks(
    n: int, columns: int, *, item_bytes: int = 4, block_bytes: int = BLOCK_BYTES
) -> Iterator[slice]:
    """Cut n rows of so many columns into blocks that fit into so many bytes."""
    rows = min(_MAX_BLOCK_ROWS, max(1, block_bytes // (item_bytes * max(1, columns))))
    return (slice(start, min(n, start + rows)) for start in range(0, n, rows))


def device() -> str:
    """Where products are computed: on the GPU when there is one."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def on_device(array: Shared) -> "Tensor":
    """Return an array as a tensor, without a copy where it is computed in the memory it is in."""
    import torch

    return torch.as_tensor(array, device=device())


def give_memory_back() -> None:
    """Return to the system what was freed, where the C library can be told to.

    It keeps what each thread has freed for later ones: half a gigabyte at 100,000 rows.
    """
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc has it
        if trim:
            trim(0)


# New memory is slower than a product that is written into it, so each thread keeps some.
_kept = local()


def _buffer(rows: int, columns: int) -> "Tensor":
    """Return a float32 tensor of that shape, which the next call in this thread overwrites."""
    import torch

    size = rows * columns
    if getattr(_kept, "buffer", None) is None or len(_kept.buffer) < size:
        _kept.buffer = torch.empty(size, dtype=torch.float32, device=device())
    buffer: Tensor = _kept.buffer[:size].view(rows, columns)
    return buffer
