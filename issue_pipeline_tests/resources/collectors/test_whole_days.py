"""Whole days: every post exactly once, within every limit, whatever goes wrong on the way."""

import random
import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import duckdb
import pytest

from issue_pipeline.assets.bronze import distinct
from issue_pipeline.errors import CollectionError
from issue_pipeline.partitions import SOURCES
from issue_pipeline.records import Collection
from issue_pipeline.resources.collectors import CollectorsResource, github, http, stackoverflow
from issue_pipeline.resources.duckdb import IssuesDatabase
from issue_pipeline.sandbox.apis.addresses import permalink
from issue_pipeline.sandbox.apis.faults import PROFILES, FaultProfile
from issue_pipeline.sandbox.apis.post_faults import hidden_posts
from issue_pipeline.sandbox.apis.restless import restless_posts
from issue_pipeline.sandbox.world.posts import SimulatedPost
from issue_pipeline.sql import bronze
from issue_pipeline_tests.support.hand_written import DAY, NOW, a_post
from issue_pipeline_tests.support.replays import urls
from issue_pipeline_tests.support.simulated import Simulator, simulator

DAY_S = 24 * 60 * 60
HOUR_S = 60 * 60
# Limits as documented, in a world that runs this many times faster.
TIME_SCALE = 60
DOCUMENTED_PACES = {
    "github_requests_per_minute": github.SEARCH_PACE_WITH_TOKEN * TIME_SCALE,
    "stackexchange_requests_per_minute": 60 * TIME_SCALE,
    "reddit_requests_per_minute": 60 * TIME_SCALE,
    "hn_requests_per_minute": 120 * TIME_SCALE,
    "github_token": "a-token",
}
API_OF = {
    "github": "github",
    "stackoverflow": "stackexchange",
    "reddit": "reddit",
    "hackernews": "hackernews",
}
SUBREDDITS = {f"sub{number}": 900 - 45 * number for number in range(20)}


def spread(source: str, count: int, **given: Any) -> list[SimulatedPost]:
    """Posts at even distances over the day."""
    return [a_post(source, number * DAY_S / count, **given) for number in range(count)]


def the_day_after() -> list[SimulatedPost]:
    """A post of every source and subreddit that shows that the day is over."""
    channels = [{"channel": name} for name in SUBREDDITS]
    of = {source: channels if source == "reddit" else [{}] for source in SOURCES}
    return [a_post(source, DAY_S + 60, **given) for source in SOURCES for given in of[source]]


def a_full_day() -> dict[str, list[SimulatedPost]]:
    return {
        "github": [*spread("github", 4_960), *(a_post("github", 40_000.5) for _ in range(40))],
        "stackoverflow": spread("stackoverflow", 3_000),
        "hackernews": [
            *spread("hackernews", 1_300),
            *(a_post("hackernews", 10 * HOUR_S + 3 * number) for number in range(1_200)),
        ],
        "reddit": [
            post
            for name, size in SUBREDDITS.items()
            for post in spread("reddit", size, channel=name)
        ],
    }


