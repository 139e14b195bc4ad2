"""The page opens on problems over a span of days; each opens to its days, wording and evidence."""

from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest

from issue_pipeline.labels.schema import CATEGORIES
from issue_pipeline_tests.live.test_page import HOSTILE_TEXTS
from issue_pipeline_tests.support.browsing import (
    Store,
    a_problem,
    derived_id,
    expect,
    put_request,
)

NEWEST = "2026-07-30"


def day(ago: int) -> str:
    return (date.fromisoformat(NEWEST) - timedelta(days=ago)).isoformat()


@pytest.fixture(scope="module")
def problems(store: Store) -> dict[str, str]:
    """Problems of every kind over two months, by title; their newest day is published."""
    put = store.put_problem
    ids = {
        "Exports hang": put(
            "Exports hang",
            {day(40): {"github": 5}, day(8): {"github": 12}, day(1): {"github": 20, "reddit": 21}},
            NEWEST, state="growing", impact="high", would_pay=True, category="finance", reach=38,
        ),
        "Logins fail": put(
            "Logins fail", {day(9): {"reddit": 30}, day(3): {"reddit": 10}}, NEWEST, state="fading"
        ),
        "Tills freeze": put("Tills freeze", {NEWEST: {"hackernews": 6}}, NEWEST, state="new"),
        "Clocks drift": put(
            "Clocks drift", {day(60): {"github": 4}, day(2): {"github": 3}}, NEWEST,
            state="returned",
        ),
        "Maps are old": put("Maps are old", {day(20): {"github": 50}}, NEWEST, state="quiet"),
    }  # fmt: skip
    posts = [{"title": "How do I stop Frobnitz 3.1?", "source": "reddit"}, {}]
    store.put(day(40), "Export is slow", problem=ids["Exports hang"], size=5)
    store.put(day(8), "Exports hang", problem=ids["Exports hang"], size=12, posts=[{}])
    store.put(day(1), "Exports hang", problem=ids["Exports hang"], size=41, posts=posts)
    store.put(NEWEST, "Tills freeze", problem=ids["Tills freeze"], size=6)
    return ids


@pytest.fixture
def titles(problems: dict[str, str]) -> Any:
    """Assert what is listed, in order, of the problems above."""

    def wait(page: Any, expected: list[str]) -> None:
        expect(page.locator(".problem .title")).to_have_text(expected)

    return wait


def test_the_page_opens_on_the_problems_of_seven_days_the_most_reported_first(page, store, titles):
    page.goto(store.url)
    titles(page, ["Exports hang", "Logins fail", "Tills freeze", "Clocks drift"])
    assert page.url == f"{store.url}/"
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_contain_text("The last 7 days")
    expect(heading).to_contain_text("24 to 30 Jul 2026")
    expect(page.locator("#problems-result")).to_have_text("4 problems in 7 days")
    first = page.locator(".problem").first
    expect(first.locator(".size")).to_have_text("41 reports")
    expect(first.locator(".change")).to_have_text("+29 since last week")
    expect(first.locator(".trend")).to_contain_text("Growing")
    expect(first.locator(".seen")).to_have_text("Seen 20 Jun to 29 Jul")
    expect(first.locator(".reach")).to_have_text("38 writers")
    expect(first.locator(".category")).to_have_text("Finance")
    expect(first.locator(".impact")).to_contain_text("High impact")
    expect(first.locator(".would-pay")).to_be_visible()
    expect(first.get_by_role("img")).to_have_attribute(
        "aria-label", "Reports a day, 17 Jul to 30 Jul: at most 41, on 29 Jul"
    )
    assert first.locator("rect").count() == 14
    expect(page.locator(".problem .change").nth(1)).to_have_text("\u221220 since last week")
    expect(page.get_by_role("heading", level=3, name="Logins fail")).to_be_visible()


def test_a_longer_span_holds_more_and_says_so_in_heading_rows_and_address(page, store, titles):
    page.goto(store.url)
    page.get_by_label("30 days").check(force=True)
    titles(page, ["Exports hang", "Maps are old", "Logins fail", "Tills freeze", "Clocks drift"])
    expect(page.get_by_role("heading", level=1)).to_contain_text("1 to 30 Jul 2026")
    expect(page.locator(".problem .size").first).to_have_text("53 reports")
    assert page.url.endswith("/#/problems?span=30")
    assert "The last 30 days" in page.title() or "the last 30 days" in page.title()
    page.get_by_label("All", exact=True).check(force=True)
    expect(page.locator(".problem .size").first).to_have_text("58 reports")
    expect(page.get_by_role("heading", level=1)).to_contain_text("31 May to 30 Jul 2026")
    page.go_back()
    expect(page.locator(".problem .size").first).to_have_text("53 reports")
    page.reload()
    titles(page, ["Exports hang", "Maps are old", "Logins fail", "Tills freeze", "Clocks drift"])


