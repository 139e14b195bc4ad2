"""Takes the pictures of the live page: ``python -m benchmarks.page_pictures FOLDER``.

Publishes five weeks of the synthetic world's problems to a real PocketBase and photographs the page
in a real Chromium: on a desktop (``live-page.png``, the README's picture), one problem, the issues
of a day and of a span, in the dark, on phones, on paper, empty and out of reach. To renew the
README's picture:

    python -m benchmarks.page_pictures pictures && mv pictures/live-page.png docs/
"""

import random
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.live_page import CHROMIUM_FLAGS
from issue_pipeline.assets.live import publish
from issue_pipeline.local.pocketbase_server import PocketBaseServer
from issue_pipeline.partitions import SOURCES
from issue_pipeline.problems.tables import problem_rows
from issue_pipeline.records import Collection, Evidence, IssueRow, LinkedDay, ProblemIssue
from issue_pipeline.resources.duckdb import IssuesDatabase
from issue_pipeline.resources.pocketbase import PocketBaseResource
from issue_pipeline.sandbox.world.content import Problem, shipped_content
from issue_pipeline.sql import bronze, gold
from issue_pipeline.sql import problems as sql_problems
from issue_pipeline_tests.support.browsing import derived_id

LAST_DAY = date(2026, 3, 11)
DAYS = 35
PROBLEMS = 70
SMALLEST_CLUSTER = 5
# Posts of each source and day, of which the problems are a part: what trends are measured against.
VOLUME = 400
HOMES = {
    "github": "https://github.com/acme/rocket/issues",
    "stackoverflow": "https://stackoverflow.com/questions",
    "reddit": "https://www.reddit.com/comments",
    "hackernews": "https://news.ycombinator.com/item?id=",
}
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
SMALL_PHONE = {"width": 320, "height": 640}


@dataclass(frozen=True)
class Story:
    """An issue with its posts, as gold has them, and the problem that it belongs to."""

    problem_id: str
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
        take_problems(browser, server, pictures)
        take_days(browser, server, pictures)
        page.goto(server.url)
        page.locator(".problem").first.wait_for()
        live(page)
        server.process.stop()
        page.locator("#offline").wait_for()
        page.screenshot(path=pictures / "offline.png")
        browser.close()


def take_problems(browser: Any, server: PocketBaseServer, pictures: Path) -> None:  # noqa: ANN401
    """Photograph the list of problems and one of them."""
    looks: Sequence[tuple[str, str, dict[str, Any]]] = (
        ("live-page", "problem", {"viewport": DESKTOP}),
        ("dark", "problem-dark", {"viewport": DESKTOP, "color_scheme": "dark"}),
        ("phone", "problem-phone", phone(PHONE)),
        ("small-phone", "problem-small-phone", phone(SMALL_PHONE)),
    )
    for many, one, look in looks:
        page = browser.new_page(**look)
        page.goto(server.url)
        page.locator(".problem").first.wait_for()
        page.locator("#problems-result").get_by_text("problems").wait_for()
        live(page).screenshot(path=pictures / f"{many}.png")
        page.locator(".problem .title a").first.click()
        page.locator(".post").first.wait_for()
        page.screenshot(path=pictures / f"{one}.png", full_page=True)
        page.pdf(path=pictures / f"{one}.pdf")
        page.close()


def take_days(browser: Any, server: PocketBaseServer, pictures: Path) -> None:  # noqa: ANN401
    """Photograph the issues of a day and of a span."""
    page = browser.new_page(viewport=DESKTOP)
    page.goto(f"{server.url}/#/day")
    open_issue(live(page), 1)
    page.screenshot(path=pictures / "day.png")
    page.locator("#span").select_option("7")
    page.locator(".many-days .issue").first.wait_for()
    page.locator("#impact").select_option("high")
    open_issue(page, 0)
    page.screenshot(path=pictures / "span.png")
    page.goto(f"{server.url}/?day={LAST_DAY}&others=yes")
    page.locator(".other-theme").first.scroll_into_view_if_needed()
    page.locator(".other-theme").first.hover()  # what came into sight has been drawn
    page.screenshot(path=pictures / "other-themes.png")
    small = browser.new_page(**phone(PHONE))
    small.goto(f"{server.url}/?day={LAST_DAY}")
    small.locator("#older:enabled").wait_for()
    live(small).screenshot(path=pictures / "day-phone.png")
    open_issue(small, 0)
    small.locator(".evidence").first.scroll_into_view_if_needed()
    small.screenshot(path=pictures / "day-phone-open.png")


