"""Writing to the real server: what it refuses, mistakes, forgets or has no room for."""

import os
import resource
import signal
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date

import pytest

from issue_pipeline.errors import LiveStoreError
from issue_pipeline.local.pocketbase_server import PocketBaseServer, pocketbase_binary
from issue_pipeline.publishing.plan import plan_changes
from issue_pipeline.resources.pocketbase import resource as pocketbase
from issue_pipeline.resources.pocketbase.records import Fields, IssueChanges, LiveIssue
from issue_pipeline.resources.pocketbase.resource import LiveStore, Outcome, PocketBaseResource

DAY = date(2026, 3, 10)


@pytest.fixture
def server(tmp_path) -> Iterator[PocketBaseServer]:
    with PocketBaseServer(tmp_path / "pocketbase", log=tmp_path / "log") as server:
        yield server


@pytest.fixture
def store(server: PocketBaseServer) -> Iterator[LiveStore]:
    with connected(server) as store:
        yield store


def connected(server: PocketBaseServer):
    user = server.superuser
    return PocketBaseResource(url=server.url, email=user.email, password=user.password).connect()


def an_issue(name: str, posts: int = 2, **changes: object) -> LiveIssue:
    record_id = f"issue{name:0>10}"
    fields = {
        "issue_date": DAY.isoformat(), "cluster_id": 0, "fingerprint": "f" * 64,
        "title": f"Issue {name}", "category": "devtools", "description": "It breaks.",
        "would_pay": True, "impact": "high", "size": posts, "sources": {"github": posts},
        "complete": True, "is_problem": True, "problem": "", **changes,
    }  # fmt: skip
    evidence = {f"{name:0>5}{number:010}": a_post(record_id, number) for number in range(posts)}
    return LiveIssue(record_id, fields, evidence)


def a_post(record_id: str, number: int) -> Fields:
    return {
        "issue": record_id, "source": "github", "url": f"https://a.example/{number}",
        "title": f"Post {number}", "snippet": "It broke.",
        "posted_at": "2026-03-10 12:00:00.123Z", "comments": 0, "votes": -3,
        "distance": 0.512,
        "search": "",
    }  # fmt: skip


def with_post(issue: LiveIssue, place: int, **changes: object) -> LiveIssue:
    key = list(issue.evidence)[place]
    return replace(issue, evidence={**issue.evidence, key: {**issue.evidence[key], **changes}})


def without_post(issue: LiveIssue, place: int) -> LiveIssue:
    key = list(issue.evidence)[place]
    return replace(issue, evidence={k: one for k, one in issue.evidence.items() if k != key})


def by_id(*issues: LiveIssue) -> Mapping[str, LiveIssue]:
    return {issue.record_id: issue for issue in issues}


def write(store: LiveStore, *issues: LiveIssue) -> list[Outcome]:
    return list(store.apply(plan_changes(issues, store.issues_of_day(DAY))))


def test_what_is_written_is_read_back_as_it_was(store):
    issues = [
        an_issue("a", title="Z\u0351\x00 \u202e<b>", description="", size=0, sources={}),
        an_issue("b", posts=230, complete=False, would_pay=False),
    ]
    assert write(store, *issues) == [Outcome(issue.record_id) for issue in issues]
    assert store.issues_of_day(DAY) == by_id(*issues)
    assert write(store, *issues) == []


def test_more_than_a_page_of_records_is_read_whole(store, monkeypatch):
    issues = [an_issue(f"{number}", posts=3) for number in range(7)]
    write(store, *issues)
    monkeypatch.setattr(pocketbase, "PAGE_RECORDS", 5)
    assert store.issues_of_day(DAY) == by_id(*issues)


def test_a_post_that_is_refused_holds_up_neither_its_issue_nor_the_others(store):
    good = [an_issue(f"{number}", posts=60) for number in range(4)]
    bad = [
        with_post(one, 30, title="x" * 1001) if place % 2 else one for place, one in enumerate(good)
    ]
    outcomes = write(store, *bad)
    assert [bool(one.error) for one in outcomes] == [False, True, False, True]
    assert "title: Must be no more than 1000 character(s)." in outcomes[1].error
    assert list(bad[1].evidence)[30] in outcomes[1].error
    assert store.issues_of_day(DAY) == by_id(
        good[0], without_post(good[1], 30), good[2], without_post(good[3], 30)
    )
    assert [one.error for one in write(store, *good)] == ["", ""]
    assert store.issues_of_day(DAY) == by_id(*good)


