"""Changes of problems reach a real receiver: each once, signed, whatever happens on the way."""

import json
import re
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from issue_pipeline.automation import problem_alerts
from issue_pipeline.automation.problem_alerts import problem_sensors
from issue_pipeline.errors import ConfigurationError, LiveStoreError
from issue_pipeline_tests.support.problem_store import ProblemStore, problem_store
from issue_pipeline_tests.support.receiver import Receiver

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
YESTERDAY, LATEST, NEXT = "2026-03-09", "2026-03-10", "2026-03-11"
NOW = datetime(2026, 3, 11, 6, tzinfo=UTC)
NOTHING = "No problem changed."


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProblemStore]:
    with problem_store(tmp_path_factory.mktemp("problems")) as store:
        yield store


@pytest.fixture
def store(server: ProblemStore, monkeypatch: pytest.MonkeyPatch) -> ProblemStore:
    server.clear()
    monkeypatch.setenv("POCKETBASE_URL", server.url)
    return server


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    receiver = Receiver()
    monkeypatch.setenv("ISSUE_WEBHOOK_URL", receiver.url)
    monkeypatch.setenv("ISSUE_PAGE_URL", "https://problems.example/")
    yield receiver
    receiver.close()


class Looks:
    """A sensor, looking again and again, as the daemon lets it.

    Attributes:
        now: Of the next look.
        cursor: As the daemon keeps it.
    """

    def __init__(self, name: str, instance: dg.DagsterInstance, monkeypatch: Any) -> None:
        self.now = NOW
        self.cursor: str | None = None
        self._name = name
        self._instance = instance
        monkeypatch.setattr(problem_alerts, "_now", lambda: self.now)

    def __call__(self, *, killed: bool = False) -> str:
        """Look once, a minute after the last look; return what the UI shows of it."""
        [sensor] = [one for one in problem_sensors() if one.name == self._name]
        context = dg.build_sensor_context(instance=self._instance, cursor=self.cursor)
        seen = sensor.evaluate_tick(context)
        self.now += timedelta(minutes=1)
        if not killed:
            self.cursor = seen.cursor
        return seen.skip_message or ""

    def twice(self) -> None:
        """What is found at one look is sent at the next."""
        self()
        self()


@pytest.fixture
def look(instance: dg.DagsterInstance, receiver: Receiver, monkeypatch: Any) -> Looks:
    return Looks("report_problem_changes", instance, monkeypatch)


@pytest.fixture
def look_for_digest(instance: dg.DagsterInstance, receiver: Receiver, monkeypatch: Any) -> Looks:
    monkeypatch.setenv("ISSUE_DIGEST_AT", "07:30")
    return Looks("send_problem_digest", instance, monkeypatch)


def told(receiver: Receiver) -> list[list[str]]:
    """The titles of each message that was taken."""
    return [
        [one["title"] for one in json.loads(body)["data"]["problems"]] for body in receiver.bodies
    ]


def begin(store: ProblemStore, look: Looks, receiver: Receiver) -> None:
    """A store with one known problem, of which the latest day has told everything."""
    store.put("Known", state="new", state_since=LATEST, last_seen=LATEST)
    look.twice()
    assert told(receiver) == [["Known"]]


def test_a_change_is_told_with_its_difference_and_a_link(store, look, receiver):
    problem = store.put(
        "Export to CSV fails", state="growing", state_since=LATEST, posts=120, posts_7d=41,
        posts_week_before=12, reach=80, impact="high", would_pay=True, category="finance",
    )  # fmt: skip
    look.twice()
    assert receiver.texts == [
        "1 problem changed, as of 2026-03-10 (UTC):\n"
        "• growing: Export to CSV fails: 41 reports, +29 since last week"
        f" (finance, high impact, would pay) https://problems.example/#/problem/{problem}"
    ]
    body = json.loads(receiver.bodies[0])
    assert body["event"] == "problems.changed"
    assert body["data"]["latest_day"] == LATEST
    assert body["data"]["page"] == "https://problems.example/"
    assert body["data"]["others"] == 0
    [told_of] = body["data"]["problems"]
    expected = {
        "id": problem, "state": "growing", "state_since": LATEST, "posts": 120, "posts_7d": 41,
        "posts_week_before": 12, "reach": 80, "impact": "high", "would_pay": True,
        "category": "finance", "sources": {"github": 120},
        "url": f"https://problems.example/#/problem/{problem}",
    }  # fmt: skip
    assert {name: told_of[name] for name in expected} == expected
    # Keys that mean something else to Slack or Mattermost.
    assert not {"type", "props", "attachments", "blocks", "channel", "username"} & body.keys()


