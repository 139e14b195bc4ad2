from functools import partial

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from issue_pipeline.utils.clustering import cells, neighbours, space
from issue_pipeline.utils.clustering.cells import blocks_of
from issue_pipeline.utils.clustering.neighbours import Block, Neighbours
from issue_pipeline.utils.clustering.smoothing import means, smooth
from issue_pipeline.utils.clustering.space import SharedRows, blocks
from issue_pipeline.utils.embeddings import Vectors
from issue_pipeline.utils.executor import LocalExecutor


def vectors_of(n: int, d: int = 384, seed: int = 3) -> Vectors:
    rows = np.random.default_rng(seed).normal(size=(n, d))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def at_angles(*degrees: float) -> Vectors:
    radians = np.radians(degrees)
    return np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)


def shared(vectors: Vectors) -> SharedRows:
    return SharedRows.of(vectors, LocalExecutor())


def nearest(vectors: Vectors, k: int, *, measured: slice = slice(0)) -> Neighbours:
    search = partial(neighbours.nearest, ranks=[k], measured=measured)
    return next(iter(shared(vectors).map(search, [Block(slice(None))])))


def smoothed(vectors: Vectors, *, neighbours: int, rounds: int = 1) -> Vectors:
    for _ in range(rounds):
        vectors = smooth(shared(vectors), min(neighbours + 1, len(vectors)))
    return vectors


def exact_distances(vectors: Vectors) -> np.ndarray:
    return cdist(vectors.astype(np.float64), vectors.astype(np.float64))


def test_each_row_finds_itself_and_the_nearest_others_nearest_first():
    found = nearest(at_angles(0, 90, 10, 95), 3)
    assert found.rows.tolist() == [[0, 2, 1], [1, 3, 2], [2, 0, 1], [3, 1, 2]]
    assert np.allclose(found.distances[0] ** 2, [0, 2 - 2 * np.cos(np.radians(10)), 2], atol=1e-6)


def test_rows_need_not_be_of_unit_length():
    vectors = np.array([[0, 0], [5, 0], [4, 0], [100, 0]], dtype=np.float32)
    assert nearest(vectors, 2).rows.tolist() == [[0, 2], [1, 2], [2, 1], [3, 1]]


@pytest.mark.parametrize("distance", [1e-3, 1e-5, 1e-6])
def test_rows_that_products_cannot_tell_apart_are_ranked_by_their_differences(distance: float):
    d, k = 384, 40
    noise = np.random.default_rng(5).normal(size=(500, d)) * distance / np.sqrt(2 * d)
    vectors = (vectors_of(1) + noise).astype(np.float32)
    expected = np.sort(exact_distances(vectors), axis=1)[:, k - 1]
    found = nearest(vectors, k, measured=slice(k))
    assert np.allclose(found.distances[:, -1], expected, rtol=1e-5, atol=0)


def test_neighbours_are_those_at_the_smallest_euclidean_distance():
    vectors = vectors_of(60)
    distances = np.linalg.norm(vectors[:, None] - vectors[None, :], axis=2)
    expected = np.argsort(distances, axis=1)
    for k in (1, 6, 60):
        assert nearest(vectors, k).rows.tolist() == expected[:, :k].tolist()


def test_neighbours_are_the_same_where_only_the_best_groups_are_ranked():
    vectors = vectors_of(1_000, d=16)
    distances = np.linalg.norm(vectors[:, None] - vectors[None, :], axis=2)
    assert nearest(vectors, 7).rows.tolist() == np.argsort(distances, axis=1)[:, :7].tolist()


def test_a_single_row_is_its_own_neighbour():
    assert nearest(vectors_of(1), 1).rows.tolist() == [[0]]
    assert np.allclose(smoothed(vectors_of(1), neighbours=15), vectors_of(1), atol=1e-6)


def test_distances_are_measured_where_that_is_asked_for():
    vectors = vectors_of(300)
    found = nearest(vectors, 20, measured=slice(5, 20))
    exact = np.sort(exact_distances(vectors), axis=1)[:, :20]
    assert np.allclose(found.distances[:, 5:], exact[:, 5:], rtol=1e-7)
    assert np.allclose(found.distances**2, exact**2, atol=1e-4)


def test_the_nearest_are_told_apart_where_products_round_by_more_than_they_differ():
    """Rows whose squared distances differ by less than a float32 product of theirs is exact."""
    dice = np.random.default_rng(9)
    vectors = vectors_of(1)[0] + 1e-3 * dice.normal(size=(400, 384)).astype(np.float32)
    expected = np.sort(np.argsort(exact_distances(vectors), axis=1)[:, :30], axis=1)
    assert np.array_equal(np.sort(nearest(vectors, 30).rows, axis=1), expected)


def test_only_the_columns_of_a_block_are_compared():
    vectors, columns = vectors_of(80), np.arange(0, 80, 3)
    search = partial(neighbours.nearest, ranks=[6])
    (found,) = shared(vectors).map(search, [Block(np.array([7, 2]), columns)])
    near = columns[np.argsort(exact_distances(vectors)[[7, 2]][:, columns], axis=1)[:, :6]]
    assert np.array_equal(np.sort(found.rows), np.sort(near))


