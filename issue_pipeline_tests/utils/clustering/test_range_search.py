import weakref
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.metrics import adjusted_rand_score

from issue_pipeline.utils.clustering import (
    cells,
    cluster_embeddings,
    neighbours,
    range_search,
    space,
)
from issue_pipeline.utils.clustering.cells import blocks_of
from issue_pipeline.utils.clustering.space import Space
from issue_pipeline.utils.embeddings import Vectors
from issue_pipeline_tests.utils.clustering.test_neighbours import grouped, shared, vectors_of


@pytest.fixture(autouse=True)
def small_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Search few rows as many: in tiles of a hundred."""
    monkeypatch.setattr(cells, "_LEAST_SEARCHED", 200)
    monkeypatch.setattr(space, "_MAX_BLOCK_ROWS", 100)


def distances_found(vectors: Vectors, k: int) -> np.ndarray:
    """Search the nearest of all rows: float64 (n, k), their distances, nearest first."""
    rows, found = shared(vectors), np.full((len(vectors), k), np.nan)
    search = partial(neighbours.nearest, ranks=[k])
    for block, near in rows.mapped(search, blocks_of(rows, k)):
        pairs = vectors[block.rows][:, None] - vectors[near.rows]
        found[block.rows] = np.sort(np.linalg.norm(pairs.astype(np.float64), axis=2), axis=1)
    return found


def exact_distances(vectors: Vectors, k: int) -> np.ndarray:
    every = vectors.astype(np.float64)
    return np.sort(cdist(every, every), axis=1)[:, :k]


def searched_by_products(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count the rows that are searched one by one."""
    counts: list[int] = []
    products: Callable[..., Any] = Space.products

    def counting(self: Space, rows: Any, columns: Any = None) -> Any:
        if columns is None:
            counts.append(len(np.arange(self.n)[rows]))
        return products(self, rows, columns)

    monkeypatch.setattr(Space, "products", counting)
    return counts


def lengths_differ(vectors: Vectors) -> Vectors:
    scales = np.random.default_rng(8).uniform(0.1, 10, size=len(vectors))
    return (vectors * scales[:, None]).astype(np.float32)


def half_of_them_identical(vectors: Vectors) -> Vectors:
    copies = vectors.copy()
    copies[::2] = copies[0]
    return copies


def one_dimension(vectors: Vectors) -> Vectors:
    line = np.zeros_like(vectors)
    line[:, 0] = np.arange(len(vectors))
    return line


@pytest.mark.parametrize(
    "changed", [np.copy, lengths_differ, half_of_them_identical, one_dimension, np.zeros_like]
)
def test_what_is_found_are_the_nearest_however_the_rows_lie(changed: Callable[[Vectors], Vectors]):
    vectors = changed(vectors_of(950, d=24))
    for k in (1, 12, 60):
        assert np.allclose(distances_found(vectors, k), exact_distances(vectors, k), atol=1e-5)


def test_almost_all_rows_are_found_without_a_search_of_their_own(monkeypatch: pytest.MonkeyPatch):
    counts = searched_by_products(monkeypatch)
    vectors = grouped(40, 30)
    assert np.allclose(distances_found(vectors, 20), exact_distances(vectors, 20), atol=1e-6)
    assert sum(counts) <= 0.02 * len(vectors)