PAGES = {
    "github": 5_000 / 100,
    "stackoverflow": 3_000 / 100,
    "hackernews": 3,
    "reddit": sum(-(-size // 100) for size in SUBREDDITS.values()),
}


def test_a_full_day_of_hacker_news_comes_whole_where_its_numbers_are_only_estimates():
    posts = a_full_day()["hackernews"]
    with simulator(
        [*posts, *the_day_after()], time_scale=TIME_SCALE, hn_exhaustive=False
    ) as running:
        collection = running.collectors(**DOCUMENTED_PACES).collect("hackernews", DAY.date())
        assert urls(collection) == sorted(permalink(post) for post in posts)
        assert collection.complete, collection.reason
        assert running.requests("hackernews") <= 1.3 * PAGES["hackernews"] + 8
        assert running.stats()["violations"]["hackernews"] == {}


def test_full_days_come_whole_at_the_documented_limits_and_with_few_requests():
    posts = a_full_day()
    before = [a_post("reddit", -60, channel=name) for name in SUBREDDITS]
    everything = [
        *before,
        *the_day_after(),
        *(post for of_source in posts.values() for post in of_source),
    ]
    with simulator(everything, time_scale=TIME_SCALE) as running:
        for source in SOURCES:
            collectors = running.collectors(reddit_subreddits=list(SUBREDDITS), **DOCUMENTED_PACES)
            collection = collectors.collect(source, DAY.date())
            assert urls(collection) == sorted(permalink(post) for post in posts[source])
            assert collection.complete, collection.reason
            # Listings of several pages, which nobody counts, are read twice.
            readings = 2 if source == "reddit" else 1
            assert running.requests(API_OF[source]) <= readings * 1.3 * PAGES[source] + 8
        counted = running.stats()
    assert {api: kinds for api, kinds in counted["violations"].items() if kinds} == {}


def test_a_subreddit_too_busy_for_its_listing_is_stored_as_far_as_that_goes():
    posts = spread("reddit", 1_500)
    with simulator([a_post("reddit", -60), *posts]) as running:
        collection = running.collectors().collect("reddit", DAY.date())
    assert urls(collection) == sorted(permalink(post) for post in posts[500:])
    assert not collection.complete
    assert "r/shopkeepers ends after 1000 posts" in collection.reason


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Our own waits, in a world that runs faster."""
    monkeypatch.setattr(http, "FIRST_BACKOFF_S", 0.01)
    monkeypatch.setattr(http, "JITTER_S", 0.01)
    monkeypatch.setattr(http, "FIRST_THROTTLE_WAIT_S", 0.5)
    monkeypatch.setattr(github, "SECONDARY_LIMIT_WAIT_S", 1.0)
    monkeypatch.setattr(stackoverflow, "BACKOFF_MARGIN_S", 0.1)


# Stalls and waits as short as they can be told, to have many of them.
WORST = replace(PROFILES["worst"], stall_s=0.1, wait_s=1, restless_requests=30)
SIZES = {"github": 700, "stackoverflow": 500, "reddit": 350, "hackernews": 1_400}
WORST_DAYS = 10  # of each source


def a_troubled_day() -> list[SimulatedPost]:
    """Posts of all sources, some before the day, so that listings can reach back beyond it.

    Their numbers, by which it is drawn what goes wrong with them, are the same whatever ran before.
    """
    of_the_day = [post for source, size in SIZES.items() for post in spread(source, size)]
    before = [a_post("reddit", -60 - second) for second in range(30)]
    after = [a_post(source, DAY_S + 60 + second) for source in SIZES for second in range(3)]
    posts = [*before, *of_the_day, *after]
    return [replace(post, number=number) for number, post in enumerate(posts, start=1)]


def fickle_addresses(profile: FaultProfile, posts: list[SimulatedPost]) -> set[str]:
    """Posts that may or may not be found, and those that nobody is shown."""
    fickle = [*restless_posts(profile, posts), *hidden_posts(profile, posts)]
    return {permalink(post) for post in fickle}


@contextmanager
def in_trouble(
    posts: Iterable[SimulatedPost], seed: int, **settings: Any
) -> Iterator[tuple[Simulator, FaultProfile]]:
    profile = replace(WORST, seed=seed)
    with simulator(posts, faults=profile, time_scale=TIME_SCALE, **settings) as running:
        yield running, profile


def persistently(running: Simulator, source: str) -> list[Collection]:
    """Collect until the day is whole, as Dagster and the next day's run would; all that came."""
    collectors = running.collectors(**DOCUMENTED_PACES)
    came: list[Collection] = []
    for _ in range(6):
        try:
            came.append(collectors.collect(source, DAY.date()))
        except CollectionError:
            continue
        if came[-1].complete:
            return came
    raise AssertionError(f"{source} never came whole: {[one.reason for one in came]}")


@pytest.mark.parametrize("seed", range(WORST_DAYS))
def test_no_post_is_lost_or_doubled_and_no_part_called_whole_in_the_worst_of_worlds(seed, hurried):
    posts = a_troubled_day()
    # Hacker News counts exactly in one half of the worlds, and estimates in the other.
    with in_trouble(posts, seed, hn_exhaustive=seed % 2 == 0) as (running, profile):
        fickle = fickle_addresses(profile, posts)
        for source in SOURCES:
            (*_, whole) = persistently(running, source)
            of_day = {
                permalink(post)
                for post in posts
                if post.source == source and DAY <= post.created_at < DAY + timedelta(days=1)
            }
            got = urls(whole)
            assert len(got) == len(set(got))
            assert of_day - fickle <= set(got) <= of_day
        counted = running.stats()
    assert any(counted["faults"].values())
    assert {api: kinds for api, kinds in counted["violations"].items() if kinds} == {}


# Rounds through the sources that are not whole yet; block pages end some collections of Reddit.
MAX_ROUNDS = 40


def collect_until_whole(settings: dict[str, Any], path: str, day: date, ready: Event) -> None:
    """Collect and store a day of every source until all are whole: what is killed at any moment."""
    http.FIRST_BACKOFF_S, http.JITTER_S, http.FIRST_THROTTLE_WAIT_S = 0.01, 0.01, 0.5
    github.SECONDARY_LIMIT_WAIT_S, stackoverflow.BACKOFF_MARGIN_S = 1.0, 0.1
    database, collectors = IssuesDatabase(database=path), CollectorsResource(**settings)
    why_not_whole = dict.fromkeys(SOURCES, "never collected")
    ready.set()
    for _ in range(MAX_ROUNDS):
        for source in sorted(why_not_whole):
            now = datetime.now(UTC)
            try:
                collection, posts = distinct(collectors.collect(source, day))
            except CollectionError as error:
                why_not_whole[source] = str(error)
                continue
            with database.write() as connection:
                entry = bronze.store_collection(
                    connection,
                    source,
                    day,
                    posts,
                    collection,
                    started_at=now,
                    finished_at=now,
                    # Each is a run. What one run lacks of the stored posts goes when another lacks
                    # it, too: runs without a name, or of the same one, would never agree.
                    run_id=now.isoformat(),
                )
            why_not_whole[source] = entry.reason
            if entry.complete:
                del why_not_whole[source]
        if not why_not_whole:
            return
    raise AssertionError(f"not whole after {MAX_ROUNDS} rounds: {why_not_whole}")


def ledger_of(path: Path) -> dict[str, tuple[bool, str]]:
    """Whether each source that was stored is whole, and the reason, by the source's name."""
    with duckdb.connect(str(path)) as connection:
        rows = connection.execute("SELECT source, complete, reason FROM bronze.collections")
        return {source: (complete, reason) for source, complete, reason in rows.fetchall()}


def collecting(*args: Any) -> BaseProcess:
    """A process that has begun to collect, forked from one that has imported everything."""
    processes = get_context("forkserver")
    processes.set_forkserver_preload([__name__])
    ready = processes.Event()
    process = processes.Process(target=collect_until_whole, args=(*args, ready), daemon=True)
    process.start()
    assert ready.wait(60)
    return process


KILLS = 20
LIFETIME_S = 2.5  # at most, of a process that is killed


def test_a_process_killed_at_any_moment_and_run_again_loses_and_doubles_nothing(
    tmp_path: Path, own_cache: None
):
    posts = a_troubled_day()
    path = tmp_path / "issues.duckdb"
    moments = random.Random(3)
    with in_trouble(posts, 77) as (running, profile):
        settings = running.collectors(**DOCUMENTED_PACES, cache_dir=str(tmp_path)).model_dump()
        for _ in range(KILLS):
            process = collecting(settings, str(path), DAY.date())
            process.join(moments.uniform(0.05, LIFETIME_S))
            process.kill()
            process.join(30)
            assert process.exitcode in (0, -signal.SIGKILL)
        process = collecting(settings, str(path), DAY.date())
        process.join(120)
        if process.exitcode is None:  # it holds the database
            process.kill()
            process.join(30)
        assert process.exitcode == 0, f"what is not whole, and why: {ledger_of(path)}"
        fickle = fickle_addresses(profile, posts)
    with duckdb.connect(str(path)) as connection:
        stored = [
            row[0] for row in connection.execute("SELECT url FROM bronze.raw_items").fetchall()
        ]
    of_day = {permalink(post) for post in posts if DAY <= post.created_at < DAY + timedelta(days=1)}
    ledger = ledger_of(path)
    assert {source: complete for source, (complete, _) in ledger.items()} == dict.fromkeys(
        SOURCES, True
    ), ledger
    assert len(stored) == len(set(stored))
    assert of_day - fickle <= set(stored) <= of_day


def test_the_archive_brings_old_days_whole():
    posts = [
        post for name, size in SUBREDDITS.items() for post in spread("reddit", size, channel=name)
    ]
    after = the_day_after()
    present = NOW + timedelta(days=20)
    with simulator([*posts, *after], now=lambda: present, time_scale=TIME_SCALE) as running:
        collectors = running.collectors(
            **DOCUMENTED_PACES,
            reddit_backend="archive",
            reddit_archive_url=f"{running.base_url}/archive",
            reddit_subreddits=list(SUBREDDITS),
        )
        collection = collectors.collect("reddit", DAY.date())
        assert running.stats()["violations"]["archive"] == {}
    assert urls(collection) == sorted(permalink(post) for post in posts)
    assert collection.complete
