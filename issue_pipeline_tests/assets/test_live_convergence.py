"""Whatever happened before, a run leaves the live store exactly as gold says."""

import contextlib
import itertools
import os
import random
import resource
import signal
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest

from issue_pipeline.errors import LiveStoreError
from issue_pipeline.local.pocketbase_server import PocketBaseServer
from issue_pipeline.publishing.sync import Published
from issue_pipeline_tests.support.published_day import (
    CHILDREN,
    ISSUES_PATH,
    PROOFS_PATH,
    GoldIssue,
    Site,
    gold_says,
    live_shows,
    publish_in_child,
    record_ids,
    store_gold,
)

FIRST_DAY = date(2026, 1, 1)
# All 200 are quick to ask for (LIVE_HISTORIES=200), but take minutes.
HISTORIES = int(os.environ.get("LIVE_HISTORIES", "12"))
STEPS = 4
POSTS = 30


class History:
    """A day on which everything happens that can, at random."""

    def __init__(self, site: Site, number: int) -> None:
        self.site = site
        self.day = FIRST_DAY + timedelta(days=number)
        self.random = random.Random(number)
        self.gold = self._clusters()
        self._store()

    def step(self) -> None:
        steps: list[tuple[Callable[[], None], int]] = [
            (self.recluster, 6), (self.relabel, 4), (self.rerun, 3), (self.partial_failure, 2),
            (self.kill_the_pipeline, 3), (self.kill_the_server, 1), (self.hand_edit, 3),
            (self.hand_deletion, 3), (self.hand_addition, 1), (self.two_runs, 1),
        ]  # fmt: skip
        ways, weights = zip(*steps, strict=True)
        self.random.choices(ways, weights)[0]()

    def recluster(self) -> None:
        if self.random.random() < 0.3:
            self.gold = self._clusters()
        else:
            self.gold = self._move_some_posts()
        self._store()
        self._maybe_publish()

    def relabel(self) -> None:
        place = self.random.randrange(len(self.gold))
        failed = self.random.random() < 0.2
        self.gold[place] = replace(self.gold[place], title=self._title(), failed=failed)
        self._store()
        self._maybe_publish()

    def rerun(self) -> None:
        self.site.publish(self.day)

    def partial_failure(self) -> None:
        bad = {post: "x" * 1001 for one in self.gold for post in self.random.sample(one.posts, 1)}
        self._store([replace(one, post_title=bad) for one in self.gold])
        with contextlib.suppress(LiveStoreError):
            self.site.publish(self.day)
        self._store()

    def kill_the_pipeline(self) -> None:
        ready = CHILDREN.Event()
        child = self.site.child(publish_in_child, ready, self.day)
        child.start()
        assert ready.wait(60)
        child.join(self.random.uniform(0, 0.3))
        child.kill()
        child.join()
        child.close()

    def kill_the_server(self) -> None:
        self.gold = self._move_some_posts()
        self._store()
        pid = self.site.server.process.pid
        blow = threading.Timer(self.random.uniform(0, 0.3), os.kill, (pid, signal.SIGKILL))
        blow.start()
        with contextlib.suppress(LiveStoreError):
            self.site.publish(self.day)
        blow.join()
        self.site.restart()

    def hand_edit(self) -> None:
        if issue := self._any_record(ISSUES_PATH, f"issue_date = '{self.day}'"):
            change = self.random.choice(
                [
                    {"title": "Mine"},
                    {"size": 0, "sources": {}},
                    {"issue_date": "2031-01-01"},
                    {"cluster_id": 77},
                ]
            )
            self.site.owner.patch(f"{ISSUES_PATH}/{issue['id']}", json=change).raise_for_status()
        posts = [
            self._any_record(PROOFS_PATH, f"issue.issue_date = '{self.day}'") for _ in range(3)
        ]
        for post, other in itertools.pairwise(posts):
            if post and other:
                change = self.random.choice(
                    [{"url": "https://b.example/"}, {"issue": other["issue"]}]
                )
                self.site.owner.patch(f"{PROOFS_PATH}/{post['id']}", json=change).raise_for_status()

    def hand_deletion(self) -> None:
        if issue := self._any_record(ISSUES_PATH, f"issue_date = '{self.day}'"):
            self.site.owner.delete(f"{ISSUES_PATH}/{issue['id']}").raise_for_status()
        for _ in range(self.random.randrange(6)):
            if post := self._any_record(PROOFS_PATH, f"issue.issue_date = '{self.day}'"):
                self.site.owner.delete(f"{PROOFS_PATH}/{post['id']}").raise_for_status()

    def hand_addition(self) -> None:
        if issue := self._any_record(ISSUES_PATH, f"issue_date = '{self.day}'"):
            copy = {**issue, "id": ""}
            self.site.owner.post(ISSUES_PATH, json=copy).raise_for_status()
        if post := self._any_record(PROOFS_PATH, f"issue.issue_date = '{self.day}'"):
            self.site.owner.post(PROOFS_PATH, json={**post, "id": ""}).raise_for_status()

    def two_runs(self) -> None:
        self.gold = self._move_some_posts()
        self._store()
        ready = CHILDREN.Event()
        other = self.site.child(publish_in_child, ready, self.day)
        other.start()
        self.site.publish(self.day)
        other.join()
        assert other.exitcode == 0

    def _maybe_publish(self) -> None:
        if self.random.random() < 0.5:
            self.site.publish(self.day)

    def _any_record(self, path: str, condition: str) -> dict[str, object] | None:
        reply = self.site.owner.get(path, params={"filter": condition, "perPage": 1000}).json()
        return self.random.choice(reply["items"]) if reply["items"] else None

    def _store(self, gold: list[GoldIssue] | None = None) -> None:
        store_gold(self.site.database, self.day, self.gold if gold is None else gold)

    def _clusters(self) -> list[GoldIssue]:
        posts = [f"{number:02}" for number in range(POSTS)]
        self.random.shuffle(posts)
        gold, noise = [], self.random.randrange(POSTS // 2)
        posts = posts[noise:]
        while posts:
            size = self.random.randint(1, 8)
            gold.append(self._issue(posts[:size]))
            posts = posts[size:]
        return gold

    def _move_some_posts(self) -> list[GoldIssue]:
        groups = [list(one.posts) for one in self.gold]
        for _ in range(self.random.randint(1, 8)):
            giver = self.random.choice(groups)
            if giver:
                self.random.choice(groups).append(giver.pop(self.random.randrange(len(giver))))
        self.random.shuffle(groups)
        return [self._issue(group) for group in groups if group]

    def _issue(self, posts: list[str]) -> GoldIssue:
        return GoldIssue(posts, title=self._title(), failed=self.random.random() < 0.1)

    def _title(self) -> str:
        return f"Problem {self.random.randrange(1000)}"


@pytest.mark.e2e
@pytest.mark.parametrize("part", range(4))
def test_after_any_history_one_run_makes_live_what_gold_says(site, part):
    for number in range(part, HISTORIES, 4):
        history = History(site, number)
        for _ in range(STEPS):
            history.step()
        site.publish(history.day)
        assert live_shows(site.server.url, history.day) == gold_says(history.day, history.gold), (
            number
        )
        if number % 5 == part:  # a run more for some is enough to see it
            again = site.publish(history.day)
            assert (again.written, again.withdrawn) == (0, 0), number


def test_an_issue_keeps_its_record_when_its_day_is_clustered_again(site, a_day):
    before = [GoldIssue(list("abcdef")), GoldIssue(list("ghijk")), GoldIssue(list("lmnop"))]
    store_gold(site.database, a_day, before)
    site.publish(a_day)
    first = record_ids(site.server.url, a_day)
    # Other numbers, other labels; "lmnop" fell apart.
    after = [
        GoldIssue(list("hijkx"), title="Renamed"),
        GoldIssue(list("bcdefyz")),
        GoldIssue(list("lm")),
        GoldIssue(list("no")),
    ]
    store_gold(site.database, a_day, after)
    published = site.publish(a_day)
    second = record_ids(site.server.url, a_day)
    assert (second[0], second[1]) == (first[1], first[0])
    assert first[2] not in second.values()
    assert (published.written, published.withdrawn) == (4, 1)
    assert live_shows(site.server.url, a_day) == gold_says(a_day, after)


def test_a_record_removed_by_hand_comes_back_as_the_same_record(site, a_day):
    store_gold(site.database, a_day, [GoldIssue(list("abcdef"))])
    site.publish(a_day)
    # Without "a", after which a new record would be named.
    store_gold(site.database, a_day, [GoldIssue(list("bcdef"))])
    site.publish(a_day)
    before = record_ids(site.server.url, a_day)
    site.owner.delete(f"{ISSUES_PATH}/{before[0]}").raise_for_status()
    site.publish(a_day)
    assert record_ids(site.server.url, a_day) == before


def test_a_record_that_was_given_another_day_by_hand_is_withdrawn_like_any_other(site, a_day):
    store_gold(site.database, a_day, [GoldIssue(list("abc")), GoldIssue(list("xyz"))])
    site.publish(a_day)
    ids = record_ids(site.server.url, a_day)
    for record_id in ids.values():
        moved = site.owner.patch(f"{ISSUES_PATH}/{record_id}", json={"issue_date": "2099-01-01"})
        moved.raise_for_status()
    store_gold(site.database, a_day, [GoldIssue(list("abc"))])
    assert site.publish(a_day) == Published(issues=1, written=1, withdrawn=1, complete=True)
    assert record_ids(site.server.url, a_day) == {0: ids[0]}
    assert record_ids(site.server.url, date(2099, 1, 1)) == {}


def test_a_run_that_failed_while_publishing_leaves_the_next_one_with_the_same_records(tmp_path):
    # A server of its own, whose files are small enough to say when they are full.
    with PocketBaseServer(tmp_path / "pocketbase", log=tmp_path / "log") as server:
        site, day = Site(server, tmp_path / "issues.duckdb"), FIRST_DAY
        store_gold(site.database, day, [GoldIssue(list("abcdef"))])
        site.publish(day)
        first = record_ids(server.url, day)
        many = [f"{number:04}" for number in range(3000)]
        store_gold(site.database, day, [GoldIssue(list("bcdefg")), GoldIssue(many)])
        room = max(file.stat().st_size for file in tmp_path.rglob("data.db*")) + 10_000
        unlimited = resource.RLIM_INFINITY
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (room, unlimited))
        with pytest.raises(LiveStoreError, match="disk not full"):
            site.publish(day)
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (unlimited, unlimited))
        assert "pending" in {row[2] for row in site.told(day)}
        # Little in common with the first state: only one who kept the second sees one issue.
        store_gold(site.database, day, [GoldIssue(list("defghi"))])
        site.publish(day)
        assert record_ids(server.url, day) == first


