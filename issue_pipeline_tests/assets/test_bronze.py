from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import dagster as dg
import pytest

from issue_pipeline.assets import raw_items
from issue_pipeline.assets.bronze import distinct
from issue_pipeline.partitions import SOURCES
from issue_pipeline.records import Collection, Post
from issue_pipeline.resources.collectors.collection_builder import Day
from issue_pipeline.sandbox.world.posts import SimulatedPost
from issue_pipeline.utils.urls import url_hash
from issue_pipeline_tests.assets.conftest import DAY, changed
from issue_pipeline_tests.support.hand_written import a_post
from issue_pipeline_tests.support.simulated import simulator
from issue_pipeline_tests.support.small_day import TITLES


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
    reddit = pipeline.resources["collectors"].reddit
    wrong = reddit.model_copy(update={"client_secret": "wrong"})
    refused = changed(pipeline.resources["collectors"], reddit=wrong)
    pipeline.resources["collectors"] = refused

    result = pipeline.attempt(raw_items, f"{DAY}|reddit")

    assert not result.success
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    description = failure.step_failure_data.user_failure_data.description
    assert "REDDIT_CLIENT_SECRET" in description
    assert not [event for event in result.all_events if event.is_step_restarted]
    assert pipeline.tables() == before


def checked(result: dg.ExecuteInProcessResult) -> tuple[bool, str]:
    """How the check for completeness of a run's only step went, and what it said."""
    checks = {check.check_name: check for check in result.get_asset_check_evaluations()}
    check = checks["day_is_complete"]
    assert check.severity == dg.AssetCheckSeverity.WARN
    return check.passed, check.description or ""


def test_a_whole_day_passes_its_check(pipeline):
    passed, told = checked(pipeline.attempt(raw_items, f"{DAY}|hackernews"))
    assert passed
    assert told == "Every post of the day is stored."


def test_a_day_in_part_warns_with_the_reason(pipeline):
    # The simulated listing goes no further back than the day itself.
    with simulator(crowd_of_the_day(), now=lambda: datetime(2026, 3, 12, tzinfo=UTC)) as running:
        pipeline.resources["collectors"] = running.collectors()
        passed, told = checked(pipeline.attempt(raw_items, f"{DAY}|reddit"))
        assert not passed
        assert told.startswith("the listing of r/shopkeepers ends after 1000 posts")
        (stored,) = pipeline.query("SELECT count(*) FROM bronze.raw_items WHERE source = 'reddit'")
        assert stored == (1_000,)


def crowd_of_the_day() -> list[SimulatedPost]:
    midnight = datetime.fromisoformat(f"{DAY}T00:00+00:00")
    return [
        replace(a_post("reddit"), created_at=midnight + timedelta(seconds=60 * number))
        for number in range(1_100)
    ]


def test_a_whole_day_survives_being_collected_in_part(pipeline):
    pipeline.run(raw_items, f"{DAY}|reddit")
    before = pipeline.query("SELECT url_hash FROM bronze.raw_items WHERE source = 'reddit'")
    moved_on = [
        replace(post, created_at=post.created_at + timedelta(days=1)) for post in crowd_of_the_day()
    ]
    later = datetime.fromisoformat(f"{DAY}T00:00+00:00") + timedelta(days=3)
    with simulator(moved_on, now=lambda: later) as running:
        pipeline.resources["collectors"] = running.collectors()
        passed, told = checked(pipeline.attempt(raw_items, f"{DAY}|reddit"))
    assert passed
    assert told.startswith("Collected whole before; this time only in part")
    after = pipeline.query("SELECT url_hash FROM bronze.raw_items WHERE source = 'reddit'")
    assert sorted(after) == sorted(before)
    assert pipeline.query("SELECT complete FROM bronze.collections WHERE source = 'reddit'") == [
        (True,)
    ]


def test_a_source_that_suddenly_calls_a_day_empty_is_not_believed(pipeline):
    pipeline.run(raw_items, f"{DAY}|hackernews")
    before = pipeline.query("SELECT * FROM bronze.raw_items ORDER BY ALL")
    with simulator([]) as running:
        pipeline.resources["collectors"] = running.collectors()
        passed, told = checked(pipeline.attempt(raw_items, f"{DAY}|hackernews"))
    assert passed
    assert "nothing shows that there are none" in told
    assert pipeline.query("SELECT * FROM bronze.raw_items ORDER BY ALL") == before


HOSTILE = {
    "a NUL": "before\0after",
    "half a surrogate pair": "\ud800 alone",
    "right to left": "\u202eevil\u202c",
    "a script": "<script>alert(1)</script>",
    "SQL": "'); DROP TABLE bronze.raw_items; --",
    "a megabyte": "long " * 250_000,
}


def test_text_is_stored_as_it_comes(pipeline):
    midnight = datetime.fromisoformat(f"{DAY}T12:00+00:00")
    posts = [
        replace(a_post("hackernews"), title=name, body=body, created_at=midnight)
        for name, body in HOSTILE.items()
    ]
    with simulator(posts, now=lambda: midnight + timedelta(days=1)) as running:
        pipeline.resources["collectors"] = running.collectors(max_body_chars=1_000)
        metadata = pipeline.run(raw_items, f"{DAY}|hackernews")
    stored = dict(pipeline.query("SELECT title, body FROM bronze.raw_items"))
    expected = {name: body[:1_000].replace("\ud800", "\ufffd") for name, body in HOSTILE.items()}
    assert stored == expected
    assert metadata["cut"] == 1


def test_of_two_posts_with_one_permalink_the_later_counts_and_the_other_is_told():
    def post(url: str, title: str) -> Post:
        return Post("reddit", url, title, "", Day(date.fromisoformat(DAY)).start, 0, 0)

    posts = (
        post("https://www.reddit.com/r/a/comments/1/", "old"),
        post("https://old.reddit.com/r/a/comments/1", "new"),
    )
    collection, keyed = distinct(Collection(posts, expected_count=2, fetched_count=2))
    assert [one.post.title for one in keyed] == ["new"]
    assert collection.dropped == {"same address as another": 1}


def test_the_partitions_are_every_source_of_every_day():
    definition = raw_items.partitions_def
    assert isinstance(definition, dg.MultiPartitionsDefinition)
    keys = {dimension.name for dimension in definition.partitions_defs}
    assert keys == {"source", "date"}
