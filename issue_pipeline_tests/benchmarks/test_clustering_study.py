import pytest

from benchmarks.clustering_study import Setting
from issue_pipeline.utils.clustering import cluster_embeddings
from issue_pipeline_tests.utils.clustering.test_clustering import groups, members


@pytest.mark.parametrize(("sizes", "noise"), [([60] * 8, 300), ([150, 30, 12], 40), ([90], 20)])
def test_the_study_of_settings_starts_from_what_the_pipeline_does(sizes: list[int], noise: int):
    vectors = groups(sizes, spread=1.8, noise=noise)
    expected = members(cluster_embeddings(vectors).labels)
    assert expected
    assert members(Setting().labels(vectors)) == expected
