"""Spans of days, filters, orders, links and files: for those who look for something."""

import csv
import io
import json
import os
import re
import signal
import time
from datetime import date
from typing import Any
from urllib.parse import unquote_plus

import pytest

from issue_pipeline.assets.live import publish
from issue_pipeline.resources.duckdb import IssuesDatabase
from issue_pipeline.resources.pocketbase.resource import PocketBaseResource
from issue_pipeline_tests.support.browsing import Store, expect, wait_for_titles
from issue_pipeline_tests.support.published_day import GoldIssue, store_gold

TEXT_OF_10_000 = "Ten thousand characters " * 417
LIMIT_S = 2.0


@pytest.fixture
def fortnight(store: Store) -> str:
    """Issues on three days of April; gives the address of the newest."""
    store.put("2026-04-20", "Old and large", size=60, category="ai")
    store.put("2026-04-25", "Tills lose money", size=21, impact="high", category="finance")
    store.put("2026-04-27", "Café closes early", size=9, impact="medium", would_pay=True)
    store.put("2026-04-27", "Reddit only", size=8, sources={"reddit": 8}, category="other")
    return f"{store.url}/?day=2026-04-27"


def test_a_span_of_days_is_listed_together_and_each_issue_says_its_day(page, fortnight):
    page.goto(fortnight)
    wait_for_titles(page, ["Café closes early", "Reddit only"])
    expect(page.locator(".when").first).to_be_hidden()
    page.get_by_label("Span of days").select_option("7")
    wait_for_titles(page, ["Tills lose money", "Café closes early", "Reddit only"])
    assert page.url.endswith("?from=2026-04-21&to=2026-04-27")
    assert page.locator(".when").all_text_contents() == ["25 Apr", "27 Apr", "27 Apr"]
    expect(page.locator(".when").first).to_be_visible()
    assert page.locator("#summary").text_content() == (
        "3 problems in 38 reports, Tue, 21 Apr 2026 to Mon, 27 Apr 2026"
    )
    page.get_by_label("Span of days").select_option("custom")
    page.get_by_label("First day").fill("2026-04-20")
    wait_for_titles(page, ["Tills lose money", "Old and large", "Café closes early", "Reddit only"])
    page.go_back()
    wait_for_titles(page, ["Tills lose money", "Café closes early", "Reddit only"])


def test_a_first_day_counts_when_it_is_typed_to_the_end(page, fortnight):
    asked: list[str] = []
    page.on("request", lambda request: asked.append(unquote_plus(request.url)))
    page.goto(f"{fortnight}&order=newest")
    wait_for_titles(page, ["Café closes early", "Reddit only"])
    page.get_by_label("Span of days").select_option("custom")
    expect(page.get_by_label("First day")).to_be_focused()
    page.keyboard.type("04202026")  # by way of 2 January, of the year 2, of the year 20
    expect(page.get_by_label("First day")).to_have_value("2026-04-20")
    assert not page.url.count("from=")
    page.keyboard.press("Enter")
    expect(page.locator(".issue")).to_have_count(4)
    spans = set(re.findall(r"issue_date >= '(.*?)' && issue_date <= '(.*?)'", " ".join(asked)))
    assert spans == {("2026-04-27", "2026-04-27"), ("2026-04-20", "2026-04-27")}
    # Days after the last one, half a day, and what was escaped are not taken; the field says which
    # day is. It stays even where the days happen to make a week.
    for typed in ("04302026", "06", "04212026"):
        page.get_by_label("First day").focus()
        page.keyboard.type(typed)
        if typed == "04212026":
            page.keyboard.press("Escape")
        page.get_by_role("searchbox").focus()
        expect(page.get_by_label("First day")).to_have_value("2026-04-20")
    page.get_by_label("First day").focus()
    page.keyboard.type("04212026")
    page.get_by_role("searchbox").focus()
    expect(page.locator(".issue")).to_have_count(3)
    expect(page.get_by_label("First day")).to_have_value("2026-04-21")
    page.go_back()
    expect(page.locator(".issue")).to_have_count(4)
    expect(page.get_by_label("First day")).to_have_value("2026-04-20")


def test_filters_narrow_the_list_down_and_stand_in_the_address(page, fortnight, store):
    page.goto(f"{store.url}/?from=2026-04-20&to=2026-04-27")
    expect(page.locator(".issue")).to_have_count(4)
    page.get_by_label("Impact").select_option("high")
    wait_for_titles(page, ["Tills lose money"])
    expect(page.locator("#result")).to_have_text("1 of 4 issues")
    page.get_by_label("Impact").select_option("")
    page.get_by_label("Source").select_option("reddit")
    wait_for_titles(page, ["Reddit only"])
    page.get_by_label("Source").select_option("")
    page.get_by_label("Would pay").check()
    wait_for_titles(page, ["Café closes early"])
    page.get_by_label("Would pay").uncheck()
    page.get_by_role("radio", name="Finance").check(force=True)
    wait_for_titles(page, ["Tills lose money"])


