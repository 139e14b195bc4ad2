"""Feeds of problems, from the real server, read by a real feed parser."""

import re
import sqlite3
import subprocess
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import feedparser
import httpx
import pytest
from lxml import etree

from issue_pipeline.local.pocketbase_server import HOOKS, pocketbase_binary
from issue_pipeline.local.processes import LocalServer
from issue_pipeline_tests.support.problem_store import ProblemStore, problem_store

ATOM = "{http://www.w3.org/2005/Atom}"
GRAMMAR = etree.RelaxNG(etree.parse(Path(__file__).with_name("atom.rng")))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProblemStore]:
    with problem_store(tmp_path_factory.mktemp("feeds")) as store:
        yield store


@pytest.fixture(autouse=True)
def _empty(store: ProblemStore) -> None:
    store.clear()


def get(store: ProblemStore, kind: str = "atom", query: str = "", **headers: str) -> httpx.Response:
    """Read a feed as anybody may."""
    address = f"{store.url}/feeds/problems.{kind}{query and f'?{query}'}"
    return httpx.get(address, headers=headers, trust_env=False, timeout=60)


def atom(store: ProblemStore, query: str = "") -> Any:
    """Read, check against the grammar, and parse."""
    reply = get(store, "atom", query)
    assert reply.status_code == 200, reply.text
    assert reply.headers["content-type"] == "application/atom+xml; charset=utf-8"
    GRAMMAR.assertValid(etree.fromstring(reply.content))
    feed = feedparser.parse(reply.content)
    assert not feed.bozo
    return feed


def items(store: ProblemStore, query: str = "") -> list[dict[str, Any]]:
    """Read a JSON feed and check what version 1.1 asks of it."""
    reply = get(store, "json", query)
    assert reply.status_code == 200, reply.text
    assert reply.headers["content-type"] == "application/feed+json; charset=utf-8"
    feed = reply.json()
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert feed["title"]
    for one in feed["items"]:
        assert isinstance(one["id"], str)
        assert isinstance(one["content_text"], str)
        assert all(isinstance(tag, str) for tag in one["tags"])
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT00:00:00\.\d{6}Z", one["date_modified"])
    return list(feed["items"])


def titles(store: ProblemStore, query: str) -> list[str]:
    """The same from both formats."""
    found = [entry.title for entry in atom(store, query).entries]
    assert found == [one["title"] for one in items(store, query)]
    return found


def test_an_entry_says_what_the_problem_is_how_it_changed_and_where_it_is_shown(store):
    problem = store.put(
        "Export to CSV fails", state="growing", state_since="2026-03-08", first_seen="2026-02-01",
        last_seen="2026-03-10", days_seen=9, posts=120, reach=80, posts_7d=41,
        posts_week_before=12, sources={"github": 90, "reddit": 30}, impact="high", would_pay=True,
    )  # fmt: skip
    feed = atom(store)
    assert feed.version == "atom10"
    assert feed.feed.title == "Reported problems"
    assert feed.feed.author == "Issue pipeline"
    assert [link.href for link in feed.feed.links if link.rel == "self"] == [
        f"{store.url}/feeds/problems.atom"
    ]
    (entry,) = feed.entries
    assert entry.link == f"{store.url}/#/problem/{problem}"
    assert entry.published == "2026-02-01T00:00:00Z"
    assert entry.updated.startswith("2026-03-08T00:00:00.")
    assert [tag.term for tag in entry.tags] == ["devtools", "growing", "high impact", "would pay"]
    for part in (
        "All about Export to CSV fails.",
        "Growing since 2026-03-08: 41 reports in 7 days, +29 since last week",
        "120 reports by 80 people on 9 days",
        "github 90, reddit 30",
    ):
        assert part in entry.content[0].value
    (item,) = items(store)
    assert (item["id"], item["url"], item["title"]) == (entry.id, entry.link, entry.title)
    assert item["content_text"] == entry.content[0].value
    assert item["tags"] == [tag.term for tag in entry.tags]
    record = item["_issue_pipeline"]
    assert (record["problem"], record["posts_7d"], record["sources"]) == (
        problem,
        41,
        {"github": 90, "reddit": 30},
    )


