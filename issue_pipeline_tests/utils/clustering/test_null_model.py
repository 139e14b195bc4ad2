import numpy as np
import pytest

from issue_pipeline.utils.clustering.null_model import (
    NullModel,
    mean_cosine,
    mean_cosines_to_others,
)
from issue_pipeline.utils.embeddings import Vectors


def vectors_of(n: int, d: int = 16) -> Vectors:
    rows = np.random.default_rng(2).normal(size=(n, d)) + 0.3
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("n", [10, 40])
def test_the_null_model_is_of_all_pairs_that_no_cluster_holds(n: int):
    vectors, labels = vectors_of(n), np.arange(n) % 4 - 1
    together = (labels[:, None] == labels) & (labels[:, None] >= 0)
    cosines = (vectors @ vectors.T)[np.triu(~together, 1)]
    null_model = NullModel.of(vectors, labels)
    assert null_model.mean == pytest.approx(cosines.mean(), abs=1e-5)
    assert null_model.deviation == pytest.approx(cosines.std(), abs=1e-5)


def test_where_one_cluster_holds_everything_there_is_no_null_model():
    assert NullModel.of(vectors_of(5), np.zeros(5, np.int64)) == NullModel(0.0, 0.0)


def test_likeness_is_the_mean_cosine_of_different_rows():
    vectors = vectors_of(7)
    cosines = vectors @ vectors.T
    others = (cosines.sum(axis=1) - 1) / 6
    assert mean_cosine(vectors) == pytest.approx(cosines[np.triu_indices(7, 1)].mean(), abs=1e-6)
    assert np.allclose(mean_cosines_to_others(vectors), others, atol=1e-6)


def test_no_random_subset_is_more_alike_than_the_bound():
    dice = np.random.default_rng(3)
    null_model = NullModel(mean=0.1, deviation=0.2)
    for pairs, choices in ((1, 100), (10, 100), (10, 1_000)):
        means = dice.normal(0.1, 0.2, (200, choices, pairs)).mean(axis=2).max(axis=1)
        bound = null_model.upper_bound(pairs, np.log(choices))
        assert np.mean(means) < bound < np.mean(means) + 0.15