@pytest.mark.parametrize(
    ("reports", "before", "words"),
    [(41, 12, "41 reports, +29"), (5, 5, "5 reports, +0"), (6, 9, "6 reports, −3")],
)
def test_the_difference_is_that_to_the_week_before(store, look, receiver, reports, before, words):
    store.put("Export fails", posts=20, posts_7d=reports, posts_week_before=before)
    look.twice()
    assert f": {words} since last week (" in receiver.texts[0]


def test_where_all_reports_are_of_this_week_nothing_is_compared(store, look, receiver):
    store.put("Export fails", posts=12, posts_7d=12, posts_week_before=0)
    look.twice()
    assert ": 12 reports (" in receiver.texts[0]


def test_weeks_of_which_days_are_missing_are_not_compared(store, look, receiver):
    store.put("Export fails", posts=20, posts_7d=12, posts_week_before=3, comparable=False)
    look.twice()
    assert ": 12 reports, not compared with last week: days are missing (" in receiver.texts[0]


def test_a_change_is_told_once(store, look, receiver):
    begin(store, look, receiver)
    for _ in range(3):
        assert look() == NOTHING
    store.put("Known", state="new", state_since=LATEST, posts_7d=50)
    look.twice()
    assert len(receiver.texts) == 1


def test_each_change_of_a_problem_is_told(store, look, receiver):
    for day, state in ((LATEST, "new"), ("2026-03-12", "growing"), ("2026-03-14", "steady"),
                       ("2026-03-15", "growing"), ("2026-03-17", "returned")):  # fmt: skip
        store.put("Known", state=state, state_since=day, last_seen=day)
        look.now = datetime.fromisoformat(f"{day}T06:00Z") + timedelta(days=1)
        look.twice()
    states = [json.loads(one)["data"]["problems"][0]["state"] for one in receiver.bodies]
    assert states == ["new", "growing", "growing", "returned"]


def test_a_backfill_that_moves_the_beginning_of_a_state_is_no_change(store, look, receiver):
    begin(store, look, receiver)
    store.put("Known", state="new", state_since=YESTERDAY, last_seen=LATEST)
    look.twice()
    store.put("Another", state="steady", state_since="2026-03-01", last_seen=NEXT)
    look.twice()  # still new on the next day, and then said to be so only since that day
    store.put("Known", state="new", state_since=NEXT, last_seen=NEXT)
    look.twice()
    assert len(receiver.texts) == 1


def test_a_problem_whose_id_changes_is_not_told_again(store, look, receiver):
    begin(store, look, receiver)
    [former] = [one["id"] for one in json.loads(receiver.bodies[0])["data"]["problems"]]
    store.remove(former)
    store.put("Known, renamed", id="renamedproblem1", state="new", state_since=LATEST)
    store.put_alias(former, "renamedproblem1")
    look.twice()
    assert len(receiver.texts) == 1
    # And once more: the alias of the alias leads to the last id.
    store.remove("renamedproblem1")
    store.put("Known, joined", id="renamedproblem2", state="new", state_since=LATEST)
    store.put_alias("renamedproblem1", "renamedproblem2")
    look.twice()
    assert len(receiver.texts) == 1


def test_a_problem_whose_id_changes_before_it_is_told_is_told_once(store, look, receiver):
    former = store.put("Known")
    look()
    store.remove(former)
    store.put("Known, renamed", id="renamedproblem1")
    store.put_alias(former, "renamedproblem1")
    for _ in range(3):
        look()
    assert told(receiver) == [["Known, renamed"]]


