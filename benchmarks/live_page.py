"""How quickly a large day is published and shown: ``python -m benchmarks.live_page``.

Publishes a day of issues with their evidence to a real PocketBase, changes all of them, publishes
again, and then opens the live page over them in a real Chromium:

- seconds for the first publication, for one in which every record changed, and for one without a
  change; and the largest memory of the publishing process,
- milliseconds from the request of the page to the first issues on the screen, with an empty cache,
- milliseconds from a change of a filter to the new list on the screen.

It exits with 1 when a limit is broken.
"""

import argparse
import resource
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from issue_pipeline.assets.live import publish
from issue_pipeline.labels.schema import CATEGORIES, IMPACT_LEVELS
from issue_pipeline.local.pocketbase_server import PocketBaseServer
from issue_pipeline.partitions import SOURCES
from issue_pipeline.publishing.sync import Published
from issue_pipeline.records import Collection, Evidence, IssueRow
from issue_pipeline.resources.duckdb import IssuesDatabase
from issue_pipeline.resources.pocketbase import PocketBaseResource
from issue_pipeline.sql import bronze, gold

DAY = date(2026, 3, 10)
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
WORDS = [
    "export", "invoice", "webhook", "login", "state", "file", "consent", "refund", "model",
    "answer", "retry", "tax", "number", "proxy", "lock", "reader", "stock", "count", "language",
    "account", "large", "partial", "timeout", "drift", "twice", "silent", "loses",
]  # fmt: skip
MAX_SYNC_S = 120.0
MAX_FIRST_VIEW_MS = 1500.0
MAX_FILTER_MS = 100.0
ROUNDS = 7
CHROMIUM_FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip

