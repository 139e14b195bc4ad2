"""Complete means proven: simulated days with everything that other collectors met in public.

Forty days in the suite, six hundred with ``make soak``. Every day is collected again and again, as
the schedule would, and stored, until the ledger calls it complete. Then its indexes lose most of
what they had, and it is collected again, by a step and its retry; then they recover.
"""

import random
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import pytest

from issue_pipeline.assets.bronze import distinct
from issue_pipeline.errors import CollectionError
from issue_pipeline.partitions import SOURCES
from issue_pipeline.resources.collectors import CollectorsResource, github
from issue_pipeline.sandbox.apis.addresses import permalink
from issue_pipeline.sandbox.apis.faults import (
    INDEXED_APIS,
    PROFILES,
    SHRUNKEN_INDEX,
    STALL,
    STOPPED_INDEX,
    FaultProfile,
    IndexSpell,
)
from issue_pipeline.sandbox.apis.post_faults import form_of, growing_posts, hidden_posts
from issue_pipeline.sandbox.apis.reddit_forms import texts
from issue_pipeline.sandbox.apis.restless import restless_posts
from issue_pipeline.sandbox.world.posts import SimulatedPost
from issue_pipeline.sql import bronze
from issue_pipeline.sql.migrations import migrate
from issue_pipeline_tests.support.hand_written import DAY, HandWrittenWorld, a_post
from issue_pipeline_tests.support.soak import SOAK
from issue_pipeline_tests.support.virtual import VirtualSimulator, virtual_simulator

pytestmark = pytest.mark.slow

DAYS = 600 if SOAK else 40
CHUNK = 10  # days that one test takes
TRIES = 8  # of the schedule, to see a day whole
DAY_S = 86_400
CHANCE_OF_LOSS = 20  # posts of a day at least, for an index to lose enough of them
EMPTY_SHARES = (0.2, 0.3, 0.4, 0.5, 0.6)
SUBREDDITS = ("shopkeepers", "clinic_it")
CLOSED = "backroom"
# Everything but the silence that only a real connection can keep.
WORST = replace(
    PROFILES["worst"],
    kinds=tuple(kind for kind in PROFILES["worst"].kinds if kind != STALL),
    restless_requests=30,
    growing_requests=200,
)
API_OF = {"github": "github", "stackoverflow": "stackexchange", "hackernews": "hackernews"}


