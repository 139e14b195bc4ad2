"""No serious finding of axe, in every state of the page, light and dark, wide and narrow.

axe-core comes from npm (``npm ci --prefix issue_pipeline_tests/live``, done by ``make test`` where
there is npm); without it these tests are skipped.
"""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from issue_pipeline.local.pocketbase_server import PocketBaseServer
from issue_pipeline_tests.support.browsing import WAIT_MS, Store

AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
SERIOUS = ("serious", "critical")
DAY = "2026-05-10"

pytestmark = pytest.mark.skipif(
    not AXE.exists(),
    reason="axe-core is not installed: npm ci --prefix issue_pipeline_tests/live",
)


@pytest.fixture
def checked(browser: Any) -> Iterator[Any]:
    # axe itself would break the page's policy.
    context = browser.new_context(bypass_csp=True, reduced_motion="reduce")
    context.set_default_timeout(WAIT_MS)
    yield context.new_page()
    context.close()


def findings(page: Any) -> list[str]:
    """What axe finds in the page as it is, light and dark, wide and narrow."""
    page.add_script_tag(path=AXE)
    found = []
    for scheme, width in itertools.product(("light", "dark"), (1280, 360)):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 800})
        violations = page.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
        found += [
            f"{scheme} {width}: {one['id']} ({one['impact']}): {one['nodes'][0]['html']}"
            for one in violations
            if one["impact"] in SERIOUS
        ]
    return found


def test_the_list_an_open_issue_and_every_note(checked, store: Store):
    posts = [{"source": source} for source in ("github", "stackoverflow", "reddit", "hackernews")]
    for number, impact in enumerate(("low", "medium", "high")):
        store.put(
            DAY, f"Issue {impact}", impact=impact, would_pay=True, complete=False, posts=posts,
            size=10 + number,
        )  # fmt: skip
    store.put("2026-05-04", "Older", sources={"reddit": 6})
    checked.goto(f"{store.url}/?from=2026-05-04&to={DAY}&issue=gone00000000000")
    checked.locator("summary").first.click()
    checked.locator(".post").first.wait_for()
    assert findings(checked) == []
    checked.get_by_role("button", name="Filters").click()  # a narrow screen folds them
    checked.get_by_label("Impact").select_option("high")
    checked.get_by_role("radio", name="Devtools").check(force=True)
    assert findings(checked) == []
    checked.get_by_role("searchbox").fill("no such words")
    checked.get_by_text("Nothing matches").wait_for()
    assert findings(checked) == []


def test_problems_with_every_filter_open(checked, store: Store):
    for state in ("new", "growing", "steady", "fading", "quiet", "returned"):
        days = {"2026-05-01": {"github": 2}, DAY: {"github": 4, "reddit": 1}}
        store.put_problem(
            f"A {state} problem", days, DAY, state=state, impact="high", would_pay=True
        )
    checked.goto(f"{store.url}/#/problems?span=all")
    checked.locator(".problem").first.wait_for()
    assert findings(checked) == []
    checked.get_by_role("button", name="Filters").click()
    checked.get_by_label("Would pay").check()
    checked.locator("#problems-glance button").first.click()
    assert findings(checked) == []
    checked.get_by_role("searchbox").fill("no such words")
    checked.get_by_text("Nothing matches").wait_for()
    assert findings(checked) == []


def test_one_problem_with_everything_open_and_one_that_is_not_there(checked, store: Store):
    days = {"2026-05-08": {"github": 2, "stackoverflow": 1}, DAY: {"reddit": 1, "hackernews": 3}}
    problem = store.put_problem("Exports hang", days, DAY, state="growing", would_pay=True)
    for day in days:
        store.put(day, "Exports hang", posts=[{}, {"source": "stackoverflow"}], problem=problem)
    checked.goto(f"{store.url}/#/problem/{problem}")
    checked.locator(".post").first.wait_for()
    checked.get_by_text("The same in numbers").click()
    assert findings(checked) == []
    checked.goto(f"{store.url}/#/problem/gone00000000000")
    checked.get_by_role("heading", name="No such problem").wait_for()
    assert findings(checked) == []


def test_loading_and_out_of_reach(checked, store: Store):
    checked.route("**/api/collections/**", lambda route: None)
    checked.goto(f"{store.url}/?day={DAY}")
    checked.locator(".skeleton").first.wait_for()
    assert findings(checked) == []
    checked.unroute_all()
    checked.route("**/api/**", lambda route: route.abort())
    checked.goto(f"{store.url}/?day={DAY}")
    checked.get_by_role("heading", name="The server is out of reach").wait_for()
    assert findings(checked) == []


def test_empty(checked, tmp_path):
    with PocketBaseServer(tmp_path / "pocketbase", log=tmp_path / "log") as server:
        checked.goto(server.url)
        checked.get_by_text("No issues yet").wait_for()
        assert findings(checked) == []
