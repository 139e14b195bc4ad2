"""Two runs that label one day at the same time lose nothing that was paid for."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from issue_pipeline.assets import gold as gold_assets
from issue_pipeline.assets import issues
from issue_pipeline.assets.failures import MAY_SUCCEED_LATER_TAG
from issue_pipeline.labels.preparation import prepare_clusters
from issue_pipeline_tests.assets.conftest import DAY
from issue_pipeline_tests.support.stored_day import store_clusters, told_by_five

GOOD_ROWS = "SELECT * FROM gold.issues WHERE NOT label_failed ORDER BY cluster_id"


def store(pipeline: Any, count: int) -> None:
    store_clusters(pipeline.resources["database"], date.fromisoformat(DAY), told_by_five(count))


@pytest.fixture
def while_embedding(monkeypatch: pytest.MonkeyPatch):
    """Does something once, when a run has read its clusters and not yet stored a row."""

    def plan(other: Callable[[], object]) -> None:
        def prepare(*arguments: Any) -> Any:
            monkeypatch.setattr(gold_assets, "prepare_clusters", prepare_clusters)
            other()
            return prepare_clusters(*arguments)

        monkeypatch.setattr(gold_assets, "prepare_clusters", prepare)

    return plan


def test_labels_that_another_run_stored_meanwhile_are_kept_and_not_asked_for(
    pipeline: Any, while_embedding: Any
):
    store(pipeline, 3)
    stored: list[Any] = []

    def other_run() -> None:
        pipeline.run(issues)
        stored.extend(pipeline.query(GOOD_ROWS))

    while_embedding(other_run)
    pipeline.run(issues)
    assert len(stored) == 3
    assert pipeline.query(GOOD_ROWS) == stored
    assert pipeline.model.calls == 3


def test_a_run_whose_clusters_change_while_they_are_embedded_changes_nothing_and_may_run_again(
    pipeline: Any, while_embedding: Any
):
    store(pipeline, 3)
    pipeline.run(issues)
    before = pipeline.query(GOOD_ROWS)
    while_embedding(lambda: store(pipeline, 2))
    result = pipeline.attempt(issues)
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    assert "Run gold/issues again" in failure.step_failure_data.user_failure_data.description
    assert MAY_SUCCEED_LATER_TAG in pipeline.instance.get_run_by_id(result.run_id).tags
    assert pipeline.query(GOOD_ROWS) == before
    pipeline.run(issues)
    assert pipeline.query(GOOD_ROWS) == before[:2]
    assert pipeline.model.calls == 3
