"""The map of a day: islands apart, strays between them, the same every time."""

import numpy as np
import pytest

from issue_pipeline.utils.day_map import day_map


def a_day(sizes: list[int], noise: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(1)
    centres = random.normal(size=(max(1, len(sizes)), 16))
    labels = np.concatenate([np.repeat(np.arange(len(sizes)), sizes), np.full(noise, -1)])
    vectors = centres[labels] + 0.3 * random.normal(size=(len(labels), 16))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float32), labels.astype(np.int64)


@pytest.mark.parametrize("noise", [0, 5])
@pytest.mark.parametrize("sizes", [[], [7], [9, 9], [40, 20, 12, 8, 8, 5]], ids=str)
def test_every_post_has_a_place_on_the_map(sizes, noise):
    vectors, labels = a_day(sizes, noise)
    points, middles = day_map(vectors, labels)
    assert points.shape == (len(labels), 2)
    assert middles.shape == (len(sizes), 2)
    assert np.isfinite(points).all()
    assert np.abs(points[labels >= 0]).max(initial=0) <= 1.0001


def test_posts_lie_on_the_island_of_their_cluster():
    vectors, labels = a_day([60, 30, 20, 15, 10, 10, 5], noise=20)
    points, middles = day_map(vectors, labels)
    nearest = np.linalg.norm(points[:, None] - middles[None], axis=2).argmin(axis=1)
    assert (nearest == labels)[labels >= 0].mean() > 0.95


def test_the_same_day_gives_the_same_map():
    vectors, labels = a_day([20, 10], noise=3)
    assert np.array_equal(day_map(vectors, labels)[0], day_map(vectors, labels)[0])


def test_clusters_of_one_place_are_still_told_apart():
    vectors = np.tile(np.eye(1, 16, dtype=np.float32), (20, 1))
    points, middles = day_map(vectors, np.repeat(np.arange(2), 10))
    assert np.linalg.norm(middles[0] - middles[1]) > 0.1
    assert np.isfinite(points).all()