def test_the_size_of_a_block_changes_nothing(monkeypatch: pytest.MonkeyPatch):
    vectors = vectors_of(50)
    whole = smoothed(vectors, neighbours=4)
    for rows in (1, 7, 50):
        monkeypatch.setattr(space, "_MAX_BLOCK_ROWS", rows)
        assert np.array_equal(smoothed(vectors, neighbours=4), whole)


def test_one_round_moves_a_row_to_the_mean_of_itself_and_its_neighbour():
    moved = smoothed(at_angles(0, 10, 90, 110), neighbours=1)
    assert np.allclose(moved, at_angles(5, 5, 100, 100), atol=1e-6)


def test_rows_with_the_same_neighbours_meet_to_the_last_bit_however_they_are_ranked():
    vectors = vectors_of(12)
    dice = np.random.default_rng(5)
    near = np.stack([dice.permutation(12) for _ in range(12)]).astype(np.int32)
    moved = means(near, vectors)
    assert np.array_equal(moved, np.tile(moved[0], (12, 1)))


def test_rows_stay_of_unit_length_and_in_their_type():
    moved = smoothed(vectors_of(40), neighbours=5)
    assert moved.shape == (40, 384)
    assert moved.dtype == np.float32
    assert np.allclose(np.linalg.norm(moved, axis=1), 1, atol=1e-6)


def test_identical_rows_stay_where_they_are():
    vectors = np.repeat(vectors_of(2), 20, axis=0)
    assert np.allclose(smoothed(vectors, neighbours=5), vectors, atol=1e-6)


def test_more_neighbours_than_there_are_rows_are_as_many_as_there_are():
    vectors = vectors_of(4)
    moved = smoothed(vectors, neighbours=15)
    assert np.allclose(moved, moved[0], atol=1e-6)


def test_shuffled_rows_move_to_the_same_places():
    vectors = vectors_of(50)
    order = np.random.default_rng(5).permutation(50)
    assert np.allclose(
        smoothed(vectors[order], neighbours=4), smoothed(vectors, neighbours=4)[order], atol=1e-6
    )


def test_the_input_is_left_alone():
    vectors = vectors_of(10)
    copy = vectors.copy()
    smoothed(vectors, neighbours=3)
    assert np.array_equal(vectors, copy)


def test_blocks_cover_all_rows_and_fit():
    assert [(b.start, b.stop) for b in blocks(10, 4, item_bytes=4, block_bytes=64)] == [
        (0, 4),
        (4, 8),
        (8, 10),
    ]
    assert [b.stop for b in blocks(3, 10**9)] == [1, 2, 3]
    assert list(blocks(0, 5)) == []


def grouped(groups: int, size: int) -> Vectors:
    dice = np.random.default_rng(4)
    rows = [dice.normal(size=24) + 0.3 * dice.normal(size=(size, 24)) for _ in range(groups)]
    found = np.concatenate(rows).astype(np.float32)
    return (found / np.linalg.norm(found, axis=1, keepdims=True))[dice.permutation(len(found))]


@pytest.fixture
def few_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells, "COMPARED_ROWS", 400)
    monkeypatch.setattr(cells, "_SMOOTHED_COMPARED", 200)
    monkeypatch.setattr(cells, "_CELL_ROWS", 100)


def test_few_rows_are_all_compared_with_each_other():
    assert all(block.columns is None for block in blocks_of(shared(vectors_of(2_000)), 10))


@pytest.mark.usefixtures("few_compared")
def test_of_many_rows_each_is_compared_with_enough_others_and_with_itself():
    vectors = grouped(30, 60)
    found = list(blocks_of(shared(vectors), 20))
    rows = np.concatenate([np.arange(len(vectors))[block.rows] for block in found])
    assert np.array_equal(np.sort(rows), np.arange(len(vectors)))
    for block in found:
        assert 400 <= len(block.columns) < len(vectors)
        assert np.isin(block.rows, block.columns).all()
    assert all(len(block.columns) >= 5 * 150 for block in blocks_of(shared(vectors), 150))


@pytest.mark.usefixtures("few_compared")
def test_many_smoothed_rows_are_compared_with_fewer_others():
    vectors = grouped(30, 60)
    smoothed = SharedRows.of(vectors, LocalExecutor(), smoothed=True)
    for block, other in zip(blocks_of(smoothed, 20), blocks_of(shared(vectors), 20), strict=True):
        assert 200 <= len(block.columns) < len(other.columns)
    assert all(len(block.columns) >= 5 * 60 for block in blocks_of(smoothed, 60))


@pytest.mark.usefixtures("few_compared")
def test_the_nearest_of_many_rows_are_nearly_all_found():
    vectors = grouped(30, 60)
    exact = np.argsort(exact_distances(vectors), axis=1)[:, :20]
    search = partial(neighbours.nearest, ranks=[20])
    whole = shared(vectors)
    hits = 0
    for block, found in whole.mapped(search, blocks_of(whole, 20)):
        hits += sum(
            len(np.intersect1d(*two)) for two in zip(found.rows, exact[block.rows], strict=True)
        )
    assert hits / exact.size >= 0.95
