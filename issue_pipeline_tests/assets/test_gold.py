from datetime import date
from typing import Any

from issue_pipeline.assets import clusters, issues
from issue_pipeline_tests.assets.conftest import DAY, changed
from issue_pipeline_tests.support.scripted_model import Reply, about_the_posts
from issue_pipeline_tests.support.stored_day import store_clusters, told_by_five


def store(pipeline: Any) -> None:
    store_clusters(pipeline.resources["database"], date.fromisoformat(DAY), told_by_five(3))


def test_every_cluster_gets_a_row_and_good_ones_exactly_their_evidence(pipeline):
    pipeline.collect()
    pipeline.run(clusters)
    pipeline.run(issues)
    assert pipeline.query(
        "SELECT cluster_id, cluster_size FROM gold.issues ORDER BY ALL"
    ) == pipeline.query("SELECT cluster_id, cluster_size FROM silver.clusters ORDER BY ALL")
    assert pipeline.query(
        "SELECT cluster_id, url_hash FROM gold.issue_evidence ORDER BY ALL"
    ) == pipeline.query(
        "SELECT cluster_id, url_hash FROM silver.cluster_assignments WHERE cluster_id >= 0"
        " ORDER BY ALL"
    )


def test_labelling_again_calls_no_model_and_changes_nothing(pipeline):
    store(pipeline)
    pipeline.run(issues)
    before, calls = pipeline.tables(), pipeline.model.calls
    assert calls == len(before["gold.issues"]) == 3
    pipeline.run(issues)
    assert pipeline.model.calls == calls
    assert pipeline.tables() == before


def test_a_failed_label_has_no_evidence_and_is_tried_again(make_pipeline):
    answers = {"bad": True}
    pipeline = make_pipeline(
        lambda request: Reply("I would rather not.") if answers["bad"] else about_the_posts(request)
    )
    store(pipeline)
    assert not pipeline.attempt(issues).success  # not one label of the day
    rows = pipeline.query("SELECT DISTINCT label_failed, label_source, model FROM gold.issues")
    assert rows == [(True, "failed", "")]
    assert pipeline.query("SELECT * FROM gold.issue_evidence") == []
    ((failed,),) = pipeline.query("SELECT count(*) FROM gold.issues")
    assert pipeline.model.calls == 2 * failed > 0

    answers["bad"] = False
    metadata = pipeline.run(issues)
    assert metadata["failed"] == 0
    assert pipeline.query("SELECT DISTINCT label_failed FROM gold.issues") == [(False,)]


def test_without_a_model_the_step_says_which_setting_is_missing(pipeline):
    store(pipeline)
    pipeline.resources["llm"] = changed(pipeline.resources["llm"], local_model="")
    result = pipeline.attempt(issues)
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    assert "LLM_LOCAL_MODEL" in failure.step_failure_data.user_failure_data.description


def test_posts_that_were_never_clustered_are_an_error_that_says_what_to_do(pipeline):
    pipeline.collect()
    result = pipeline.attempt(issues)
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    description = failure.step_failure_data.user_failure_data.description
    assert "Materialise silver/clusters" in description


def test_a_forms_question_that_the_day_shares_is_in_no_snippet(pipeline):
    question = "### Anything in the logs that might be useful for us?"
    clusters_of_three = [
        [(f"The {thing} {how}", f"{question}\n\nThe {thing} {how} since Monday.") for how in hows]
        for thing, hows in {
            "printer": ("jams", "is jammed", "keeps jamming"),
            "invoice": ("vanishes", "has vanished", "keeps vanishing"),
        }.items()
    ]
    store_clusters(pipeline.resources["database"], date.fromisoformat(DAY), clusters_of_three)
    pipeline.run(issues)
    snippets = [row[0] for row in pipeline.query("SELECT snippet FROM gold.issue_evidence")]
    assert len(snippets) == 6
    assert not [snippet for snippet in snippets if "Anything in the logs" in snippet]
