"""Single values, as no well-meaning server sends them."""

import json

import pytest

from issue_pipeline.errors import UnexpectedReplyError
from issue_pipeline.resources.collectors.parsing import MAX_COUNT, count, from_epoch, number


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


def test_a_number_is_one_that_every_store_takes():
    assert number({"total": 10**400}, "total", "the API") == MAX_COUNT


@pytest.mark.parametrize("told", ["NaN", "1e999", "true", "null", '"many"', "[]"])
def test_what_is_no_number_is_refused_as_such(told):
    with pytest.raises(UnexpectedReplyError, match="no number total"):
        number({"total": json.loads(told)}, "total", "the API")


@pytest.mark.parametrize("told", ["9" * 400, "1e300"])
def test_an_endless_number_is_no_time_and_no_accident(told):
    with pytest.raises(UnexpectedReplyError, match="seconds since 1970"):
        from_epoch(number({"at": json.loads(told)}, "at", "the API"))


def test_counts_are_added():
    assert count(1, None, 2) == 3
