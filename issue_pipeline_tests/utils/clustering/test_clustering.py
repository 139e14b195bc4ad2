import numpy as np
import pytest
from hdbscan import HDBSCAN

from issue_pipeline.utils.clustering import (
    centroid_distances,
    cluster_embeddings,
    cluster_quality,
    largest_first,
    outlier_ratio,
)
from issue_pipeline.utils.clustering.api import smoothing_neighbours
from issue_pipeline.utils.clustering.null_model import NullModel, mean_cosine
from issue_pipeline.utils.clustering.outliers import reassign_outliers
from issue_pipeline.utils.clustering.selection import drop_incoherent, split_oversized
from issue_pipeline.utils.clustering.space import SharedRows
from issue_pipeline.utils.clustering.tree import ClusterTree
from issue_pipeline.utils.embeddings import Vectors
from issue_pipeline.utils.executor import LocalExecutor

MODES = ("raw", "smoothed")


def unit(rows: np.ndarray) -> Vectors:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def groups(sizes: list[int], *, spread: float, noise: int = 0, seed: int = 7) -> Vectors:
    """Unit vectors around one random centre per size, then some of no group."""
    dice = np.random.default_rng(seed)
    parts = [
        dice.normal(size=384) / np.sqrt(384) + spread * dice.normal(size=(size, 384)) / np.sqrt(384)
        for size in sizes
    ]
    return unit(np.concatenate([*parts, dice.normal(size=(noise, 384))]))


def members(labels: np.ndarray) -> set[frozenset[int]]:
    """The partition, without its numbering."""
    return {
        frozenset(np.flatnonzero(labels == one).tolist()) for one in np.unique(labels) if one >= 0
    }


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("n", [0, 1, 4])
def test_fewer_items_than_a_cluster_needs_are_all_noise(mode: str, n: int):
    clustering = cluster_embeddings(groups([n], spread=0.0), mode=mode)
    assert clustering.labels.tolist() == [-1] * n
    assert clustering.labels.dtype == np.int64
    assert (clustering.min_cluster_size, clustering.min_samples) == (5, 2)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("n", [5, 6, 30])
def test_a_day_of_one_text_alone_has_nothing_to_tell_a_group_by(mode: str, n: int):
    labels = cluster_embeddings(unit(np.ones((n, 384))), mode=mode).labels
    assert labels.tolist() == [-1] * n


@pytest.mark.parametrize("others", [3, 8, 12, 20])
@pytest.mark.parametrize(("posts", "spread"), [(30, 0.0), (30, 0.8), (100, 0.8), (300, 1.2)])
def test_a_topic_of_nearly_all_posts_is_one_cluster(posts: int, spread: float, others: int):
    vectors = groups([posts], spread=spread, noise=others)
    labels = cluster_embeddings(vectors).labels
    assert np.mean(labels[:posts] == 0) > 0.95
    assert np.mean(labels[posts:] == -1) > 0.7


def test_a_smaller_group_beside_the_topic_of_most_of_the_day_is_kept():
    labels = cluster_embeddings(groups([40, 12], spread=0.8, noise=6)).labels
    assert np.bincount(labels[:40] + 1).tolist() == [0, 40]
    assert np.bincount(labels[40:52] + 1).tolist() == [0, 0, 12]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("spread", [0.0, 0.3])
def test_three_groups_of_ten_are_found(mode: str, spread: float):
    labels = cluster_embeddings(groups([10, 10, 10], spread=spread), mode=mode).labels
    assert members(labels) == {frozenset(range(one, one + 10)) for one in (0, 10, 20)}


@pytest.mark.parametrize("mode", MODES)
def test_the_largest_group_is_number_zero(mode: str):
    clustering = cluster_embeddings(groups([6, 10, 8], spread=0.3), mode=mode)
    assert clustering.mode == mode
    assert clustering.labels.tolist() == [2] * 6 + [0] * 10 + [1] * 8