def test_the_json_feed_names_its_own_address_and_the_page(store):
    feed = get(store, "json", "state=growing").json()
    assert feed["feed_url"] == f"{store.url}/feeds/problems.json?state=growing"
    assert feed["home_page_url"] == f"{store.url}/"
    assert feed["items"] == []


def test_an_id_stays_when_the_problem_changes_and_differs_from_every_other(store):
    first = store.put("One")
    store.put("Another")
    before = {entry.title: entry.id for entry in atom(store).entries}
    store.put("One, renamed", id=first, state="growing", state_since="2026-03-12")
    after = {entry.title: entry.id for entry in atom(store).entries}
    assert after == {"One, renamed": before["One"], "Another": before["Another"]}
    assert len(set(before.values()) | {atom(store).feed.id, atom(store, "span=7").feed.id}) == 4
    for name in before.values():
        assert UUID(name.removeprefix("urn:uuid:")).version == 8


def test_no_two_entries_of_a_day_were_updated_at_one_moment(store):
    for number in range(30):
        store.put(f"Problem {number}")
    moments = {entry.updated for entry in atom(store).entries}
    assert len(moments) == 30
    assert {one[:19] for one in moments} == {"2026-03-10T00:00:00"}


def test_what_changed_its_state_last_comes_first(store):
    for title, since in (("old", "2026-03-01"), ("newest", "2026-03-09"), ("new", "2026-03-05")):
        store.put(title, state_since=since)
    assert titles(store, "") == ["newest", "new", "old"]


def test_a_feed_without_entries_is_valid(store):
    feed = atom(store, "state=returned")
    assert feed.entries == []
    assert datetime.fromisoformat(feed.feed.updated).year >= 2026


def test_every_filter_lets_through_what_it_says(store):
    store.put("Plain", posts_7d=9)
    store.put("Growing", state="growing", posts_7d=8)
    store.put("Costly", category="finance", impact="high", would_pay=True, posts_7d=7)
    store.put("Discussed", sources={"reddit": 3, "github": 0}, impact="medium", posts_7d=6)
    store.put("Old", last_seen="2026-02-20", posts_7d=5)
    store.put("Café EXPORT 50%_off", description='It\'s "quoted" \\ here.', posts_7d=4)
    everything = ["Plain", "Growing", "Costly", "Discussed", "Old", "Café EXPORT 50%_off"]
    for query, expected in (
        ("", everything),
        ("state=", everything),
        ("state=growing", ["Growing"]),
        ("state=growing,new", everything),
        ("state=growing&state=new", everything),
        ("state=quiet", []),
        ("category=finance", ["Costly"]),
        ("impact=high,medium", ["Costly", "Discussed"]),
        ("would_pay=yes", ["Costly"]),
        ("would_pay=true", ["Costly"]),
        ("would_pay=no&impact=high", []),
        ("would_pay=false&impact=high", []),
        ("source=reddit", ["Discussed"]),
        ("source=github&impact=high", ["Costly"]),
        ("span=all", everything),
        ("span=7", [one for one in everything if one != "Old"]),
        ("span=30", everything),
        ("q=export", ["Café EXPORT 50%_off"]),
        ("q=cafe+QUOTED", ["Café EXPORT 50%_off"]),
        ("q=cafe+missing", []),
        ("q=%25_", ["Café EXPORT 50%_off"]),
        ("q=%25%25", []),
        ("q=%5C", ["Café EXPORT 50%_off"]),
        ("q=%27+OR+1%3D1", []),
        ("q=it%27s+%22quoted%22", ["Café EXPORT 50%_off"]),
        ("limit=2", ["Plain", "Growing"]),
        ("q=all+about&limit=2", ["Plain", "Growing"]),
    ):
        assert (query, titles(store, query)) == (query, expected)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("state=dire", '"dire"; expected new, growing, steady, fading, quiet, returned'),
        ("state=new,", 'is ""; expected new'),
        ("category=sports", "expected ai, finance"),
        ("impact=1", "expected low, medium, high"),
        ("source=usenet", "expected github, stackoverflow, reddit, hackernews"),
        ("would_pay=maybe", "expected yes, no"),
        ("would_pay=yes,no", "expected one of yes, no"),
        ("span=0", "from 1 to 3660, or all"),
        ("span=-7", "from 1 to"),
        ("span=7.5", "from 1 to"),
        ("span=7&span=30", "span is given twice"),
        ("limit=201", "from 1 to 200"),
        ("limit=1e9", "from 1 to 200"),
        ("order=new", 'Unknown parameter "order"'),
        ("__proto__=x", "Unknown parameter"),
        ("q=%ff", "not percent-encoded UTF-8"),
        ("q=%ED%A0%80", "not percent-encoded UTF-8"),
        ("q=a+b+c+d+e+f+g+h+i+j+k", "more than 10 words"),
        (f"q={'a' * 2000}", "longer than 2000 characters"),
    ],
)
def test_a_filter_that_is_not_understood_is_refused_with_what_was_expected(store, query, words):
    for kind in ("atom", "json"):
        reply = get(store, kind, query)
        assert reply.status_code == 400
        assert words.lower() in reply.json()["message"].lower()


