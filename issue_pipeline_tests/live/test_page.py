import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from issue_pipeline.labels.schema import CATEGORIES, IMPACT_LEVELS
from issue_pipeline.local.pocketbase_server import PUBLIC, PocketBaseServer
from issue_pipeline.partitions import SOURCES
from issue_pipeline_tests.support.browsing import expect, opened_store, wait_for_titles

# Ways in which text could become markup or code.
SINKS = (
    "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function",
    "DOMParser", "createContextualFragment", "setHTML", "srcdoc", "javascript:",
)  # fmt: skip
PHONE = {"width": 360, "height": 740}
HOSTILE_TEXTS = [
    "<script>window.pwned = 1</script>",
    '<img src=x onerror="window.pwned = 1">',
    '"><svg onload=window.pwned=1>',
    "'-alert(1)-'",
    "</title></style></textarea><script>window.pwned = 1</script>",
    "<a href=javascript:window.pwned=1>click</a>",
    "javascript:window.pwned=1",
    '<iframe srcdoc="<script>parent.pwned = 1</script>"></iframe>',
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<style>* { display: none }</style>",
    "<form action=//evil.example><input name=password autofocus></form>",
    "&lt;script&gt;window.pwned = 1&lt;/script&gt;",
    "<!-- <b>--><math><mi//xlink:href='data:x,<script>window.pwned=1</script>'>",
    "{{constructor.constructor('window.pwned=1')()}}",
    "${window.pwned = 1}`${window.pwned = 1}`",
    "%3Cscript%3Ewindow.pwned=1%3C/script%3E\\u003cscript\\u003e",
    '=HYPERLINK("http://evil.example")',
    "__proto__ constructor toString hasOwnProperty",
    "Long" * 250,
    "Z" + "\u0351\u036b\u0343" * 100 + "algo",
]
WEB_ADDRESSES = {
    "https://example.org/a?b=c#d": "https://example.org/a?b=c#d",
    "HTTP://example.org": "http://example.org/",
}
OTHER_ADDRESSES = [
    "javascript:alert(1)",
    " javascript:alert(1)",
    "java\nscript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "//example.org/",
    "/_/",
    "https://",
    "https://github.com@example.org/",
    "",
    None,
]


# What can be promised without a browser