def test_unrelated_posts_are_noise():
    labels = cluster_embeddings(groups([15] * 4, spread=0.8, noise=60), mode="raw").labels
    assert labels[:60].min() == 0
    assert np.mean(labels[60:] == -1) > 0.9


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("spread", [0.3, 0.8])
def test_the_order_of_arrival_changes_neither_groups_nor_ids(mode: str, spread: float):
    vectors = groups([9, 14, 9, 7, 9], spread=spread, noise=4)
    expected = cluster_embeddings(vectors, mode=mode).labels
    sizes = np.bincount(expected[expected >= 0]).tolist()
    assert len(set(sizes)) < len(sizes)  # size alone cannot number them
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(len(vectors))
        again = cluster_embeddings(vectors[order], mode=mode).labels
        assert again.tolist() == expected[order].tolist()


def test_smoothing_finds_groups_that_drown_in_raw_noise():
    vectors = groups([30] * 10, spread=3.0, noise=100, seed=8)
    truth = np.repeat(np.arange(10), 30)
    raw = cluster_embeddings(vectors, mode="raw").labels[:300]
    smoothed = cluster_embeddings(vectors, mode="smoothed").labels[:300]
    assert np.mean(raw >= 0) < 0.5
    found = [np.bincount(truth[smoothed == one]).max() for one in range(smoothed.max() + 1)]
    assert sum(found) >= 0.9 * 300
    assert len(found) <= 15


def test_the_settings_grow_with_the_day():
    clustering = cluster_embeddings(groups([600, 600], spread=0.2), mode="raw")
    assert (clustering.min_cluster_size, clustering.min_samples) == (6, 3)


def test_as_many_neighbours_are_averaged_as_the_smallest_group_has_members():
    assert smoothing_neighbours(16_306, 81) == 81
    assert smoothing_neighbours(318, 5) == 5
    assert smoothing_neighbours(24, 5) == 4
    assert smoothing_neighbours(5, 5) == 1


def test_a_user_may_set_another_cluster_size():
    vectors = groups([10, 30], spread=0.3)
    clustering = cluster_embeddings(vectors, min_cluster_size=12)
    assert (clustering.min_cluster_size, clustering.min_samples) == (12, 6)
    assert np.bincount(clustering.labels + 1).tolist() == [10, 30]  # ten are too few now
    for size in (1, 0, -5):
        with pytest.raises(ValueError, match=rf"min_cluster_size is {size}; expected at least 2"):
            cluster_embeddings(vectors, min_cluster_size=size)


