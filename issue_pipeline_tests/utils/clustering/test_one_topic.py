"""One topic is one cluster, and a large one leaves the other posts alone."""

import numpy as np
import pytest

from issue_pipeline.utils.clustering import cluster_embeddings
from issue_pipeline.utils.clustering.merging import estimate_null_model, merge_parts
from issue_pipeline.utils.clustering.null_model import NullModel
from issue_pipeline.utils.embeddings import Vectors

D = 384


def unit(rows: np.ndarray) -> Vectors:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def told_by(people: int, *, seed: int, aspects: int = 6) -> np.ndarray:
    """Reports of one problem: each stresses some of its aspects, in words of its own."""
    dice = np.random.default_rng(seed)
    problem, sides = dice.normal(size=D), dice.normal(size=(aspects, D))
    stressed = 0.7 * dice.normal(size=(people, aspects)) / np.sqrt(aspects)
    return problem + stressed @ sides + 0.5 * dice.normal(size=(people, D))


def small_groups(count: int, *, seed: int = 3) -> np.ndarray:
    dice = np.random.default_rng(seed)
    return np.concatenate([dice.normal(size=D) + dice.normal(size=(15, D)) for _ in range(count)])


def unrelated(count: int, *, seed: int = 4) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, D))


@pytest.mark.parametrize(
    ("people", "aspects", "seed"), [(15, 6, 0), (60, 6, 0), (60, 10, 1), (200, 6, 0)]
)
def test_reports_of_one_problem_are_one_cluster(people: int, aspects: int, seed: int):
    reports = told_by(people, seed=seed, aspects=aspects)
    vectors = unit(np.concatenate([reports, small_groups(20), unrelated(500)]))
    labels = cluster_embeddings(vectors).labels
    ids, sizes = np.unique(labels[:people][labels[:people] >= 0], return_counts=True)
    assert len(ids) == 1
    assert sizes.max() >= 0.85 * people


@pytest.mark.parametrize("people", [250, 500])
def test_a_large_topic_leaves_the_others_alone(people: int):
    others = unit(np.concatenate([small_groups(20), unrelated(400)]))
    vectors = np.concatenate([unit(told_by(people, seed=0)), others])
    size = len(vectors) // 200
    beside = np.mean(cluster_embeddings(vectors, min_cluster_size=size).labels[people:] >= 0)
    alone = np.mean(cluster_embeddings(others, min_cluster_size=size).labels >= 0)
    assert alone > 0.3
    assert beside >= 0.9 * alone


def test_problems_of_one_field_stay_apart():
    """Related, but each denser than what lies between them."""
    dice = np.random.default_rng(5)
    field = dice.normal(size=D)
    problems = [field + dice.normal(size=D) + 0.5 * dice.normal(size=(40, D)) for _ in range(4)]
    labels = cluster_embeddings(unit(np.concatenate([*problems, unrelated(600)]))).labels
    found = [set(labels[i * 40 : i * 40 + 40].tolist()) - {-1} for i in range(4)]
    assert all(len(ids) == 1 for ids in found)
    assert len(set.union(*found)) == 4


@pytest.mark.parametrize("mode", ["raw", "smoothed"])
def test_a_divided_topic_is_put_together_the_same_in_any_order(mode: str):
    vectors = unit(np.concatenate([told_by(60, seed=2), small_groups(6), unrelated(200)]))
    expected = cluster_embeddings(vectors, mode=mode).labels
    assert cluster_embeddings(vectors, mode=mode).labels.tolist() == expected.tolist()
    for seed in range(3):
        order = np.random.default_rng(seed).permutation(len(vectors))
        again = cluster_embeddings(vectors[order], mode=mode).labels
        assert again.tolist() == expected[order].tolist()


def two_parts(cosine: float) -> tuple[Vectors, np.ndarray]:
    """Two parts of twenty equal posts each, and what they are numbered."""
    directions = np.array([[1, 0, 0], [cosine, np.sqrt(1 - cosine**2), 0]], np.float32)
    return np.repeat(directions, 20, axis=0), np.repeat([0, 1], 20)


@pytest.mark.parametrize(
    ("cosine", "null_mean", "clusters"),
    [
        pytest.param(0.65, 0.0, 1, id="across more than three fifths as alike as within"),
        pytest.param(0.55, 0.0, 2, id="less"),
        pytest.param(0.55, -0.2, 1, id="three fifths beyond the null model"),
        pytest.param(0.65, 0.3, 2, id="not beyond a null model that is alike, too"),
    ],
)
def test_parts_are_merged_by_how_alike_they_are(cosine: float, null_mean: float, clusters: int):
    vectors, parts = two_parts(cosine)
    merged = merge_parts(parts, np.zeros(40, np.int64), vectors, null_mean)
    assert len(np.unique(merged)) == clusters


@pytest.mark.parametrize(
    ("outside", "clusters"), [pytest.param(8, 1, id="12 of 20"), pytest.param(9, 2, id="11 of 20")]
)
def test_parts_are_merged_only_within_one_cluster_of_the_vectors_as_they_are(
    outside: int, clusters: int
):
    vectors, parts = two_parts(0.9)
    unsmoothed = np.zeros(40, np.int64)
    unsmoothed[:outside] = -1
    assert len(np.unique(merge_parts(parts, unsmoothed, vectors, 0.0))) == clusters
    unsmoothed[20:] = 1
    assert len(np.unique(merge_parts(parts, unsmoothed, vectors, 0.0))) == 2


def test_a_chain_of_neighbours_is_not_one_topic():
    angles = np.deg2rad(np.arange(5) * 40)
    vectors = np.repeat(np.stack([np.cos(angles), np.sin(angles)], 1), 10, axis=0)
    parts = np.repeat(np.arange(5), 10)
    merged = merge_parts(parts, np.zeros(50, np.int64), vectors.astype(np.float32), 0.0)
    assert 2 <= len(np.unique(merged)) < 5


def test_noise_stays_noise_and_gaps_in_the_numbers_close():
    vectors, parts = two_parts(0.1)
    parts = np.where(parts == 1, 7, parts)
    parts[[3, 25]] = -1
    merged = merge_parts(parts, np.zeros(40, np.int64), vectors, 0.0)
    assert np.flatnonzero(merged == -1).tolist() == [3, 25]
    assert np.unique(merged).tolist() == [-1, 0, 1]
    assert merge_parts(np.full(40, -1), np.zeros(40, np.int64), vectors, 0.0).tolist() == [-1] * 40


def test_the_null_model_leaves_pairs_between_parts_of_one_topic_out():
    topic, others = told_by(120, seed=1), unrelated(200)
    vectors = unit(np.concatenate([topic, others]))
    near = np.argsort(-(vectors @ vectors.T), axis=1)[:, :7].astype(np.int32)
    divided = np.concatenate([np.arange(120) % 8, np.full(200, -1)])
    whole = np.where(divided >= 0, 0, -1)
    expected = NullModel.of(vectors, whole)
    assert NullModel.of(vectors, divided).deviation > 1.5 * expected.deviation
    found = estimate_null_model(vectors, divided, near)
    assert found.mean == pytest.approx(expected.mean, abs=0.01)
    assert found.deviation == pytest.approx(expected.deviation, rel=0.1)
