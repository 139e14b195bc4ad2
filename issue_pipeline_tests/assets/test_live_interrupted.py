"""Runs that die at any moment, or meet: no record is lost, left over, or there twice."""

import itertools
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from issue_pipeline.errors import LiveStoreError
from issue_pipeline.publishing import sync
from issue_pipeline.publishing.sync import Published
from issue_pipeline_tests.support.published_day import (
    CHILDREN,
    ISSUES_PATH,
    GoldIssue,
    gold_says,
    live_shows,
    publish_until,
    publish_with_a_pause,
    record_ids,
    store_gold,
)

WAIT_S = 60


def test_a_run_that_dies_at_any_moment_is_made_up_for_with_the_same_records(site, new_day):
    before = [GoldIssue(list("abcdef")), GoldIssue(list("ghijk")), GoldIssue(list("lmnop"))]
    between = [GoldIssue(list("bcdefq")), GoldIssue(list("ghijk"), failed=True), GoldIssue("rst")]
    after = [GoldIssue(list("ghijkv")), GoldIssue(list("rstu")), GoldIssue(list("cdefqw"))]
    for moment in itertools.count():
        day = new_day()
        store_gold(site.database, day, before)
        site.publish(day)
        moves, waits, goes = record_ids(site.server.url, day).values()
        # Somebody puts out of sight what is about to be withdrawn.
        hidden = {"issue_date": "2099-01-01"}
        site.owner.patch(f"{ISSUES_PATH}/{goes}", json=hidden).raise_for_status()
        store_gold(site.database, day, between)
        child = site.child(publish_until, moment, day)
        child.start()
        child.join(WAIT_S)
        assert child.exitcode in (0, -signal.SIGKILL)
        store_gold(site.database, day, after)
        site.publish(day)
        assert live_shows(site.server.url, day) == gold_says(day, after), moment
        ids = record_ids(site.server.url, day)
        assert (ids[2], ids[0]) == (moves, waits), moment
        assert site.owner.get(f"{ISSUES_PATH}/{goes}").status_code == 404, moment
        told = [(number, ids[number], "published", "") for number in range(3)]
        assert [row[:4] for row in site.told(day)] == told, moment
        if child.exitcode == 0:
            break
    # The sync state, two batches, and what became of them; each begun, and all but done.
    assert moment == 8


def test_an_issue_whose_label_failed_for_a_while_comes_back_as_the_same_record(site, a_day):
    first = [GoldIssue(list("abcdef")), GoldIssue(list("ghijk"))]
    store_gold(site.database, a_day, first)
    site.publish(a_day)
    before = record_ids(site.server.url, a_day)
    # Without "a", after which a new record would be named, and clustered again meanwhile.
    store_gold(site.database, a_day, [first[1], GoldIssue(list("bcdef"), failed=True)])
    assert site.publish(a_day) == Published(issues=1, written=1, withdrawn=1, complete=True)
    assert site.publish(a_day) == Published(issues=1, written=0, withdrawn=0, complete=True)
    store_gold(site.database, a_day, [first[1], GoldIssue(list("cdefg"[:4]), failed=True)])
    site.publish(a_day)
    store_gold(site.database, a_day, [GoldIssue(list("cdexy")), first[1]])
    site.publish(a_day)
    assert record_ids(site.server.url, a_day) == before


def test_of_two_runs_at_once_the_second_waits_and_live_is_what_gold_says_last(site, a_day):
    old = [GoldIssue([f"{number}"], title="Old") for number in range(20)]
    new = [GoldIssue([f"{number}", f"{number}x"], title="New") for number in range(5, 25)]
    store_gold(site.database, a_day, old)
    begun, go_on = CHILDREN.Event(), CHILDREN.Event()
    first = site.child(publish_with_a_pause, begun, go_on, a_day)
    first.start()
    assert begun.wait(WAIT_S)
    store_gold(site.database, a_day, new)
    with ThreadPoolExecutor() as pool:
        second = pool.submit(site.publish, a_day)
        assert not threading.Event().wait(0.5)  # as long as the second would need
        assert not second.done()
        go_on.set()
        first.join(WAIT_S)
        assert first.exitcode == 0
        assert second.result(WAIT_S) == Published(issues=20, written=20, withdrawn=5, complete=True)
    assert live_shows(site.server.url, a_day) == gold_says(a_day, new)
    assert not list(site.path.parent.glob("*publishing*"))


def test_a_run_that_finds_the_day_taken_for_too_long_says_what_to_do(site, a_day, monkeypatch):
    store_gold(site.database, a_day, [GoldIssue(list("abc"))])
    monkeypatch.setattr(sync, "MAX_WAIT_S", 0.1)
    begun, go_on = CHILDREN.Event(), CHILDREN.Event()
    first = site.child(publish_with_a_pause, begun, go_on, a_day)
    first.start()
    assert begun.wait(WAIT_S)
    with pytest.raises(LiveStoreError, match="Another run has been publishing"):
        site.publish(a_day)
    first.kill()  # and frees the way
    first.join()
    assert site.publish(a_day).written == 1


def test_a_record_that_cannot_be_withdrawn_holds_up_no_other_and_is_not_forgotten(site, a_day):
    collection = site.owner.get("/api/collections/issues").json()["id"]
    notes = {
        "name": "notes", "type": "base",
        "fields": [
            {"name": "of", "type": "relation", "required": True, "collectionId": collection}
        ],
    }  # fmt: skip
    site.owner.post("/api/collections", json=notes).raise_for_status()
    try:
        gold = [GoldIssue(list("abc")), GoldIssue(list("def")), GoldIssue(list("ghi"))]
        store_gold(site.database, a_day, gold)
        site.publish(a_day)
        held, _, stays = record_ids(site.server.url, a_day).values()
        note = site.owner.post("/api/collections/notes/records", json={"of": held})
        renamed = [replace(gold[2], title="Renamed")]
        store_gold(site.database, a_day, renamed)
        with pytest.raises(LiveStoreError, match="required relation"):
            site.publish(a_day)
        assert live_shows(site.server.url, a_day) != gold_says(a_day, renamed)
        assert site.owner.get(f"{ISSUES_PATH}/{held}").is_success
        told = {row[1]: row[2:4] for row in site.told(a_day)}
        assert told[stays] == ("published", "")
        assert told[held][0] == "withdrawing"
        assert "required relation" in told[held][1]
        path = f"/api/collections/notes/records/{note.json()['id']}"
        site.owner.delete(path).raise_for_status()
        assert site.publish(a_day).withdrawn == 1
        assert live_shows(site.server.url, a_day) == gold_says(a_day, renamed)
        assert [row[1:3] for row in site.told(a_day)] == [(stays, "published")]
    finally:
        site.owner.delete("/api/collections/notes").raise_for_status()