@pytest.mark.parametrize("n", [318, 700])
def test_raw_is_the_librarys_partition(n: int):
    vectors = groups([n // 6] * 4, spread=1.0, noise=n - 4 * (n // 6))
    library = HDBSCAN(min_cluster_size=5, min_samples=2, core_dist_n_jobs=1)
    expected = library.fit_predict(vectors.astype(np.float64))
    labels = cluster_embeddings(vectors, mode="raw").labels
    assert len(members(expected)) > 3
    assert members(labels) == members(expected)


def test_a_group_of_most_of_the_day_stays_if_it_holds_no_other():
    outage = np.repeat(groups([1], spread=0.0, seed=8), 900, axis=0)
    vectors = np.concatenate([outage, groups([60, 60], spread=0.3)])
    labels = cluster_embeddings(vectors).labels
    assert labels[:900].tolist() == [0] * 900
    assert 0 not in labels[900:]


def test_a_group_of_most_of_the_day_gives_way_to_those_within_it():
    dice = np.random.default_rng(4)
    middle = dice.normal(size=384)
    kin = [middle + 2 * dice.normal(size=384) for _ in range(15)]
    vectors = unit(np.concatenate([one + 0.2 * dice.normal(size=(80, 384)) for one in kin]))
    null_model = NullModel(mean=0.0, deviation=0.05)
    tree = ClusterTree(SharedRows.of(vectors, LocalExecutor()), 6, 3)
    sizes = np.bincount(split_oversized(tree, vectors, null_model, ceiling=60) + 1)[1:]
    assert mean_cosine(vectors) < 0.5 * mean_cosine(vectors[:80])
    assert sizes.tolist() == [80] * 15


def test_a_topic_of_most_of_the_day_is_not_lost_to_its_thicker_spots():
    dice = np.random.default_rng(5)
    topic = dice.normal(size=384)
    spots = [topic + 0.3 * dice.normal(size=384) for _ in range(6)]
    near_spots = [spot + 0.2 * dice.normal(size=(20, 384)) for spot in spots]
    around = topic + 0.8 * dice.normal(size=(280, 384))
    vectors = unit(np.concatenate([*near_spots, around, dice.normal(size=(200, 384))]))
    labels = cluster_embeddings(vectors).labels
    assert np.mean(labels[:400] >= 0) > 0.95
    assert not set(labels[:400]) & set(labels[400:]) - {-1}


@pytest.mark.parametrize("n", [20, 30, 60, 100, 318])
def test_unrelated_posts_make_no_clusters(n: int):
    for seed in range(4):
        labels = cluster_embeddings(groups([], spread=0.0, noise=n, seed=seed)).labels
        assert labels.tolist() == [-1] * n


def test_small_groups_are_separated_from_unrelated_posts_around_them():
    labels = cluster_embeddings(groups([10, 10, 10], spread=0.8, noise=40)).labels
    assert members(labels[:30]) == {frozenset(range(one, one + 10)) for one in (0, 10, 20)}
    assert np.sum(labels[30:] >= 0) <= 2


def test_outliers_leave_their_cluster():
    vectors = groups([10], spread=0.8, noise=50)
    labels = np.full(60, -1)
    labels[:12] = 0
    null_model = NullModel.of(vectors, labels)
    kept = drop_incoherent(labels, vectors, null_model, 5)
    assert kept.tolist() == [0] * 10 + [-1] * 50
    assert drop_incoherent(labels, vectors, null_model, 11).tolist() == [-1] * 60


def test_noise_joins_the_cluster_that_enough_of_its_neighbours_are_in():
    labels = np.array([0, 0, 0, 1, 1, -1, -1])
    themselves = np.repeat(np.arange(5, dtype=np.int32)[:, None], 4, axis=1)
    near = np.concatenate([themselves, np.array([[5, 0, 1, 3], [6, 5, 0, 3]], dtype=np.int32)])
    assert reassign_outliers(labels, near, ceiling=9, share=0.6, rounds=1).tolist() == [
        0,
        0,
        0,
        1,
        1,
        0,
        -1,
    ]
    assert reassign_outliers(labels, near, ceiling=9, share=0.6, rounds=2).tolist() == [
        0,
        0,
        0,
        1,
        1,
        0,
        0,
    ]
    assert reassign_outliers(labels, near, ceiling=9, share=0.7).tolist() == labels.tolist()
    assert reassign_outliers(np.full(7, -1), near, ceiling=9).tolist() == [-1] * 7


def test_a_cluster_takes_those_who_belong_most_until_it_is_full():
    labels = np.array([0, 0, 0, -1, -1, -1])
    members = [[row, 0, 1, 2] for row in range(3)]
    near = np.array([*members, [3, 0, 1, 2], [4, 0, 1, 5], [5, 1, 2, 4]], dtype=np.int32)
    assert reassign_outliers(labels, near, ceiling=6, share=0.6).tolist() == [0, 0, 0, 0, 0, 0]
    assert reassign_outliers(labels, near, ceiling=5, share=0.6, rounds=1).tolist() == [
        0,
        0,
        0,
        0,
        -1,
        -1,
    ]
    assert reassign_outliers(labels, near, ceiling=3, share=0.6).tolist() == [0, 0, 0, -1, -1, -1]
    assert reassign_outliers(labels, near, ceiling=1, share=0.6).tolist() == [0, 0, 0, -1, -1, -1]


@pytest.mark.parametrize("mode", MODES)
def test_identical_posts_share_their_fate_in_any_order(mode: str):
    dice = np.random.default_rng(6)
    vectors = groups([30, 20, 40], spread=1.0, noise=60)
    vectors = vectors[dice.integers(0, len(vectors), 400)]
    _, same = np.unique(vectors, axis=0, return_inverse=True)
    expected = cluster_embeddings(vectors, mode=mode).labels
    for seed in range(3):
        order = np.random.default_rng(seed).permutation(len(vectors))
        labels = np.empty(len(vectors), dtype=np.int64)
        labels[order] = cluster_embeddings(vectors[order], mode=mode).labels
        assert members(labels) == members(expected)
    assert all(len(np.unique(expected[same == one])) == 1 for one in range(same.max() + 1))


def test_numbers_that_are_not_finite_are_refused_with_their_rows():
    vectors = groups([10], spread=0.3)
    vectors[3, 0], vectors[7, 100] = np.nan, np.inf
    with pytest.raises(ValueError, match=r"must be finite; rows \[3, 7\] are not"):
        cluster_embeddings(vectors)


def test_numbers_too_large_to_measure_distances_with_are_refused():
    vectors = groups([10], spread=0.3)
    vectors[2, 5] = 1e30
    with pytest.raises(ValueError, match=r"must be finite; rows \[2\] are not"):
        cluster_embeddings(vectors)


@pytest.mark.parametrize("shape", [(10,), (2, 3, 4), (10, 0)])
def test_misshaped_embeddings_are_refused_with_their_shape(shape: tuple[int, ...]):
    with pytest.raises(ValueError, match=r"shape \(n, d\), got \(") as caught:
        cluster_embeddings(np.zeros(shape, np.float32))
    assert str(shape) in str(caught.value)


def test_an_unknown_mode_is_refused_with_the_modes():
    with pytest.raises(ValueError, match=r"'umap'; expected one of raw, smoothed"):
        cluster_embeddings(groups([10], spread=0.3), mode="umap")


@pytest.mark.parametrize(
    ("labels", "renumbered"),
    [
        ([], []),
        ([-1, -1], [-1, -1]),
        ([0, 1, 1, -1], [1, 0, 0, -1]),
        ([3, 3, 1, 1, -1, 0], [0, 0, 1, 1, -1, 2]),
        ([1, 0, 0, 1], [0, 1, 1, 0]),
    ],
)
def test_ids_go_by_size_and_then_by_first_row(labels: list[int], renumbered: list[int]):
    assert largest_first(np.array(labels, dtype=np.int64)).tolist() == renumbered


def test_distances_are_to_the_plain_mean_and_rounded():
    vectors = np.array([[1, 0], [0, 1]], dtype=np.float32)
    assert centroid_distances(vectors).tolist() == [0.707, 0.707]
    assert centroid_distances(vectors[:1]).tolist() == [0.0]


def test_quality_is_measured_for_each_cluster_and_not_for_noise():
    vectors = np.array([[1, 0], [0, 1], [1, 0], [1, 0], [-1, 0]], dtype=np.float32)
    first, second = cluster_quality(vectors, np.array([0, 0, 1, 1, -1]))
    assert first.size == second.size == 2
    assert first.mean_distance == pytest.approx(np.sqrt(0.5))
    assert second.mean_distance == 0.0
    assert cluster_quality(vectors[:0], np.array([], dtype=np.int64)) == []
    assert cluster_quality(vectors[:2], np.array([-1, -1])) == []


def test_the_outlier_ratio_is_the_share_of_noise():
    assert outlier_ratio([0, -1, 1, -1]) == 0.5
    assert outlier_ratio(np.array([0, 0])) == 0.0
    assert outlier_ratio([]) == 0.0