@dataclass(frozen=True)
class SimulatedDay:
    """One day with all its sources, and what goes wrong on it, by its number."""

    number: int

    @property
    def date(self) -> date:
        return self.start.date()

    @property
    def start(self) -> datetime:
        return DAY + timedelta(days=self.number)

    @property
    def present(self) -> datetime:
        """When it is first collected: on the morning after, as by the schedule."""
        return self.start + timedelta(days=1, hours=6)

    @property
    def has_all_faults(self) -> bool:
        return self.number % 2 == 1

    @property
    def has_archive(self) -> bool:
        return self.number % 3 == 0

    @property
    def has_moved_repository(self) -> bool:
        return self.number % 4 == 1

    @property
    def has_closed_subreddit(self) -> bool:
        return self.number % 10 == 7

    @property
    def profile(self) -> FaultProfile:
        share = EMPTY_SHARES[self.number // 2 % len(EMPTY_SHARES)]
        if not self.has_all_faults:
            return FaultProfile(empty_share=share, seed=self.number)
        # Every index ends in the middle of the day, until the first collection is over.
        behind = timedelta(hours=random.Random(self.number).uniform(7, 29))
        spells = tuple(IndexSpell(api, STOPPED_INDEX, behind=behind) for api in INDEXED_APIS)
        return replace(WORST, empty_share=share, index_spells=spells, seed=self.number)

    def world(self) -> list[SimulatedPost]:
        """Some days are busy, some quiet, some empty, each source for itself.

        Whatever ran before, the posts are the same: what goes wrong depends on their numbers.
        """
        chance = random.Random(f"world/{self.number}")
        posts: list[SimulatedPost] = []
        numbers = count(1 + 10_000 * self.number)
        for source in SOURCES:
            channels = SUBREDDITS if source == "reddit" else ("",)
            size = chance.choice((0, 4, 20, 20, 130))
            for channel in channels:
                posts += self._of_channel(source, channel, size, chance, numbers)
        if self.has_moved_repository:
            posts += self._of_channel("github", "acme/lander", 110, chance, numbers)
        return posts

    def _of_channel(
        self,
        source: str,
        channel: str,
        size: int,
        chance: random.Random,
        numbers: Iterator[int],
    ) -> Iterator[SimulatedPost]:
        given: dict[str, Any] = {"channel": channel} if channel else {}
        at_s = [-90_000, -60]
        at_s += [DAY_S + 60, DAY_S + 9_000]
        at_s += [chance.randrange(DAY_S) for _ in range(size)]
        for second in at_s:
            yield a_post(
                source,
                second + self.number * DAY_S,
                number=next(numbers),
                comment_count=chance.randrange(9),
                body=f"It stops {chance.random()} of the way, and since Monday nobody knows why.",
                **given,
            )

    def settings(self, running: VirtualSimulator, cache: Path) -> dict[str, Any]:
        chosen: dict[str, Any] = {
            "cache_dir": str(cache),
            "github_token": "a-token",
            "github_query": github.DEFAULT_QUERY,
            "github_requests_per_minute": None,
            "stackexchange_requests_per_minute": 60,
            "stackexchange_key": "a-key",
            "reddit_requests_per_minute": 60,
            "hn_requests_per_minute": 120,
            "reddit_subreddits": list(SUBREDDITS),
        }
        if self.has_closed_subreddit:
            chosen["reddit_subreddits"] = [CLOSED, *SUBREDDITS]
        if self.has_moved_repository:
            chosen["github_repos"] = ["acme/formerly"]
        if self.has_archive:
            chosen["reddit_backend"] = "archive"
            chosen["reddit_archive_url"] = f"{running.base_url}/archive"
        return chosen

    def wanted(self, posts: Iterable[SimulatedPost], source: str) -> dict[str, SimulatedPost]:
        """Posts of the day that the settings ask for, by address."""
        return {
            permalink(post): post
            for post in posts
            if post.source == source
            and post.created_at.date() == self.date
            and (source != "github" or post.channel == "acme/lander" or post.comment_count >= 3)
        }


@dataclass
class Tally:
    """What became of some days."""

    source_days: int = 0
    became_complete: int = 0
    falsely_complete: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    wrongly_deleted: list[str] = field(default_factory=list)
    texts_lost: list[str] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    disturbed_by_nothing: list[str] = field(default_factory=list)
    never_asked_for: list[str] = field(default_factory=list)
    requests: int = 0
    collections: int = 0
    undisturbed_requests: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    violations: Counter[str] = field(default_factory=Counter)

    def mistakes(self) -> dict[str, list[str]]:
        """Everything that must never happen, by kind, with where it did."""
        found = {
            "falsely complete": self.falsely_complete,
            "lost": self.lost,
            "twice": self.twice,
            "wrongly deleted": self.wrongly_deleted,
            "without a text": self.texts_lost,
            "never asked for": self.never_asked_for,
            "not whole though nothing went wrong": self.disturbed_by_nothing,
        }
        return {kind: where for kind, where in found.items() if where}

    def __str__(self) -> str:
        return (
            f"{self.source_days} source-days: {self.became_complete} complete in the end,"
            f" {len(self.falsely_complete)} falsely complete, {len(self.lost)} lost,"
            f" {len(self.twice)} twice, {len(self.wrongly_deleted)} wrongly deleted,"
            f" {len(self.texts_lost)} without a text;"
            f" {self.requests} requests in {self.collections} collections, undisturbed"
            f" {self.undisturbed_requests} in {self.source_days}; refused {dict(self.refused)};"
            f" faults {dict(self.faults)}; violations {dict(self.violations)}"
        )


class Store:
    """What the runs of the asset do with a collection, and what the tables say then."""

    def __init__(self) -> None:
        # In memory: opening and closing the file would take most of the time.
        self._connection = duckdb.connect(config={"threads": 1})
        migrate(self._connection)

    def collect(self, collectors: CollectorsResource, source: str, day: date, run_id: str) -> int:
        """Collect and store as one step of a run does; return the requests made."""
        started_at = datetime.now(UTC)
        collection, posts = distinct(collectors.collect(source, day))
        self._connection.begin()
        bronze.store_collection(
            self._connection,
            source,
            day,
            posts,
            collection,
            started_at=started_at,
            finished_at=datetime.now(UTC),
            run_id=run_id,
        )
        self._connection.commit()
        return collection.requests

    def rows(self, source: str, day: date) -> list[tuple[str, str]]:
        """Address and body of every row of a source-day."""
        rows: list[tuple[str, str]] = self._connection.execute(
            "SELECT url, body FROM bronze.raw_items WHERE source = ? AND collection_date = ?",
            [source, day],
        ).fetchall()
        return rows

    def entry(self, source: str, day: date) -> tuple[bool, str]:
        """Return whether the ledger calls a source-day complete, and its reason."""
        entries = bronze.ledger_of_day(self._connection, day)
        entry = next((one for one in entries if one.source == source), None)
        return (entry.complete, entry.reason) if entry else (False, "never collected")


class Watched:
    """One source-day: every run is checked against the truth."""

    def __init__(
        self,
        day: SimulatedDay,
        source: str,
        posts: list[SimulatedPost],
        running: VirtualSimulator,
        store: Store,
        tally: Tally,
        cache: Path,
    ) -> None:
        self._day = day
        self._source = source
        self._collectors = running.collectors(**day.settings(running, cache))
        self._running = running
        self._store = store
        self._tally = tally
        self.wanted = day.wanted(posts, source)
        fickle = (
            *restless_posts(day.profile, posts),
            *growing_posts(day.profile, posts),
            *hidden_posts(day.profile, posts),
        )
        self._steady = self.wanted.keys() - {permalink(post) for post in fickle}
        self._were_stored: set[str] = set()
        self._runs = 0

    def run(self, *, again: bool = False) -> bool:
        """Run once, and return whether the ledger calls the day complete.

        Args:
            again: Whether it is the same run that tries the step again.
        """
        self._runs += not again
        name = f"{self._source} {self._day.date} (day {self._day.number})"
        try:
            self._tally.requests += self._store.collect(
                self._collectors, self._source, self._day.date, f"run {self._runs}"
            )
            self._tally.collections += 1
        except CollectionError as error:
            self._tally.refused[type(error).__name__] += 1
        rows = self._store.rows(self._source, self._day.date)
        complete, reason = self._store.entry(self._source, self._day.date)
        stored = {url for url, _ in rows}
        if len(stored) < len(rows):
            self._tally.twice.append(name)
        if not stored <= self.wanted.keys():
            self._tally.never_asked_for.append(f"{name}: {len(stored - self.wanted.keys())}")
        if complete and (missing := self._steady - stored):
            self._tally.falsely_complete.append(f"{name}: {len(missing)} of {len(self._steady)}")
        gone = self._were_stored & self._steady - stored
        if gone:
            self._tally.wrongly_deleted.append(f"{name}: {len(gone)} ({reason})")
        self._were_stored |= stored
        self._check_texts(rows, name)
        return complete

    def _check_texts(self, rows: Iterable[tuple[str, str]], name: str) -> None:
        for url, body in rows:
            post = self.wanted.get(url)
            if post is not None and self._source == "reddit":
                words = texts(post, form_of(self._day.profile, post))
                if not all(piece.strip() in body for piece in words):
                    self._tally.texts_lost.append(f"{name}: {url}")

    def check_nothing_lost(self) -> None:
        """Compare what is stored in the end with what there is."""
        stored = {url for url, _ in self._store.rows(self._source, self._day.date)}
        complete, reason = self._store.entry(self._source, self._day.date)
        if missing := self._steady - stored:
            name = f"{self._source} {self._day.date} (day {self._day.number})"
            self._tally.lost.append(
                f"{name}: {len(missing)} of {len(self._steady)}, complete {complete}: {reason}"
            )


def collect_undisturbed(
    day: SimulatedDay, posts: list[SimulatedPost], monkeypatch: Any, tally: Tally, cache: Path
) -> None:
    """Collect a day of which nothing goes wrong: complete at once, every post once."""
    world = HandWrittenWorld(posts)
    with virtual_simulator(world, monkeypatch, present=day.present) as running:
        for source in SOURCES:
            settings = {**day.settings(running, cache), "reddit_subreddits": list(SUBREDDITS)}
            if day.has_moved_repository:
                settings["github_repos"] = ["acme/lander"]
            collection = running.collectors(**settings).collect(source, day.date)
            addresses = [post.url for post in collection.posts]
            if sorted(addresses) != sorted(day.wanted(posts, source)) or not collection.complete:
                tally.disturbed_by_nothing.append(
                    f"{source} on day {day.number}: {len(addresses)} posts, {collection.reason}"
                )
            tally.undisturbed_requests += collection.requests


def collect_disturbed(
    day: SimulatedDay,
    posts: list[SimulatedPost],
    monkeypatch: Any,
    tally: Tally,
    store: Store,
    cache: Path,
) -> None:
    """Collect a day through all its trouble, as often as the schedule would."""
    moved = {"acme/formerly": "acme/lander"} if day.has_moved_repository else {}
    with virtual_simulator(
        HandWrittenWorld(posts),
        monkeypatch,
        present=day.present,
        faults=day.profile,
        moved_repositories=moved,
        private_subreddits=[CLOSED],
        hn_exhaustive=day.number % 4 < 2,
    ) as running:
        for source in SOURCES:
            watched = Watched(day, source, posts, running, store, tally, cache)
            tally.source_days += 1
            api = "archive" if source == "reddit" and day.has_archive else API_OF.get(source)
            is_complete = False
            for _ in range(TRIES):
                is_complete = watched.run()
                if api:
                    running.indexes[api].recover()
                if is_complete:
                    break
                running.clock.sleep(4 * 3600)
            tally.became_complete += is_complete
            watched.check_nothing_lost()
            # The loss of a handful is believed at once; a repository's list is not of the index.
            of_index = [post for post in watched.wanted.values() if post.channel != "acme/lander"]
            if api and len(of_index) >= CHANCE_OF_LOSS:
                lost = IndexSpell(api, SHRUNKEN_INDEX, lost_share=0.9)
                running.indexes[api].begin(lost)
                watched.run()
                watched.run(again=True)
                running.indexes[api].recover()
                running.clock.sleep(4 * 3600)
                watched.run()
                watched.check_nothing_lost()
        counted = running.stats()
    for faults in counted["faults"].values():
        tally.faults.update(faults)
    for violations in counted["violations"].values():
        tally.violations.update(violations)


@pytest.mark.parametrize("chunk", range(DAYS // CHUNK))
def test_no_day_is_called_complete_that_is_not_and_nothing_is_deleted_wrongly(
    chunk: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    tally, store = Tally(), Store()
    for number in range(chunk * CHUNK, (chunk + 1) * CHUNK):
        day = SimulatedDay(number)
        posts = day.world()
        collect_undisturbed(day, posts, monkeypatch, tally, tmp_path / f"calm{number}")
        collect_disturbed(day, posts, monkeypatch, tally, store, tmp_path / f"rough{number}")
    if SOAK:
        with capsys.disabled():
            print(f"\n{tally}")
    assert tally.mistakes() == {}, tally
    assert tally.violations == {}, tally
    assert {"empty", "stopped_index", "shrunken_index"} <= tally.faults.keys()
    # Somebody who never says "complete" would be right as well, and of no use.
    assert tally.became_complete > tally.source_days / 2, tally


@pytest.mark.parametrize("source", ["github", "stackoverflow", "hackernews", "archive"])
def test_an_index_that_catches_up_while_it_is_read_proves_nothing_about_what_was_read_before(
    source: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    name, api = ("reddit", "archive") if source == "archive" else (source, API_OF[source])
    posts = [a_post(name, 600 + 1_200 * number) for number in range(70)]
    posts += [a_post(name, -60), a_post(name, DAY_S + 600)]
    for last_request in range(1, 12):
        ended = IndexSpell(
            api, STOPPED_INDEX, behind=timedelta(hours=15, minutes=10), last_request=last_request
        )
        present = DAY + timedelta(days=1, hours=6)
        with virtual_simulator(
            HandWrittenWorld(posts),
            monkeypatch,
            present=present,
            faults=FaultProfile(index_spells=(ended,)),
        ) as running:
            collection = running.collectors(
                cache_dir=str(tmp_path / str(last_request)),
                reddit_backend="archive",
                reddit_archive_url=f"{running.base_url}/archive",
            ).collect(name, DAY.date())
        of_day = [post for post in posts if post.created_at.date() == DAY.date()]
        assert len(collection.posts) == len(of_day) or not collection.complete, last_request


@pytest.mark.parametrize("source", ["github", "stackoverflow", "hackernews", "archive"])
@pytest.mark.parametrize("size", [3, 70, 250])
@pytest.mark.parametrize("turn", [0, 1, "by chance"])
def test_replies_that_come_in_turn_from_a_copy_that_lags_behind_prove_nothing_about_its_end(
    source: str, size: int, turn: int | str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    name, api = ("reddit", "archive") if source == "archive" else (source, API_OF[source])
    posts = [a_post(name, number * (DAY_S // size) + 300) for number in range(size)]
    posts += [a_post(name, -60), a_post(name, DAY_S + 600)]
    chance = random.Random(f"{source}/{size}")
    of_day = [post for post in posts if post.created_at.date() == DAY.date()]
    complete = 0
    for attempt in range(6):
        lagging = [
            number
            for number in range(1, 400)
            if (number % 2 == turn if isinstance(turn, int) else chance.random() < 0.4)
        ]
        spells = tuple(
            IndexSpell(
                api,
                STOPPED_INDEX,
                behind=timedelta(hours=15, minutes=10),
                first_request=number,
                last_request=number,
            )
            for number in lagging
        )
        with virtual_simulator(
            HandWrittenWorld(posts),
            monkeypatch,
            present=DAY + timedelta(days=1, hours=6),
            faults=FaultProfile(index_spells=spells),
        ) as running:
            collection = running.collectors(
                cache_dir=str(tmp_path / str(attempt)),
                reddit_backend="archive",
                reddit_archive_url=f"{running.base_url}/archive",
            ).collect(name, DAY.date())
        assert len(collection.posts) == len(of_day) or not collection.complete, collection.reason
        complete += collection.complete
    assert complete  # who never says "complete" would be right, too


def test_what_is_only_looked_at_to_see_how_far_reddit_is_is_not_stored(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    posts = [a_post("reddit", second) for second in (-60, 600, 1_200)]
    with virtual_simulator(
        HandWrittenWorld(posts), monkeypatch, present=DAY + timedelta(days=1, hours=6)
    ) as running:
        collection = running.collectors(cache_dir=str(tmp_path)).collect("reddit", DAY.date())
    assert [post.url for post in collection.posts] == [permalink(post) for post in posts[1:]]
    assert collection.complete, collection.reason
