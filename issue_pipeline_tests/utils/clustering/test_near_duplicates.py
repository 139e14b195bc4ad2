"""A bot's texts, each posted many times, are one cluster and take nothing from the others."""

import numpy as np

from issue_pipeline.utils.clustering import cluster_embeddings
from issue_pipeline.utils.clustering.near_duplicates import (
    near_duplicates,
    with_copies,
    without_copies,
)
from issue_pipeline.utils.clustering.space import Ranks
from issue_pipeline.utils.embeddings import Vectors

D = 384
TEXTS, POSTS = 20, 400


def unit(rows: np.ndarray) -> Vectors:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def near(vectors: Vectors, count: int = 8) -> Ranks:
    return np.argsort(-(vectors @ vectors.T), axis=1)[:, :count].astype(np.int32)


def notices(*, seed: int = 0) -> np.ndarray:
    """Several texts on one subject, each posted many times with other numbers."""
    dice = np.random.default_rng(seed)
    texts = dice.normal(size=D) + 0.8 * dice.normal(size=(TEXTS, D))
    return texts[np.arange(POSTS) % TEXTS] + 0.1 * dice.normal(size=(POSTS, D))


def others() -> np.ndarray:
    dice = np.random.default_rng(1)
    groups = [dice.normal(size=D) + dice.normal(size=(15, D)) for _ in range(20)]
    return np.concatenate([*groups, dice.normal(size=(400, D))])


def test_a_bots_texts_are_one_cluster():
    labels = cluster_embeddings(unit(np.concatenate([notices(), others()]))).labels
    assert len(np.unique(labels[:POSTS])) == 1
    assert labels[0] == 0
    assert np.mean(labels[POSTS:] == 0) < 0.01


def test_a_bot_takes_nothing_from_the_others():
    beside = unit(others())
    both = np.concatenate([unit(notices()), beside])
    size = len(both) // 200
    alone = np.mean(cluster_embeddings(beside, min_cluster_size=size).labels >= 0)
    labels = cluster_embeddings(both, min_cluster_size=size).labels
    assert alone > 0.3
    assert np.mean(labels[POSTS:] >= 0) >= 0.9 * alone


def test_in_any_order_the_same():
    vectors = unit(np.concatenate([notices(), others()]))
    expected = cluster_embeddings(vectors).labels
    order = np.random.default_rng(2).permutation(len(vectors))
    assert cluster_embeddings(vectors[order]).labels.tolist() == expected[order].tolist()


def test_a_single_text_that_is_posted_often_keeps_all_its_copies():
    vectors = unit(np.concatenate([np.ones((30, D)), others()]))
    groups = near_duplicates(vectors, near(vectors))
    assert len(without_copies(vectors, groups, 3)) == len(vectors)
    labels = cluster_embeddings(vectors).labels
    assert len(np.unique(labels[:30])) == 1
    assert np.sum(labels == labels[0]) == 30


def test_copies_are_those_of_a_cosine_of_95_hundredths():
    angles = np.deg2rad([0, 17, 34, 90, 110])  # cosines: 0.956, 0.956, and 0.940
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    groups = near_duplicates(vectors, near(vectors)).tolist()
    assert groups[0] == groups[1] == groups[2]
    assert len(set(groups)) == 3


def test_of_two_texts_near_each_other_only_some_copies_are_kept():
    directions = np.array([[1, 0, 0], [0.8, 0.6, 0], [0, 0, 1]], np.float32)
    vectors = np.repeat(directions, [5, 6, 1], axis=0)
    groups = np.repeat([0, 1, 2], [5, 6, 1])
    assert without_copies(vectors, groups, 2).tolist() == [0, 1, 5, 6, 11]


def test_copies_go_where_most_of_their_text_went():
    groups = np.array([0, 0, 0, 0, 1, 1, 2])
    kept = np.array([0, 1, 2, 4, 6])
    found = with_copies(np.array([5, 5, -1, -1, 0]), kept, groups, 2)
    assert found[:4].tolist() == [5, 5, 5, 5]
    assert found[6] == 0
    # Of a text that belongs to no cluster the copies are one, if they are enough.
    assert found[4] == found[5] >= 6
    assert with_copies(np.array([5, 5, -1, -1, 0]), kept, groups, 3)[4:6].tolist() == [-1, -1]
