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

from issue_pipeline.utils.clustering.pairs import MOST_PLACES, MOST_ROWS, Pairs, packed
from issue_pipeline.utils.clustering.space import Floats, Points, SharedRows, Space
from issue_pipeline.utils.executor import Shared

# One row in so many is in the sample.
_SAMPLED_EVERY = 8
# A sample may be smaller, as long as it holds so many of the neighbours that are asked for.
_SAMPLED_NEIGHBOURS = 24
# Standard deviations of the sample's count that are added to what is expected: of a thousand rows
# one is left with too few.
_DEVIATIONS = 3
# Times as many pairs as are expected, from which on the search is given up: rows may lie so that a
# radius holds nothing or far too much.
_MOST_EXCESS = 4
# Pairs that are expected to wait for the rest of their tile: half a gigabyte. Where there would be
# more, tiles are put into groups, and pairs of different groups are multiplied for each of the two.
_MOST_WAITING = 64 * 1024**2

# Some rows: a slice, or their numbers.
Tile = slice | Points


def pairs_within_reach(
    shared: SharedRows, tiles: Sequence[Tile], meets: NDArray[np.bool_], k: int
) -> Iterator[list[Pairs]]:
    """Find pairs that hold the k nearest of almost every row.

    A row is near to itself, too, but where its radius is nothing, because many are identical to it.

    Args:
        shared: At most ``MOST_ROWS`` rows.
        tiles: Each row is in one, of at most ``MOST_PLACES``.
        meets: bool (t, t), which tiles are compared with which; symmetric, the diagonal true.
        k: At most a fifth of the rows that any tile is compared with.

    Yields:
        Of each tile its pairs, in parts; nothing from where on there are far too many.
    """
    every = np.arange(shared.n)
    sizes = np.array([len(every[tile]) for tile in tiles])
    if shared.n > MOST_ROWS or sizes.max() > MOST_PLACES:
        raise ValueError(f"{shared.n} rows in tiles of {sizes.max()} are too many to be packed.")
    step = max(_SAMPLED_EVERY, k // _SAMPLED_NEIGHBOURS)
    expected = step * _rank(k, 1 / step)
    reaches = shared.executor.share(_estimated(shared, tiles, meets, sizes, k, step))
    groups = _groups(sizes, shared.n * expected)
    same_group = groups[:, None] == groups
    # Each tile meets those of its group from itself on; those before have met it already.
    shared_by_both = [
        number + np.flatnonzero(row[number:]) for number, row in enumerate(meets & same_group)
    ]
    for_itself = [np.flatnonzero(row) for row in meets & ~same_group]
    strips = (
        ([tiles[one] for one in both.tolist()], [tiles[one] for one in alone.tolist()])
        for both, alone in zip(shared_by_both, for_itself, strict=True)
    )
    most = _MOST_EXCESS * expected
    found = shared.map(partial(_pairs_of_strip, most_of_a_row=most), strips, reaches)
    waiting: list[list[Pairs]] = [[] for _ in tiles]
    left = most * shared.n
    for number, others in enumerate(shared_by_both):
        pairs_of = next(found)
        left -= sum(map(len, pairs_of))
        if not pairs_of or left < 0:
            break
        for other, pairs in zip(others.tolist(), pairs_of, strict=True):
            waiting[other].append(pairs)
        yield waiting[number]
        waiting[number] = []
    else:
        return
    del found, pairs_of, waiting  # and the threads that go on with the search
    yield from ([] for _ in tiles[number:])


def _estimated(
    shared: SharedRows,
    tiles: Sequence[Tile],
    meets: NDArray[np.bool_],
    sizes: Points,
    k: int,
    step: int,
) -> Floats:
    """Estimate half of each row's squared radius, from every so manieth row: float64 (n,)."""
    every = np.arange(shared.n)
    samples = [every[tile][::step] for tile in tiles]
    compared = [
        (tile, np.concatenate([samples[other] for other in np.flatnonzero(met)]), sizes[met].sum())
        for tile, met in zip(tiles, meets, strict=True)
    ]
    reaches = np.empty(shared.n)
    for (tile, *_), of_tile in shared.mapped(partial(_reaches, k=k), compared):
        reaches[tile] = of_tile
    return reaches


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


def _groups(sizes: Points, expected_pairs: int) -> Points:
    """Put successive tiles into groups, so that no more pairs wait than should: int64 (t,).

    Halfway through a group a quarter of its pairs wait, those of its second half with the first, if
    near rows are spread evenly over the tiles. Where they are not, up to all of them may.

    Args:
        sizes: int64 (t,), the rows of each tile.
        expected_pairs: Of all tiles.
    """
    count = -(-expected_pairs // (4 * _MOST_WAITING))
    groups: Points = (np.cumsum(sizes) - 1) * count // sizes.sum()
    return groups


@dataclass(frozen=True, slots=True)
class _Side:
    """What is known of the rows of a tile; in float32, for products have no more digits.

    Attributes:
        rows: int64 (p,), their numbers.
        half: float32 (p,), half of each row's squared norm.
        reach: float32 (p,), half of its squared radius.
    """

    rows: Points
    half: NDArray[np.float32]
    reach: NDArray[np.float32]

    @classmethod
    def of(cls, rows: Points, half: Floats, reaches: Floats) -> "_Side":
        return cls(rows, half[rows].astype(np.float32), reaches[rows].astype(np.float32))


def _pairs_of_strip(
    strip: tuple[Sequence[Tile], Sequence[Tile]],
    vectors: Shared,
    half: Shared,
    reaches: Shared,
    *,
    most_of_a_row: int,
) -> list[Pairs]:
    """Compare a tile with itself and with others, a piece of work for an executor.

    Args:
        strip: The tile, and those whose own pairs with it are looked for, too; further ones.
        vectors: Of :class:`SharedRows`.
        half: Likewise.
        reaches: float64 (n,), half of each row's squared radius.
        most_of_a_row: Pairs that a row may have, on average.

    Returns:
        Of each of the former tiles its pairs; nothing where there are too many.
    """
    space = Space(vectors, half)
    tiles = [*strip[0], *strip[1]]
    every, halves, radii = np.arange(space.n), np.asarray(half), np.asarray(reaches)
    sides = [_Side.of(every[tile], halves, radii) for tile in tiles]
    first, vectors_of_first = sides[0], space.x[tiles[0]]
    own: list[Pairs] = []
    found: list[Pairs] = []
    left = most_of_a_row * sum(len(side.rows) for side in sides)
    for number, (tile, side) in enumerate(zip(tiles, sides, strict=True)):
        # Halves of squared distances, in place.
        distances = space.dots(vectors_of_first, tile).cpu().numpy()
        np.subtract(first.half[:, None], distances, out=distances)
        np.add(distances, side.half, out=distances)
        rows, columns, near = _chosen(distances, distances <= first.reach[:, None])
        own.append(packed(rows, 2 * near, side.rows[columns]))
        left -= len(own[-1])
        if 0 < number < len(strip[0]):
            rows, columns, near = _chosen(distances, distances <= side.reach)
            found.append(packed(columns, 2 * near, first.rows[rows]))
            left -= len(found[-1])
        if left < 0:
            return []
    return [np.concatenate(own), *found]


def _chosen(
    values: NDArray[np.float32], where: NDArray[np.bool_]
) -> tuple[Points, Points, NDArray[np.float32]]:
    """Pick values of a matrix: int64 (m,), their rows; int64 (m,), their columns; float32 (m,)."""
    height, width = where.shape
    found = np.flatnonzero(where)
    # Faster than a division.
    starts = np.searchsorted(found, np.arange(height + 1) * width)
    rows = np.repeat(np.arange(height), np.diff(starts))
    return rows, found - rows * width, values.ravel()[found]
