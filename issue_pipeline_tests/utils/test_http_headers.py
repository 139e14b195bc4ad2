from datetime import UTC, datetime, timedelta

import pytest

from issue_pipeline.utils.http_headers import number_in, retry_after_s, server_time

DATE = "Tue, 10 Mar 2026 08:00:00 GMT"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        ("0.5", 0.5),
        ("-3", 0.0),
        ("Tue, 10 Mar 2026 08:01:30 GMT", 90.0),
        ("Tue, 10 Mar 2026 08:01:30 -0000", 90.0),
        ("Tue, 10 Mar 2026 07:59:00 GMT", 0.0),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("Tue, 99 Mar 2026 08:01:30 GMT", None),
    ],
)
def test_the_wait_is_read_as_seconds_whether_it_is_a_number_or_a_date(value, seconds):
    assert retry_after_s({"retry-after": value, "date": DATE}) == seconds


def test_without_the_header_no_wait_is_named():
    assert retry_after_s({}) is None


def test_a_date_is_measured_by_our_own_clock_where_the_server_names_no_time():
    later = datetime.now(UTC) + timedelta(hours=1)
    wait_s = retry_after_s({"retry-after": f"{later:%a, %d %b %Y %H:%M:%S} GMT"})
    assert wait_s == pytest.approx(3_600, abs=60)
    assert server_time({"date": "yesterday"}) - datetime.now(UTC) < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("value", "number"), [("7", 7.0), ("7.5", 7.5), ("x", None), ("nan", None)]
)
def test_a_number_is_read_or_there_is_none(value, number):
    assert number_in({"x-left": value}, "x-left") == number
    assert number_in({}, "x-left") is None
