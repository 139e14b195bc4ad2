"""Networks through which the server's events do not come: the page reads again by itself."""

from collections.abc import Callable
from typing import Any

import pytest

from issue_pipeline_tests.support.browsing import expect, wait_for_titles

DAY = "2026-06-10"
LATE_MS = 8_000
POLL_MS = 30_000


def hold_back(route: Any) -> None:
    """As a proxy that collects a reply to its end, which never comes."""


def refuse(route: Any) -> None:
    route.fulfill(status=502, body="Bad gateway")


@pytest.mark.parametrize("proxy", [hold_back, refuse])
def test_without_events_the_page_reads_every_half_minute_and_says_so(
    page, store, proxy: Callable[[Any], None]
):
    store.put(DAY, "Here before", size=40)
    page.route("**/api/realtime", proxy)
    page.clock.install()
    page.goto(f"{store.url}/?day={DAY}")
    wait_for_titles(page, ["Here before"])
    expect(page.locator("#polling")).to_be_hidden()
    page.clock.fast_forward(LATE_MS + 100)
    expect(page.locator("#connection")).to_have_text("Every 30 seconds")
    expect(page.locator("#polling")).to_be_visible()
    expect(page.locator("#offline")).to_be_hidden()
    came = store.put(DAY, "Came meanwhile", size=30)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.clock.run_for(POLL_MS // 2)  # and not at every refusal
    assert [url for url in asked if "collections" in url] == []
    page.clock.fast_forward(POLL_MS)
    wait_for_titles(page, ["Here before", "Came meanwhile"])
    store.remove(came)


def test_events_that_come_late_after_all_are_used(page, store):
    store.put(DAY, "Here before", size=40)
    page.route("**/api/realtime", hold_back)
    page.clock.install()
    page.goto(f"{store.url}/?day={DAY}")
    wait_for_titles(page, ["Here before"])
    page.clock.fast_forward(LATE_MS + 100)
    expect(page.locator("#polling")).to_be_visible()
    page.unroute("**/api/realtime")  # lets go of what it held
    page.locator("#connection[data-state=live]").wait_for()
    expect(page.locator("#polling")).to_be_hidden()
    came = store.put(DAY, "Came by an event", size=30)
    page.clock.run_for(1_000)
    wait_for_titles(page, ["Here before", "Came by an event"])
    store.remove(came)


def test_a_server_that_goes_away_while_the_page_reads_by_itself_is_said_to_be_away(page, store):
    store.put(DAY, "Here before", size=40)
    page.route("**/api/realtime", hold_back)
    page.clock.install()
    page.goto(f"{store.url}/?day={DAY}")
    wait_for_titles(page, ["Here before"])
    page.clock.fast_forward(LATE_MS + 100)
    expect(page.locator("#polling")).to_be_visible()
    page.route("**/api/collections/**", lambda route: route.abort())
    page.clock.fast_forward(POLL_MS + 100)
    expect(page.locator("#offline")).to_be_visible()
    expect(page.locator("#polling")).to_be_hidden()
    wait_for_titles(page, ["Here before"])
    page.unroute("**/api/collections/**")
    page.clock.fast_forward(3_100)
    expect(page.locator("#polling")).to_be_visible()
