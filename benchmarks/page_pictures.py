"""Takes the pictures of the live page: ``python -m benchmarks.page_pictures FOLDER``.

Publishes three days of the synthetic world's problems to a real PocketBase and photographs the page
in a real Chromium: on a desktop (``live-page.png``, the README's picture), over a span of days, in
the dark, on a phone, empty and out of reach. To renew the README's picture:

    python -m benchmarks.page_pictures pictures && mv pictures/live-page.png docs/
"""

import random
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.live_page import CHROMIUM_FLAGS
from issue_pipeline.assets.live import publish
from issue_pipeline.local.pocketbase_server import PocketBaseServer
from issue_pipeline.partitions import SOURCES
from issue_pipeline.records import Collection, Evidence, IssueRow
from issue_pipeline.resources.duckdb import IssuesDatabase
from issue_pipeline.resources.pocketbase import PocketBaseResource
from issue_pipeline.sandbox.world.content import Problem, shipped_content
from issue_pipeline.sql import bronze, gold

LAST_DAY = date(2026, 3, 11)
DAYS = 3
PROBLEMS = 70
HOMES = {
    "github": "https://github.com/acme/rocket/issues",
    "stackoverflow": "https://stackoverflow.com/questions",
    "reddit": "https://www.reddit.com/comments",
    "hackernews": "https://news.ycombinator.com/item?id=",
}
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}


@dataclass(frozen=True)
class Story:
    """An issue with its posts, as gold has them."""

    row: IssueRow
    posts: Sequence[Evidence]


def main(arguments: Sequence[str]) -> int:
    """Take all pictures into the folder that is named."""
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    pictures = Path(arguments[0])
    pictures.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with PocketBaseServer(folder / "pocketbase", log=folder / "log") as server:
            take_pictures(server, folder, pictures)
    return 0


def take_pictures(server: PocketBaseServer, folder: Path, pictures: Path) -> None:
    """Photograph every state of the page."""
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=CHROMIUM_FLAGS)
        page = browser.new_page(viewport=DESKTOP)
        page.goto(server.url)
        page.get_by_text("No issues yet").wait_for()
        live(page).screenshot(path=pictures / "empty.png")
        publish_days(server, folder)
        page.goto(server.url)
        open_issue(live(page), 1)
        page.screenshot(path=pictures / "live-page.png")
        page.locator("#span").select_option("7")
        page.locator(".many-days .issue").first.wait_for()
        page.locator("#impact").select_option("high")
        open_issue(page, 0)
        page.screenshot(path=pictures / "span.png")
        page.goto(server.url)
        live(page).get_by_label("Other themes").check()
        page.locator("#more").scroll_into_view_if_needed()  # the rest follows the problems
        page.locator(".other-theme").first.scroll_into_view_if_needed()
        page.screenshot(path=pictures / "other-themes.png")
        dark = browser.new_page(viewport=DESKTOP, color_scheme="dark")
        dark.goto(server.url)
        open_issue(live(dark), 1)
        dark.screenshot(path=pictures / "dark.png")
        phone = browser.new_page(
            viewport=PHONE, device_scale_factor=2, is_mobile=True, has_touch=True
        )
        phone.goto(server.url)
        phone.locator("#older:enabled").wait_for()
        live(phone).screenshot(path=pictures / "phone.png")
        open_issue(phone, 0)
        phone.locator(".evidence").first.scroll_into_view_if_needed()
        phone.screenshot(path=pictures / "phone-open.png")
        page.goto(server.url)
        live(page)
        server.process.stop()
        page.locator("#offline").wait_for()
        page.screenshot(path=pictures / "offline.png")
        browser.close()


def live(page: Any) -> Any:  # noqa: ANN401
    """Wait until the page is up to date."""
    page.locator("#connection[data-state=live]").wait_for()
    page.locator("#state:not(:has(.skeleton))").wait_for(state="attached")
    return page


def open_issue(page: Any, place: int) -> None:  # noqa: ANN401
    """Open an issue and wait for its posts."""
    page.locator("summary").nth(place).click()
    page.locator(".post").first.wait_for()


def publish_days(server: PocketBaseServer, folder: Path) -> None:
    """Publish the days as the pipeline does."""
    database = IssuesDatabase(database=str(folder / "issues.duckdb"))
    user = server.superuser
    store = PocketBaseResource(url=server.url, email=user.email, password=user.password)
    for days_before in range(DAYS):
        day = LAST_DAY - timedelta(days=days_before)
        stories = stories_of(day)
        with database.write() as connection:
            for source in SOURCES:
                now = datetime.now(UTC)
                # The first day lacks posts, and the page says so.
                complete = day > LAST_DAY - timedelta(days=DAYS - 1)
                posts_of_source = Collection((), 0, 0, complete=complete)
                bronze.store_collection(
                    connection, source, day, [], posts_of_source, started_at=now, finished_at=now
                )
            rows = [story.row for story in stories]
            posts = [post for story in stories for post in story.posts]
            gold.replace_day(connection, day, rows, posts)
        publish(day, database, store)


def stories_of(day: date) -> list[Story]:
    """Choose the day's problems and who reports them, always the same for a day."""
    choice = random.Random(day.toordinal())
    problems = [
        one
        for one in shipped_content().problems
        if plain(one.tellings) and plain(one.subjects) and plain(one.failures)
    ]
    return [
        a_story(day, number, problem, choice)
        for number, problem in enumerate(choice.sample(problems, PROBLEMS))
    ]


def a_story(day: date, number: int, problem: Problem, choice: random.Random) -> Story:
    """An issue of the size and with the posts that chance gives it."""
    size = min(60, 6 + int(choice.expovariate(1 / 9)))
    title = f"{plain(problem.subjects)[0]} {plain(problem.failures)[0]}"
    row = IssueRow(
        cluster_id=number,
        cluster_fingerprint=f"{number:064x}",
        cluster_size=size,
        canonical_title=title[0].upper() + title[1:120],
        category=problem.category,
        description=first_sentence(choice.choice(plain(problem.tellings))),
        would_pay_signal=problem.would_pay,
        impact_level=problem.impact,
        label_failed=False,
        label_source="local",
        model="none",
        prompt_tokens=0,
        completion_tokens=0,
        cost_usd=0.0,
        labeled_at=datetime.now(UTC),
        is_problem=number % 9 > 0,
        problem_score=1.0,
    )
    return Story(row, [a_post(day, row, problem, post, choice) for post in range(size)])


def a_post(
    day: date, row: IssueRow, problem: Problem, number: int, choice: random.Random
) -> Evidence:
    """One report of the problem."""
    source = choice.choice(problem.sources)
    key = row.cluster_id * 1000 + number
    titles = plain(problem.questions) or [row.canonical_title or ""]
    return Evidence(
        cluster_id=row.cluster_id,
        url_hash=f"{key:064x}",
        source=source,
        url=f"{HOMES[source]}/{key}",
        title=choice.choice(titles),
        snippet=choice.choice(plain(problem.tellings))[:200],
        created_at=datetime(day.year, day.month, day.day, choice.randrange(24), tzinfo=UTC),
        comment_count=choice.randrange(40),
        vote_count=int(choice.expovariate(1 / 12)),
        distance=round(choice.uniform(0.4, 0.9), 3),
    )


def first_sentence(text: str) -> str:
    """Return what a description may hold: no more than a sentence or two."""
    return text.partition(". ")[0].rstrip(".") + "."


def plain(texts: Sequence[str]) -> list[str]:
    """Those without a slot to fill."""
    return [text for text in texts if "{" not in text]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
