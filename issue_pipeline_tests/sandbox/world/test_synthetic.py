"""The synthetic world keeps its promises: repeatable, varied, fair, and hard to cheat on."""

import hashlib
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from issue_pipeline.sandbox.world import synthetic
from issue_pipeline.sandbox.world.content import CATEGORIES, SOURCES, shipped_content, title_key
from issue_pipeline.sandbox.world.day_plan import MAX_REPEATED_TITLE_SHARE
from issue_pipeline.sandbox.world.posts import SimulatedPost
from issue_pipeline.sandbox.world.slots import SLOTS
from issue_pipeline.sandbox.world.synthetic import WORLD_BEGINS, SyntheticWorld

DAY = date(2026, 11, 19)
WEEK = [DAY + timedelta(days=i) for i in range(7)]


@pytest.fixture(scope="module")
def world() -> SyntheticWorld:
    return SyntheticWorld()


def all_posts(world: SyntheticWorld, day: date) -> list[SimulatedPost]:
    return [post for source in SOURCES for post in world.posts(source, day)]


def digest(posts: Iterable[SimulatedPost]) -> str:
    return hashlib.sha256("\n".join(repr(post) for post in posts).encode()).hexdigest()


def reports(posts: list[SimulatedPost]) -> list[SimulatedPost]:
    return [post for post in posts if post.truth]


def is_bot(post: SimulatedPost) -> bool:
    return post.truth is not None and post.truth.problem.startswith("bot-")


# --- Repeatable ----------------------------------------------------------------------------------


@pytest.mark.parametrize("hash_seed", ["0", "1", "4711"])
def test_a_day_is_the_same_in_every_process(world: SyntheticWorld, hash_seed: str) -> None:
    script = (
        "from datetime import date\n"
        "from issue_pipeline_tests.sandbox.world.test_synthetic import *\n"
        "print(digest(all_posts(SyntheticWorld(), DAY)))\n"
    )
    shown = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert shown.stdout.strip() == digest(all_posts(world, DAY))


def test_a_day_does_not_depend_on_the_days_asked_before(world: SyntheticWorld) -> None:
    fresh = SyntheticWorld()
    for day in reversed(WEEK):
        all_posts(fresh, day)
    fresh.posts("reddit", DAY + timedelta(days=400))
    assert all_posts(fresh, DAY) == all_posts(SyntheticWorld(), DAY) == all_posts(world, DAY)


def test_a_day_that_left_the_cache_comes_back_the_same() -> None:
    world = SyntheticWorld(posts_per_day=50)
    first = all_posts(world, DAY)
    for i in range(2 * synthetic.CACHED_DAYS):
        all_posts(world, DAY + timedelta(days=i))
    again = all_posts(world, DAY)
    assert again == first
    assert again[0] is not first[0]
    assert all_posts(world, DAY)[0] is again[0]


def test_another_seed_is_another_day(world: SyntheticWorld) -> None:
    other = SyntheticWorld(seed=8)
    titles = {post.title for post in all_posts(world, DAY)}
    assert len(titles & {post.title for post in all_posts(other, DAY)}) < len(titles) / 5


def test_a_day_is_made_alone_and_once_for_all_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    world, made = SyntheticWorld(posts_per_day=100), []
    make_day = world._make_day
    monkeypatch.setattr(world, "_make_day", lambda day: made.append(day) or make_day(day))
    for source in SOURCES:
        world.posts(source, DAY)
    assert made == [DAY]


# --- How much of what ----------------------------------------------------------------------------


@pytest.mark.parametrize("posts_per_day", [20, 100, 333, 1500, 4000])
def test_a_day_has_exactly_so_many_posts_and_half_of_them_are_chatter(posts_per_day: int) -> None:
    posts = all_posts(SyntheticWorld(posts_per_day=posts_per_day), DAY)
    assert len(posts) == posts_per_day
    assert 0.35 * posts_per_day < len(reports(posts)) <= posts_per_day / 2


def test_every_source_has_its_share_of_every_day(world: SyntheticWorld) -> None:
    for day in WEEK:
        for source in SOURCES:
            assert 0.15 <= len(world.posts(source, day)) / 1500 <= 0.4, (source, day)


