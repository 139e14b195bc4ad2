"""A day is processed when its sources are in, at the deadline with what is there, and again."""

from datetime import UTC, date, datetime, time, timedelta

import dagster as dg

from issue_pipeline.assets import clusters, issues, live_issues, raw_items
from issue_pipeline.automation.history import Materialised
from issue_pipeline.automation.processing import (
    DayState,
    day_state,
    process_days,
    reason_to_process,
)
from issue_pipeline.definitions import defs
from issue_pipeline.partitions import SOURCES

DAY = date(2026, 3, 10)
DEADLINE = time(6)
NIGHT = datetime(2026, 3, 11, 1, tzinfo=UTC)
MORNING = datetime(2026, 3, 11, 7, tzinfo=UTC)


def at(minute: int, version: str = "", **metadata: object) -> Materialised:
    return Materialised(NIGHT + timedelta(minutes=minute), version, metadata)


def state(*sources: str, steps: tuple[Materialised | None, ...] = (None,) * 3) -> DayState:
    return DayState(DAY, {source: at(0, "first") for source in sources}, steps)


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
    assert not is_due(state(*SOURCES, steps=(at(1), at(2), at(3))), MORNING)


def test_a_day_is_due_again_when_a_source_brings_something_later():
    processed = (at(1), at(2), at(3))
    day = state(*SOURCES[:3], steps=processed)
    late = DayState(DAY, {**day.sources, SOURCES[3]: at(4, "late")}, processed)
    assert not is_due(day, MORNING)
    assert is_due(late, MORNING)


def test_a_day_is_due_where_a_step_is_missing_or_older_than_the_one_before():
    assert is_due(state(*SOURCES, steps=(at(1), None, None)), MORNING)
    assert is_due(state(*SOURCES, steps=(at(3), at(2), at(2))), MORNING)


def test_the_same_news_is_the_same_reason_and_other_news_another():
    day = state(*SOURCES)
    again = {source: at(9, "first") for source in SOURCES}
    news = {**again, "reddit": at(9, "second")}
    reasons = [
        reason_to_process(DayState(DAY, sources, day.steps), now, DEADLINE)
        for sources, now in ((day.sources, NIGHT), (again, MORNING), (news, MORNING))
    ]
    assert reasons[0] == reasons[1] != reasons[2]


def test_missing_labels_are_asked_for_once_a_day_after_the_deadline():
    lacking = state(*SOURCES, steps=(at(1), at(2, waiting=3, failed=0), at(3)))
    reasons = {
        reason_to_process(lacking, MORNING + timedelta(hours=hours), DEADLINE)
        for hours in range(0, 72, 6)
    }
    assert len(reasons) == 3  # none on the first day, then one a day
    assert None in reasons


def happened(instance: dg.DagsterInstance, asset: dg.AssetsDefinition, partition: str) -> None:
    tags = {"dagster/data_version": "v"} if asset is raw_items else None
    instance.report_runless_asset_event(
        dg.AssetMaterialization(asset.key, partition=partition, tags=tags)
    )


def test_the_sensor_reads_dagsters_records_and_asks_for_a_day_once():
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date()
    with dg.DagsterInstance.ephemeral() as instance:

        def asked_for() -> list[dg.RunRequest]:
            context = dg.build_sensor_context(
                instance=instance, repository_def=defs.get_repository_def()
            )
            return process_days.evaluate_tick(context).run_requests or []

        assert asked_for() == []
        for source in SOURCES:
            happened(instance, raw_items, f"{yesterday}|{source}")
        first, again = asked_for(), asked_for()
        assert [request.partition_key for request in first] == [yesterday.isoformat()]
        # Dagster starts one run for each key.
        assert [request.run_key for request in first] == [request.run_key for request in again]
        assert day_state(instance, yesterday).waits_for == []
        for asset in (clusters, issues, live_issues):
            happened(instance, asset, yesterday.isoformat())
        assert asked_for() == []