def test_the_table_says_what_became_of_each_record(site, a_day):
    good, bad = GoldIssue(list("abc")), GoldIssue(list("def"), post_title={"e": "x" * 1001})
    store_gold(site.database, a_day, [good, bad])
    with pytest.raises(LiveStoreError, match="refused records of 1 of 2 issues"):
        site.publish(a_day)
    ids = record_ids(site.server.url, a_day)
    told = site.told(a_day)
    assert [(row[:3], row[3][:14]) for row in told] == [
        ((0, ids[0], "published"), ""),
        ((1, ids[1], "failed"), "issue_evidence"),
    ]
    os.kill(site.server.process.pid, signal.SIGKILL)
    site.server.process.stop()
    with pytest.raises(LiveStoreError, match="Is it running"):
        site.publish(a_day)
    assert site.told(a_day) == told  # nothing was begun
    site.server.process.start()
    site.server.wait_until_ready()
    store_gold(site.database, a_day, [good, replace(bad, post_title={})])
    site.publish(a_day)
    assert [row[2:4] for row in site.told(a_day)] == [("published", ""), ("published", "")]


def test_a_second_run_writes_nothing_into_the_table_either(site, a_day):
    store_gold(site.database, a_day, [GoldIssue(list("abc")), GoldIssue(list("de"))])
    site.publish(a_day)
    before, modified = site.told(a_day), site.path.stat().st_mtime_ns
    assert site.publish(a_day) == Published(issues=2, written=0, withdrawn=0, complete=True)
    assert site.told(a_day) == before
    assert site.path.stat().st_mtime_ns == modified
