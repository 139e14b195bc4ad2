"""How quickly many days of problems are shown: ``python -m benchmarks.live_problems``.

Fills a real PocketBase with problems over 90 days, their issues and posts, and opens the live page
over them in a real Chromium:

- milliseconds from the request of the page to the first problems on the screen, cache empty,
- milliseconds from a change of a filter, of the order or of the search to the new list, with the
  server's answer,
- milliseconds from opening a problem to its days, wording and newest evidence.

It exits with 1 when a limit is broken.
"""

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from benchmarks.live_page import (
    CHROMIUM_FLAGS,
    MAX_FIRST_VIEW_MS,
    NOTE_FIRST_VIEW,
    ROUNDS,
    WORDS,
    told,
)
from issue_pipeline.labels.schema import CATEGORIES, IMPACT_LEVELS
from issue_pipeline.local.pocketbase_server import PocketBaseServer
from issue_pipeline.partitions import SOURCES
from issue_pipeline_tests.support.browsing import (
    Store,
    a_problem,
    derived_id,
    opened_store,
    put_request,
)

NEWEST = date(2026, 3, 31)
STATES = ("new", "growing", "steady", "fading", "quiet", "returned")
OTHER_LIST = "#/problems?order=newest"  # from which every change leads to another
NEW_LIST = "new list"
RARE_WORD = "zeppelin"  # in one post of a thousand, and nowhere else
MAX_CHANGE_MS = 1000.0
CHANGES: Sequence[tuple[str, str]] = (
    ("30 days", "span=30"),
    ("all days", "span=all"),
    ("growing", "state=growing"),
    ("new since yesterday", "state=since-yesterday"),
    ("one category", "category=ai"),
    ("one source", "source=reddit"),
    ("order by growth", "order=growth"),
    ("search, a word of titles", "q=invoice"),
    ("search, two words", "q=invoice+drift"),
    ("search, a rare word of posts", f"q={RARE_WORD}"),
    ("search, no match", "q=nosuchword"),
)
# Opens an address as a link would, and waits until the reading that follows has been painted.
TIME_ADDRESS = """([hash, selector]) => new Promise(resolve => {
    const started = performance.now();
    const before = document.querySelector('#problems-list')?.textContent;
    location.hash = hash;
    const look = () => {
      const list = document.querySelector('#problems-list');
      const isNew = selector === 'new list'
        ? list?.getAttribute('aria-busy') === 'false' && list.textContent !== before
        : document.querySelector(selector);
      if (!isNew) return requestAnimationFrame(look);
      requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - started)));
    };
    look();
})"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and return 0 if every limit holds, else 1."""
    parser = argparse.ArgumentParser(description="Measure the live page over many days.")
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--problems", type=int, default=3000)
    parser.add_argument("--issues", type=int, default=10_000)
    parser.add_argument("--posts", type=int, default=10, help="evidence of each issue")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with (
            PocketBaseServer(folder / "pocketbase", log=folder / "log") as server,
            opened_store(server) as store,
        ):
            began = time.perf_counter()
            fill(store, options.days, options.problems, options.issues, options.posts)
            print(
                f"{options.days} days, {options.problems:,} problems, {options.issues:,} issues,"
                f" {options.issues * options.posts:,} posts"
                f" (filled in {time.perf_counter() - began:.0f} s)"
            )
            broken = list(measure(server))
    for limit in broken:
        print(f"LIMIT BROKEN: {limit}")
    return 1 if broken else 0