def test_what_is_new_growing_or_returned_is_counted_and_one_press_away(page, store, titles):
    page.goto(store.url)
    glance = page.get_by_role("group", name="At a glance").get_by_role("button")
    expect(glance).to_have_text(["1 new since yesterday", "1 growing", "1 returned"])
    for number, title in enumerate(["Tills freeze", "Exports hang", "Clocks drift"]):
        glance.nth(number).click()
        titles(page, [title])
        expect(glance.nth(number)).to_have_attribute("aria-pressed", "true")
        # The others still say what they would show.
        expect(glance).to_have_text(["1 new since yesterday", "1 growing", "1 returned"])
    glance.nth(2).click()
    expect(page.locator(".problem")).to_have_count(4)


@pytest.mark.parametrize(
    ("label", "value", "expected"),
    [
        ("Trend", "fading", ["Logins fail"]),
        ("Trend", "since-yesterday", ["Tills freeze"]),
        ("Category", "finance", ["Exports hang"]),
        ("Impact", "high", ["Exports hang"]),
        ("Source", "reddit", ["Exports hang", "Logins fail"]),
        ("Order", "growth", ["Exports hang", "Tills freeze", "Clocks drift", "Logins fail"]),
        ("Order", "newest", ["Tills freeze", "Logins fail", "Exports hang", "Clocks drift"]),
    ],
)
def test_filters_and_orders_stand_in_the_address(page, store, titles, label, value, expected):
    page.goto(store.url)
    page.get_by_label(label).select_option(value)
    titles(page, expected)
    page.reload()
    titles(page, expected)
    assert page.get_by_label(label).input_value() == value


def test_would_pay_and_clearing(page, store, titles):
    page.goto(store.url)
    page.get_by_label("Would pay").check()
    titles(page, ["Exports hang"])
    page.get_by_label("Category").select_option("ai")
    page.get_by_text("Nothing matches").wait_for()
    page.get_by_role("button", name="Clear the filters").click()
    expect(page.locator(".problem")).to_have_count(4)
    assert not page.get_by_label("Would pay").is_checked()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("EXPORTS", ["Exports hang"]),
        ("about tills", ["Tills freeze"]),  # of the description
        ("frobnitz", ["Exports hang"]),  # of a post's title alone
        ("broke", ["Exports hang"]),  # of a post's snippet alone
        ("hang frobnitz", ["Exports hang"]),  # one of the problem, one of a post
        ("tills frobnitz", []),
        ("maps", []),  # not of these days
        ('" || id != "', []),
        ("100%", []),
        ("\\", None),  # no word at all
        ("'", []),
        ("a" * 4_000, []),
        ("one two three four five six seven eight", []),
    ],
)
def test_the_search_finds_words_of_titles_descriptions_and_posts(
    page, store, titles, words, expected
):
    page.goto(store.url)
    expect(page.locator(".problem")).to_have_count(4)
    page.get_by_role("searchbox").fill(words)
    if expected == []:
        page.get_by_text("Nothing matches").wait_for()
    elif expected is None:
        expect(page.locator("#problems-result")).to_have_text("4 found in 7 days")
    else:
        titles(page, expected)


@pytest.mark.parametrize(
    "query",
    [
        "span=9",
        "span=__proto__",
        "order=constructor",
        "nonsense",
        "span=7&span=30",
        "%",
        "?",
        "a/b",
    ],
)
def test_an_address_that_makes_no_sense_shows_seven_days(page, store, problems, query):
    page.goto(f"{store.url}/#/problems?{query}")
    expect(page.locator(".problem")).to_have_count(4)


@pytest.mark.parametrize(
    "query", ["state=dire", "category=sports", "impact=__proto__", "source=a b"]
)
def test_a_filter_that_nobody_knows_matches_nothing(page, store, problems, query):
    page.goto(f"{store.url}/#/problems?{query}")
    page.get_by_text("Nothing matches").wait_for()


