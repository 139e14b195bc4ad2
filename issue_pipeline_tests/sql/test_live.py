"""The memory of what was published is replaced a day at a time."""

from datetime import UTC, date, datetime

from issue_pipeline.records import LiveRow
from issue_pipeline.sql import live

DAY = date(2026, 3, 10)
NEXT_DAY = date(2026, 3, 11)
NOON = datetime(2026, 3, 12, 12, tzinfo=UTC)

PUBLISHED = LiveRow(0, "abcdefghij12345", "0" * 64, "published", "", NOON)
FAILED = LiveRow(1, "klmnopqrst12345", "1" * 64, "failed", "it said \x00 'no'", NOON)


def test_rows_come_back_as_they_were_by_cluster(con):
    live.replace_day(con, DAY, [FAILED, PUBLISHED])
    assert live.rows_of_day(con, DAY) == [PUBLISHED, FAILED]


def test_another_publication_replaces_the_day_and_no_other(con):
    live.replace_day(con, DAY, [PUBLISHED, FAILED])
    live.replace_day(con, NEXT_DAY, [PUBLISHED])
    live.replace_day(con, DAY, [FAILED])
    assert live.rows_of_day(con, DAY) == [FAILED]
    assert live.rows_of_day(con, NEXT_DAY) == [PUBLISHED]


def test_the_posts_of_records_come_back_by_record(con):
    live.replace_members(con, DAY, {"one": {"aa", "bb"}, "two": {"cc"}})
    live.replace_members(con, NEXT_DAY, {"one": {"zz"}})
    assert live.members_of_day(con, DAY) == {"one": {"aa", "bb"}, "two": {"cc"}}
    live.replace_members(con, DAY, {"two": {"cc", "dd"}})
    assert live.members_of_day(con, DAY) == {"two": {"cc", "dd"}}
    assert live.members_of_day(con, NEXT_DAY) == {"one": {"zz"}}
