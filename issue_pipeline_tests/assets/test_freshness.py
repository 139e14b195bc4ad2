"""Each source has a freshness of its own: a live one hides no dead one."""

from datetime import UTC, date, datetime, timedelta

import dagster as dg
import pytest

from issue_pipeline.assets.freshness import expected_day, freshness_checks, missed_for_good
from issue_pipeline.partitions import CATCH_UP_DAYS, SOURCES
from issue_pipeline.records import Collection
from issue_pipeline.resources.duckdb import IssuesDatabase
from issue_pipeline.sql import bronze


def collected(database: IssuesDatabase, source: str, day: date) -> None:
    now = datetime.now(UTC)
    with database.write() as connection:
        bronze.store_collection(
            connection, source, day, [], Collection((), 0, 0), started_at=now, finished_at=now
        )


def freshness(database: IssuesDatabase) -> dict[str, bool]:
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.Definitions(asset_checks=[freshness_checks], resources={"database": database})
        job = dg.define_asset_job("job", selection=dg.AssetSelection.all_asset_checks())
        definitions = dg.Definitions.merge(result, dg.Definitions(jobs=[job]))
        done = definitions.resolve_job_def("job").execute_in_process(instance=instance)
    return {check.check_name: check.passed for check in done.get_asset_check_evaluations()}


def test_the_source_that_is_behind_is_the_one_that_fails(tmp_path):
    database = IssuesDatabase(database=str(tmp_path / "issues.duckdb"))
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    for source in SOURCES[:-1]:
        collected(database, source, yesterday)
    collected(database, SOURCES[-1], yesterday - timedelta(days=2))
    assert freshness(database) == {
        f"{source}_is_fresh": source != SOURCES[-1] for source in SOURCES
    }


def test_without_any_collection_no_source_is_fresh(tmp_path):
    database = IssuesDatabase(database=str(tmp_path / "issues.duckdb"))
    assert not any(freshness(database).values())


def test_a_gap_too_old_to_be_made_up_for_is_reported_of_its_own_source(tmp_path):
    database = IssuesDatabase(database=str(tmp_path / "issues.duckdb"))
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    for source in SOURCES:
        collected(database, source, yesterday)
    collected(database, SOURCES[0], yesterday - timedelta(days=CATCH_UP_DAYS + 9))
    collected(database, SOURCES[1], yesterday - timedelta(days=CATCH_UP_DAYS - 9))
    assert freshness(database) == {f"{source}_is_fresh": source != SOURCES[0] for source in SOURCES}


def test_only_days_between_collected_ones_and_before_the_bound_are_missed_for_good():
    expected = date(2026, 3, 31)
    bound = expected - timedelta(days=CATCH_UP_DAYS)
    early, late = bound - timedelta(days=4), bound + timedelta(days=4)
    assert missed_for_good([early, late, expected], expected) == [
        bound - timedelta(days=back) for back in (3, 2, 1)
    ]
    assert missed_for_good([late], expected) == []
    assert missed_for_good([], expected) == []


@pytest.mark.parametrize(("hour", "expected"), [(5, 9), (6, 10), (23, 10)])
def test_yesterday_is_expected_from_the_deadline_on(hour, expected):
    now = datetime(2026, 3, 11, hour, tzinfo=UTC)
    assert expected_day(now) == date(2026, 3, expected)
