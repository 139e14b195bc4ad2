"""A day as a map: every post a point, every cluster an island, similar clusters near each other.

Two dimensions cannot hold what 384 do. So only the clusters are laid out by their distances, and a
post is drawn on its cluster's island; a post without a cluster lies in the sea, on the way to the
clusters that are most like it.
"""

import numpy as np
from numpy.typing import NDArray

from issue_pipeline.utils.clustering import NOISE, Labels
from issue_pipeline.utils.embeddings import Vectors

Positions = NDArray[np.float64]

# Of the islands' area, how much is land: less leaves more sea between them.
_LAND_SHARE = 0.22
_GAP = 1.25  # least distance of two islands' centres, in sums of their radii
_PUSHES = 200
_COMPARISONS = 20_000_000
_NEAREST_CLUSTERS = 3


def day_map(embeddings: Vectors, labels: Labels) -> tuple[Positions, Positions]:
    """Lay out a clustered day.

    Args:
        embeddings: float32 (n, d), unit rows.
        labels: int64 (n,): 0..k-1, or -1 for noise.

    Returns:
        float64 (n, 2), the posts, and float64 (k, 2), the middles of the clusters. All islands lie
        within [-1, 1]; the sea may reach a little further. The same input gives the same map.
    """
    count = int(labels.max(initial=NOISE)) + 1
    points = np.zeros((len(labels), 2))
    if count == 0:
        points[:] = _ring(len(labels))
        return points, np.zeros((0, 2))
    centroids = np.stack([embeddings[labels == one].mean(axis=0) for one in range(count)])
    sizes = np.bincount(labels[labels != NOISE], minlength=count)
    radii = np.sqrt(_LAND_SHARE * sizes / sizes.sum())
    middles = _apart(_lay_out(centroids), radii)
    for one in range(count):
        members = labels == one
        points[members] = middles[one] + radii[one] * _island(embeddings[members])
    strays = labels == NOISE
    points[strays] = _at_sea(embeddings[strays], centroids, middles)
    low = (middles - radii[:, None]).min(axis=0)
    high = (middles + radii[:, None]).max(axis=0)
    centre, reach = (low + high) / 2, float((high - low).max()) / 2
    return (points - centre) / reach, (middles - centre) / reach


def _lay_out(centroids: Vectors) -> Positions:
    """Place clusters so that distances on the map follow those of their centroids."""
    if len(centroids) == 1:
        return np.zeros((1, 2))
    # Classical scaling: the two directions that keep most of all distances.
    centred = (centroids - centroids.mean(axis=0)).astype(np.float64)
    left, strengths, _ = np.linalg.svd(centred, full_matrices=False)
    plane = np.zeros((len(centroids), 2))
    plane[:, : min(2, len(strengths))] = (left * strengths)[:, :2]
    # The sign of a direction is arbitrary: let the largest value be positive.
    plane *= np.where(plane[np.abs(plane).argmax(axis=0), [0, 1]] < 0, -1.0, 1.0)
    # By rank, which spreads a crowd in the middle over the whole map.
    ranks = plane.argsort(axis=0, kind="stable").argsort(axis=0, kind="stable")
    spread = 2 * ranks / (len(centroids) - 1) - 1
    return 0.5 * plane / max(float(np.abs(plane).max()), 1e-9) + 0.5 * spread


def _apart(middles: Positions, radii: NDArray[np.float64]) -> Positions:
    """Push islands apart until none touches another, or nearly so."""
    moved = middles.copy()
    least = _GAP * (radii[:, None] + radii[None, :])
    np.fill_diagonal(least, 0.0)
    # Each push compares all islands: of very many, fewer have to do.
    for _ in range(min(_PUSHES, _COMPARISONS // len(middles) ** 2)):
        away = moved[:, None, :] - moved[None, :, :]
        distance = np.linalg.norm(away, axis=2)
        overlap = np.maximum(0.0, least - distance)
        if not overlap.any():
            break
        away[distance == 0] = (1e-6, 2e-6)
        step = overlap / np.maximum(distance, 1e-6)
        moved += 0.25 * (away * step[:, :, None]).sum(axis=1)
    return moved


def _island(members: Vectors) -> Positions:
    """Place the members of one cluster in a disc: the nearer to the centroid, the nearer to it."""
    centred = (members - members.mean(axis=0)).astype(np.float64)
    distance = np.linalg.norm(centred, axis=1)
    rank = distance.argsort(kind="stable").argsort(kind="stable")
    # Evenly filled: as many points on every ring as its length has room for.
    radius = np.sqrt((rank + 0.5) / len(members))
    disc: Positions = radius[:, None] * _ring(len(members))[rank]
    return disc


def _ring(count: int) -> Positions:
    """Give directions that fill the circle evenly, however many: steps of the golden angle."""
    angle = np.arange(count) * np.pi * (3 - np.sqrt(5))
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _at_sea(strays: Vectors, centroids: Vectors, middles: Positions) -> Positions:
    """Place posts without a cluster between the clusters most like them."""
    if not len(strays):
        return np.zeros((0, 2))
    likeness = strays.astype(np.float64) @ centroids.astype(np.float64).T
    nearest = np.argsort(-likeness, axis=1, kind="stable")[:, :_NEAREST_CLUSTERS]
    weight = np.exp(8 * np.take_along_axis(likeness, nearest, axis=1))
    weight /= weight.sum(axis=1, keepdims=True)
    between = (weight[:, :, None] * middles[nearest]).sum(axis=1)
    # Spread out, since many posts lie between the same few clusters.
    radius = 0.05 + 0.25 * (np.arange(len(strays)) % 97) / 97
    spread: Positions = between + radius[:, None] * _ring(len(strays))
    return spread
