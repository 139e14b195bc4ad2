"""What the automation knows of a day comes from tags of the steps, not from what the UI shows."""

from datetime import date

import dagster as dg
import pytest

from issue_pipeline.assets import bronze, clusters, gold, issues, raw_items, silver
from issue_pipeline.assets.event_tags import input_version
from issue_pipeline.automation.processing import DayState, day_states
from issue_pipeline.partitions import SOURCES
from issue_pipeline_tests.assets.conftest import DAY, Pipeline
from issue_pipeline_tests.support.scripted_model import Reply


def state(pipeline: Pipeline) -> DayState:
    (found,) = day_states(pipeline.instance, [date.fromisoformat(DAY)])
    return found


def test_a_day_is_followed_through_its_steps_whatever_the_ui_shows(pipeline, monkeypatch):
    for module, name in ((silver, "cluster_metadata"), (gold, "label_metadata")):
        monkeypatch.setattr(module, name, lambda *_: {})
    monkeypatch.setattr(bronze, "expected_count", lambda _: "-")
    pipeline.collect()
    assert state(pipeline).waits_for == []
    assert not state(pipeline).is_processed
    pipeline.attempt(clusters)
    assert state(pipeline).is_processed
    assert state(pipeline).lacks_labels
    pipeline.attempt(issues)
    assert not state(pipeline).lacks_labels


def test_a_day_whose_labels_failed_lacks_them(make_pipeline):
    pipeline = make_pipeline(lambda _: Reply(status=500))
    pipeline.collect()
    pipeline.attempt(clusters)
    pipeline.attempt(issues)
    assert state(pipeline).lacks_labels


def test_a_day_is_processed_again_only_after_other_posts_came(pipeline):
    pipeline.collect()
    pipeline.attempt(clusters)
    pipeline.attempt(raw_items, f"{DAY}|github")
    assert state(pipeline).is_processed
    with pipeline.resources["database"].write() as connection:
        connection.execute("DELETE FROM bronze.raw_items WHERE source = 'github'")
        connection.execute("DELETE FROM bronze.collections WHERE source = 'github'")
    pipeline.resources["collectors"] = type(pipeline.resources["collectors"])(
        github={**pipeline.resources["collectors"].github.model_dump(), "query": "is:issue bug"},
    )
    pipeline.attempt(raw_items, f"{DAY}|github")
    assert not state(pipeline).is_processed


def test_a_week_takes_one_query_an_asset_and_one_for_runs(monkeypatch):
    days = [date(2026, 3, day) for day in range(1, 8)]
    asked = []
    with dg.DagsterInstance.ephemeral() as instance:
        for day in days:
            for source in SOURCES:
                instance.report_runless_asset_event(
                    dg.AssetMaterialization(raw_items.key, partition=f"{day}|{source}")
                )
        for name in ("fetch_materializations", "get_runs"):
            real = getattr(instance, name)

            def counted(*given, _real=real, _name=name, **named):
                asked.append(_name)
                return _real(*given, **named)

            monkeypatch.setattr(instance, name, counted)
        assert [state.waits_for for state in day_states(instance, days)] == [[]] * len(days)
    assert sorted(asked) == [*["fetch_materializations"] * 3, "get_runs"]


def test_the_digest_of_what_came_in_ignores_the_order_and_nothing_else():
    versions = {"github": "3 posts", "reddit": "5 posts"}
    assert input_version(versions) == input_version(dict(reversed(versions.items())))
    for other in ({"github": "3 posts"}, {"github": "3 posts", "reddit": "6 posts"}, {}):
        assert input_version(other) != input_version(versions)


@pytest.mark.parametrize("mode", ["raw", "smoothed"])
def test_a_run_may_have_a_clustering_of_its_own(pipeline, monkeypatch, mode):
    monkeypatch.setenv("CLUSTERING_MODE", "smoothed" if mode == "raw" else "raw")
    pipeline.collect()
    result = dg.materialize(
        [clusters],
        partition_key=DAY,
        instance=pipeline.instance,
        resources=pipeline.resources,
        run_config=dg.RunConfig(
            ops={"silver__clusters": silver.ClusteringConfig(mode=mode, min_size=6)}
        ),
    )
    assert result.success
    assert pipeline.query("SELECT DISTINCT mode, min_cluster_size FROM silver.clusters") == [
        (mode, 6)
    ]


@pytest.mark.parametrize("config", [{"mode": "smooth"}, {"min_size": 1}, {"min_size": -1}])
def test_a_clustering_that_makes_no_sense_is_refused(config):
    with pytest.raises(ValueError, match=r"raw|at least 2"):
        silver.ClusteringConfig(**config)