HOSTILE = [
    "<script>alert(1)</script>",
    "]]> & <![CDATA[ &amp; &lt; &#0; &bogus;",
    "controls \x00\x01\x08\x0b\x1f\x7f\x9f end",
    "no characters \uffff \ufffe",
    "right \u202e to left \u2066 \u200b \ufeff",
    "lines\nand\ttabs\r\nand \u2028 separators",
    "tags \U000e0041 and faces \U0001f600",
    '" onmouseover="x',
    "\u0301" * 200,
    "x" * 1000,
    "\U0001f600" * 500,
]


def test_hostile_titles_stay_text_in_a_well_formed_feed(store):
    for number, text in enumerate(HOSTILE):
        problem = store.put(f"Problem {number}", posts_7d=100 - number)
        reply = store.http.patch(
            f"/api/collections/problems/records/{problem}",
            json={"title": text, "description": text},
        )
        assert reply.is_success, reply.text
    feed = etree.fromstring(get(store).content)
    GRAMMAR.assertValid(feed)
    read = [entry.findtext(f"{ATOM}title") for entry in feed.findall(f"{ATOM}entry")]
    assert read == [one["title"] for one in items(store)]
    assert len(read) == len(HOSTILE)
    assert read[0] == "<script>alert(1)</script>"
    assert read[1] == "]]> & <![CDATA[ &amp; &lt; &#0; &bogus;"
    assert read[5] == "lines and tabs and separators"
    assert read[6] == "tags and faces \U0001f600"
    assert not re.search(
        r"[\x00-\x1f\x7f-\x9f\u200b\u202e\u2066\ufeff\ufffd-\uffff]", "".join(read)
    )
    for element in feed.iter():  # nothing of it became an element or an attribute
        assert etree.QName(element).localname not in ("script",)
        assert "onmouseover" not in element.attrib


def test_broken_utf_8_in_the_store_breaks_no_feed(store):
    """Which the server takes from nobody, but a damaged file may hold."""
    problem = store.put("Damaged")
    with sqlite3.connect(store.data / "data.db") as database:
        database.execute(
            "UPDATE problems SET title = CAST(x'41ff42eda080c3' AS TEXT) WHERE id = ?", [problem]
        )
    database.close()
    (title,) = titles(store, "")
    assert title == "A B"


def test_a_feed_is_bounded_however_many_problems_there_are(store):
    records = [
        {
            "method": "PUT",
            "url": "/api/collections/problems/records",
            "body": {
                "id": f"bounded{number:08}", "title": "<&>" * 333, "category": "ai",
                "description": "\U0001f600<" * 600, "impact": "low", "state": "new",
                "state_since": "2026-03-10", "first_seen": "2026-03-10", "last_seen": "2026-03-10",
            },
        }
        for number in range(300)
    ]  # fmt: skip
    assert store.http.post("/api/batch", json={"requests": records}).is_success
    assert len(titles(store, "")) == 50
    assert len(titles(store, "limit=200")) == 200
    assert len(get(store, "atom", "limit=200").content) < 4_000_000