def test_a_problem_opens_to_its_days_by_source_its_wording_and_its_evidence(page, store, problems):
    page.goto(store.url)
    page.get_by_role("link", name="Exports hang").click()
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text("Exports hang")
    expect(heading).to_be_focused()
    assert page.url == f"{store.url}/#/problem/{problems['Exports hang']}"
    assert page.title() == "Exports hang"
    expect(page.locator("#problem-numbers")).to_contain_text(
        "reports in 7 days, +29 since last week"
    )
    expect(page.locator(".source-name")).to_have_text(["All sources 58", "GitHub 37", "Reddit 21"])
    assert page.locator(".source-line").first.locator("rect").count() == 41
    page.get_by_text("The same in numbers").click()
    rows = page.locator(".numbers-table tr").all_inner_texts()
    assert [row.split("\t") for row in rows] == [
        ["Day", "GitHub", "Reddit", "All"],
        ["29 Jul 2026", "20", "21", "41"],
        ["22 Jul 2026", "12", "0", "12"],
        ["20 Jun 2026", "5", "0", "5"],
    ]
    assert page.locator(".wordings li").all_inner_texts() == [
        "22 to 29 Jul 2026\nExports hang",
        "20 Jun 2026\nExport is slow",
    ]
    # The newest day is open; the others are read when they are opened.
    expect(page.locator(".post")).to_have_count(2)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.locator(".day-list summary").nth(1).click()
    expect(page.locator(".post")).to_have_count(3)
    assert len([url for url in asked if "issue_evidence" in url]) == 1
    page.go_back()
    expect(page.get_by_role("link", name="Exports hang")).to_be_focused()


def test_an_issue_of_a_day_and_its_problem_lead_to_each_other(page, store, problems):
    issue = derived_id(NEWEST, "Tills freeze")
    page.goto(f"{store.url}/?day={NEWEST}&issue={issue}")
    page.get_by_role("link", name="This problem over the days").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Tills freeze")
    assert page.url == f"{store.url}/#/problem/{problems['Tills freeze']}"
    page.get_by_role("link", name="The issue in its day").click()
    expect(page.locator("details[open] .title")).to_have_text("Tills freeze")
    assert page.url == f"{store.url}/?day={NEWEST}&issue={issue}"
    page.go_back()
    page.go_back()
    assert page.url == f"{store.url}/?day={NEWEST}&issue={issue}"


def test_both_views_are_a_press_away_from_each_other(page, store, titles):
    page.goto(store.url)
    expect(page.locator(".problem")).to_have_count(4)
    page.evaluate("window.notReloaded = true")
    page.get_by_role("navigation").get_by_role("link", name="By day").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Thu, 30 July 2026")
    expect(page.locator(".issue .title")).to_have_text(["Tills freeze"])
    assert page.url == f"{store.url}/?day={NEWEST}"
    page.get_by_role("navigation").get_by_role("link", name="Problems").click()
    expect(page.locator(".problem")).to_have_count(4)
    page.goto(f"{store.url}/#/day/{day(1)}")
    expect(page.locator(".issue .title")).to_have_text(["Exports hang"])
    assert page.url == f"{store.url}/?day={day(1)}"


def test_a_former_id_leads_to_the_problem_that_it_lives_on_in(page, store, problems):
    former = "formerid0000000"
    store.put_alias(former, problems["Logins fail"])
    page.goto(f"{store.url}/#/problem/{former}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Logins fail")
    expect(page.locator("#problem-moved")).to_be_visible()
    assert page.url == f"{store.url}/#/problem/{problems['Logins fail']}"


@pytest.mark.parametrize("name", ["gone00000000000", "", "x", "../issues", "<b>", "a" * 500])
def test_an_id_that_is_nowhere_says_so(page, store, name):
    page.goto(f"{store.url}/#/problem/{name}")
    expect(page.get_by_role("heading", level=1)).to_have_text("No such problem")
    expect(page.locator("#problem-state")).to_contain_text("No problem has this address")
    page.get_by_role("link", name="All problems").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("The last 7 days")


