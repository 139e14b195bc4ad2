"""Single values, as no well-meaning server sends them."""

import json

import pytest

from issue_pipeline.resources.collectors.parsing import MAX_COUNT, count


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