def test_a_shared_link_restores_span_filters_and_order(page, fortnight, store):
    query = "from=2026-04-20&to=2026-04-27&source=github&q=a+e&order=reports"
    page.goto(f"{store.url}/?{query}")
    expected = ["Old and large", "Tills lose money", "Café closes early"]
    wait_for_titles(page, expected)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy link").click()
    expect(page.locator("#announcer")).to_have_text("Copied")
    link = page.evaluate("navigator.clipboard.readText()")
    assert link == f"{store.url}/?{query}"
    other = page.context.new_page()
    other.goto(link)
    wait_for_titles(other, expected)
    assert other.get_by_label("Source").input_value() == "github"
    assert other.get_by_label("Order").input_value() == "reports"
    assert other.get_by_role("searchbox").input_value() == "a e"


def test_orders(page, fortnight, store):
    page.goto(f"{store.url}/?from=2026-04-20&to=2026-04-27")
    wait_for_titles(page, ["Tills lose money", "Old and large", "Café closes early", "Reddit only"])
    assert "ranked by reports × impact" in page.locator(".result").inner_text()
    page.get_by_label("Order").select_option("reports")
    wait_for_titles(page, ["Old and large", "Tills lose money", "Café closes early", "Reddit only"])
    page.get_by_label("Order").select_option("newest")
    wait_for_titles(page, ["Café closes early", "Reddit only", "Tills lose money", "Old and large"])


def test_a_link_to_an_issue_opens_it_however_far_down_it_stands(page, store):
    day = "2026-04-10"
    for number in range(70):
        store.put(day, f"Issue {number:02}", size=100 - number)
    last = store.put(day, "The last of all", size=1, posts=[{}])
    page.goto(f"{store.url}/?day={day}&issue={last}")
    page.locator(".post").wait_for()
    assert page.locator("details[open] .title").all_text_contents() == ["The last of all"]
    assert "The last of all" in page.evaluate("document.activeElement.textContent")
    permalink = page.get_by_role("link", name="Link to this issue")
    assert permalink.get_attribute("href") == f"?day={day}&issue={last}"
    page.goto(f"{store.url}/?day={day}&issue=gone00000000000")
    expect(page.locator("#gone")).to_be_visible()


def test_a_long_list_is_drawn_as_it_is_scrolled_and_by_a_button(page, store):
    day = "2026-04-11"
    for number in range(130):
        store.put(day, f"Issue {number:03}", size=1000 - number)
    page.goto(f"{store.url}/?day={day}")
    expect(page.locator(".issue")).to_have_count(60)
    expect(page.locator("#result")).to_have_text("130 issues")
    page.get_by_role("button", name="Show more issues").press("Enter")
    expect(page.locator(".issue")).not_to_have_count(60)
    page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    expect(page.locator(".issue")).to_have_count(130)
    page.get_by_role("searchbox").fill("129")
    wait_for_titles(page, ["Issue 129"])


def test_what_is_shown_can_be_saved_as_csv_and_json(page, store):
    day = "2026-04-12"
    formula = '=HYPERLINK("http://evil.example"), "quoted"\nand more'
    store.put(day, formula, size=7, sources={"github": 4, "reddit": 3}, description="-1+1")
    store.put(day, "Not asked for", size=99)
    page.goto(f"{store.url}/?day={day}&q=quoted")
    expect(page.locator(".issue")).to_have_count(1)
    text = saved(page, "CSV", f"issues-{day}.csv")
    (row,) = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    assert text.startswith("\ufeff")
    assert row["title"] == f"'{formula}"  # text to a spreadsheet, not a formula
    assert row["description"] == "'-1+1"
    assert (row["size"], row["github"], row["reddit"], row["hackernews"]) == ("7", "4", "3", "0")
    told = json.loads(saved(page, "JSON", f"issues-{day}.json"))
    assert told["view"]["query"] == "quoted"
    assert [issue["title"] for issue in told["issues"]] == [formula]