def fill(store: Store, days: int, problems: int, issues: int, posts: int) -> None:
    """Write problems, each with issues on days of its own, always the same."""
    choice = random.Random(7)
    issue_days: dict[int, list[str]] = {number: [] for number in range(problems)}
    for number in range(issues):
        # Each has one, and a few have many.
        problem = number if number < problems else int(problems * choice.random() ** 3)
        day = NEWEST - timedelta(days=choice.randrange(days))
        issue_days[problem].append(day.isoformat())
    requests: list[Mapping[str, Any]] = []
    evidence: list[Mapping[str, Any]] = []
    for problem, dates in issue_days.items():
        record_id = derived_id("problem", str(problem))
        counts: dict[str, dict[str, int]] = {}
        for place, day in enumerate(dates):
            sources = [SOURCES[(problem + post) % len(SOURCES)] for post in range(posts)]
            by_source = counts.setdefault(day, {})
            for source in sources:
                by_source[source] = by_source.get(source, 0) + 1
            issue = derived_id(record_id, str(place))
            fields = {"issue_date": day, "problem": record_id, "size": posts, "complete": True}
            requests.append(put_request("issues", labelled(issue, problem, choice) | fields))
            for post, source in enumerate(sources):
                title = words(choice, 9) + (f" {RARE_WORD}" if choice.random() < 1e-3 else "")
                evidence.append(
                    put_request(
                        "issue_evidence",
                        {
                            "id": derived_id(issue, str(post)), "issue": issue, "source": source,
                            "url": f"https://posts.example/{issue}/{post}", "title": title,
                            "snippet": words(choice, 30), "posted_at": f"{day} 12:00:00.000Z",
                            "comments": 1, "votes": post, "distance": 0.5,
                        },
                    )
                )  # fmt: skip
        fields = labelled(record_id, problem, choice)
        fields["state"] = STATES[problem % len(STATES)]
        title = fields.pop("title")
        requests.insert(
            0,
            put_request(
                "problems", a_problem(record_id, title, counts, NEWEST.isoformat(), **fields)
            ),
        )
    requests.sort(key=lambda one: "problems" not in str(one["url"]))
    store.put_all([*requests, *evidence])


def labelled(record_id: str, number: int, choice: random.Random) -> dict[str, Any]:
    """What an issue and a problem have in common."""
    return {
        "id": record_id, "title": words(choice, 9).capitalize(), "would_pay": number % 3 == 0,
        "description": f"{words(choice, 24)}.", "category": CATEGORIES[number % len(CATEGORIES)],
        "impact": IMPACT_LEVELS[number % len(IMPACT_LEVELS)], "cluster_id": number,
        "fingerprint": f"{number:064x}", "is_problem": True, "sources": {},
    }  # fmt: skip


def words(choice: random.Random, count: int) -> str:
    """So many words."""
    return " ".join(choice.choices(WORDS, k=count))


def measure(server: PocketBaseServer) -> Iterator[str]:
    """Open the page and use it; yields the limits that are broken."""
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=CHROMIUM_FLAGS)
        views = [first_view_ms(browser, server.url) for _ in range(ROUNDS)]
        yield from told("first view", views, MAX_FIRST_VIEW_MS)
        page = browser.new_page()
        page.goto(f"{server.url}/{OTHER_LIST}")
        page.locator(".problem").first.wait_for()
        page.locator("#connection[data-state=live]").wait_for()
        for what, query in CHANGES:
            times = []
            for _ in range(ROUNDS):
                times.append(time_address(page, f"#/problems?{query}", NEW_LIST))
                time_address(page, OTHER_LIST, NEW_LIST)
            yield from told(what, times, MAX_CHANGE_MS)
        problems = page.locator(".problem .title a").evaluate_all(
            f"links => links.slice(0, {ROUNDS}).map(link => link.hash)"
        )
        times = []
        for address in problems:
            times.append(time_address(page, address, "#problem-view .post"))
            time_address(page, OTHER_LIST, ".problem")
        yield from told("a problem opened", times, MAX_CHANGE_MS)
        browser.close()


def time_address(page: Any, address: str, selector: str) -> float:  # noqa: ANN401
    """Go to an address of the page; milliseconds until what it names has been painted."""
    return float(page.evaluate(TIME_ADDRESS, [address, selector]))


def first_view_ms(browser: Any, url: str) -> float:  # noqa: ANN401
    """Open the page in a context of its own, whose cache is empty."""
    context = browser.new_context()
    page = context.new_page()
    page.add_init_script(NOTE_FIRST_VIEW.replace(".issue", ".problem"))
    page.goto(url)
    milliseconds = float(page.evaluate("window.firstView"))
    context.close()
    return milliseconds


if __name__ == "__main__":
    sys.exit(main())
