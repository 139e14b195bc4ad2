import threading
import time

import httpx

from issue_pipeline.sandbox.apis.conduct import BACKOFF, Conduct
from issue_pipeline_tests.support.hand_written import AGENT, HandWrittenWorld, a_post
from issue_pipeline_tests.support.simulated import simulator, simulator_of

SLOW_S = 1.5


class SlowWorld(HandWrittenWorld):
    """Keeps a request under way long enough for others to come."""

    def posts(self, source, day):
        if day.day == 10:
            time.sleep(SLOW_S)
        return super().posts(source, day)


def test_a_request_before_the_end_of_a_wait_is_counted_under_the_wait_s_name():
    now_s = 100.0
    conduct = Conduct(lambda: now_s)
    conduct.ask_to_wait(10, BACKOFF)
    conduct.ask_to_wait(3)
    now_s = 102.9
    conduct.note_arrival()
    assert conduct.violations == {"backoff": 1, "too_early": 1}
    now_s = 103.0
    conduct.note_arrival()
    assert conduct.violations == {"backoff": 2, "too_early": 1}
    now_s = 110.0
    conduct.note_arrival()
    assert conduct.violations == {"backoff": 2, "too_early": 1}


def test_a_shorter_wait_does_not_end_a_longer_one():
    now_s = 0.0
    conduct = Conduct(lambda: now_s)
    conduct.ask_to_wait(10)
    conduct.ask_to_wait(1)
    now_s = 5.0
    conduct.note_arrival()
    assert conduct.violations == {"too_early": 1}


def ask_at_once(base_url: str, path: str, authorizations: list[str]) -> None:
    barrier = threading.Barrier(len(authorizations))

    def ask(authorization: str) -> None:
        with httpx.Client(base_url=base_url, headers=AGENT) as client:
            client.get("/health")  # so that the connection stands already
            barrier.wait()
            headers = {"Authorization": authorization} if authorization else {}
            assert client.get(path, headers=headers).status_code == 200

    threads = [threading.Thread(target=ask, args=(each,)) for each in authorizations]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


SEARCH = "/github/search/issues?q=is:issue created:2026-03-10"


def test_two_requests_of_one_client_at_once_are_a_violation_but_are_answered():
    with simulator_of(SlowWorld([a_post("github")])) as running:
        ask_at_once(running.base_url, SEARCH, ["Bearer me", "Bearer me"])
        assert running.stats()["violations"]["github"] == {"concurrent": 1}


def test_requests_of_two_clients_at_once_are_none():
    with simulator_of(SlowWorld([a_post("github")])) as running:
        ask_at_once(running.base_url, SEARCH, ["Bearer me", "Bearer you"])
        assert running.stats()["violations"]["github"] == {}


def test_a_client_that_waits_for_each_reply_is_never_concurrent():
    with (
        simulator([a_post("github")]) as running,
        httpx.Client(base_url=running.base_url, headers=AGENT) as client,
    ):
        for _ in range(200):
            assert client.get(SEARCH).status_code == 200
        assert running.stats()["violations"]["github"] == {}


def test_a_new_connection_for_each_request_is_no_violation_either():
    with simulator([a_post("github")]) as running:
        for _ in range(50):
            assert httpx.get(f"{running.base_url}{SEARCH}", headers=AGENT).status_code == 200
        assert running.stats()["violations"]["github"] == {}
