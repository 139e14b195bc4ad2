import numpy as np
import pytest

from issue_pipeline.utils import neighbours
from issue_pipeline.utils.embeddings import Vectors
from issue_pipeline.utils.neighbours import nearest, smooth


def vectors_of(n: int, d: int = 384, seed: int = 3) -> Vectors:
    rows = np.random.default_rng(seed).normal(size=(n, d))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def at_angles(*degrees: float) -> Vectors:
    radians = np.radians(degrees)
    return np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)


def test_each_row_finds_itself_and_the_nearest_others():
    assert nearest(at_angles(0, 90, 10, 95), 2).tolist() == [[0, 2], [1, 3], [0, 2], [1, 3]]


def test_neighbours_are_those_at_the_smallest_euclidean_distance():
    vectors = vectors_of(60)
    distances = np.linalg.norm(vectors[:, None] - vectors[None, :], axis=2)
    expected = np.sort(np.argsort(distances, axis=1)[:, :6], axis=1)
    assert nearest(vectors, 6).tolist() == expected.tolist()


def test_a_single_row_is_its_own_neighbour():
    assert nearest(vectors_of(1), 1).tolist() == [[0]]
    assert np.array_equal(smooth(vectors_of(1), neighbours=15), vectors_of(1))


def test_the_size_of_a_block_changes_nothing(monkeypatch: pytest.MonkeyPatch):
    vectors = vectors_of(50)
    whole = smooth(vectors, neighbours=4)
    for rows in (1, 7, 50):
        monkeypatch.setattr(neighbours, "BLOCK_ROWS", rows)
        assert np.allclose(smooth(vectors, neighbours=4), whole, atol=1e-6)


def test_one_round_moves_a_row_to_the_mean_of_itself_and_its_neighbour():
    moved = smooth(at_angles(0, 10, 90, 110), neighbours=1, rounds=1)
    assert np.allclose(moved, at_angles(5, 5, 100, 100), atol=1e-6)


def test_the_second_round_searches_among_the_moved_rows():
    before = vectors_of(60, d=3)
    first = smooth(before, neighbours=4, rounds=1)
    assert nearest(first, 5).tolist() != nearest(before, 5).tolist()
    assert np.allclose(smooth(before, neighbours=4), smooth(first, neighbours=4, rounds=1))


def test_rows_stay_of_unit_length_and_in_their_type():
    moved = smooth(vectors_of(40), neighbours=5)
    assert moved.shape == (40, 384)
    assert moved.dtype == np.float32
    assert np.allclose(np.linalg.norm(moved, axis=1), 1, atol=1e-6)


def test_identical_rows_stay_where_they_are():
    vectors = np.repeat(vectors_of(2), 20, axis=0)
    assert np.allclose(smooth(vectors, neighbours=5), vectors, atol=1e-6)


def test_more_neighbours_than_there_are_rows_are_as_many_as_there_are():
    vectors = vectors_of(4)
    moved = smooth(vectors, neighbours=15)
    assert np.allclose(moved, moved[0], atol=1e-6)


def test_shuffled_rows_move_to_the_same_places():
    vectors = vectors_of(50)
    order = np.random.default_rng(5).permutation(50)
    assert np.allclose(
        smooth(vectors[order], neighbours=4), smooth(vectors, neighbours=4)[order], atol=1e-6
    )


def test_the_input_is_left_alone():
    vectors = vectors_of(10)
    copy = vectors.copy()
    smooth(vectors, neighbours=3)
    assert np.array_equal(vectors, copy)