def test_some_problems_are_big_and_many_are_small(world: SyntheticWorld) -> None:
    for day in WEEK:
        people = [post for post in reports(all_posts(world, day)) if not is_bot(post)]
        sizes = Counter(post.truth.problem for post in people if post.truth).values()
        assert 18 <= sum(14 <= size <= 50 for size in sizes) <= 26, day
        assert sum(size <= 6 for size in sizes) >= 30, day
        assert max(sizes) <= 50


def test_problems_come_back_the_next_day_and_are_gone_after_months(world: SyntheticWorld) -> None:
    def problems(day: date) -> set[str]:
        return {post.truth.problem for post in all_posts(world, day) if post.truth}

    today = problems(DAY)
    tomorrow = problems(DAY + timedelta(days=1))
    much_later = problems(DAY + timedelta(days=120))
    assert len(today & tomorrow) > 0.7 * len(today)
    assert len(today & much_later) < 0.7 * len(today)
    assert tomorrow - today


def test_every_category_is_reported_every_day(world: SyntheticWorld) -> None:
    for day in WEEK:
        found = {post.truth.category for post in all_posts(world, day) if post.truth}
        assert found == set(CATEGORIES)


def test_nobody_posted_before_the_world_began(world: SyntheticWorld) -> None:
    assert world.posts("github", WORLD_BEGINS - timedelta(days=1)) == ()
    assert world.posts("github", WORLD_BEGINS)


# --- Titles --------------------------------------------------------------------------------------


@pytest.mark.parametrize("posts_per_day", [300, 1500, 4000])
def test_at_most_a_tenth_of_the_reports_repeat_a_title_and_only_bots_do(posts_per_day: int) -> None:
    world = SyntheticWorld(posts_per_day=posts_per_day)
    days = [reports(all_posts(world, day)) for day in WEEK]
    for yesterday, today in pairwise(days):
        earlier = {title_key(post.title) for post in yesterday}
        counts = Counter(title_key(post.title) for post in today)
        repeated = [
            post
            for post in today
            if counts[title_key(post.title)] > 1 or title_key(post.title) in earlier
        ]
        assert len(repeated) <= MAX_REPEATED_TITLE_SHARE * len(today)
        assert all(is_bot(post) for post in repeated)
        assert repeated


def test_bots_use_the_same_titles_every_day(world: SyntheticWorld) -> None:
    def titles(day: date) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for post in all_posts(world, day):
            if post.truth and is_bot(post):
                found.setdefault(post.truth.problem, set()).add(post.title)
        return found

    bots = {bot.id: set(bot.titles) for bot in shipped_content().bots}
    for day in WEEK:
        assert titles(day) == bots


def test_bots_that_post_are_numerous_enough_to_be_a_cluster() -> None:
    for posts_per_day, smallest in ((300, 5), (1500, 7), (4000, 20)):
        posts = all_posts(SyntheticWorld(posts_per_day=posts_per_day), DAY)
        counts = Counter(post.truth.problem for post in posts if post.truth and is_bot(post))
        assert counts
        assert min(counts.values()) > smallest


# --- What a post looks like ----------------------------------------------------------------------


def test_truth_matches_the_content_and_chatter_has_none(world: SyntheticWorld) -> None:
    content = shipped_content()
    known = {entry.id: entry for entry in (*content.problems, *content.bots)}
    for post in reports(all_posts(world, DAY)):
        assert post.truth is not None
        entry = known[post.truth.problem]
        assert post.source in entry.sources
        assert (post.truth.category, post.truth.would_pay, post.truth.impact) == (
            entry.category,
            entry.would_pay,
            entry.impact,
        )


def test_posts_are_in_order_with_unique_numbers_and_lie_in_their_day(world: SyntheticWorld) -> None:
    for source in SOURCES:
        posts = [post for day in WEEK for post in world.posts(source, day)]
        assert [(p.created_at, p.number) for p in posts] == sorted(
            (p.created_at, p.number) for p in posts
        )
        assert len({post.number for post in posts}) == len(posts)
    for post in world.posts("github", DAY):
        assert post.created_at.date() == DAY
        assert post.created_at.tzinfo is UTC
        assert post.created_at.microsecond == 0