def phone(size: dict[str, int]) -> dict[str, Any]:
    """Return what makes a browser a telephone of this size."""
    return {"viewport": size, "device_scale_factor": 2, "is_mobile": True, "has_touch": True}


def live(page: Any) -> Any:  # noqa: ANN401
    """Wait until the page is up to date."""
    page.locator("#connection[data-state=live]").wait_for()
    page.locator(".skeleton").first.wait_for(state="detached")
    return page


def open_issue(page: Any, place: int) -> None:  # noqa: ANN401
    """Open an issue and wait for its posts."""
    page.locator(".issue summary").nth(place).click()
    page.locator(".post").first.wait_for()


def publish_days(server: PocketBaseServer, folder: Path) -> None:
    """Publish the days as the pipeline does; which issues are one problem is known."""
    database = IssuesDatabase(database=str(folder / "issues.duckdb"))
    user = server.superuser
    store = PocketBaseResource(url=server.url, email=user.email, password=user.password)
    days = [LAST_DAY - timedelta(days=ago) for ago in reversed(range(DAYS))]
    with database.write() as connection:
        links: list[ProblemIssue] = []
        for day in days:
            stories = stories_of(day)
            for source in SOURCES:
                now = datetime.now(UTC)
                # The first day lacks posts, and the page says so.
                posts_of_source = Collection((), 0, 0, complete=day > days[0])
                bronze.store_collection(
                    connection, source, day, [], posts_of_source, started_at=now, finished_at=now
                )
            rows = [story.row for story in stories]
            posts = [post for story in stories for post in story.posts]
            gold.replace_day(connection, day, rows, posts)
            links += [
                ProblemIssue(
                    day, story.row.cluster_id, story.problem_id, 1.0,
                    sorted(post.url_hash for post in story.posts),
                )
                for story in stories
                if story.row.is_problem
            ]  # fmt: skip
        linked = [LinkedDay(day, "", "") for day in days]
        sql_problems.replace_links(connection, days[0], links, linked)
        problems = problem_rows(
            sql_problems.labels_of_problems(connection),
            sql_problems.daily_counts(connection),
            {(day, source): VOLUME for day in days for source in SOURCES},
            LAST_DAY,
        )
        sql_problems.replace_problems(connection, problems)
    for day in days:
        publish(day, database, store)


def stories_of(day: date) -> list[Story]:
    """Return the issues of a day, always the same: each problem takes a course over the days."""
    told = [
        one
        for one in shipped_content().problems
        if plain(one.tellings) and plain(one.subjects) and plain(one.failures)
    ]
    problems = random.Random(DAYS).sample(told, PROBLEMS)
    stories = []
    for number, problem in enumerate(problems):
        choice = random.Random(f"{number} {day}")
        ago = (LAST_DAY - day).days
        size = round(COURSES[number % len(COURSES)](ago, number) * choice.uniform(0.6, 1.5))
        if size >= SMALLEST_CLUSTER:
            stories.append(a_story(day, number, size, problem, choice))
    return stories


# Reports so many days ago, of a problem by its number; fewer than a cluster has are noise.
COURSES: Sequence[Callable[[int, int], float]] = (
    lambda ago, number: 5 + number % 5,  # lasting
    lambda ago, number: 5 + (8 + number % 5 * 4) / (1 + ago) if ago < 25 else 0,  # growing
    lambda ago, number: 6 + number % 9 if ago < number % 3 + 1 else 0,  # new
    lambda ago, number: min(24, 3 + ago),  # fading
    lambda ago, number: 6 + number % 7 if ago < 2 or ago > 25 else 0,  # returned
    lambda ago, number: 5.5 + number % 4,  # lasting
    lambda ago, number: 9 + number % 12 if ago % 7 < 4 else 4,  # by weeks
)


def a_story(day: date, number: int, size: int, problem: Problem, choice: random.Random) -> Story:
    """An issue of a day, put as chance has it in that week."""
    failures = plain(problem.failures)
    week = day.isocalendar().week
    title = f"{plain(problem.subjects)[0]} {failures[week // 2 % len(failures)]}"
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
    problem_id = derived_id("problem", str(number))
    return Story(problem_id, row, [a_post(day, row, problem, post, choice) for post in range(size)])


def a_post(
    day: date, row: IssueRow, problem: Problem, number: int, choice: random.Random
) -> Evidence:
    """One report of the problem."""
    source = choice.choice(problem.sources)
    key = (day.toordinal() * 1000 + row.cluster_id) * 1000 + number
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
