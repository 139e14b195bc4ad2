"""What the four parsers share, on what no well-meaning server sends."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest

from issue_pipeline.records import Post
from issue_pipeline.resources.collectors.parsing import MAX_COUNT, Day, Harvest, count

DAY = Day(date(2026, 3, 10))
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("told", "read"),
    [
        ("7", 7),
        ("-3", -3),
        ("2.0", 2),
        ("null", 0),
        ('"9"', 0),
        ("NaN", 0),
        ("Infinity", 0),
        ("-Infinity", 0),
        ("1e999", 0),
        ("1e300", MAX_COUNT),
        ("9" * 400, MAX_COUNT),
        ("-" + "9" * 400, -MAX_COUNT),
    ],
)
def test_any_json_value_is_a_count_that_every_store_takes(told, read):
    assert count(json.loads(told)) == read


def test_counts_are_added():
    assert count(1, None, 2) == 3


@pytest.mark.parametrize(
    "url",
    [
        "",
        "javascript:alert(1)",
        "/r/pics/1",
        "https://",
        "http://[::1",
        "HTTP://a.example/1",
        "https://a.example:x/",
        "https://a.example/" + "a" * 5_000,
    ],
)
def test_a_post_without_a_web_address_is_left_out_and_counted(url):
    def at(moment: datetime):
        return lambda _: Post("github", url, "A title", "", moment, 0, 0)

    harvest = Harvest(DAY)
    harvest.add("1", {}, at(NOON))
    harvest.add("2", {}, at(NOON - timedelta(days=1)))  # another day's posts are nobody's loss
    assert harvest.posts == {}
    assert harvest.dropped == {"no web address": 1}
    assert harvest.fetched_count == 1