def test_two_problems_that_become_one_are_told_once(store, look, receiver):
    first, second = store.put("First"), store.put("Second")
    look()
    store.remove(second)
    store.put_alias(second, first)
    for _ in range(3):
        look()
    assert told(receiver) == [["First"]]


def test_a_change_that_is_over_before_it_is_sent_is_not_told(store, look, receiver):
    store.put("Known", state="growing")
    look()
    store.put("Known", state="steady")
    assert look() == "Changes that waited are over."
    assert receiver.posts == 0


def test_the_first_look_at_months_of_days_tells_only_of_the_latest_day(store, look, receiver):
    for number, since in enumerate(["2025-12-01", "2026-03-08", YESTERDAY, LATEST, LATEST]):
        store.put(f"Since {since} {number}", state_since=since, last_seen=LATEST)
    for _ in range(3):
        look()
    assert [sorted(one) for one in told(receiver)] == [["Since 2026-03-10 3", "Since 2026-03-10 4"]]


def test_a_store_that_holds_only_old_days_is_history(store, look, receiver):
    store.put("Known", state_since="2026-03-03", last_seen="2026-03-03")
    for _ in range(2):
        assert look() == NOTHING
    assert receiver.posts == 0


def test_months_that_are_backfilled_later_are_history_too(store, look, receiver):
    begin(store, look, receiver)
    for number in range(5):
        store.put(f"Backfilled {number}", state="growing", state_since=f"2026-02-0{number + 1}")
    look.twice()
    assert len(receiver.texts) == 1


def test_days_that_the_daemon_was_away_are_made_up_for(store, look, receiver):
    begin(store, look, receiver)
    for number, day in enumerate((NEXT, "2026-03-12", "2026-03-13")):
        store.put(f"New {number}", state_since=day, last_seen=day)
    look.now += timedelta(days=3)
    look.twice()
    assert [sorted(one) for one in told(receiver)[1:]] == [["New 0", "New 1", "New 2"]]


def test_many_changes_make_one_message_that_names_some_and_counts_the_rest(store, look, receiver):
    for number in range(60):
        store.put(f"Problem {number:02}", posts_7d=100 - number, posts_week_before=0)
    for _ in range(3):
        look()
    [text] = receiver.texts
    assert text.startswith("60 problems changed")
    assert re.findall(r"Problem \d\d", text) == [f"Problem {number:02}" for number in range(20)]
    assert text.endswith("and 40 more: https://problems.example/")
    data = json.loads(receiver.bodies[0])["data"]
    assert (len(data["problems"]), data["others"]) == (50, 10)


def test_small_problems_are_told_when_they_have_grown(store, look, receiver, monkeypatch):
    monkeypatch.setenv("ISSUE_WEBHOOK_MIN_POSTS", "10")
    store.put("Known", posts_7d=9)
    look.twice()
    assert receiver.posts == 0
    store.put("Known", posts_7d=10)
    look.twice()
    assert told(receiver) == [["Known"]]


def test_only_the_states_that_are_wanted_are_told(store, look, receiver, monkeypatch):
    states = ("new", "growing", "steady", "fading", "quiet", "returned")
    for state in states:
        store.put(state, state=state)
    look.twice()
    assert sorted(told(receiver)[0]) == ["growing", "new", "returned"]
    monkeypatch.setenv("ISSUE_WEBHOOK_STATES", "quiet, fading")
    look.cursor = None
    look.twice()
    assert sorted(told(receiver)[1]) == ["fading", "quiet"]
    monkeypatch.setenv("ISSUE_WEBHOOK_STATES", "none")
    assert problem_sensors() == []


def test_what_is_not_taken_is_sent_again_under_the_same_id(store, look, receiver):
    receiver.refusals = 3
    store.put("Known")
    look()
    ids = set()
    for _ in range(3):
        seen = look()
        assert "Refused with 503" in seen
        ids |= set(re.findall(r"changes_\w+", seen))
        assert receiver.texts == []
    look()
    assert {one["webhook-id"] for one in receiver.headers} == ids
    assert look() == NOTHING
    assert told(receiver) == [["Known"]]


