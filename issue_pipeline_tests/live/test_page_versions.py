"""Addresses of the page's files change with their content: versions do not mix in a browser."""

import re
import shutil
from pathlib import Path

import pytest

from issue_pipeline.local.pocketbase_server import PUBLIC
from issue_pipeline_tests.support.browsing import expect, wait_for_titles
from issue_pipeline_tests.support.page_versions import versioned

DAY = "2026-06-01"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(PUBLIC, tmp_path / "public"))


def page_of(folder: Path) -> str:
    return (folder / "index.html").read_text(encoding="utf-8")


def test_the_addresses_are_those_of_the_files_as_they_are():
    assert page_of(PUBLIC) == versioned(page_of(PUBLIC), PUBLIC), (
        "The page changed: run python -m issue_pipeline_tests.support.page_versions"
    )


@pytest.mark.parametrize(
    "name", ["dom.js", "problems/states.js", "app.js", "style.css", "icon.svg"]
)
def test_a_file_that_changes_has_another_address_and_makes_another_page(copy, name):
    before = page_of(copy)
    with (copy / name).open("a", encoding="utf-8") as file:
        file.write("\n")
    after = versioned(before, copy)
    (changed,) = {
        match
        for match in re.findall(r'"(?:\./)?([\w/.]+)\?v=[0-9a-f]+"', after)
        if f'{match}?v={re.search(rf"{re.escape(match)}[?]v=([0-9a-f]+)", before)[1]}"' not in after
    }
    assert changed == name
    assert version_of(after) != version_of(before)
    assert versioned(after, copy) == after


def test_a_page_that_changes_alone_is_another_version(copy):
    before = page_of(copy)
    after = versioned(before.replace("All problems", "Every problem"), copy)
    assert version_of(after) != version_of(before)


def version_of(html: str) -> str:
    found = re.search(r'name="version" content="([0-9a-f]{12})"', html)
    assert found
    return found[1]


def test_a_browser_asks_for_every_script_and_style_by_its_version(page, store):
    store.put(DAY, "Loads")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{store.url}/?day={DAY}")
    wait_for_titles(page, ["Loads"])
    files = [url for url in asked if re.search(r"\.(js|css)\b", url)]
    assert len(files) == len(set(files)) > 20
    assert [url for url in files if not re.search(r"\?v=[0-9a-f]{12}$", url)] == []


def test_a_page_that_is_older_than_the_server_s_says_so_and_loads_the_new_one(page, store):
    store.put(DAY, "Loads")
    old = re.sub(r'(name="version" content=")[0-9a-f]+', r"\g<1>0123456789ab", page_of(PUBLIC))
    # As a browser would that kept the page from before.
    page.route(
        "**/?day=*",
        lambda route: (
            route.fulfill(body=old, content_type="text/html")
            if route.request.is_navigation_request()
            else route.continue_()
        ),
    )
    page.goto(f"{store.url}/?day={DAY}")
    expect(page.locator("#newer-page")).to_be_visible()
    page.unroute("**/?day=*")
    page.get_by_role("button", name="Load it").click()
    page.locator("#connection[data-state=live]").wait_for()
    wait_for_titles(page, ["Loads"])
    expect(page.locator("#newer-page")).to_be_hidden()