class Tags(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def named(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.found if tag == name]


def page_tags() -> Tags:
    return Tags((PUBLIC / "index.html").read_text(encoding="utf-8"))


def scripts() -> dict[str, str]:
    return {
        file.relative_to(PUBLIC).as_posix(): file.read_text(encoding="utf-8")
        for file in PUBLIC.glob("**/*.js")
    }


def import_map() -> str:
    html = (PUBLIC / "index.html").read_text(encoding="utf-8")
    (text,) = re.findall(r'<script type="importmap">(.*?)</script>', html, re.DOTALL)
    return str(text)


def test_the_page_allows_nothing_but_its_own_scripts_styles_and_connections():
    policies = [
        meta["content"] or ""
        for meta in page_tags().named("meta")
        if meta.get("http-equiv") == "Content-Security-Policy"
    ]
    assert len(policies) == 1
    rules = {
        name: rest for name, _, rest in (p.strip().partition(" ") for p in policies[0].split(";"))
    }
    assert rules["default-src"] == "'none'"
    assert {rules[f"{kind}-src"] for kind in ("style", "img", "connect")} == {"'self'"}
    # Nothing within the page but the import map, which holds addresses and no code.
    digest = base64.b64encode(hashlib.sha256(import_map().encode()).digest()).decode()
    assert rules["script-src"] == f"'self' 'sha256-{digest}'"
    assert rules["base-uri"] == rules["form-action"] == "'none'"
    assert rules["require-trusted-types-for"] == "'script'"
    assert "unsafe" not in policies[0]


def test_the_policy_comes_before_anything_that_loads():
    kinds = [
        tag
        for tag, attributes in page_tags().found
        if {"src", "href", "http-equiv"} & attributes.keys()
    ]
    assert kinds[0] == "meta"


def test_no_script_turns_text_into_markup_or_code():
    assert scripts()
    assert [
        (name, sink) for name, code in scripts().items() for sink in SINKS if sink in code
    ] == []


def test_the_page_holds_no_inline_script_or_style_or_handler():
    tags = page_tags()
    inline = [script for script in tags.named("script") if "src" not in script]
    assert inline == [{"type": "importmap"}]
    assert tags.named("style") == []
    attributes = {name for _, given in tags.found for name in given}
    assert not {name for name in attributes if name.startswith("on") or name == "style"}


def test_everything_is_loaded_from_the_page_s_own_folder():
    tags = page_tags()
    loaded = [tag["src"] for tag in tags.named("script") + tags.named("img") if "src" in tag]
    loaded += [tag["href"] for tag in tags.named("link")]
    loaded += json.loads(import_map())["imports"].values()
    files = [PUBLIC / str(address).partition("?")[0] for address in loaded]
    for name, code in scripts().items():
        imported = re.findall(r'^(?:import|}) .*from "(.+)";$', code, re.MULTILINE)
        assert len(imported) == code.count(' from "'), name
        files += [PUBLIC / Path(name).parent / address for address in imported]
        assert "import(" not in code
    assert len(files) > 20
    assert [file for file in files if not file.is_file()] == []
    assert [file for file in files if PUBLIC not in file.resolve().parents] == []
    for style in PUBLIC.glob("**/*.css"):
        text = style.read_text(encoding="utf-8")
        assert "url(" not in text
        assert "@import" not in text


def test_links_away_give_nothing_away():
    away = [a for a in page_tags().named("a") if str(a["href"]).startswith("http")]
    assert away
    assert all({"noopener", "noreferrer", "nofollow"} <= set(str(a["rel"]).split()) for a in away)


def test_every_category_impact_and_source_has_a_name_on_the_page():
    names = scripts()["format.js"]
    for key in (*CATEGORIES, *IMPACT_LEVELS, *SOURCES):
        assert re.search(rf'\b{key}: "', names), f"format.js has no name for {key}"


# What a browser shows


def test_the_newest_day_is_listed_with_the_most_important_first(page, store):
    store.put("2026-03-01", "Yesterday's news")
    store.put("2026-12-30", "Small but grave", size=10, impact="high")
    store.put("2026-12-30", "Small, grave and worth money", size=10, impact="high", would_pay=True)
    store.put("2026-12-30", "Large but harmless", size=24)
    page.goto(store.url)
    wait_for_titles(page, ["Small, grave and worth money", "Small but grave", "Large but harmless"])
    assert page.url.endswith("?day=2026-12-30")
    first = page.locator(".issue").first
    assert first.locator(".size-number").text_content() == "10"
    assert first.locator(".category").text_content() == "Devtools"
    assert first.locator(".impact").text_content() == "High impact"
    assert first.locator(".would-pay").is_visible()
    assert page.locator("#summary").text_content() == "3 problems in 44 reports"
    page.locator("#day").select_option("2026-03-01")
    wait_for_titles(page, ["Yesterday's news"])


def test_an_issue_opens_to_its_description_its_sources_and_its_evidence_page_by_page(page, store):
    posts: list[dict[str, Any]] = [{} for _ in range(12)]
    posts[0] = {
        "source": "stackoverflow",
        "votes": 1_500,
        "comments": 3,
        "title": "How can I stop it?",
    }
    counts = {"reddit": 0, "github": 11, "stackoverflow": 1}
    store.put("2026-03-02", "Opens", description="The whole story.", posts=posts, sources=counts)
    page.goto(f"{store.url}/?day=2026-03-02")
    page.locator("summary").click()
    expect(page.locator(".post")).to_have_count(10)
    assert page.locator(".description").text_content() == "The whole story."
    assert page.locator(".issue-body .legend li").all_inner_texts() == [
        "GitHub 11",
        "Stack Overflow 1",
    ]
    first = page.locator(".post").first
    link = first.get_by_role("link", name="How can I stop it?")
    assert link.get_attribute("href") == "https://example.org/0"
    assert link.get_attribute("rel") == "noopener noreferrer nofollow"
    facts = first.locator(".facts").inner_text()
    for fact in (
        "Stack Overflow",
        "10 Mar 2026, 12:00 UTC",
        "1,500 votes",
        "3 comments",
        "CC BY-SA",
    ):
        assert fact in facts
    assert first.locator(".snippet").text_content() == "It broke."
    assert "CC BY-SA" not in page.locator(".post").nth(1).inner_text()
    # While it connects, the page reads what is open again.
    page.locator("#connection[data-state=live]").wait_for()
    page.get_by_role("button", name="Show 2 more").click()
    expect(page.locator(".post")).to_have_count(12)
    assert page.locator(".more").is_hidden()


def test_hostile_text_stays_text_and_inside_the_page(page, store):
    day = "2026-03-03"
    for size, text in enumerate(reversed(HOSTILE_TEXTS), start=1):
        posts = [
            {"title": text, "snippet": text[:500], "url": "https://example.org/" + "a" * 4_000}
        ]
        store.put(day, text, description=text, size=size, posts=posts)
    page.set_viewport_size(PHONE)
    page.goto(f"{store.url}/?day={day}")
    wait_for_titles(page, HOSTILE_TEXTS)
    assert len(HOSTILE_TEXTS) == 20
    for issue in page.locator(".issue").all():
        issue.locator("summary").click()
        issue.locator(".post").wait_for()
    assert page.locator(".description").all_text_contents() == HOSTILE_TEXTS
    expected_links = [f"{text} (opens in a new tab)" for text in HOSTILE_TEXTS]
    assert page.locator(".post-title").all_text_contents() == expected_links
    assert page.locator(".snippet").all_text_contents() == [text[:500] for text in HOSTILE_TEXTS]
    assert page.locator("#list :is(script, img, svg)").count() == 0
    assert page.evaluate("window.pwned") is None
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_marks_that_reorder_text_are_left_out_and_arabic_reads_from_the_right(page, store):
    store.put("2026-03-04", "Invoice \u202efdp.exe", size=9)
    store.put("2026-03-04", "فشل تسجيل الدخول", size=5)
    page.goto(f"{store.url}/?day=2026-03-04")
    wait_for_titles(page, ["Invoice fdp.exe", "فشل تسجيل الدخول"])
    directions = page.locator(".issue .title").evaluate_all(
        "titles => titles.map(title => getComputedStyle(title).direction)"
    )
    assert directions == ["ltr", "rtl"]


def test_only_an_absolute_web_address_becomes_a_link(page, store):
    # Asked of the page's own code: the collection refuses most of these addresses itself.
    page.goto(store.url)
    made = page.evaluate(
        """async urls => {
            const { postLink } = await import('/dom.js');
            return urls.map(url => postLink(url, 'Title').getAttribute('href'));
        }""",
        [*WEB_ADDRESSES, *OTHER_ADDRESSES],
    )
    assert made == [*WEB_ADDRESSES.values(), *(None for _ in OTHER_ADDRESSES)]


def test_what_is_published_changed_or_withdrawn_shows_without_reload(page, store):
    day = "2026-03-05"
    store.put(day, "Here before", size=20)
    page.goto(f"{store.url}/?day={day}")
    page.locator("#connection[data-state=live]").wait_for()
    page.evaluate("window.notReloaded = true")
    new = store.put(day, "Just in", size=30)
    wait_for_titles(page, ["Just in", "Here before"])
    store.put(day, "Just in", size=10)
    wait_for_titles(page, ["Here before", "Just in"])
    store.put("2026-03-06", "Of another day")
    store.remove(new)
    wait_for_titles(page, ["Here before"])
    assert page.evaluate("window.notReloaded") is True


def test_an_open_issue_stays_open_and_focused_while_others_come(page, store):
    day = "2026-03-07"
    store.put(day, "Being read", posts=[{}])
    page.goto(f"{store.url}/?day={day}")
    page.locator("#connection[data-state=live]").wait_for()
    page.locator("summary").press("Enter")
    page.locator(".post").wait_for()
    store.put(day, "Pushes in above", size=50)
    wait_for_titles(page, ["Pushes in above", "Being read"])
    assert page.locator("details[open] .title").all_text_contents() == ["Being read"]
    assert "Being read" in page.evaluate("document.activeElement.textContent")


def test_a_link_brings_back_the_day_and_the_filters(page, store):
    day = "2026-03-08"
    store.put(day, "Café till fails", category="finance")
    store.put(day, "Café oven fails", category="other")
    store.put(day, "Bank fails", category="finance")
    page.goto(f"{store.url}/?day={day}")
    page.get_by_role("searchbox").fill("FAILS cafe")
    page.get_by_role("radio", name="Finance").check(force=True)
    wait_for_titles(page, ["Café till fails"])
    page.goto(page.url)
    wait_for_titles(page, ["Café till fails"])
    assert page.get_by_role("searchbox").input_value() == "FAILS cafe"
    page.get_by_role("searchbox").fill("no such words")
    page.get_by_role("button", name="Clear the filters").click()
    expect(page.locator(".issue")).to_have_count(3)


def test_an_incomplete_day_says_so(page, store):
    store.put("2026-03-09", "Whole")
    store.put("2026-03-10", "Cut short", complete=False)
    page.goto(f"{store.url}/?day=2026-03-10")
    wait_for_titles(page, ["Cut short"])
    assert "could be collected whole for this day" in page.locator("#incomplete").inner_text()
    page.locator("summary").click()
    expect(page.locator("p.partial")).to_be_visible()
    page.get_by_role("button", name="Older day").click()
    wait_for_titles(page, ["Whole"])
    assert page.locator("#incomplete").is_hidden()
    page.locator("summary").click()
    expect(page.locator("p.partial")).to_be_hidden()
    page.goto(f"{store.url}/?from=2026-03-09&to=2026-03-10&order=newest")
    wait_for_titles(page, ["Cut short", "Whole"])
    assert "whole on Tue, 10 Mar 2026" in page.locator("#incomplete").inner_text()
    assert page.locator(".when").all_inner_texts() == ["10 Mar incomplete", "9 Mar"]


def test_the_page_says_that_the_server_is_away_and_catches_up_when_it_is_back(page, server, store):
    day = "2026-03-11"
    gone = store.put(day, "Withdrawn meanwhile", size=40)
    store.put(day, "Stays")
    page.goto(f"{store.url}/?day={day}")
    page.locator("#connection[data-state=live]").wait_for()
    server.process.stop()
    page.locator("#offline").wait_for()
    wait_for_titles(page, ["Withdrawn meanwhile", "Stays"])
    # The page must not see the server before the changes are made: its realtime feed stays shut.
    page.route("**/api/realtime", lambda route: route.abort())
    server.process.start()
    server.wait_until_ready()
    store.remove(gone)
    store.put(day, "Came meanwhile", size=30)
    page.unroute("**/api/realtime")
    page.evaluate("dispatchEvent(new Event('online'))")  # or it tries again in its own time
    wait_for_titles(page, ["Came meanwhile", "Stays"])
    page.locator("#connection[data-state=live]").wait_for()
    assert page.locator("#offline").is_hidden()


def test_a_tab_that_nobody_looks_at_gives_its_connection_back_and_catches_up(page, store):
    day = "2026-03-13"
    gone = store.put(day, "Withdrawn meanwhile", size=40)
    page.clock.install()
    page.goto(f"{store.url}/?day={day}")
    page.locator("#connection[data-state=live]").wait_for()
    show = """hidden => {
        Object.defineProperty(document, "hidden", {value: hidden, configurable: true});
        document.dispatchEvent(new Event("visibilitychange"));
    }"""
    page.evaluate(show, True)
    page.clock.fast_forward(61_000)
    store.remove(gone)
    store.put(day, "Came meanwhile")
    with page.expect_request(lambda one: "realtime" in one.url and one.method == "GET"):
        page.evaluate(show, False)
    wait_for_titles(page, ["Came meanwhile"])
    store.put(day, "Came afterwards", size=50)
    wait_for_titles(page, ["Came afterwards", "Came meanwhile"])


def test_an_empty_store_says_so_until_its_first_issue_comes(page, tmp_path):
    with (
        PocketBaseServer(tmp_path / "pocketbase", log=tmp_path / "pocketbase.log") as server,
        opened_store(server) as store,
    ):
        page.goto(server.url)
        page.get_by_text("No issues yet").wait_for()
        page.locator("#connection[data-state=live]").wait_for()
        store.put("2026-03-12", "The first of all")
        wait_for_titles(page, ["The first of all"])
        assert page.get_by_text("No issues yet").count() == 0


def test_a_view_that_opens_while_the_feed_is_being_subscribed_to_hears_of_changes(page, tmp_path):
    readings: list[Any] = []
    subscriptions: list[Any] = []

    def hold(route: Any) -> None:
        if route.request.method == "POST" and not subscriptions:
            subscriptions.append(route)
        elif "collections/problems" in route.request.url and not subscriptions:
            readings.append(route)
        else:
            route.continue_()

    with (
        PocketBaseServer(tmp_path / "pocketbase", log=tmp_path / "pocketbase.log") as server,
        opened_store(server) as store,
    ):
        page.route("**/api/**", hold)
        with page.expect_request(lambda one: "realtime" in one.url and one.method == "POST"):
            page.goto(server.url)
        # The feed is asked for problems. There are none, so the page opens on the days instead.
        for reading in readings:
            reading.continue_()
        page.get_by_text("No issues yet").wait_for()
        subscriptions[0].continue_()
        page.locator("#connection[data-state=live]").wait_for()
        store.put("2026-03-12", "The first of all")
        wait_for_titles(page, ["The first of all"])