def test_a_day_later_it_is_given_up_and_later_changes_are_told(store, look, receiver):
    receiver.refusals = 1
    store.put("Known")
    look.twice()
    look.now += timedelta(days=1)
    assert "Given up" in look()
    store.put("Another", state_since=NEXT, last_seen=NEXT)
    look.twice()
    assert told(receiver) == [["Another"]]


def test_a_change_that_comes_while_another_waits_is_told_too(store, look, receiver):
    receiver.refusals = 1
    store.put("First")
    look.twice()
    store.put("Second")
    look.twice()
    assert told(receiver) == [["First"], ["Second"]]


def test_a_daemon_killed_after_sending_sends_again_under_the_same_id(store, look, receiver):
    store.put("Known")
    look()
    look(killed=True)
    store.put("Another")  # which is no reason for another id
    look.twice()
    assert told(receiver) == [["Known"], ["Known"], ["Another"]]
    first, again, another = [one["webhook-id"] for one in receiver.headers]
    assert first == again != another
    changes = [json.loads(one)["data"]["problems"][0]["change"] for one in receiver.bodies]
    assert changes[0] == changes[1] != changes[2]


def test_a_daemon_killed_before_sending_sends_once(store, look, receiver):
    store.put("Known")
    look(killed=True)
    look.twice()
    assert told(receiver) == [["Known"]]


def test_a_receiver_that_never_answers_is_sent_each_message_once(store, look, monkeypatch):
    monkeypatch.setattr(problem_alerts, "TIMEOUT_S", 0.5)
    store.put("Known")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("ISSUE_WEBHOOK_URL", f"http://127.0.0.1:{silent.getsockname()[1]}/")
        look()
        assert "Sent, but not answered" in look()
        assert look() == NOTHING


def test_a_live_store_that_is_away_is_an_error_and_loses_nothing(
    store, look, receiver, monkeypatch
):
    store.put("Known")
    look()
    with monkeypatch.context() as away:
        away.setenv("POCKETBASE_URL", "http://127.0.0.1:9")
        with pytest.raises(Exception, match="does not answer") as raised:
            look()
        assert isinstance(raised.value.__cause__ or raised.value, LiveStoreError)
    look()
    assert told(receiver) == [["Known"]]


def test_an_empty_store_is_no_first_look(store, look, receiver):
    assert look() == "No problems are published."
    store.put("First", state_since=YESTERDAY)
    store.put("Latest", state_since=LATEST)
    look.twice()
    assert told(receiver) == [["Latest"]]


HOSTILE = (
    "<!channel> @all @here <https://evil.example|click> [click](https://evil.example) \x1b[31m\n&"
)


def test_hostile_titles_call_nobody_and_are_no_markup(store, look, receiver):
    store.put(HOSTILE)
    look.twice()
    [text] = receiver.texts
    assert len(text.splitlines()) == 2
    for sign in ("<", ">", "@all", "@here", "](", "\x1b", "&\n"):
        assert sign not in text
    # Programs get it as it is.
    assert json.loads(receiver.bodies[0])["data"]["problems"][0]["title"] == HOSTILE


def test_a_message_is_signed_so_that_a_receiver_of_standard_webhooks_can_verify_it(
    store, look, receiver, monkeypatch
):
    monkeypatch.setenv("ISSUE_WEBHOOK_SECRET", SECRET)
    store.put("Ünïcode \U0001f600")
    look.twice()
    [body], [headers] = receiver.bodies, receiver.headers
    assert headers["content-type"] == "application/json"
    assert Webhook(SECRET).verify(body, headers)["event"] == "problems.changed"
    other = "whsec_" + "A" * 32
    later = {**headers, "webhook-timestamp": str(int(headers["webhook-timestamp"]) + 1)}
    for wrong_secret, wrong_body, wrong_headers in (
        (other, body, headers),
        (SECRET, body + b" ", headers),
        (SECRET, body, {**headers, "webhook-id": "another"}),
        (SECRET, body, later),
    ):
        with pytest.raises(WebhookVerificationError):
            Webhook(wrong_secret).verify(wrong_body, wrong_headers)