def test_no_cell_begins_a_formula_whatever_separates_cells(page, store):
    texts = [
        "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", '"=1', "＝1+1",
        "fine;=1+1", "fine; =1+1", 'fine;"=1+1"', "fine\t@SUM(A1)", "fine\n+1", "fine\r\n-1",
    ]  # fmt: skip
    harmless = ["a-b = c+d", "1,-2", "café; bar", 'he said "=1"', "me@example.org", "", "'", "~"]
    page.goto(store.url)
    made = page.evaluate(
        """async texts => {
            const { asCsv } = await import('/download.js');
            return asCsv(texts.map(text => ({title: text, size: text, description: text})));
        }""",
        [*texts, *harmless],
    )
    rows = list(csv.DictReader(io.StringIO(made.removeprefix("\ufeff"), newline="")))
    for name in ("title", "size", "description"):
        assert [row[name].replace("'", "") for row in rows] == [
            text.replace("'", "") for text in [*texts, *harmless]
        ]
        assert [row[name] for row in rows[len(texts) :]] == harmless
        assert not [row[name] for row in rows if re.match(r"[\s\"]*[=+\-@＝]|[\t\r\n]", row[name])]
    # As read by a spreadsheet for which a comma and the quotes within a cell are text.
    cells = re.split(r"[;\t\r\n]", made)
    assert not [cell for cell in cells if re.match(r"[\s\"]*[=+\-@＝]", cell)]


def saved(page: Any, button: str, name: str) -> str:
    with page.expect_download() as download:
        page.get_by_role("button", name=button).click()
    assert download.value.suggested_filename == name
    return str(download.value.path().read_bytes().decode())


def test_what_the_pipeline_publishes_shows_within_two_seconds(page, store, server, tmp_path):
    day = date(2026, 4, 13)
    database = IssuesDatabase(database=str(tmp_path / "issues.duckdb"))
    user = server.superuser
    pocketbase = PocketBaseResource(url=server.url, email=user.email, password=user.password)
    page.goto(f"{store.url}/?day={day}")
    page.locator("#connection[data-state=live]").wait_for()
    took_s = []
    for number in range(3):
        store_gold(database, day, [GoldIssue(["a", "b"], title=f"News {number}")])
        publish(day, database, pocketbase)
        began = time.monotonic()
        page.get_by_text(f"News {number}", exact=True).wait_for()
        took_s.append(time.monotonic() - began)
    assert min(took_s) <= LIMIT_S  # the others may have met a busy machine


def test_a_server_that_was_killed_is_waited_for_and_what_it_missed_is_caught_up(
    page, store, server
):
    day = "2026-04-14"
    gone = store.put(day, "Withdrawn meanwhile", size=40)
    store.put(day, "Relabelled", size=20)
    page.goto(f"{store.url}/?day={day}")
    page.locator("#connection[data-state=live]").wait_for()
    os.kill(server.process.pid, signal.SIGKILL)
    page.locator("#offline").wait_for()
    page.route("**/api/realtime", lambda route: route.abort())
    server.process.stop()
    server.process.start()
    server.wait_until_ready()
    store.remove(gone)
    store.put(day, "Relabelled", size=10)
    store.put(day, "New", size=15)
    page.unroute("**/api/realtime")
    page.evaluate("dispatchEvent(new Event('online'))")  # or it tries again in its own time
    wait_for_titles(page, ["New", "Relabelled"])
    page.locator("#connection[data-state=live]").wait_for()


def test_a_title_of_10_000_characters_breaks_no_layout(page, store, server):
    # The collection refuses it; a server of the user's own may allow more.
    page.route(
        "**/api/collections/issues/records?**",
        lambda route: route.fulfill(json=enlarged(route.fetch().json())),
    )
    store.put("2026-04-15", "Short", posts=[{"url": "https://example.org/" + "a" * 4900}])
    for size in ({"width": 360, "height": 740}, {"width": 1280, "height": 800}):
        page.set_viewport_size(size)
        page.goto(f"{store.url}/?day=2026-04-15")
        page.locator("summary").click()
        page.locator(".post").wait_for()
        assert page.locator(".title").text_content() == TEXT_OF_10_000.strip() + " "
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert page.locator("summary").bounding_box()["height"] < 400


def enlarged(reply: dict[str, Any]) -> dict[str, Any]:
    for issue in reply["items"]:
        if "title" in issue:
            issue["title"] = issue["description"] = TEXT_OF_10_000
    return reply


def test_everything_can_be_done_with_the_keyboard_alone(page, fortnight):
    page.goto(fortnight)
    expect(page.locator(".issue")).to_have_count(2)
    # The days are asked for on their own, and may come after the issues.
    expect(page.locator("#older")).to_be_enabled()
    seen = []
    for _ in range(40):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.id || document.activeElement.tagName"))
        if seen[-1] == "SUMMARY":
            break
    reached = ["day", "older", "span", "search", "impact", "source", "pay", "order", "copy", "csv"]
    assert [name for name in seen if name in reached] == reached
    page.keyboard.press("Enter")
    expect(page.locator("details[open]")).to_have_count(1)
    page.get_by_text("No posts are linked").wait_for()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Link to this issue"


