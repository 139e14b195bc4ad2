"""Rows go into a table as they are, however hostile their text."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone

import duckdb
import pytest

from issue_pipeline.sql.bronze import items_of_day
from issue_pipeline.sql.rows import CHUNK_ROWS, as_utc, insert_rows, read_rows

DAY = date(2026, 3, 10)
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)

HOSTILE = [
    "",
    "null",
    "NULL",
    "123",
    "true",
    '{"a": [1]}',
    "[]",
    "'\"; DROP TABLE bronze.raw_items; --",
    "back\\slash \\n \\u0000 $1 ?",
    "nul\x00within",
    "\x00",
    "\x01\x08\x1f\x7f\x85",
    "line\r\nbreaks\u2028\u2029",
    "\ufeffmark \uffff \ufffd",
    "\U0001f600 \U0001f1e9\U0001f1ea \u0634\u0643\u0631\u0627 e\u0301",
    "x" * 3_000_000,
]


def a_row(number: int = 1, **given: object) -> dict[str, object]:
    values: dict[str, object] = {
        "url_hash": f"{number:064}",
        "source": "github",
        "collection_date": DAY,
        "url": "https://github.com/acme/rocket/issues/1",
        "title": "A title",
        "body": "A body",
        "created_at": NOON,
        "comment_count": 1,
        "vote_count": 2,
        "collected_at": NOON,
    }
    return {**values, **given}


def stored(con: duckdb.DuckDBPyConnection, *columns: str) -> list[tuple[object, ...]]:
    return con.table("bronze.raw_items").order("url_hash").select(*columns).fetchall()


def test_hostile_text_comes_back_as_it_was(con):
    rows = [a_row(index, title=text, body=text) for index, text in enumerate(HOSTILE)]
    assert insert_rows(con, "bronze.raw_items", rows) == len(HOSTILE)
    assert stored(con, "title", "body") == [(text, text) for text in HOSTILE]


def test_half_a_surrogate_pair_becomes_the_replacement_character(con):
    insert_rows(con, "bronze.raw_items", [a_row(title="cut \ud83d", body="\udc00\ud83d\ude00 end")])
    assert stored(con, "title", "body") == [("cut \ufffd", "\ufffd\U0001f600 end")]


def test_more_rows_than_fit_in_one_statement_all_arrive(con):
    count = 2 * CHUNK_ROWS + 1
    assert insert_rows(con, "bronze.raw_items", (a_row(index) for index in range(count))) == count
    assert con.execute("SELECT count(DISTINCT url_hash) FROM bronze.raw_items").fetchall() == [
        (count,)
    ]


def test_no_rows_are_no_work(con):
    assert insert_rows(con, "bronze.raw_items", []) == 0


def test_times_are_stored_in_utc_to_the_microsecond(con):
    moment = datetime(2026, 3, 11, 1, 2, 3, 456789, tzinfo=timezone(timedelta(hours=2)))
    insert_rows(con, "bronze.raw_items", [a_row(created_at=moment)])
    ((naive,),) = stored(con, "created_at")
    assert isinstance(naive, datetime)
    assert as_utc(naive) == moment
    assert as_utc(naive).isoformat() == "2026-03-10T23:02:03.456789+00:00"


def test_large_and_negative_numbers_keep_their_value(con):
    insert_rows(con, "bronze.raw_items", [a_row(comment_count=2**62, vote_count=-(2**62))])
    assert stored(con, "comment_count", "vote_count") == [(2**62, -(2**62))]


@pytest.mark.parametrize(
    "wrong",
    [{"title": None}, {"vote_count": 2**70}, {"vote_count": "many"}, {"created_at": "soon"}],
)
def test_what_does_not_fit_its_column_is_refused_and_not_bent(con, wrong):
    with pytest.raises(duckdb.Error):
        insert_rows(con, "bronze.raw_items", [a_row(**wrong)])


def test_what_cannot_be_stored_at_all_is_named(con):
    with pytest.raises(TypeError, match="set"):
        insert_rows(con, "bronze.raw_items", [a_row(title={"a", "set"})])


@dataclass(frozen=True)
class Moment:
    created_at: datetime
    title: str


def test_rows_are_read_by_name_with_their_times_in_utc(con):
    insert_rows(con, "bronze.raw_items", [a_row(1, title="a"), a_row(2, title="b")])
    sql = "SELECT title, created_at FROM bronze.raw_items WHERE source = ? ORDER BY title"
    assert read_rows(con, sql, ["github"], Moment) == [Moment(NOON, "a"), Moment(NOON, "b")]
    assert read_rows(con, sql, ["reddit"], Moment) == []


class CountingConnection:
    """Passes statements on, and counts them."""

    def __init__(self, connection):
        self.connection, self.count = connection, 0

    def execute(self, *arguments):
        self.count += 1
        return self.connection.execute(*arguments)

    def __getattr__(self, name):
        return getattr(self.connection, name)


def test_ten_thousand_rows_are_read_by_one_statement(con):
    insert_rows(con, "bronze.raw_items", (a_row(number) for number in range(10_000)))
    counting = CountingConnection(con)
    assert len(items_of_day(counting, DAY)) == 10_000
    assert counting.count == 1
