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

from issue_pipeline.utils.clustering.space import Floats, Points, SharedRows, Space
from issue_pipeline.utils.executor import Shared

# One row in so many is in the sample, or fewer where each radius holds many: of those wanted, so
# many are in the sample then.
_SAMPLED_EVERY = 8
_SAMPLED_NEIGHBOURS = 24
# Standard deviations of the sample's count that are added to what is expected: of a thousand rows
# one is left with too few.
_DEVIATIONS = 3
# Times as many pairs as are expected, from which on the search is given up: rows may lie so that a
# radius holds nothing or far too much.
_MOST_EXCESS = 4

# Pairs that wait for the rest of their tile: half a gigabyte. Where there might be more, tiles are
# put into groups, and pairs of different groups are multiplied for each of the two.
_MOST_WAITING = 64 * 1024**2

# A tile is some rows: a slice, or their numbers. It has at most so many, of at most so many in all.
Tile = slice | Points
MOST_TILE_ROWS = 1 << 12
MOST_ROWS = 1 << 20

# int64 (m,), pairs of a row of a tile and a row within its radius, each row itself included; in no
# order. A pair is one number, so that sorting puts those of one row together, nearest first: from
# the highest bits on the place of the one in the tile, the bits of the squared distance by
# products, and the other row.
Pairs = NDArray[np.int64]
_OTHER_BITS = 20
_SQUARED_BITS = 31


def nearest_of_pairs(parts: Sequence[Pairs], rows: int, k: int) -> tuple[Points, Points, Floats]:
    """List the nearest of each row of a tile that has so many.

    Args:
        parts: The pairs of the tile.
        rows: The number of its rows.
        k: How many are listed.

    Returns:
        int64 (p,), the places of those rows, ascending; int64 (p, k), their nearest, nearest first;
        float64 (p, k), squared distances.
    """
    pairs = np.concatenate(parts)
    pairs.sort()
    starts = np.searchsorted(pairs, np.arange(rows + 1) << (_SQUARED_BITS + _OTHER_BITS))
    enough = np.flatnonzero(np.diff(starts) >= k)
    listed = pairs[starts[enough, None] + np.arange(k)]
    squared = (listed >> _OTHER_BITS & (1 << _SQUARED_BITS) - 1).astype(np.int32)
    return enough, listed & MOST_ROWS - 1, squared.view(np.float32).astype(np.float64)


