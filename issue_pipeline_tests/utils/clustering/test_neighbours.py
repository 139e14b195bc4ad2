import numpy as np
import pytest

from issue_pipeline.utils.clustering import neighbours
from issue_pipeline.utils.clustering.neighbours import SMOOTHING_ROUNDS, blocks, nearest, smooth
from issue_pipeline.utils.embeddings import Vectors


def vectors_of(n: int, d: int = 384, seed: int = 3) -> Vectors:
    rows = np.random.default_rng(seed).normal(size=(n, d))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def at_angles(*degrees: float) -> Vectors:
    radians = np.radians(degrees)
    return np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)


def smoothed(vectors: Vectors, *, neighbours: int, rounds: int = SMOOTHING_ROUNDS) -> Vectors:
    k = min(neighbours + 1, len(vectors))
    return smooth(vectors, nearest(vectors, k).rows, rounds=rounds)


def test_each_row_finds_itself_and_the_nearest_others_nearest_first():
    found = nearest(at_angles(0, 90, 10, 95), 3)
    assert found.rows.tolist() == [[0, 2, 1], [1, 3, 2], [2, 0, 1], [3, 1, 2]]
    assert np.allclose(found.squared[0], [0, 2 - 2 * np.cos(np.radians(10)), 2], atol=1e-6)


def test_rows_need_not_be_of_unit_length():
    vectors = np.array([[0, 0], [5, 0], [4, 0], [100, 0]], dtype=np.float32)
    assert nearest(vectors, 2).rows.tolist() == [[0, 2], [1, 2], [2, 1], [3, 1]]


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


def test_the_size_of_a_block_changes_nothing(monkeypatch: pytest.MonkeyPatch):
    vectors = vectors_of(50)
    whole = smoothed(vectors, neighbours=4)
    for rows in (1, 7, 50):
        monkeypatch.setattr(neighbours, "_MAX_BLOCK_ROWS", rows)
        assert np.allclose(smoothed(vectors, neighbours=4), whole, atol=1e-6)


def test_one_round_moves_a_row_to_the_mean_of_itself_and_its_neighbour():
    moved = smoothed(at_angles(0, 10, 90, 110), neighbours=1, rounds=1)
    assert np.allclose(moved, at_angles(5, 5, 100, 100), atol=1e-6)


def test_rows_with_the_same_neighbours_meet_to_the_last_bit_however_they_are_ranked():
    vectors = vectors_of(12)
    dice = np.random.default_rng(5)
    near = np.stack([dice.permutation(12) for _ in range(12)]).astype(np.int32)
    moved = smooth(vectors, near, rounds=1)
    assert np.array_equal(moved, np.tile(moved[0], (12, 1)))


def test_the_second_round_searches_among_the_moved_rows():
    before = vectors_of(60, d=3)
    first = smoothed(before, neighbours=4, rounds=1)
    assert nearest(first, 5).rows.tolist() != nearest(before, 5).rows.tolist()
    assert np.allclose(smoothed(before, neighbours=4), smoothed(first, neighbours=4, rounds=1))


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
