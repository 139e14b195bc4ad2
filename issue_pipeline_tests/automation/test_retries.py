"""What failed and may pass is run again, after longer and longer waits, and not for ever."""

from datetime import timedelta
from typing import Any

import dagster as dg
import pytest

from issue_pipeline.assets import raw_items
from issue_pipeline.assets.event_tags import is_out_of_order
from issue_pipeline.assets.failures import MAY_SUCCEED_LATER_TAG
from issue_pipeline.automation import retries
from issue_pipeline.automation.jobs import find_issues_job
from issue_pipeline.automation.retries import MAX_TRIES, TRY_TAG, try_again, wait_before
from issue_pipeline.definitions import defs

PARTITION = "2026-03-10|github"


def a_run(
    instance: dg.DagsterInstance,
    *,
    partition: str = PARTITION,
    job: str = "collect_github",
    failed: bool = True,
    may_pass: bool = True,
    **more: Any,
) -> dg.DagsterRun:
    """A run that has ended; by default one that failed for a reason that may pass."""
    tags = {"dagster/partition": partition, **more.pop("tags", {})}
    if may_pass:
        tags[MAY_SUCCEED_LATER_TAG] = "yes"
    else:
        tags[MAY_SUCCEED_LATER_TAG] = "no"
    run = instance.create_run_for_job(defs.resolve_job_def(job), tags=tags, **more)
    if failed:
        instance.report_run_failed(run)
    return run


def asked_for(
    instance: dg.DagsterInstance, monkeypatch: Any, minutes: float
) -> list[dg.RunRequest]:
    """What the sensor asks for when the first wait is so long."""
    monkeypatch.setattr(retries, "try_again_after", lambda: timedelta(minutes=minutes))
    result = try_again.evaluate_tick(
        dg.build_sensor_context(instance=instance, repository_def=defs.get_repository_def())
    )
    return result.run_requests or []


def test_a_failure_that_may_pass_is_run_again_when_its_wait_is_over(instance, monkeypatch):
    run = a_run(instance)
    assert asked_for(instance, monkeypatch, 10) == []
    (request,) = asked_for(instance, monkeypatch, 0)
    assert (request.job_name, request.partition_key) == ("collect_github", PARTITION)
    assert request.asset_selection == [raw_items.key]
    assert request.tags[TRY_TAG] == "1"
    assert run.run_id in request.run_key


@pytest.mark.parametrize(("tags", "is_so"), [({"dagster/backfill": "abcdefgh"}, True), ({}, False)])
def test_a_repetition_of_a_backfills_run_is_out_of_order_as_well(
    instance, monkeypatch, tags, is_so
):
    a_run(instance, tags=tags)
    (request,) = asked_for(instance, monkeypatch, 0)
    assert is_out_of_order(request.tags) is is_so


def test_a_number_of_tries_that_somebody_misspelt_counts_for_none(instance, monkeypatch):
    a_run(instance, tags={TRY_TAG: "many"})
    (request,) = asked_for(instance, monkeypatch, 0)
    assert request.tags[TRY_TAG] == "1"


def test_a_failure_that_needs_somebody_is_left_alone(instance, monkeypatch):
    a_run(instance, may_pass=False)
    assert asked_for(instance, monkeypatch, 0) == []


def test_what_was_run_since_is_not_run_again(instance, monkeypatch):
    a_run(instance)
    a_run(instance, failed=False, may_pass=False)
    assert asked_for(instance, monkeypatch, 0) == []


def test_another_partition_run_since_does_not_count(instance, monkeypatch):
    a_run(instance)
    a_run(instance, partition="2026-03-11|github", failed=False, may_pass=False)
    assert [one.partition_key for one in asked_for(instance, monkeypatch, 0)] == [PARTITION]


def test_it_is_given_up_after_so_many_tries(instance, monkeypatch):
    a_run(instance, tags={TRY_TAG: str(MAX_TRIES - 1)})
    (request,) = asked_for(instance, monkeypatch, 0)
    assert request.tags[TRY_TAG] == str(MAX_TRIES)
    a_run(instance, tags={TRY_TAG: str(MAX_TRIES)})
    assert asked_for(instance, monkeypatch, 0) == []


def test_waits_grow_to_a_day_and_all_tries_together_outlast_nearly_a_week():
    waits = [wait_before(number, timedelta(minutes=15)) for number in range(1, MAX_TRIES + 1)]
    assert waits[:4] == [timedelta(minutes=minutes) for minutes in (15, 60, 240, 960)]
    assert set(waits[4:]) == {timedelta(days=1)}
    assert sum(waits, timedelta()) > timedelta(days=6)
    assert wait_before(2, timedelta(days=3)) == timedelta(days=3)


def test_a_run_of_some_assets_is_repeated_with_these(instance, monkeypatch):
    asset = dg.AssetKey(["gold", "live_issues"])
    a_run(instance, partition="2026-03-10", job="find_issues", asset_selection=frozenset([asset]))
    (request,) = asked_for(instance, monkeypatch, 0)
    assert request.job_name == find_issues_job.name
    assert request.asset_selection == [asset]


def test_a_run_that_somebody_repeats_counts_its_tries_from_the_start(instance, monkeypatch):
    given_up = a_run(instance, tags={TRY_TAG: str(MAX_TRIES)})
    a_run(
        instance,
        tags={TRY_TAG: str(MAX_TRIES)},
        parent_run_id=given_up.run_id,
        root_run_id=given_up.run_id,
    )
    (request,) = asked_for(instance, monkeypatch, 0)
    assert request.tags[TRY_TAG] == "1"


@pytest.mark.parametrize("partition", ["2019-01-01|github", "2026-03-10|gitlab", ""])
def test_a_partition_that_is_none_any_more_holds_up_no_other(instance, monkeypatch, partition):
    a_run(instance, partition=partition)
    a_run(instance)
    assert [one.partition_key for one in asked_for(instance, monkeypatch, 0)] == [PARTITION]