def test_who_has_the_feed_already_is_told_so_until_it_changes(store):
    store.put("One")
    first = get(store)
    tag = first.headers["etag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = get(store, **{"If-None-Match": known})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag
    assert get(store, **{"If-None-Match": '"other"'}).status_code == 200
    store.put("Another")
    assert get(store, **{"If-None-Match": tag}).status_code == 200
    assert get(store).headers["etag"] != tag


def test_links_lead_where_the_reader_found_the_server(store):
    store.put("One")
    proxied = get(store, "json", Host="problems.example.org", **{"X-Forwarded-Proto": "https"})
    assert proxied.json()["home_page_url"] == "https://problems.example.org/"
    assert proxied.json()["items"][0]["id"] == items(store)[0]["id"]
    odd = get(store, "json", **{"X-Forwarded-Proto": "javascript"})
    assert odd.json()["home_page_url"] == f"{store.url}/"


def test_links_lead_to_the_address_in_the_servers_settings_if_there_is_one(store):
    settings = store.http.get("/api/settings").json()["meta"]
    try:
        set_to = {"meta": {**settings, "appURL": "https://problems.example.org/live/"}}
        store.http.patch("/api/settings", json=set_to).raise_for_status()
        problem = store.put("One")
        assert atom(store).entries[0].link == (
            f"https://problems.example.org/live/#/problem/{problem}"
        )
    finally:
        store.http.patch("/api/settings", json={"meta": settings}).raise_for_status()


def test_a_server_that_hides_its_problems_hides_its_feeds(store):
    path = "/api/collections/problems"
    store.put("Secret")
    for rule in (None, "@request.auth.id != ''"):
        try:
            store.http.patch(path, json={"listRule": rule}).raise_for_status()
            for kind in ("atom", "json"):
                reply = get(store, kind)
                assert reply.status_code == 403
                assert "Secret" not in reply.text
        finally:
            store.http.patch(path, json={"listRule": ""}).raise_for_status()


def test_a_server_before_its_first_publication_says_what_it_lacks(tmp_path):
    """As an operator's own, which was started with the hooks and without the migrations."""

    def serve(port: int) -> list[str]:
        folders = [f"--dir={tmp_path / 'data'}", f"--migrationsDir={tmp_path / 'none'}"]
        serving = [str(pocketbase_binary()), "serve", f"--http=127.0.0.1:{port}", *folders]
        return [*serving, f"--hooksDir={HOOKS}", "--hooksWatch=false"]

    upsert = [str(pocketbase_binary()), "superuser", "upsert", "b@example.org", "battery staple"]
    subprocess.run([*upsert, f"--dir={tmp_path / 'data'}"], check=True, capture_output=True)
    bare = LocalServer("PocketBase", serve, health_path="/api/health", log=tmp_path / "log")
    with bare:
        bare.wait_until_ready()
        reply = httpx.get(f"{bare.url}/feeds/problems.atom", trust_env=False)
    assert reply.status_code == 404
    assert (
        "no problems; their collections are made at the first publication"
        in (reply.json()["message"])
    )


def test_nothing_but_reading_is_possible(store):
    for method in ("POST", "PUT", "DELETE"):
        reply = httpx.request(method, f"{store.url}/feeds/problems.atom", trust_env=False)
        assert reply.status_code in (404, 405)


def test_the_hooks_hold_nothing_but_the_feeds_and_the_command_for_the_superuser():
    assert {file.name for file in HOOKS.iterdir()} == {"feeds.pb.js", "feeds.js", "superuser.pb.js"}


def test_the_grammar_finds_what_is_wrong():
    """Or the tests above would prove nothing."""
    right = """<feed xmlns="http://www.w3.org/2005/Atom"><id>urn:uuid:1</id><title>t</title>
    <updated>2026-03-10T00:00:00Z</updated><author><name>n</name></author>
    <link rel="self" href="https://e.org/"/></feed>"""
    assert GRAMMAR.validate(etree.fromstring(right))
    for wrong, instead in (
        ("<id>urn:uuid:1</id>", ""),
        ("urn:uuid:1", "no address"),
        ("<title>t</title>", "<title>t</title><title>t</title>"),
        ("<title>t</title>", "<title><b/></title>"),
        ("T00:00:00Z", ""),
        ("T00:00:00Z", "T00:00:00"),
        ("<author><name>n</name></author>", ""),
        ('rel="self" ', 'rel="nonsense" '),
        ("<link", '<link onclick="x"'),
    ):
        assert not GRAMMAR.validate(etree.fromstring(right.replace(wrong, instead)))
