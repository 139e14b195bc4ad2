from datetime import date

import dagster as dg
import pytest

from issue_pipeline.assets import raw_items
from issue_pipeline.assets.bronze import distinct
from issue_pipeline.partitions import SOURCES
from issue_pipeline.records import Post
from issue_pipeline.resources.collectors.parsing import Day
from issue_pipeline.utils.urls import url_hash
from issue_pipeline_tests.assets.conftest import DAY, changed
from issue_pipeline_tests.assets.small_day import TITLES


@pytest.mark.parametrize("source", SOURCES)
def test_a_source_day_is_stored_whole_with_its_line_in_the_ledger(pipeline, source):
    metadata = pipeline.run(raw_items, f"{DAY}|{source}")

    rows = pipeline.query(
        "SELECT title, source, collection_date::VARCHAR, url_hash, url FROM bronze.raw_items"
    )
    expected = [title for number, title in enumerate(TITLES) if SOURCES[number % 4] == source]
    assert sorted(row[0] for row in rows) == sorted(expected)
    assert {row[1:3] for row in rows} == {(source, DAY)}
    assert all(key == url_hash(url) for *_, key, url in rows)
    assert pipeline.query("SELECT source, stored_count, complete FROM bronze.collections") == [
        (source, len(expected), True)
    ]
    assert metadata["dagster/partition_row_count"] == len(expected)
    assert metadata["complete"] is True


def test_collecting_again_changes_nothing(pipeline):
    pipeline.collect()
    before = pipeline.tables()
    pipeline.collect()
    assert pipeline.tables() == before


def test_a_source_that_refuses_us_fails_at_once_and_changes_nothing(pipeline):
    pipeline.collect()
    before = pipeline.tables()
    refused = changed(pipeline.resources["collectors"], reddit_client_secret="wrong")
    pipeline.resources["collectors"] = refused

    result = pipeline.attempt(raw_items, f"{DAY}|reddit")

    assert not result.success
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    description = failure.step_failure_data.user_failure_data.description
    assert "REDDIT_CLIENT_SECRET" in description
    assert not [event for event in result.all_events if event.is_step_restarted]
    assert pipeline.tables() == before


def test_of_two_posts_with_one_permalink_the_later_counts():
    def post(url: str, title: str) -> Post:
        return Post("reddit", url, title, "", Day(date.fromisoformat(DAY)).start, 0, 0)

    keyed = distinct(
        [
            post("https://www.reddit.com/r/a/comments/1/", "old"),
            post("https://old.reddit.com/r/a/comments/1", "new"),
        ]
    )
    assert [one.post.title for one in keyed] == ["new"]


def test_the_partitions_are_every_source_of_every_day():
    definition = raw_items.partitions_def
    assert isinstance(definition, dg.MultiPartitionsDefinition)
    keys = {dimension.name for dimension in definition.partitions_defs}
    assert keys == {"source", "date"}