def pairs_within_reach(
    shared: SharedRows, tiles: Sequence[Tile], meets: NDArray[np.bool_], k: int
) -> Iterator[list[Pairs]]:
    """Find pairs that hold the k nearest of almost every row.

    Args:
        shared: n rows.
        tiles: Each row is in one; no more rows than ``MOST_ROWS``, in a tile ``MOST_TILE_ROWS``.
        meets: bool (t, t), which tiles are compared with which; symmetric, the diagonal true.
        k: At most a fifth of the rows that any tile is compared with.

    Yields:
        Of each tile its pairs, in parts; nothing from where on there are far too many.
    """
    every = np.arange(shared.n)
    sizes = np.array([len(every[tile]) for tile in tiles])
    step = max(_SAMPLED_EVERY, k // _SAMPLED_NEIGHBOURS)
    samples = [every[tile][::step] for tile in tiles]
    compared = [
        (tile, np.concatenate([samples[other] for other in np.flatnonzero(met)]), sizes[met].sum())
        for tile, met in zip(tiles, meets, strict=True)
    ]
    reaches = np.empty(shared.n)
    for (tile, *_), of_tile in shared.mapped(partial(_reaches, k=k), compared):
        reaches[tile] = of_tile
    expected = step * _rank(k, 1 / step)
    most = int(_MOST_EXCESS * expected)
    group = _groups(sizes, shared.n * expected)
    # Of each tile those that it is compared with for both, and those for itself alone.
    both = [
        (number + np.flatnonzero(met[number:] & (group[number:] == group[number]))).tolist()
        for number, met in enumerate(meets)
    ]
    alone = [
        np.flatnonzero(met & (group != own)).tolist() for met, own in zip(meets, group, strict=True)
    ]
    strips = (
        ([tiles[one] for one in first], [tiles[one] for one in second])
        for first, second in zip(both, alone, strict=True)
    )
    search = partial(_pairs_of_strip, most_of_a_row=most)
    found = shared.map(search, strips, shared.executor.share(reaches))
    waiting: list[list[Pairs]] = [[] for _ in tiles]
    left = most * shared.n
    for number, others in enumerate(both):
        pairs_of = next(found)
        left -= sum(map(len, pairs_of))
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


def _groups(sizes: Points, pairs: int) -> Points:
    """Put successive tiles into groups, so that not too many pairs wait: each tile's group.

    Halfway through a group at most a quarter of its pairs wait: those of a second half of the rows
    with the first.
    """
    count = -(-pairs // (4 * _MOST_WAITING))
    return (np.cumsum(sizes) - 1) * count // sizes.sum()


def _rank(k: int, share: float) -> int:
    """Return the rank in a sample that is beyond the k-th of all, almost always."""
    expected = k * share
    return int(np.ceil(expected + _DEVIATIONS * np.sqrt(expected * (1 - share)))) + 1


def _reaches(
    compared: tuple[Tile, Points, int], vectors: Shared, half: Shared, *, k: int
) -> Floats:
    """Estimate the radius of each row of a tile, a piece of work for an executor.

    Args:
        compared: The tile; a sample of the rows that it is compared with; how many these are.
        vectors: Of :class:`SharedRows`.
        half: Likewise.
        k: How many rows a radius should hold.

    Returns:
        float64 (p,), half of the squared radius.
    """
    tile, sample, count = compared
    halves = np.asarray(half)
    products, _ = Space(vectors, half).products(tile, sample)
    place = max(0, len(sample) - _rank(k, len(sample) / count))
    reaches = halves[tile] - np.partition(products.cpu().numpy(), place, axis=1)[:, place]
    # Identical rows are at one distance but for the rounding: all of them are without, not within.
    return reaches - 4 * float(np.finfo(np.float32).eps * halves.max())


def _pairs_of_strip(
    strip: tuple[Sequence[Tile], Sequence[Tile]],
    vectors: Shared,
    half: Shared,
    reaches: Shared,
    *,
    most_of_a_row: int,
) -> list[Pairs]:
    """Compare the first of some tiles with each of them, a piece of work for an executor.

    Args:
        strip: Tiles whose own pairs with the first are looked for, too; others.
        vectors: Of :class:`SharedRows`.
        half: Likewise.
        reaches: float64 (n,), half of each row's squared radius.
        most_of_a_row: Pairs that a row may have, on average.

    Returns:
        Of each of the former tiles its pairs; nothing where there are too many.
    """
    space = Space(vectors, half)
    tiles = [*strip[0], *strip[1]]
    sides = [_Side.of(tile, np.asarray(half), np.asarray(reaches)) for tile in tiles]
    # What a product with any of these must reach at least.
    shortest = min(float(side.half.min()) for side in sides)
    first, vectors_of_first = sides[0], space.x[tiles[0]]
    own: list[Pairs] = []
    found: list[Pairs] = []
    left = most_of_a_row * sum(len(side.rows) for side in sides)
    for number, (tile, side) in enumerate(zip(tiles, sides, strict=True)):
        products = space.dots(vectors_of_first, tile).cpu().numpy()
        large = products >= first.least(shortest)[:, None]
        rows, columns, half_squared = _distances(products, large, first, side)
        own.append(_within(first, rows, side, columns, half_squared))
        left -= len(own[-1])
        if 0 < number < len(strip[0]):
            large = products >= side.least(shortest)
            rows, columns, half_squared = _distances(products, large, first, side)
            found.append(_within(side, columns, first, rows, half_squared))
            left -= len(found[-1])
        if left < 0:
            return []
    return [np.concatenate(own), *found]


@dataclass(frozen=True, slots=True)
class _Side:
    """The rows of a tile, float32 what is known of them: products have no more digits.

    Attributes:
        rows: int64 (p,).
        half: float32 (p,), half of each row's squared norm.
        reach: float32 (p,), half of its squared radius.
    """

    rows: Points
    half: NDArray[np.float32]
    reach: NDArray[np.float32]

    @classmethod
    def of(cls, tile: Tile, half: Floats, reaches: Floats) -> "_Side":
        rows = np.arange(len(half))[tile]
        return cls(rows, half[tile].astype(np.float32), reaches[tile].astype(np.float32))

    def least(self, shortest: float) -> NDArray[np.float32]:
        """Return the least product with whoever is within the radius, given the least half."""
        least: NDArray[np.float32] = self.half - self.reach + np.float32(shortest)
        return least


def _distances(
    products: NDArray[np.float32], chosen: NDArray[np.bool_], first: _Side, second: _Side
) -> tuple[Points, Points, NDArray[np.float32]]:
    """Turn some products into halves of squared distances, after their rows and columns."""
    height, width = chosen.shape
    found = np.flatnonzero(chosen)
    # Faster than a division.
    starts = np.searchsorted(found, np.arange(height + 1) * width)
    rows = np.repeat(np.arange(height), np.diff(starts))
    columns = found - rows * width
    half_squared = first.half[rows] - products.ravel()[found] + second.half[columns]
    return rows, columns, half_squared


def _within(
    ones: _Side,
    places: Points,
    others: _Side,
    other_places: Points,
    half_squared: NDArray[np.float32],
) -> Pairs:
    """Keep those within the radius of the ones."""
    within = np.flatnonzero(half_squared <= ones.reach[places])
    squared = 2 * np.maximum(0, half_squared[within])
    # Numbers that are not negative are ordered as their bits are.
    key = places[within] << _SQUARED_BITS | squared.view(np.int32)
    return key << _OTHER_BITS | others.rows[other_places[within]]