@pytest.mark.parametrize("changed", [np.copy, lengths_differ])
def test_a_row_whose_radius_holds_too_few_is_searched_by_itself(
    changed: Callable[[Vectors], Vectors], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(range_search, "_DEVIATIONS", -1)
    counts = searched_by_products(monkeypatch)
    vectors = changed(grouped(40, 30))
    assert np.allclose(distances_found(vectors, 20), exact_distances(vectors, 20), atol=1e-6)
    assert 0.2 * len(vectors) <= sum(counts) < len(vectors)


def test_far_too_many_pairs_are_not_kept(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(range_search, "_MOST_EXCESS", 0.3)
    vectors = vectors_of(900, d=24)
    assert all(not block.pairs for block in list(blocks_of(shared(vectors), 20))[-3:])
    assert np.allclose(distances_found(vectors, 20), exact_distances(vectors, 20), atol=1e-6)


def test_each_pair_of_rows_is_multiplied_once(monkeypatch: pytest.MonkeyPatch):
    products = 0
    dots: Callable[..., Any] = Space.dots

    def counting(self: Space, vectors: Any, columns: Any) -> Any:
        nonlocal products
        found = dots(self, vectors, columns)
        products += found.numel()
        return found

    monkeypatch.setattr(Space, "dots", counting)
    n = 2_000
    for _ in blocks_of(shared(vectors_of(n, d=24)), 20):
        pass
    # Half of all, the pairs within a tile twice, and those with the sample.
    assert products <= (1 / 2 + 1 / 40 + 1 / 8 + 0.01) * n**2


@pytest.fixture
def alive(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Count the pairs that are in memory, but for those that tiles have found themselves."""
    packed: list[weakref.ref[Any]] = []
    pack = range_search.packed

    def noting(*parts: Any) -> Any:
        pairs = pack(*parts)
        packed.append(weakref.ref(pairs))
        return pairs

    monkeypatch.setattr(range_search, "packed", noting)
    return lambda: sum(len(pairs) for one in packed if (pairs := one()) is not None)


def test_no_more_pairs_wait_than_a_quarter_and_what_is_computed_ahead(alive: Callable[[], int]):
    rows = shared(vectors_of(4_000, d=24))
    most = every = 0
    for block, _ in rows.mapped(partial(neighbours.nearest, ranks=[20]), blocks_of(rows, 20)):
        every += sum(map(len, block.pairs))
        most = max(most, alive())
    assert every / 5 < most < every / 3


def test_where_too_many_pairs_would_wait_some_are_multiplied_twice(
    alive: Callable[[], int], monkeypatch: pytest.MonkeyPatch
):
    vectors, k = vectors_of(4_000, d=24), 20
    searched_alone = searched_by_products(monkeypatch)

    def most_waiting() -> int:
        return max(alive() for _ in blocks_of(shared(vectors), k))

    without_limit = most_waiting()
    monkeypatch.setattr(range_search, "_MOST_WAITING", 30_000)
    assert most_waiting() < without_limit / 2
    monkeypatch.setattr(range_search, "_MOST_WAITING", 1)
    exact = exact_distances(vectors, k)
    assert np.allclose(distances_found(vectors, k), exact, atol=1e-6)
    assert sum(searched_alone) <= 0.02 * len(vectors)


@pytest.mark.parametrize("most_waiting", [1_000_000, 5_000])
def test_many_rows_are_compared_with_those_around_their_cell(
    most_waiting: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(range_search, "_MOST_WAITING", most_waiting)
    monkeypatch.setattr(cells, "COMPARED_ROWS", 400)
    monkeypatch.setattr(cells, "_CELL_ROWS", 100)
    vectors = grouped(30, 60)
    blocks = list(blocks_of(shared(vectors), 20))
    assert any(len(pairs) for block in blocks for pairs in block.pairs)
    rows = np.concatenate([np.arange(len(vectors))[block.rows] for block in blocks])
    assert np.array_equal(np.sort(rows), np.arange(len(vectors)))
    found, exact = distances_found(vectors, 20), exact_distances(vectors, 20)
    assert (found <= exact + 1e-5).mean() >= 0.9


@pytest.mark.parametrize("mode", ["smoothed", "raw"])
def test_the_partition_of_many_rows_is_nearly_the_exact_one_and_does_not_depend_on_their_order(
    mode: str, monkeypatch: pytest.MonkeyPatch
):
    vectors = np.concatenate([grouped(20, 60), grouped(20, 60)[:50]])
    exact = cluster_embeddings(vectors, mode=mode).labels
    monkeypatch.setattr(cells, "COMPARED_ROWS", 400)
    monkeypatch.setattr(cells, "_SMOOTHED_COMPARED", 300)
    monkeypatch.setattr(cells, "_CELL_ROWS", 100)
    labels = cluster_embeddings(vectors, mode=mode).labels
    assert adjusted_rand_score(exact, labels) >= 0.9
    order = np.random.default_rng(6).permutation(len(vectors))
    assert np.array_equal(cluster_embeddings(vectors[order], mode=mode).labels, labels[order])
    # Rows that are twice there are in the same cluster.
    assert np.array_equal(labels[-50:], labels[:50])


def test_tiles_that_cannot_be_packed_are_refused():
    rows = shared(vectors_of(3_000, d=24))
    with pytest.raises(ValueError, match="3000 rows in tiles of 3000 are too many"):
        next(range_search.pairs_within_reach(rows, [slice(None)], np.ones((1, 1), bool), 5))