def test_what_changes_is_told_to_those_who_cannot_see_it(page, fortnight):
    page.goto(fortnight)
    expect(page.locator("#result")).to_have_text("2 issues")
    assert page.locator("#result").get_attribute("role") == "status"
    page.get_by_role("searchbox").fill("cafe")
    expect(page.locator("#result")).to_have_text("1 of 2 issues")


@pytest.mark.parametrize("query", ["day=2026-02-30", "from=x&to=y", "order=__proto__", "issue=<b>"])
def test_an_address_that_makes_no_sense_shows_the_newest_day(page, store, query):
    store.put("2026-12-30", "Newest")
    page.goto(f"{store.url}/?{query}")
    page.locator(".title").get_by_text("Newest").wait_for()
    assert re.search(r"\?day=2026-12-30$", page.url)


def test_a_filter_that_nobody_knows_matches_nothing_and_can_be_cleared(page, fortnight):
    page.goto(f"{fortnight}&impact=dire&source=usenet&category=sports")
    page.get_by_text("Nothing matches").wait_for()
    page.get_by_role("button", name="Clear the filters").click()
    expect(page.locator(".issue")).to_have_count(2)
    assert page.url == fortnight


def test_the_posts_of_an_open_issue_are_kept_up_to_date_on_their_own(page, store):
    day = "2026-04-16"
    store.put(day, "Being read", posts=[{"title": "As it was", "votes": 3}])
    store.put(day, "Closed", posts=[{}])
    page.goto(f"{store.url}/?day={day}")
    page.locator("#connection[data-state=live]").wait_for()
    with page.expect_response("**/api/realtime"):  # the post's subscription
        page.locator("summary", has_text="Being read").click()
    page.locator(".post").wait_for()
    # Only the post changes, and not its issue.
    store.put_post(day, "Being read", 0, {"title": "Edited since", "votes": 4})
    page.get_by_role("link", name="Edited since").wait_for()
    assert page.locator(".post").count() == 1


def test_other_themes_are_listed_on_request_and_counted_and_ranked_apart(page, server, store):
    day = "2026-05-02"
    store.put(day, "Books of the year", is_problem=False, size=90, impact="high")
    store.put(day, "Exports hang", size=5)
    page.goto(f"{server.url}/?day={day}")
    expect(page.locator(".issue .title")).to_have_text(["Exports hang"])
    expect(page.locator("#summary")).to_contain_text("1 problem in 5 reports")
    expect(page.locator("#result")).to_have_text("1 issue")
    page.get_by_label("Other themes").check()
    expect(page.locator(".issue .title")).to_have_text(["Exports hang", "Books of the year"])
    expect(page.locator("#summary")).to_contain_text("1 problem in 5 reports")
    expect(page.locator("#result")).to_have_text("1 issue and 1 other theme")
    other = page.locator(".issue").nth(1)
    expect(other.locator(".other-theme")).to_be_visible()
    expect(other.locator(".impact")).to_have_count(0)
    told = json.loads(saved(page, "JSON", f"issues-{day}.json"))
    assert [issue["is_problem"] for issue in told["issues"]] == [True, False]
    text = saved(page, "CSV", f"issues-{day}.csv")
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))
    assert [row["is_problem"] for row in rows] == ["true", "false"]
    page.reload()  # it stands in the address
    expect(page.locator(".issue")).to_have_count(2)
    page.get_by_label("Other themes").uncheck()
    expect(page.locator(".issue")).to_have_count(1)


def test_a_day_of_other_themes_only_says_so_and_offers_them(page, server, store):
    day = "2026-05-03"
    issue = store.put(day, "Books of the year", is_problem=False)
    page.goto(f"{server.url}/?day={day}")
    page.get_by_role("button", name="Show other themes").click()
    expect(page.locator(".issue .title")).to_have_text(["Books of the year"])
    # A link to one shows it without being asked.
    page.goto(f"{server.url}/?day={day}&issue={issue}")
    expect(page.locator("details[open] .title")).to_have_text("Books of the year")


def test_posts_stand_nearest_first_and_on_request_most_voted_first(page, server, store):
    day = "2026-05-04"
    posts = [
        {"title": "Loud", "votes": 900, "distance": 0.9},
        {"title": "Typical", "votes": 1, "distance": 0.2},
        {"title": "Near", "votes": 5, "distance": 0.4},
    ]
    store.put(day, "Exports hang", posts=posts)
    page.goto(f"{server.url}/?day={day}")
    page.locator("summary").click()
    order = [re.compile(f"^{title}") for title in ("Typical", "Near", "Loud")]
    expect(page.locator(".post > a")).to_have_text(order)
    page.get_by_label("Order of the posts").select_option("votes")
    expect(page.locator(".post > a")).to_have_text([order[2], order[1], order[0]])