def test_without_a_secret_a_message_has_an_id_and_no_signature(store, look, receiver):
    store.put("Known")
    look.twice()
    [headers] = receiver.headers
    assert headers["webhook-id"].startswith("changes_")
    assert "webhook-signature" not in headers


# --- The digest ---------------------------------------------------------------------------------


def test_one_digest_a_day_counts_the_states_and_names_the_largest(store, look_for_digest, receiver):
    for number in range(7):
        store.put(f"New {number}", state_since=YESTERDAY, posts_7d=20 - number)
    store.put(
        "Grows", state="growing", state_since=LATEST, posts=60, posts_7d=41, posts_week_before=12
    )
    store.put("Stays", state="steady")
    look = look_for_digest
    assert "The first digest is sent at 07:30" in look()
    look()
    assert receiver.posts == 0
    look.now = NOW.replace(hour=7, minute=30)
    assert "Told" in look()
    assert "was sent" in look()
    [text] = receiver.texts
    assert text.startswith("Problems as of 2026-03-10 (UTC): 7 new, 1 growing, 0 returned.\n")
    assert "growing (1, 1 of them since that day):" in text
    assert "Grows: 41 reports, +29 since last week" in text
    assert re.findall(r"New \d", text) == [f"New {number}" for number in range(5)]
    assert text.endswith("\nhttps://problems.example/")
    body = json.loads(receiver.bodies[0])
    assert body["event"] == "problems.digest"
    assert body["data"]["states"]["new"] == {"problems": 7, "since_latest_day": 0}
    assert body["data"]["others"] == 2
    look.now += timedelta(days=1)
    look()
    assert [one["webhook-id"] for one in receiver.headers] == [
        "digest_2026-03-11",
        "digest_2026-03-12",
    ]


def test_a_digest_that_is_not_taken_is_sent_when_the_receiver_is_back(
    store, look_for_digest, receiver
):
    look = look_for_digest
    look()
    receiver.refusals = 2
    look.now = NOW.replace(hour=7, minute=30)
    for _ in range(2):
        assert "Refused with 503" in look()
    look.now = NOW.replace(hour=3) + timedelta(days=1)
    look.twice()
    assert [one["webhook-id"] for one in receiver.headers] == ["digest_2026-03-11"]


def test_a_digest_of_an_empty_store_says_so(store, look_for_digest, receiver):
    look_for_digest()
    look_for_digest.now += timedelta(days=1)
    look_for_digest()
    assert receiver.texts == ["No problems are published.\nhttps://problems.example/"]


# --- Settings -----------------------------------------------------------------------------------


def test_without_a_webhook_nobody_is_told(monkeypatch):
    monkeypatch.delenv("ISSUE_WEBHOOK_URL", raising=False)
    assert problem_sensors() == []


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("ISSUE_WEBHOOK_URL", "hooks.example/s3cret", "http://"),
        ("ISSUE_WEBHOOK_SECRET", "s3cret", "whsec_"),
        ("ISSUE_WEBHOOK_SECRET", "whsec_s3cret", "24 to 64 bytes"),
        ("ISSUE_WEBHOOK_STATES", "new,dire", "some of new, growing"),
        ("ISSUE_WEBHOOK_STATES", "none,new", "some of new, growing"),
        ("ISSUE_WEBHOOK_MIN_POSTS", "0", "at least 1"),
        ("ISSUE_DIGEST_AT", "7:30", "a time"),
        ("ISSUE_PAGE_URL", "problems.example", "http://"),
    ],
)
def test_a_setting_that_is_malformed_is_named_and_no_secret_is_shown(
    monkeypatch, receiver, name, value, words
):
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=name) as refused:
        problem_sensors()
    assert words in str(refused.value)
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "value"), [("ISSUE_WEBHOOK_SECRET", SECRET), ("ISSUE_DIGEST_AT", "07:30")]
)
def test_a_setting_that_needs_a_receiver_says_so(monkeypatch, name, value):
    monkeypatch.delenv("ISSUE_WEBHOOK_URL", raising=False)
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=f"{name} is set, but ISSUE_WEBHOOK_URL is not"):
        problem_sensors()
