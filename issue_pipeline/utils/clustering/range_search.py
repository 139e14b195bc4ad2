"""Rows within a radius of each other, from products that are computed once for both.

Comparing each row with all others multiplies every pair twice. Here a product is looked at from
both ends, and only those within the radius of one of them are kept: within its radius a row has all
others, and whoever was not kept is farther. The radius is estimated from a sample, so that it holds
some more rows than are asked for. Where it does not, that shows.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from issue_pipeline.utils.clustering.space import Floats, Points, Ranks, SharedRows, Space
from issue_pipeline.utils.executor import Shared

# One row in so many is in the sample.
_SAMPLED_EVERY = 8
# Standard deviations of the sample's count that are added to what is expected: of a thousand rows
# one is left with too few.
_DEVIATIONS = 3
# Times as many pairs as are expected, from which on the search is given up: rows may lie so that a
# radius holds nothing or far too much.
_MOST_EXCESS = 4

# Some rows, at most 65,536.
Tile = slice | Points


@dataclass(frozen=True, slots=True)
class Pairs:
    """Rows of a tile, each with all rows within its radius, in no order.

    Attributes:
        rows: uint16 (m,), places in the tile.
        others: int32 (m,), the rows within their radius, each itself included.
        squared: float32 (m,), squared distances by products, not negative.
    """

    rows: NDArray[np.uint16]
    others: NDArray[np.int32]
    squared: NDArray[np.float32]

    @classmethod
    def merged(cls, parts: "Sequence[Pairs]") -> "Pairs":
        """Put the pairs of one tile together."""
        return cls(
            np.concatenate([part.rows for part in parts]),
            np.concatenate([part.others for part in parts]),
            np.concatenate([part.squared for part in parts]),
        )

    def nearest(self, rows: int, k: int) -> tuple[Points, Points, Floats]:
        """List the nearest of each row that has so many.

        Args:
            rows: The number of rows of the tile.
            k: How many are listed.

        Returns:
            int64 (p,), the places of those rows, ascending; int64 (p, k), their nearest, nearest
            first; float64 (p, k), squared distances.
        """
        counts = np.bincount(self.rows, minlength=rows)
        enough = np.flatnonzero(counts >= k)
        # One key for both: numbers that are not negative are ordered as their bits are.
        order = np.argsort(self.rows.astype(np.int64) << 32 | self.squared.view(np.int32))
        first = np.cumsum(counts) - counts
        listed = order[first[enough, None] + np.arange(k)]
        return enough, self.others[listed].astype(np.int64), self.squared[listed].astype(np.float64)


def pairs_within_reach(
    shared: SharedRows, tiles: Sequence[Tile], meets: NDArray[np.bool_], k: int
) -> Iterator[list[Pairs]]:
    """Find pairs that hold the k nearest of almost every row.

    Args:
        shared: n rows.
        tiles: Each row is in one.
        meets: bool (t, t), which tiles are compared with which; symmetric, the diagonal true.
        k: At most a fifth of the rows that any tile is compared with.

    Yields:
        Of each tile its pairs, in parts; nothing from where on there are far too many. A quarter of
        all pairs is held at a time, and what is computed ahead.
    """
    every = np.arange(shared.n)
    sizes = np.array([len(every[tile]) for tile in tiles])
    samples = [every[tile][::_SAMPLED_EVERY] for tile in tiles]
    compared = [
        (tile, np.concatenate([samples[other] for other in np.flatnonzero(met)]), sizes[met].sum())
        for tile, met in zip(tiles, meets, strict=True)
    ]
    floors = np.empty(shared.n)
    for (tile, *_), of_tile in shared.mapped(partial(_floors, k=k), compared):
        floors[tile] = of_tile
    most = int(_MOST_EXCESS * _SAMPLED_EVERY * _rank(k, 1 / _SAMPLED_EVERY))
    later = [(number + np.flatnonzero(met[number:])).tolist() for number, met in enumerate(meets)]
    strips = ([tiles[number] for number in numbers] for numbers in later)
    search = partial(_pairs_of_strip, most_of_a_row=most)
    found = shared.map(search, strips, shared.executor.share(floors))
    waiting: list[list[Pairs]] = [[] for _ in tiles]
    left = most * shared.n
    for number, others in enumerate(later):
        pairs_of = next(found)
        left -= sum(len(pairs.rows) for pairs in pairs_of)
        if not pairs_of or left < 0:
            break
        for other, pairs in zip(others, pairs_of, strict=True):
            waiting[other].append(pairs)
        # Those before have met this one, too: its pairs are complete.
        yield waiting[number]
        waiting[number] = []
    else:
        return
    del found, pairs_of, waiting  # and the threads that go on with the search
    yield from ([] for _ in tiles[number:])


def _rank(k: int, share: float) -> int:
    """Return the rank in a sample that is beyond the k-th of all, almost always."""
    expected = k * share
    return int(np.ceil(expected + _DEVIATIONS * np.sqrt(expected * (1 - share)))) + 1


def _floors(compared: tuple[Tile, Points, int], vectors: Shared, half: Shared, *, k: int) -> Floats:
    """Estimate the radius of each row of a tile, a piece of work for an executor.

    Args:
        compared: The tile; a sample of the rows that it is compared with; how many these are.
        vectors: Of :class:`SharedRows`.
        half: Likewise.
        k: How many rows a radius should hold.

    Returns:
        float64 (p,): within the radius of x are those y of which xy - |y|²/2 is at least as large.
    """
    tile, sample, count = compared
    products, _ = Space(vectors, half).products(tile, sample)
    place = max(0, len(sample) - _rank(k, len(sample) / count))
    floors = np.partition(products.cpu().numpy(), place, axis=1)[:, place].astype(np.float64)
    # Identical rows are at one distance but for the rounding: all of them are without, not within.
    return floors + 4 * float(np.finfo(np.float32).eps * np.asarray(half).max())


def _pairs_of_strip(
    tiles: Sequence[Tile], vectors: Shared, half: Shared, floors: Shared, *, most_of_a_row: int
) -> list[Pairs]:
    """Compare the first of some tiles with each of them, a piece of work for an executor.

    Returns:
        Of each tile its pairs; nothing where there are too many.
    """
    space = Space(vectors, half)
    halves, radii = np.asarray(half), np.asarray(floors)
    every = np.arange(space.n, dtype=np.int32)
    # What a product with any of these must reach at least.
    shortest = min(float(halves[tile].min()) for tile in tiles)
    least = (radii + shortest).astype(np.float32)
    rows, vectors_of_rows = every[tiles[0]], space.x[tiles[0]]
    own: list[Pairs] = []
    found: list[Pairs] = []
    left = most_of_a_row * sum(len(every[tile]) for tile in tiles)
    for number, tile in enumerate(tiles):
        others = every[tile]
        products = space.dots(vectors_of_rows, tile).cpu().numpy()
        a, b, large = _large(products, least[rows, None])
        own.append(_within(rows, others, a, b, large, halves, radii))
        left -= len(own[-1].rows)
        if number:
            a, b, large = _large(products, least[others])
            found.append(_within(others, rows, b, a, large, halves, radii))
            left -= len(found[-1].rows)
        if left < 0:
            return []
    return [Pairs.merged(own), *found]


def _large(
    products: NDArray[np.float32], least: NDArray[np.float32]
) -> tuple[Points, Points, NDArray[np.float32]]:
    """Pick the products that are large enough: their rows, their columns, and themselves."""
    places = np.flatnonzero(products >= least)
    rows, columns = np.divmod(places, products.shape[1])
    return rows, columns, products.ravel()[places]


def _within(
    rows: Ranks,
    others: Ranks,
    places: Points,
    other_places: Points,
    products: NDArray[np.float32],
    halves: Floats,
    floors: Floats,
) -> Pairs:
    """Keep, of some pairs and their products, those within the radius of their rows."""
    ones, twos = rows[places], others[other_places]
    differences = products - halves[twos]
    within = np.flatnonzero(differences >= floors[ones])
    squared = 2 * np.maximum(0, halves[ones[within]] - differences[within])
    return Pairs(places[within].astype(np.uint16), twos[within], squared.astype(np.float32))
