"""A day is processed when its sources are in, at the deadline with what is there, and again."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import dagster as dg
import pytest

from issue_pipeline.assets import clusters, raw_items
from issue_pipeline.assets.event_tags import clustered_tags, is_out_of_order, labelled_tags
from issue_pipeline.automation.history import Materialised
from issue_pipeline.automation.processing import (
    DayState,
    day_states,
    process_days,
    reason_to_process,
)
from issue_pipeline.definitions import defs
from issue_pipeline.partitions import CATCH_UP_DAYS, SOURCES

DAY = date(2026, 3, 10)
DEADLINE = time(6)
NIGHT = datetime(2026, 3, 11, 1, tzinfo=UTC)
MORNING = datetime(2026, 3, 11, 7, tzinfo=UTC)


def at(minute: int, tags: Mapping[str, str] | None = None) -> Materialised:
    return Materialised(NIGHT + timedelta(minutes=minute), tags or {})


def collected_at(minute: int, version: str) -> Materialised:
    return at(minute, {"dagster/data_version": version})


def made_of(minute: int, clusters: int = 3, **versions: str) -> Materialised:
    """Clusters, and the version of each source that they are made of."""
    return at(minute, clustered_tags(versions, clusters))


def labelled(minute: int, *, unlabelled: int) -> Materialised:
    return at(minute, labelled_tags(unlabelled))


def state(
    *sources: str, clusters: Materialised | None = None, labels: Materialised | None = None
) -> DayState:
    return DayState(DAY, {source: collected_at(0, "first") for source in sources}, clusters, labels)


ALL_FIRST = dict.fromkeys(SOURCES, "first")


def is_due(day: DayState, now: datetime) -> bool:
    return reason_to_process(day, now, DEADLINE) is not None


def test_a_day_is_due_at_once_when_all_sources_are_in():
    assert is_due(state(*SOURCES), NIGHT)


def test_a_day_that_waits_for_a_source_is_due_at_the_deadline():
    three = state(*SOURCES[:3])
    assert three.waits_for == [SOURCES[3]]
    assert not is_due(three, NIGHT)
    assert not is_due(three, datetime(2026, 3, 11, 5, 59, 59, tzinfo=UTC))
    assert is_due(three, datetime(2026, 3, 11, 6, tzinfo=UTC))


def test_a_day_of_which_nothing_is_in_is_never_due():
    assert not is_due(state(), MORNING)


def test_a_processed_day_is_not_due():
    day = state(*SOURCES, clusters=made_of(1, **ALL_FIRST), labels=labelled(2, unlabelled=0))
    assert not is_due(day, MORNING + timedelta(days=3))


def test_a_day_without_clusters_lacks_no_labels():
    day = state(*SOURCES, clusters=made_of(1, 0, **ALL_FIRST))
    assert not is_due(day, MORNING + timedelta(days=3))


def test_a_day_is_due_again_when_a_source_brings_something_later():
    clusters = made_of(1, **dict.fromkeys(SOURCES[:3], "first"))
    three = state(*SOURCES[:3], clusters=clusters)
    late = DayState(DAY, {**three.sources, SOURCES[3]: collected_at(4, "late")}, clusters, None)
    assert not is_due(three, MORNING)
    assert is_due(late, MORNING)


def test_what_came_while_the_day_was_clustered_is_not_forgotten():
    # The clusters were stored later than the posts, but are made of what was there before.
    clusters = made_of(9, **{**ALL_FIRST, "reddit": "older"})
    assert is_due(state(*SOURCES, clusters=clusters), MORNING)


def test_the_same_posts_collected_again_are_no_news():
    day = state(*SOURCES, clusters=made_of(1, **ALL_FIRST))
    again = DayState(DAY, {name: collected_at(9, "first") for name in SOURCES}, day.clusters, None)
    assert not is_due(again, MORNING)


def test_one_collection_is_one_reason_and_the_next_another_even_if_it_brings_back_the_old():
    reasons = []
    for minute, version in ((0, "first"), (5, "second"), (9, "first")):
        sources = {**state(*SOURCES).sources, "reddit": collected_at(minute, version)}
        day = DayState(DAY, sources, made_of(1, **{**ALL_FIRST, "reddit": "other"}), None)
        reasons.append(reason_to_process(day, MORNING, DEADLINE))
        assert reason_to_process(day, MORNING + timedelta(hours=5), DEADLINE) == reasons[-1]
    assert len({*reasons, None}) == 4


@pytest.mark.parametrize(
    "labels",
    [
        labelled(2, unlabelled=3),
        at(2),  # nothing is known of them
        None,  # the step itself failed
        labelled(0, unlabelled=0),  # of the clusters before these
    ],
)
def test_missing_labels_are_asked_for_once_a_day_after_the_deadline(labels):
    lacking = state(*SOURCES, clusters=made_of(1, **ALL_FIRST), labels=labels)
    reasons = {
        reason_to_process(lacking, MORNING + timedelta(hours=hours), DEADLINE)
        for hours in range(0, 72, 6)
    }
    assert len(reasons) == 3  # none on the first day, then one a day
    assert None in reasons


def test_missing_labels_of_a_day_are_no_reason_before_its_deadline():
    # Between the two steps of a run the clusters are there and the labels are not.
    halfway = state(*SOURCES, clusters=made_of(1, **ALL_FIRST))
    assert not is_due(halfway, NIGHT)


def test_missing_labels_are_no_reason_while_a_run_is_about_to_make_them():
    halfway = state(*SOURCES, clusters=made_of(1, **ALL_FIRST))
    late = MORNING + timedelta(days=2)
    assert is_due(halfway, late)
    assert not is_due(replace(halfway, is_running=True), late)


@pytest.mark.parametrize("days_later", [1, 8, 21, 29])
def test_missing_labels_are_asked_for_for_a_week_from_the_clustering_on(days_later):
    # The day was made up for long after it was over.
    made = MORNING + timedelta(days=days_later)
    at_last = Materialised(made, clustered_tags(ALL_FIRST, 3))
    day = DayState(DAY, state(*SOURCES).sources, at_last, None)
    due = [hours for hours in range(0, 24 * 9, 24) if is_due(day, made + timedelta(hours=hours))]
    assert due == [24 * days for days in range(7)]


def test_a_late_day_waits_for_what_is_being_collected_of_it():
    some = replace(state(*SOURCES[:2]), is_collecting=True)
    assert is_due(some, MORNING)  # at its deadline no source holds it up
    assert not is_due(some, MORNING + timedelta(days=9))
    assert is_due(replace(some, is_collecting=False), MORNING + timedelta(days=9))


def test_the_sensor_processes_every_day_that_is_made_up_for_the_oldest_first():
    today = datetime.now(UTC).date()
    days = [today - timedelta(days=back) for back in (CATCH_UP_DAYS, 21, 11, 8, 1)]
    with dg.DagsterInstance.ephemeral() as instance:
        collected(instance, f"{today - timedelta(days=CATCH_UP_DAYS + 1)}|github")
        for day in reversed(days):
            for source in SOURCES:
                collected(instance, f"{day}|{source}")
        context = dg.build_sensor_context(
            instance=instance, repository_def=defs.get_repository_def()
        )
        asked = process_days.evaluate_tick(context).run_requests or []
        assert [one.partition_key for one in asked] == [day.isoformat() for day in days]
        run = instance.create_run_for_job(
            defs.resolve_job_def("collect_reddit"),
            tags={"dagster/partition": f"{days[1]}|reddit"},
        )
        assert [one.is_collecting for one in day_states(instance, days[:3])] == [
            False,
            True,
            False,
        ]
        instance.report_run_canceled(run)
        assert not day_states(instance, days[1:2])[0].is_collecting


def collected(instance: dg.DagsterInstance, partition: str) -> None:
    tags = {"dagster/data_version": "first"}
    instance.report_runless_asset_event(
        dg.AssetMaterialization(raw_items.key, partition=partition, tags=tags)
    )


def test_missed_days_are_processed_out_of_order_and_yesterday_is_not():
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date()
    days = [yesterday - timedelta(days=2), yesterday]
    with dg.DagsterInstance.ephemeral() as instance:
        for source in SOURCES:
            for day in days:
                collected(instance, f"{day}|{source}")
        context = dg.build_sensor_context(
            instance=instance, repository_def=defs.get_repository_def()
        )
        requests = process_days.evaluate_tick(context).run_requests or []
    assert {one.partition_key: is_out_of_order(one.tags) for one in requests} == {
        days[0].isoformat(): True,
        yesterday.isoformat(): False,
    }


def test_the_sensor_reads_dagsters_records_and_asks_for_a_day_once():
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date()
    with dg.DagsterInstance.ephemeral() as instance:

        def asked_for() -> list[dg.RunRequest]:
            context = dg.build_sensor_context(
                instance=instance, repository_def=defs.get_repository_def()
            )
            return process_days.evaluate_tick(context).run_requests or []

        def state_of(day: date) -> DayState:
            (state,) = day_states(instance, [day])
            return state

        assert asked_for() == []
        for source in SOURCES:
            collected(instance, f"{yesterday}|{source}")
        first, again = asked_for(), asked_for()
        assert [request.partition_key for request in first] == [yesterday.isoformat()]
        assert first[0].run_config["ops"]["silver__clusters"]["config"] == {
            "mode": "smoothed",
            "min_size": 0,
        }
        # Dagster starts one run for each key.
        assert [request.run_key for request in first] == [request.run_key for request in again]
        assert state_of(yesterday).waits_for == []
        assert not state_of(yesterday).is_running
        run = instance.create_run_for_job(
            defs.resolve_job_def("find_issues"), tags={"dagster/partition": yesterday.isoformat()}
        )
        assert state_of(yesterday).is_running
        instance.report_run_canceled(run)
        assert not state_of(yesterday).is_running
        instance.report_runless_asset_event(
            dg.AssetMaterialization(
                clusters.key,
                partition=yesterday.isoformat(),
                tags=clustered_tags(ALL_FIRST, 0),
            )
        )
        assert asked_for() == []