def test_what_is_published_shows_in_the_list_without_reload(page, store, titles):
    page.goto(store.url)
    expect(page.locator(".problem")).to_have_count(4)
    page.locator("#connection[data-state=live]").wait_for()
    new = store.put_problem("Just found", {NEWEST: {"github": 90}}, NEWEST, state="new")
    titles(page, ["Just found", "Exports hang", "Logins fail", "Tills freeze", "Clocks drift"])
    expect(page.locator("#problems-glance button b").first).to_have_text("2")
    store.remove(new, "problems")
    expect(page.locator(".problem")).to_have_count(4)


def test_what_is_read_again_unchanged_is_neither_drawn_again_nor_called_news(page, store, titles):
    def in_another_order(route: Any) -> None:
        reply = route.fetch().json()
        reply["items"] = [dict(reversed(list(item.items()))) for item in reply["items"]]
        route.fulfill(json=reply)

    page.goto(store.url)
    expect(page.locator(".problem")).to_have_count(4)
    page.locator("#connection[data-state=live]").wait_for()
    page.evaluate("window.link = document.querySelector('.problem a')")
    # The server sends the fields of a record in any order.
    page.route("**/api/collections/problems/records?*", in_another_order)
    new = store.put_problem("Just found", {NEWEST: {"github": 1}}, NEWEST, state="new")
    expect(page.locator(".problem")).to_have_count(5)
    assert page.evaluate("window.link.isConnected")
    expect(page.locator("#announcer")).to_have_text("1 problem updated.")
    store.remove(new, "problems")


def test_an_open_problem_follows_what_is_published_and_withdrawn(page, store):
    days = {day(1): {"github": 3}}
    problem = store.put_problem("Being read", days, NEWEST)
    issue = store.put(day(1), "Being read", problem=problem, posts=[{"title": "As it was"}])
    page.goto(f"{store.url}/#/problem/{problem}")
    page.get_by_role("link", name="As it was").wait_for()
    page.locator("#connection[data-state=live]").wait_for()
    with page.expect_response("**/api/realtime"):  # opening another day subscribes to its posts
        page.locator(".day-list summary").first.click()
    page.locator(".day-list summary").first.click()
    store.put_post(day(1), "Being read", 0, {"title": "Edited since"})
    page.get_by_role("link", name="Edited since").wait_for()
    later = store.put(NEWEST, "Said otherwise", problem=problem)
    store.put_problem("Being read", {**days, NEWEST: {"reddit": 9}}, NEWEST, state="growing")
    expect(page.locator(".wordings li").first).to_contain_text("Said otherwise")
    expect(page.locator("#problem-facts .trend")).to_contain_text("Growing")
    # Linked again, it lives on in another.
    heir = store.put_problem("Its heir", days, NEWEST)
    store.remove(later)
    store.remove(issue)
    store.put_alias(derived_id("nobody"), heir)
    store.remove(problem, "problems")
    expect(page.get_by_role("heading", level=1)).to_have_text("No such problem")
    store.remove(heir, "problems")


def test_hostile_text_stays_text_and_inside_the_page(page, store):
    ids = []
    for number, text in enumerate(HOSTILE_TEXTS):
        days = {day(300): {"github": 1_000 - number}}
        ids.append(
            store.put_problem(text, days, day(300), description=text, category=CATEGORIES[0])
        )
        posts = [{"title": text, "snippet": text[:500]}]
        store.put(day(300), text, problem=ids[-1], posts=posts)
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(f"{store.url}/#/problems?span=all&category={CATEGORIES[0]}")
    expect(page.locator(".problem .title")).to_have_text(HOSTILE_TEXTS)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    for problem, text in zip(ids, HOSTILE_TEXTS, strict=True):
        page.goto(f"{store.url}/#/problem/{problem}")
        expect(page.get_by_role("heading", level=1)).to_have_text(text)
        expect(page.locator("#problem-description")).to_have_text(text)
        expect(page.locator(".wording")).to_have_text(text)
        expect(page.locator(".post-title")).to_have_text(f"{text} (opens in a new tab)")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.evaluate("window.pwned") is None
    assert page.locator("main :is(script, iframe, form, meta)").count() == 0
    for problem in ids:
        store.remove(problem, "problems")


def test_weeks_of_which_days_are_missing_are_not_compared(page, store):
    days = {day(9): {"github": 2}, NEWEST: {"github": 70}}
    problem = store.put_problem("Half collected", days, NEWEST, comparable=False, growth=0)
    page.goto(f"{store.url}/#/problems?q=half")
    expect(page.locator(".problem .change")).to_have_text("not compared: days are missing")
    page.goto(f"{store.url}/#/problem/{problem}")
    expect(page.locator("#problem-numbers")).to_contain_text(
        "reports in 7 days, not compared: days are missing"
    )
    store.remove(problem, "problems")


