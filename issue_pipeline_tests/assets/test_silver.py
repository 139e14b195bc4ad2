from typing import Any

import pytest

from issue_pipeline.assets import clusters, silver
from issue_pipeline_tests.support.small_day import PROBLEMS, TITLES


def test_every_post_of_the_day_is_assigned_once_and_each_problem_is_a_cluster(pipeline):
    pipeline.collect()
    metadata = pipeline.run(clusters)

    assert pipeline.query(
        "SELECT count(*), count(DISTINCT url_hash) FROM silver.cluster_assignments"
    ) == [(len(TITLES), len(TITLES))]
    members: dict[int, set[str]] = {}
    for cluster_id, title in pipeline.query(
        "SELECT cluster_id, title FROM silver.cluster_assignments"
        " JOIN bronze.raw_items USING (url_hash) WHERE cluster_id >= 0"
    ):
        members.setdefault(cluster_id, set()).add(title)
    assert len(members) == len(PROBLEMS)
    for titles in PROBLEMS.values():
        best = max(members.values(), key=lambda cluster: len(cluster & set(titles)))
        assert len(best & set(titles)) >= 5
    assert metadata["clusters"] == len(PROBLEMS)
    assert metadata["items"] == len(TITLES)


@pytest.mark.parametrize("mode", ["raw", "smoothed"])
def test_the_mode_is_recorded_with_every_cluster(pipeline, monkeypatch, mode):
    monkeypatch.setenv("CLUSTERING_MODE", mode)
    pipeline.collect()
    pipeline.run(clusters)
    assert pipeline.query("SELECT DISTINCT mode, min_cluster_size FROM silver.clusters") == [
        (mode, 5)
    ]


def test_the_smallest_cluster_can_be_set(pipeline, monkeypatch):
    monkeypatch.setenv("CLUSTERING_MIN_SIZE", "6")
    pipeline.collect()
    pipeline.run(clusters)
    for size, least in pipeline.query("SELECT cluster_size, min_cluster_size FROM silver.clusters"):
        assert least == 6
        assert size >= 6


def test_quality_is_told_for_each_cluster(pipeline):
    pipeline.collect()
    pipeline.run(clusters)
    ((noise,),) = pipeline.query("SELECT DISTINCT outlier_ratio FROM silver.clusters")
    ((counted,),) = pipeline.query(
        "SELECT avg((cluster_id = -1)::INTEGER) FROM silver.cluster_assignments"
    )
    assert noise == pytest.approx(counted)
    for size, distance in pipeline.query("SELECT cluster_size, mean_distance FROM silver.clusters"):
        assert size >= 5
        assert 0 < distance < 1.2


def test_no_embedding_is_stored(pipeline):
    pipeline.run_day()
    types = {
        kind
        for (kind,) in pipeline.query("SELECT DISTINCT data_type FROM information_schema.columns")
    }
    assert not [kind for kind in types if "[" in kind or "BLOB" in kind or "FLOAT" in kind]


def test_a_day_that_was_never_collected_is_an_error_that_says_what_to_do(pipeline):
    result = pipeline.attempt(clusters)
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    description = failure.step_failure_data.user_failure_data.description
    assert "Materialise bronze/raw_items" in description


def test_what_a_source_brings_while_the_day_is_clustered_is_not_overlooked(pipeline, monkeypatch):
    pipeline.collect()
    cluster = silver.cluster_posts

    def overtaken(*given: Any, **named: Any) -> Any:
        with pipeline.resources["database"].write() as connection:
            connection.execute("UPDATE bronze.raw_items SET title = title || '!' WHERE rowid = 0")
        return cluster(*given, **named)

    monkeypatch.setattr(silver, "cluster_posts", overtaken)
    result = pipeline.attempt(clusters)
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    assert "brought something new" in failure.step_failure_data.user_failure_data.description
    assert pipeline.query("SELECT count(*) FROM silver.cluster_assignments") == [(0,)]