def test_an_issue_whose_own_record_is_refused_stays_as_it_was(store):
    old, neighbour = an_issue("a"), an_issue("b")
    write(store, old)
    refused = with_post(an_issue("a", category="sports"), 0, title="Newer")
    outcomes = write(store, refused, an_issue("c", impact="dire"), neighbour)
    assert [bool(one.error) for one in outcomes] == [True, True, False]
    assert store.issues_of_day(DAY) == by_id(old, neighbour)


def test_what_the_server_stores_otherwise_than_sent_is_an_error(store):
    (outcome,) = write(store, with_post(an_issue("a"), 1, posted_at="yesterday"))
    assert "posted_at was not stored as sent" in outcome.error


def test_what_somebody_removed_meanwhile_needs_no_removing(store):
    issue = an_issue("a", posts=3)
    write(store, issue)
    late = plan_changes([without_post(issue, 0)], store.issues_of_day(DAY))
    too_late = plan_changes([], store.issues_of_day(DAY))
    write(store, without_post(issue, 0))
    assert list(store.apply(late)) == [Outcome(issue.record_id)]
    write(store)
    assert list(store.apply(too_late)) == [Outcome(issue.record_id)]
    assert store.issues_of_day(DAY) == {}


def test_an_expired_token_is_renewed(server, store):
    user = server.superuser
    # Setting the password anew, even to the same, ends every session.
    upsert = [str(pocketbase_binary()), "superuser", "upsert", user.email, user.password]
    folder = next(server.process.log.parent.rglob("data.db")).parent
    subprocess.run([*upsert, f"--dir={folder}"], check=True, capture_output=True)
    assert write(store, an_issue("a")) == [Outcome(an_issue("a").record_id)]
    assert store.issues_of_day(DAY) == by_id(an_issue("a"))


def test_a_full_disk_is_a_failure_and_not_a_refusal_and_is_made_up_for(server, store):
    issues = [an_issue(f"{number}", posts=199) for number in range(12)]
    database = next(server.process.log.parent.rglob("data.db"))
    room = max(file.stat().st_size for file in database.parent.iterdir()) + 10_000
    unlimited = resource.RLIM_INFINITY
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (room, unlimited))
    with pytest.raises(LiveStoreError, match=r"disk not full\? The next run completes"):
        write(store, *issues)
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (unlimited, unlimited))
    write(store, *issues)
    assert store.issues_of_day(DAY) == by_id(*issues)


def test_a_server_that_hangs_is_a_failure_within_the_time_limit(server):
    with connected(server) as store:
        store._connection._client.http_client.timeout = 1.5
        os.kill(server.process.pid, signal.SIGSTOP)
        try:
            with pytest.raises(LiveStoreError, match=r"timed out.*The next run completes"):
                while True:  # all its threads stop within moments
                    store.issues_of_day(DAY)
        finally:
            os.kill(server.process.pid, signal.SIGCONT)


def test_a_server_killed_between_two_batches_loses_nothing_it_confirmed(server, store):
    issues = [an_issue(f"{number}", posts=150) for number in range(6)]
    told: list[Outcome] = []
    with pytest.raises(LiveStoreError, match="The next run completes"):
        for outcome in store.apply(plan_changes(issues, {})):
            told.append(outcome)
            if len(told) == 2:
                os.kill(server.process.pid, signal.SIGKILL)
    assert told == [Outcome(issue.record_id) for issue in issues[:2]]
    server.process.stop()
    server.process.start()
    server.wait_until_ready()
    stored = store.issues_of_day(DAY)
    assert stored == by_id(*issues[:2])
    list(store.apply(plan_changes(issues, stored)))
    assert store.issues_of_day(DAY) == by_id(*issues)


def test_issues_are_told_apart_however_they_are_packed(store):
    issues = [
        an_issue(f"{number}", posts=posts) for number, posts in enumerate((0, 450, 3, 199, 1))
    ]
    assert write(store, *issues) == [Outcome(issue.record_id) for issue in issues]
    assert store.issues_of_day(DAY) == by_id(*issues)
    assert write(store) == [
        Outcome(change.record_id) for change in plan_changes([], by_id(*issues))
    ]


def test_nothing_is_sent_for_an_empty_plan(store):
    assert list(store.apply([])) == []
    assert list(store.apply([IssueChanges("a" * 15, [])])) == [Outcome("a" * 15)]