def test_a_search_finds_words_whatever_their_case_and_accents(page, store, titles):
    """In titles and descriptions, and in posts."""
    folded = {
        "Übergröße: CAFÉ stürzt ab": "ubergroße: cafe sturzt ab",
        "Экспорт ПАДАЕТ": "экспорт падает",
    }
    made = [
        store.put_problem(title, {NEWEST: {"github": 6}}, NEWEST, search=search)
        for title, search in folded.items()
    ]
    first, second = folded
    issue = store.put(NEWEST, "Of accents", problem=made[1], posts=[
        {"title": "Où est mon Téléphone", "search": "ou est mon telephone it broke."}
    ])  # fmt: skip
    for query, found in (
        ("cafe", [first]), ("CAFÉ STURZT", [first]), ("übergröße", [first]), ("падает", [second]),
        ("Экспорт", [second]), ("telephone", [second]), ("TÉLÉPHONE où", [second]),
    ):  # fmt: skip
        page.goto(f"{store.url}/#/problems?q={query}")
        titles(page, found)
    store.remove(issue)
    for problem in made:
        store.remove(problem, "problems")


def test_the_order_by_growth_ranks_all_problems_not_the_most_reported_alone(page, store):
    """Of more than a thousand that are reported much, the one that grows is reported little."""
    steady = {day(10): {"reddit": 50}, day(1): {"reddit": 50}}
    store.put_all([
        put_request("problems", a_problem(derived_id("steady", str(number)), f"Steady {number}",
                                          steady, NEWEST, category="healthtech"))
        for number in range(1_100)
    ])  # fmt: skip
    grows = store.put_problem("Grows", {NEWEST: {"reddit": 9}}, NEWEST, category="healthtech")
    page.goto(f"{store.url}/#/problems?category=healthtech&order=growth")
    expect(page.locator(".problem .title").first).to_have_text("Grows")
    expect(page.locator("#problems-result")).to_have_text("1,101 found in 7 days")
    store.remove(grows, "problems")
    paths = [
        f"/api/collections/problems/records/{derived_id('steady', str(n))}" for n in range(1_100)
    ]
    store.put_all([{"method": "DELETE", "url": path} for path in paths])


def test_numbers_that_are_none_break_nothing(page, store):
    strange: Any = {day(1): {"github": "3", "reddit": -1}, "not a day": {"github": 9}, day(2): None}
    problem = derived_id("problem", "Strangely counted")
    whole = a_problem(problem, "Strangely counted", {NEWEST: {"github": 2}}, NEWEST)
    store.put_all([put_request("problems", {**whole, "days": strange, "sources": None})])
    page.goto(f"{store.url}/#/problem/{problem}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Strangely counted")
    page.get_by_role("link", name="All problems").click()
    page.get_by_role("link", name="Strangely counted").wait_for()
    store.remove(problem, "problems")


def test_many_problems_come_fifty_at_a_time(page, store):
    newest = day(300)
    requests = [
        put_request(
            "problems",
            {
                "id": derived_id("many", str(number)), "title": f"Problem {number:03}",
                "category": "logistics", "impact": "low", "state": "steady",
                "state_since": newest, "first_seen": newest, "last_seen": newest,
                "days_seen": 1, "posts": 1_000 - number, "reach": 1, "posts_7d": 1_000 - number,
                "posts_30d": 1_000 - number, "posts_week_before": 0, "sources": {}, "days": {},
            },
        )
        for number in range(120)
    ]  # fmt: skip
    store.put_all(requests)
    page.goto(f"{store.url}/#/problems?category=logistics")
    expect(page.locator(".problem")).to_have_count(50)
    expect(page.locator("#problems-result")).to_have_text("120 found in 7 days")
    page.get_by_role("button", name="Show more problems").press("Enter")
    expect(page.locator(".problem")).not_to_have_count(50)
    # Whoever pressed it goes on with the first of the new ones.
    expect(page.locator(".problem:focus-within")).to_have_count(1)
    page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    page.locator(".problem .title", has_text="Problem 119").wait_for()
    expect(page.locator(".problem")).to_have_count(120)
    expect(page.locator("#problems-more")).to_be_hidden()
    page.evaluate("window.scrollTo(0, 0)")
    page.get_by_label("Order").select_option("growth")
    expect(page.locator(".problem")).to_have_count(50)
    for number in range(120):
        store.remove(derived_id("many", str(number)), "problems")


