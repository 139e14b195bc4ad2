from datetime import UTC, datetime, timedelta

import pytest

from issue_pipeline.sandbox.apis import timeline as timeline_module
from issue_pipeline.sandbox.apis.timeline import Timeline, from_epoch
from issue_pipeline_tests.support.hand_written import DAY, NOW, HandWrittenWorld, a_post

HOUR_S = 3600


def a_timeline(*posts, now=NOW):
    return Timeline(HandWrittenWorld(posts), lambda: now)


def test_a_range_holds_its_first_moment_and_not_its_last():
    posts = [a_post("github", second) for second in (9, 10, 11, 12)]
    found = a_timeline(*posts).between(
        "github", DAY + timedelta(seconds=10), DAY + timedelta(seconds=12)
    )
    assert found == posts[1:3]


def test_a_range_over_midnight_comes_in_order_of_time():
    posts = [a_post("github", hour * HOUR_S) for hour in (30, 1, 25, 23)]
    found = a_timeline(*posts).between("github", DAY, DAY + timedelta(days=2))
    assert found == sorted(posts, key=lambda post: post.created_at)


def test_posts_later_than_now_are_not_there_yet():
    posts = [a_post("reddit", second) for second in (59, 60, 61)]
    timeline = a_timeline(*posts, now=DAY + timedelta(seconds=60))
    assert timeline.between("reddit", None, None) == posts[:2]
    assert timeline.between("reddit", DAY, DAY + timedelta(days=1)) == posts[:2]
    assert list(timeline.newest_first("reddit", "shopkeepers")) == [posts[1], posts[0]]


def test_one_channel_can_be_asked_for():
    ours, other = a_post("reddit"), a_post("reddit", channel="elsewhere")
    timeline = a_timeline(ours, other)
    assert timeline.between("reddit", None, None, "elsewhere") == [other]
    assert list(timeline.newest_first("reddit", "shopkeepers")) == [ours]


def test_channels_are_found_whatever_their_case():
    timeline = a_timeline(a_post("reddit", channel="ClinicIT"))
    assert timeline.channel("reddit", "clinicit") == "ClinicIT"
    assert timeline.channel("reddit", "nowhere") is None


def test_an_open_range_never_walks_more_than_the_span():
    world = HandWrittenWorld([a_post("github")])
    for start in (None, datetime(1990, 1, 1, tzinfo=UTC)):
        assert len(Timeline(world, lambda: NOW).between("github", start, None)) == 1
        assert Timeline(world, lambda: NOW, history_days=1).between("github", start, None) == []
    assert len(world.days_asked) == 2 * (401 + 2)


def test_a_closed_range_is_found_however_long_ago_it_was():
    post = a_post("github", -5000 * 24 * HOUR_S)
    timeline = Timeline(HandWrittenWorld([post]), lambda: NOW, history_days=1)
    moment = post.created_at
    assert timeline.between("github", moment, moment + timedelta(seconds=1)) == [post]


def test_newest_first_reads_no_day_beyond_what_is_taken():
    world = HandWrittenWorld([a_post("reddit"), a_post("reddit", -10 * 24 * HOUR_S)])
    walk = Timeline(world, lambda: NOW).newest_first("reddit", "shopkeepers")
    assert next(walk).created_at == DAY
    assert {day for _, day in world.days_asked} == {
        NOW.date(), NOW.date() - timedelta(days=1), DAY.date(),
    }  # fmt: skip


def test_a_day_is_made_once_while_it_is_cached_and_again_after_it_was_dropped(monkeypatch):
    posts = [a_post("github", second) for second in range(3)]
    posts += [a_post("github", 24 * HOUR_S + second) for second in range(3)]
    world = HandWrittenWorld(posts)
    timeline = Timeline(world, lambda: NOW)
    first, second = ((DAY + timedelta(days=n), DAY + timedelta(days=n, hours=1)) for n in range(2))
    for _ in range(2):
        timeline.between("github", *first)
        timeline.between("github", *second)
    assert len(world.days_asked) == 2
    monkeypatch.setattr(timeline_module, "MAX_CACHED_POSTS", 3)
    small = Timeline(world, lambda: NOW)
    for _ in range(2):
        assert small.between("github", *first) == posts[:3]
        assert small.between("github", *second) == posts[3:]
    assert len(world.days_asked) == 2 + 4


@pytest.mark.parametrize("seconds", [-(10**14), 10**14])
def test_seconds_that_no_calendar_holds_give_an_empty_range_and_no_error(seconds):
    timeline = a_timeline(a_post("github"))
    moment = from_epoch(seconds)
    assert timeline.between("github", moment, moment) == []
    assert timeline.between("github", DAY, DAY - timedelta(days=1)) == []
