"""How large a group may grow, and how alike its posts must be, to stay together."""

import numpy as np
import pytest

from issue_pipeline.utils.clustering import cluster_embeddings
from issue_pipeline.utils.clustering.null_model import NullModel
from issue_pipeline.utils.clustering.selection import drop_incoherent, split_oversized
from issue_pipeline.utils.clustering.space import SharedRows
from issue_pipeline.utils.clustering.tree import ClusterTree
from issue_pipeline.utils.embeddings import Vectors
from issue_pipeline.utils.executor import LocalExecutor


def wide_topic_and_unrelated_posts(topic: int, null_model: int) -> Vectors:
    """Posts all around a middle, opposite ones hardly alike, then some of no topic."""
    dice = np.random.default_rng(1)
    around = dice.normal(size=(topic, 5))
    around *= dice.random((topic, 1)) ** 0.2 / np.linalg.norm(around, axis=1, keepdims=True)
    posts = np.concatenate([np.full((topic, 1), 0.8), around, np.zeros((topic, 378))], axis=1)
    rows = np.concatenate([posts, dice.normal(size=(null_model, 384))])
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def two_directions(cosine: float) -> Vectors:
    return np.array([[1, 0], [cosine, np.sqrt(1 - cosine**2)]], dtype=np.float32)


@pytest.mark.parametrize(
    ("topic", "day", "most"),
    [
        pytest.param(130, 400, 100, id="more than a hundred posts on a small day"),
        pytest.param(250, 2_000, 200, id="more than a tenth of a large day"),
    ],
)
def test_a_wide_topic_beyond_the_ceiling_gives_way_to_those_within_it(
    topic: int, day: int, most: int
):
    labels = cluster_embeddings(
        wide_topic_and_unrelated_posts(topic, day - topic), min_cluster_size=10
    ).labels
    sizes = np.bincount(labels + 1)[1:]
    assert sizes.max() <= most
    # Two at least: without smoothing they are one cluster, so only what is alike enough is merged.
    assert len(np.unique(labels[:topic][labels[:topic] >= 0])) >= 2


@pytest.mark.parametrize(
    ("by_chance", "cosine", "groups"),
    [
        pytest.param(0.0, 0.1, 1, id="just over half as alike"),
        pytest.param(0.0, -0.1, 2, id="just under half"),
        pytest.param(0.5, 0.6, 1, id="just over half, where null_model are alike, too"),
        pytest.param(0.5, 0.45, 2, id="just under half of what null_model are not"),
    ],
)
def test_an_oversized_cluster_stays_if_it_is_half_as_alike_as_the_clusters_within_it(
    by_chance: float, cosine: float, groups: int
):
    """An oversized cluster of two adjacent halves, and far away another group, as a contrast."""
    half = np.arange(20)
    line = np.concatenate([half, 20.5 + half, 10_000 + half])[:, None].astype(np.float32)
    # Posts of one half are the same, so the whole is about (1 + cosine) / 2 as alike.
    vectors = np.repeat(two_directions(cosine)[[0, 1, 0]], 20, axis=0)
    tree = ClusterTree(SharedRows.of(line, LocalExecutor()), min_cluster_size=20, min_samples=1)
    assert len(np.unique(tree.cluster_ids()[:40])) == 1
    labels = split_oversized(tree, vectors, NullModel(by_chance, 0.0), ceiling=30)
    assert len(np.unique(labels[:40])) == groups


@pytest.mark.parametrize(
    ("by_chance", "cosine", "stays"),
    [
        pytest.param(0.0, 0.25, True, id="a quarter as like the others as the most central one"),
        pytest.param(0.0, 0.15, False, id="less than a fifth"),
        pytest.param(0.5, 0.625, True, id="a quarter, beyond null_model that are alike, too"),
        pytest.param(0.5, 0.575, False, id="less than a fifth beyond those"),
    ],
)
def test_a_member_stays_if_it_is_a_fifth_as_like_the_others_as_the_most_central_one(
    by_chance: float, cosine: float, stays: bool
):
    vectors = np.repeat(two_directions(cosine), [30, 1], axis=0)
    kept = drop_incoherent(np.zeros(31, np.int64), vectors, NullModel(by_chance, 0.01), 5)
    assert kept.tolist() == [0] * 30 + [0 if stays else -1]
