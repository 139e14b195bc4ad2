"""What runs on this machine is asked through no proxy, whatever the environment names."""

import os
from collections.abc import Iterator

import httpx
import pytest
from pytest import MonkeyPatch

from issue_pipeline.automation.webhook import post
from issue_pipeline.resources.collectors.http import ApiClient, ApiPolicy
from issue_pipeline.resources.collectors.rate_limits import RateLimiter, TimeBudget
from issue_pipeline.resources.llm.client import import_litellm
from issue_pipeline.utils.proxies import is_loopback, no_proxy_for_loopback
from issue_pipeline_tests.resources.pocketbase.test_replies import server

PROXIES = ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")
BYPASSES = ("NO_PROXY", "no_proxy")


@pytest.fixture
def proxied(monkeypatch: MonkeyPatch) -> Iterator[list[str]]:
    """What a proxy for everything gets to see."""
    for name in BYPASSES:
        monkeypatch.delenv(name, raising=False)
    seen: list[str] = []
    with server(403, "denied", requests=seen) as proxy:
        for name in PROXIES:
            monkeypatch.setenv(name, proxy)
        yield seen


@pytest.mark.parametrize(
    ("url", "is_own"),
    [
        ("http://127.0.0.1:8090", True),
        ("http://127.0.1.1/", True),
        ("http://localhost:8090/pb", True),
        ("http://pocketbase.localhost", True),
        ("http://[::1]:8090", True),
        ("https://live.example", False),
        ("http://10.0.0.1", False),
        ("http://127.0.0.1.example", False),
        ("http://[broken", False),
        ("", False),
    ],
)
def test_loopback_is_told_apart(url, is_own):
    assert is_loopback(url) == is_own


def test_hosts_that_bypass_proxies_already_stay():
    both = no_proxy_for_loopback({"NO_PROXY": "internal.example"})
    assert both["NO_PROXY"] == both["no_proxy"] == "internal.example,127.0.0.1,localhost,::1"
    assert no_proxy_for_loopback(both) == both


@pytest.mark.slow
def test_a_source_on_this_machine_is_asked_directly(proxied, tmp_path):
    budget = TimeBudget(1)
    limiter = RateLimiter(tmp_path, "api", 6000, budget)
    with (
        server(200, "{}") as url,
        ApiClient(ApiPolicy("API", "API_URL"), url, limiter, budget) as client,
    ):
        assert client.get("/").payload == {}
    assert proxied == []


@pytest.mark.slow
def test_a_receiver_of_alerts_on_this_machine_is_told_directly(proxied):
    with server(200, "{}") as url:
        assert post(url, {"text": "It failed"}).is_taken
    assert proxied == []


@pytest.mark.slow
def test_a_model_on_this_machine_is_asked_directly(proxied, monkeypatch):
    for name in BYPASSES:  # put back what it sets
        monkeypatch.setenv(name, "internal.example")
    import_litellm()
    with server(200, "{}") as url:
        assert httpx.get(url).status_code == 200  # as LiteLLM's clients do: by the environment
    assert "internal.example" in os.environ["NO_PROXY"]
    assert proxied == []


@pytest.mark.slow
def test_what_is_elsewhere_still_goes_through_the_proxy(proxied, tmp_path):
    assert not post("http://chat.example/hook", {"text": "It failed"}).is_taken
    assert len(proxied) == 1
