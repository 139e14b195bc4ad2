import numpy as np
import pytest
from hdbscan import HDBSCAN

from issue_pipeline.utils.clustering import reachability
from issue_pipeline.utils.clustering import spanning_tree as module
from issue_pipeline.utils.clustering.space import SharedRows
from issue_pipeline.utils.clustering.spanning_tree import Edges
from issue_pipeline.utils.embeddings import Vectors
from issue_pipeline.utils.executor import LocalExecutor


def spanning_tree(vectors: Vectors, min_samples: int) -> Edges:
    return module.spanning_tree(SharedRows.of(vectors, LocalExecutor()), min_samples)


def unit(rows: np.ndarray) -> Vectors:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def blobs(sizes: list[int], *, spread: float, d: int = 384, seed: int = 7) -> Vectors:
    dice = np.random.default_rng(seed)
    parts = [dice.normal(size=d) + spread * dice.normal(size=(size, d)) for size in sizes]
    return unit(np.concatenate(parts))


def grid(side: int) -> Vectors:
    return np.stack(np.meshgrid(np.arange(side), np.arange(side)), -1).reshape(-1, 2).astype("f4")


def mutual_reachability(vectors: Vectors, min_samples: int) -> np.ndarray:
    rows = vectors.astype(np.float64)
    distances = np.linalg.norm(rows[:, None] - rows[None, :], axis=2)
    core = np.sort(distances, axis=1)[:, min(len(rows) - 1, min_samples)]
    return np.maximum(distances, np.maximum(core[:, None], core[None, :]))


def prim(costs: np.ndarray) -> np.ndarray:
    """The textbook's tree, for small n: the sorted weights."""
    cheapest, left, weights = costs[0].copy(), np.arange(1, len(costs)), []
    while len(left):
        nearest = left[cheapest[left].argmin()]
        weights.append(cheapest[nearest])
        left = left[left != nearest]
        cheapest = np.minimum(cheapest, costs[nearest])
    return np.sort(weights)


INPUTS = {
    "null_model": blobs([1] * 150, spread=1.0),
    "groups": blobs([60, 40, 50], spread=0.5),
    "duplicates": np.repeat(blobs([1] * 12, spread=1.0), 15, axis=0),
    "one row many times among others": np.concatenate(
        [
            np.repeat(blobs([1], spread=1.0), 90, axis=0),
            blobs([60], spread=1.0, seed=8),
        ]
    ),
    "nearly the same": blobs([80, 80], spread=1e-4),
    "nearer than float32 products can tell": blobs([80, 80], spread=1e-6),
    "small groups nearer than that": blobs([26] * 6, spread=1e-6),
    "all equal": np.ones((120, 384), np.float32),
    "all zero": np.zeros((120, 8), np.float32),
    "ties everywhere": grid(13),
    "far from the origin": (1000 + np.random.default_rng(3).normal(size=(140, 20))).astype("f4"),
    "two": blobs([2], spread=1.0),
    "three": blobs([3], spread=1.0),
}


# With 40 or more, lists are longer than what is kept of them.
@pytest.mark.parametrize("min_samples", [1, 2, 5, 20, 40, 60])
@pytest.mark.parametrize("name", INPUTS)
def test_the_tree_is_the_cheapest_there_is(name: str, min_samples: int):
    vectors = INPUTS[name]
    costs = mutual_reachability(vectors, min_samples)
    tree = spanning_tree(vectors, min_samples)
    assert np.allclose(tree.weights, prim(costs), rtol=1e-6, atol=1e-8)
    # What it says an edge costs is what that edge costs ...
    assert np.allclose(costs[tree.ends[:, 0], tree.ends[:, 1]], tree.weights, rtol=1e-6, atol=1e-8)
    # ... and it reaches every point.
    reached = {0}
    for _ in range(len(vectors)):
        reached |= {int(p) for edge in tree.ends if reached & set(edge.tolist()) for p in edge}
        if len(reached) == len(vectors):
            break
    assert len(reached) == len(vectors)


@pytest.mark.parametrize("seed", range(12))
def test_the_cheapest_edge_is_found_where_long_lists_keep_only_some(seed: int):
    """Two groups, dense within and sparse around: from one to the other, few lists keep a way."""
    dice = np.random.default_rng(seed)
    points = np.concatenate([dice.normal(size=80), 5 + dice.normal(size=80)])
    vectors = points[:, None].astype(np.float32)
    expected = prim(mutual_reachability(vectors, 60))
    assert np.allclose(spanning_tree(vectors, 60).weights, expected, rtol=1e-6)


@pytest.mark.parametrize("seed", range(12))
def test_the_cheapest_edge_is_found_where_products_cannot_tell_many_ends_apart(seed: int):
    """Far from the origin, float32 products round by more than the two groups are wide."""
    dice = np.random.default_rng(seed)
    points = np.concatenate([start + dice.uniform(0, 0.03, 120) for start in (300, 300.1)])
    vectors = points[:, None].astype(np.float32)
    expected = prim(mutual_reachability(vectors, 3))
    assert np.allclose(spanning_tree(vectors, 3).weights, expected, rtol=1e-6)


def test_the_tree_is_hdbscans():
    vectors = blobs([200, 300, 200], spread=1.5)
    library = HDBSCAN(
        min_cluster_size=10, min_samples=5, gen_min_span_tree=True, core_dist_n_jobs=1
    ).fit(vectors.astype(np.float64))
    weights = library.minimum_spanning_tree_.to_numpy()[:, 2]
    assert np.allclose(spanning_tree(vectors, 5).weights, np.sort(weights), rtol=1e-7)


@pytest.mark.parametrize("name", ["null_model", "groups", "duplicates", "ties everywhere"])
def test_lists_too_short_to_prove_anything_cost_time_and_no_truth(
    name: str, monkeypatch: pytest.MonkeyPatch
):
    expected = spanning_tree(INPUTS[name], 3).weights
    monkeypatch.setattr(reachability, "_MORE_NEIGHBOURS", 0)
    monkeypatch.setattr(reachability, "_MOST_LISTED", 2)
    monkeypatch.setattr(module, "_KEPT_EDGES", 1)
    monkeypatch.setattr(module, "_SEARCHED_POINTS", 1)
    assert np.allclose(spanning_tree(INPUTS[name], 3).weights, expected, rtol=1e-9)


def test_edges_come_cheapest_first_and_the_smaller_point_leads():
    tree = spanning_tree(INPUTS["groups"], 3)
    assert (np.diff(tree.weights) >= 0).all()
    assert (tree.ends[:, 0] < tree.ends[:, 1]).all()


def test_more_neighbours_than_points_are_all_points():
    vectors = blobs([6], spread=1.0)
    assert np.array_equal(spanning_tree(vectors, 50).weights, spanning_tree(vectors, 5).weights)


def test_the_rows_are_left_alone():
    vectors = INPUTS["groups"].copy()
    spanning_tree(vectors, 3)
    assert np.array_equal(vectors, INPUTS["groups"])