def test_a_day_has_its_first_and_last_second_a_busy_hour_and_shared_seconds(
    world: SyntheticWorld,
) -> None:
    for source in SOURCES:
        times = [post.created_at for post in world.posts(source, DAY)]
        assert times[0] == datetime(DAY.year, DAY.month, DAY.day, tzinfo=UTC)
        assert times[-1] == times[0] + timedelta(seconds=86_399)
        assert Counter(times).most_common(1)[0][1] >= synthetic.SAME_SECOND_POSTS
        hours = Counter(at.hour for at in times)
        assert len(hours) == 24
        assert hours.most_common(1)[0][0] == synthetic.BUSY_HOUR


def test_reports_and_chatter_come_at_all_hours(world: SyntheticWorld) -> None:
    for source in SOURCES:
        posts = world.posts(source, DAY)
        middle = len(posts) // 2
        morning, evening = reports(list(posts[:middle])), reports(list(posts[middle:]))
        assert 0.6 < len(morning) / len(evening) < 1.6, source


def test_every_post_appears_in_a_known_channel(world: SyntheticWorld) -> None:
    for source in SOURCES:
        known = world.channels(source)
        assert list(known) == sorted(set(known))
        assert {post.channel for post in world.posts(source, DAY)} <= set(known)
    assert len(world.channels("github")) == 40
    assert len(world.channels("reddit")) >= 12


def test_stackoverflow_posts_are_tagged_with_their_channel_first(world: SyntheticWorld) -> None:
    for post in world.posts("stackoverflow", DAY):
        assert post.tags[0] == post.channel
        assert 1 <= len(set(post.tags)) == len(post.tags) <= 5


def test_a_subreddit_stays_well_below_what_reddit_lists(world: SyntheticWorld) -> None:
    week = [post.channel for day in WEEK for post in world.posts("reddit", day)]
    assert max(Counter(week).values()) < 900


def test_no_slot_is_left_open(world: SyntheticWorld) -> None:
    names = "|".join(SLOTS)
    for post in all_posts(world, DAY):
        assert not re.search(rf"\{{({names})\}}", post.title + (post.body or ""))


def test_only_links_and_removed_chatter_lack_a_text(world: SyntheticWorld) -> None:
    posts = [post for day in WEEK for post in all_posts(world, day)]
    for post in posts:
        if post.link:
            assert post.body is None
            assert post.truth is None
            assert post.source in ("hackernews", "reddit")
        elif not post.body:
            assert (post.source, post.truth) == ("reddit", None)
    stories = [p for p in posts if p.channel == "story" and p.truth is None]
    assert 0.1 < sum(p.link is not None for p in stories) / len(stories) < 0.8
    assert any(post.body == "[removed]" for post in posts)
    assert any(post.body == "" for post in posts)


def test_some_posts_of_a_day_are_careless_hostile_or_garbled(world: SyntheticWorld) -> None:
    bodies = [post.body or "" for post in all_posts(world, DAY)]
    for sign in ("FAKE", "fake.person@mail.example", "alert(", "\u202e", "\ufffd"):
        assert 0 < sum(sign in body for body in bodies) < 100, sign


def test_every_text_is_valid_unicode_that_a_real_api_could_send(world: SyntheticWorld) -> None:
    for post in all_posts(world, DAY):
        text = post.title + (post.body or "")
        assert text.encode("utf-8").decode("utf-8") == text
        assert "\x00" not in text


def test_counts_are_plausible(world: SyntheticWorld) -> None:
    posts = [post for day in WEEK for post in all_posts(world, day)]
    assert all(post.comment_count >= 0 for post in posts)
    assert all(post.vote_count >= 0 for post in posts if post.source == "github")
    assert all(post.vote_count >= 1 for post in posts if post.source == "hackernews")
    assert any(post.vote_count < 0 for post in posts if post.source == "reddit")
    assert any(post.comment_count > 100 for post in posts)
    assert sum(post.comment_count <= 2 for post in posts) > len(posts) / 2


# --- Misuse --------------------------------------------------------------------------------------


def test_an_unknown_source_is_an_error(world: SyntheticWorld) -> None:
    with pytest.raises(ValueError, match=r"usenet.*github"):
        world.posts("usenet", DAY)
    with pytest.raises(ValueError, match=r"usenet.*github"):
        world.channels("usenet")


@pytest.mark.parametrize("posts_per_day", [0, 19, 20_001])
def test_a_world_of_an_impossible_size_is_refused(posts_per_day: int) -> None:
    with pytest.raises(ValueError, match=f"posts_per_day.*{posts_per_day}"):
        SyntheticWorld(posts_per_day=posts_per_day)