def test_everything_can_be_done_with_the_keyboard_alone(page, store, titles):
    page.goto(store.url)
    expect(page.locator(".problem")).to_have_count(4)
    seen = []
    for _ in range(40):
        page.keyboard.press("Tab")
        seen.append(
            page.evaluate("document.activeElement.id || document.activeElement.textContent")
        )
        if seen[-1] == "Exports hang":
            break
    reached = [
        "problems-search", "problems-state", "problems-category", "problems-impact",
        "problems-source", "problems-pay", "problems-order", "problems-copy", "Exports hang",
    ]  # fmt: skip
    assert [name for name in seen if name in reached] == reached
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    page.locator(".post").first.wait_for()
    for _ in range(10):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.tagName") == "SUMMARY":
            break
    page.keyboard.press("Enter")
    expect(page.locator(".numbers-table[open]")).to_have_count(1)


def test_days_that_lack_a_source_are_named(page, store, problems):
    store.put(day(5), "Cut short", complete=False, problem=problems["Logins fail"])
    page.goto(store.url)
    expect(page.locator("#problems-incomplete")).to_contain_text("whole on Sat, 25 Jul 2026, so")
    page.goto(f"{store.url}/#/problem/{problems['Logins fail']}")
    expect(page.locator(".day-size").first).to_have_text("6 reports incomplete")
    store.remove(derived_id(day(5), "Cut short"))
    page.get_by_role("link", name="All problems").click()
    expect(page.locator(".problem")).to_have_count(4)
    expect(page.locator("#problems-incomplete")).to_be_hidden()


def test_going_back_finds_the_list_where_it_was(page, store, problems):
    page.set_viewport_size({"width": 390, "height": 400})
    page.goto(f"{store.url}/#/problems?span=all&order=newest")
    expect(page.locator(".problem")).to_have_count(5)
    last = page.get_by_role("link", name="Clocks drift")
    last.scroll_into_view_if_needed()
    before = page.evaluate("scrollY")
    assert before > 100
    last.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Clocks drift")
    assert page.evaluate("scrollY") == 0
    page.go_back()
    expect(last).to_be_focused()
    # The page's policy forbids Playwright's own polling, which evaluates text.
    for _ in range(200):
        if abs(page.evaluate("scrollY") - before) < 60:
            return
        page.wait_for_timeout(50)
    pytest.fail(f"scrolled to {page.evaluate('scrollY')}, not to {before}")


def test_every_state_of_the_store_has_a_word_and_a_filter(page, store):
    schema = store.http.get("/api/collections/problems").json()
    (states,) = [field["values"] for field in schema["fields"] if field["name"] == "state"]
    page.goto(f"{store.url}/#/problems")
    options = page.get_by_label("Trend").locator("option")
    values = [one.get_attribute("value") for one in options.all()]
    assert sorted(values) == sorted(["", "since-yesterday", *states])
    assert "" not in options.all_inner_texts()


def test_until_a_problem_is_published_the_page_opens_on_the_newest_day(page, store):
    # As from a server whose problems are still to come, or of a schema without them.
    store.put(NEWEST, "Tills freeze", size=6)
    replies: list[dict[str, Any]] = [
        {"json": {"items": [], "totalItems": 0}},
        {"status": 404, "json": {}},
    ]
    for reply in replies:
        page.route(
            "**/api/collections/problems/**",
            partial(lambda given, route: route.fulfill(**given), reply),
        )
        page.goto(f"{store.url}/#/day")
        page.goto(store.url)
        expect(page.locator(".issue .title")).to_have_text(["Tills freeze"])
        assert page.url == f"{store.url}/?day={NEWEST}"
        page.unroute("**/api/collections/problems/**")
    page.route(
        "**/api/collections/problems/**",
        lambda route: route.fulfill(json={"items": [], "totalItems": 0}),
    )
    page.get_by_role("navigation").get_by_role("link", name="Problems").click()
    page.get_by_role("button", name="Show all days").click()
    page.get_by_text("No problems yet").wait_for()
