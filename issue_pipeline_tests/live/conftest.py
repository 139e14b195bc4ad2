"""A real Chromium over a real server; skipped, saying so, where there is no Chromium."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from issue_pipeline.local.pocketbase_server import PocketBaseServer
from issue_pipeline_tests.support.browsing import WAIT_MS, Store, opened_store


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        names = ("chromium", "chromium-browser", "google-chrome")
        own = playwright.chromium.executable_path
        program = next(filter(None, map(shutil.which, names)), own if Path(own).exists() else None)
        if program is None:
            pytest.skip("no Chromium is installed")
        browser = playwright.chromium.launch(
            executable_path=program,
            chromium_sandbox=False,
            args=["--disable-gpu", "--disable-quic", "--disable-background-networking"],
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def server(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PocketBaseServer]:
    folder = tmp_path_factory.mktemp("live")
    with PocketBaseServer(folder / "pocketbase", log=folder / "pocketbase.log") as server:
        yield server


@pytest.fixture(scope="module")
def store(server: PocketBaseServer) -> Iterator[Store]:
    with opened_store(server) as store:
        yield store


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    context = browser.new_context()
    context.set_default_timeout(WAIT_MS)
    page = context.new_page()
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.on("dialog", lambda dialog: (broken.append(dialog.message), dialog.dismiss()))
    page.on(
        "console",
        lambda message: broken.append(message.text) if "Security Policy" in message.text else None,
    )
    yield page
    context.close()
    assert broken == []