# Called before anything of the page: notes when the first issues have been painted.
NOTE_FIRST_VIEW = """
  window.firstView = new Promise(resolve => {
    new MutationObserver((_, observer) => {
      if (!document.querySelector('.issue')) return;
      observer.disconnect();
      requestAnimationFrame(() => setTimeout(() => resolve(performance.now())));
    }).observe(document, { childList: true, subtree: true });
  });
"""
# Changes a field as a person does, and waits until the list that follows has been painted.
TIME_CHANGE = """([selector, value]) => new Promise(resolve => {
    const field = document.querySelector(selector);
    const started = performance.now();
    if (field.type === 'checkbox' || field.type === 'radio') field.checked = value;
    else field.value = value;
    field.dispatchEvent(new Event(field.type === 'search' ? 'input' : 'change', {bubbles: true}));
    requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - started)));
})"""
CHANGES: Sequence[tuple[str, str, object]] = (
    ("search, a letter", "#search", "i"),
    ("search, a word", "#search", "invoice"),
    ("search, two words", "#search", "invoice tax"),
    ("search, no match", "#search", "no such word"),
    ("search, cleared", "#search", ""),
    ("high impact", "#impact", "high"),
    ("any impact", "#impact", ""),
    ("one source", "#source", "reddit"),
    ("any source", "#source", ""),
    ("would pay", "#pay", True),
    ("would pay or not", "#pay", False),
    ("a category", "#categories [value=ai]", True),
    ("all categories", "#categories [value='']", True),
    ("most reports", "#order", "reports"),
    ("most important", "#order", "important"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and return 0 if every limit holds, else 1."""
    parser = argparse.ArgumentParser(description="Measure publication and the live page.")
    parser.add_argument("--issues", type=int, default=5000)
    parser.add_argument("--posts", type=int, default=10, help="evidence of each issue")
    options = parser.parse_args(arguments)
    broken: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with PocketBaseServer(folder / "pocketbase", log=folder / "log") as server:
            broken += measure_publication(server, folder, options.issues, options.posts)
            broken += measure_page(server)
    for limit in broken:
        print(f"LIMIT BROKEN: {limit}")
    return 1 if broken else 0


def measure_publication(
    server: PocketBaseServer, folder: Path, issues: int, posts: int
) -> Iterator[str]:
    """Publish, change everything and publish again; yields the limits that are broken."""
    database = IssuesDatabase(database=str(folder / "issues.duckdb"))
    user = server.superuser
    store = PocketBaseResource(url=server.url, email=user.email, password=user.password)
    print(f"\n{issues:,} issues with {issues * posts:,} posts of evidence")
    for what, edition in (("first publication", 0), ("every record changed", 1), ("again", 1)):
        store_gold(database, issues, posts, edition)
        published, seconds = timed(lambda: publish(DAY, database, store))
        print(f"  {what:<24}{seconds:7.1f} s  ({published.written:,} issues written)")
        if seconds > MAX_SYNC_S:
            yield f"{what} took {seconds:.0f} s, at most {MAX_SYNC_S:.0f}"
        if what == "again" and published.written:
            yield f"a publication without a change wrote {published.written} issues"
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  {'largest memory':<24}{peak_mib:7.0f} MiB, all of it: Python, DuckDB and libraries")


def timed(action: Callable[[], Published]) -> tuple[Published, float]:
    """Do it, and give its result with the seconds it took."""
    started = time.perf_counter()
    result = action()
    return result, time.perf_counter() - started


def store_gold(database: IssuesDatabase, issues: int, posts: int, edition: int) -> None:
    """Write a day of labels and evidence; another edition has another text in every row."""
    with database.write() as connection:
        for source in SOURCES:
            whole = Collection((), 0, 0)
            bronze.store_collection(
                connection, source, DAY, [], whole, started_at=NOON, finished_at=NOON
            )
        rows = [an_issue(number, posts, edition) for number in range(issues)]
        evidence = (
            a_post(cluster, number, edition) for cluster in range(issues) for number in range(posts)
        )
        gold.replace_day(connection, DAY, rows, evidence)


def an_issue(number: int, posts: int, edition: int) -> IssueRow:
    """One labelled cluster."""
    return IssueRow(
        cluster_id=number,
        cluster_fingerprint=f"{number:064x}",
        cluster_size=posts + number % 97,
        canonical_title=f"{some_words(number, 9)} in edition {edition}".capitalize(),
        category=CATEGORIES[number % len(CATEGORIES)],
        description=f"{some_words(number * 7, 24)}.".capitalize(),
        would_pay_signal=number % 3 == 0,
        impact_level=IMPACT_LEVELS[number % len(IMPACT_LEVELS)],
        label_failed=False,
        label_source="local",
        model="none",
        prompt_tokens=0,
        completion_tokens=0,
        cost_usd=0.0,
        labeled_at=NOON,
    )


def a_post(cluster: int, number: int, edition: int) -> Evidence:
    """One post of it."""
    key = cluster * 1000 + number
    return Evidence(
        cluster_id=cluster,
        url_hash=f"{key:064x}",
        source=SOURCES[key % len(SOURCES)],
        url=f"https://posts.example/{cluster}/{number}",
        title=f"{some_words(key, 10)} ({edition})",
        snippet=some_words(key * 3, 30),
        created_at=NOON,
        comment_count=number,
        vote_count=key % 50,
        distance=0.5,
    )


def some_words(seed: int, count: int) -> str:
    """Words that look as if they had been chosen at random, always the same for a seed."""
    return " ".join(WORDS[(seed * 31 + i * (seed % 13 + 7)) % len(WORDS)] for i in range(count))


def measure_page(server: PocketBaseServer) -> Iterator[str]:
    """Open the page and use its filters; yields the limits that are broken."""
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=CHROMIUM_FLAGS)
        views = [first_view_ms(browser, f"{server.url}/?day={DAY}") for _ in range(ROUNDS)]
        yield from told("first view", views, MAX_FIRST_VIEW_MS)
        page = browser.new_page()
        page.goto(f"{server.url}/?day={DAY}")
        page.locator("#connection[data-state=live]").wait_for()
        for what, selector, value in CHANGES:
            times = []
            for _ in range(ROUNDS):
                times.append(float(page.evaluate(TIME_CHANGE, [selector, value])))
            yield from told(what, times, MAX_FILTER_MS)
        browser.close()


def first_view_ms(browser: Any, url: str) -> float:  # noqa: ANN401
    """Open the page in a context of its own, whose cache is empty."""
    context = browser.new_context()
    page = context.new_page()
    page.add_init_script(NOTE_FIRST_VIEW)
    page.goto(url)
    milliseconds = float(page.evaluate("window.firstView"))
    context.close()
    return milliseconds


def told(what: str, times: Sequence[float], limit: float) -> Iterator[str]:
    """Print a line of the table; yields the limit if its median breaks it."""
    middle, worst = statistics.median(times), max(times)
    print(f"  {what:<24}{middle:7.0f} ms  (worst of {len(times)}: {worst:.0f})")
    if middle > limit:
        yield f"{what} took {middle:.0f} ms, at most {limit:.0f}"


if __name__ == "__main__":
    sys.exit(main())
