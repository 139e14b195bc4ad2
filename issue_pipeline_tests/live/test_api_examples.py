"""The examples of docs/api.md, run as they are written there, against the real server."""

import json
import os
import queue
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from issue_pipeline.automation.problem_messages import FIELDS, changes_body
from issue_pipeline.automation.webhook import post
from issue_pipeline.local.pocketbase_server import PocketBaseServer
from issue_pipeline_tests.support.browsing import Store, opened_store
from issue_pipeline_tests.support.problem_store import ProblemStore

PAGE = Path(__file__).parents[2] / "docs" / "api.md"
ADDRESS = "http://127.0.0.1:8090"
LOOPBACK = "127.0.0.1"
DAY = "2026-03-10"
WAIT_S = 20.0
WAIT_MS = 1000 * WAIT_S


def examples(language: str, section: str, server: PocketBaseServer) -> list[str]:
    """The blocks of a language below a heading of the second level."""
    [text] = re.findall(
        rf"^## {section}\n(.*?)(?=^## |\Z)", PAGE.read_text(), re.DOTALL | re.MULTILINE
    )
    code = re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    assert code
    assert all(ADDRESS in one for one in code)
    return [one.replace(ADDRESS, server.url) for one in code]


@pytest.fixture(scope="module")
def quiet_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PocketBaseServer]:
    folder = tmp_path_factory.mktemp("api")
    with PocketBaseServer(folder / "pocketbase", log=folder / "log") as server:
        with opened_store(server) as store:
            problems = ProblemStore(store, folder)
            growing = problems.put(
                "Export fails", state="growing", posts_7d=41, posts_week_before=12
            )
            problems.put_alias("formerid0000001", growing)
            problems.put("Login is slow", state="steady")
            problems.put("Login fails", posts_7d=3, category="ai", state_since="2026-03-09")
            reports = [{"title": "Nearest", "distance": 0.1}, {"title": "Next", "distance": 0.2}]
            problems.put_issue(growing, "2026-03-02", "Exporting", reports)
            posts = [{"title": "Most voted"}, {"title": "Second"}]
            store.put(DAY, "Largest", size=30, posts=posts)
            store.put(DAY, "Export fails", size=20, impact="high", would_pay=True)
            store.put(DAY, "Harmless export", size=10)
            store.put("2026-03-01", "Export of another week", impact="high", would_pay=True)
        yield server


@pytest.fixture
def quiet_store(quiet_server: PocketBaseServer) -> Iterator[Store]:
    with opened_store(quiet_server) as store:
        yield store


def output(command: list[str]) -> str:
    return subprocess.run(
        command, check=True, capture_output=True, text=True, timeout=WAIT_S
    ).stdout


@contextmanager
def lines_of(command: list[str]) -> "Iterator[queue.Queue[str]]":
    """Run it, and give its lines as they come."""
    lines: queue.Queue[str] = queue.Queue()
    # A group of its own: a shell's pipeline is more than one process.
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, process_group=0) as process:
        assert process.stdout
        out = process.stdout
        reader = threading.Thread(target=lambda: [lines.put(line) for line in out], daemon=True)
        reader.start()
        try:
            yield lines
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            reader.join(WAIT_S)


def wait_for(lines: "queue.Queue[str]", text: str) -> None:
    end_s = time.monotonic() + WAIT_S
    while text not in lines.get(timeout=max(0.0, end_s - time.monotonic())):
        pass


curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


@curl
def test_curl_lists_filters_and_reads_evidence(quiet_server):
    largest, filtered, evidence, _ = examples("sh", "curl", quiet_server)
    titles = [
        re.findall('"title":"([^"]*)"', output(["bash", "-c", code]))
        for code in (largest, filtered, evidence)
    ]
    assert titles == [
        ["Largest", "Export fails", "Harmless export"],
        ["Export fails"],
        ["Most voted", "Second"],
    ]


@curl
def test_curl_reads_a_feed(quiet_server):
    [reading] = examples("sh", "Feeds", quiet_server)
    feed = output(["bash", "-c", reading])
    assert re.findall('<title type="text">([^<]*)<', feed)[1:] == ["Export fails"]


@curl
def test_curl_reads_problems_and_their_reports(quiet_server):
    growing, reports = examples("sh", "Problems", quiet_server)
    found = json.loads(output(["bash", "-c", growing]))["items"]
    assert [one.pop("id") and one for one in found] == [
        {"title": "Export fails", "state_since": DAY, "posts_7d": 41, "posts_week_before": 12}
    ]
    found = json.loads(output(["bash", "-c", reports]))["items"]
    assert [one["title"] for one in found] == ["Nearest", "Next"]


def test_python_lists_changes_and_follows_an_alias(quiet_server):
    [listing] = examples("python", "Problems", quiet_server)
    assert output([sys.executable, "-c", listing]).splitlines() == [
        "growing: Export fails: 41, +29",
        "new: Login fails: 3, +3",
        "Export fails",
    ]


def test_python_asks_the_mcp_server(quiet_server, tmp_path):
    [asking] = examples("python", "MCP", quiet_server)
    # The command of these sources, whatever is installed.
    command = tmp_path / "issue-pipeline"
    root = Path(__file__).parents[2]
    command.write_text(
        f"#!/bin/sh\nPYTHONPATH='{root}' exec '{sys.executable}' -m issue_pipeline.cli \"$@\"\n"
    )
    command.chmod(0o755)
    asking = asking.replace('"issue-pipeline"', repr(str(command)))
    assert output([sys.executable, "-c", asking]).splitlines() == ["41 Export fails"]


def test_python_receives_a_webhook_and_drops_what_it_has_seen(monkeypatch):
    [code] = re.findall(
        r"^```python\n(import os\nfrom http.server.*?)^```$", PAGE.read_text(), re.DOTALL | re.M
    )
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    monkeypatch.setenv("ISSUE_WEBHOOK_SECRET", secret)
    with socket.create_server((LOOPBACK, 0)) as free:
        port = free.getsockname()[1]
    code = code.replace("8000", str(port))
    record = dict.fromkeys(FIELDS, 0) | {
        "id": "exportproblem01", "title": "Export fails", "state": "new", "state_since": DAY,
    }  # fmt: skip
    body = changes_body([record], latest=DAY, page_url="https://e.org")
    url = f"http://{LOOPBACK}:{port}/"
    with lines_of([sys.executable, "-c", code]) as lines:
        for _ in range(int(WAIT_S * 20)):
            sent = post(url, body, message_id="one", secret=secret)
            if sent.words != "Not taken (ConnectError)":
                break
            time.sleep(0.05)
        assert sent.is_taken
        assert post(url, body, message_id="one", secret=secret).is_taken
        assert post(url, body, message_id="two", secret="whsec_" + "A" * 32).words == (
            "Refused with 401"
        )
        assert post(url, body, message_id="three", secret=secret).is_taken
        for _ in range(2):
            line = lines.get(timeout=WAIT_S)
            assert line == "new Export fails https://e.org/#/problem/exportproblem01\n"
        assert lines.empty()


@curl
def test_curl_subscribes(quiet_server, quiet_store):
    with lines_of(["bash", "-c", examples("sh", "curl", quiet_server)[-1]]) as lines:
        wait_for(lines, "clientId")
        # The subscription is in place some moments after the line is printed.
        for attempt in range(int(WAIT_S)):
            quiet_store.put("2026-03-02", "Told by curl", size=100 + attempt)
            try:
                while "Told by curl" not in lines.get(timeout=1):
                    pass
                break
            except queue.Empty:
                continue
        else:
            pytest.fail("nothing was told")


def test_python_lists_every_issue_of_a_day(quiet_server):
    listing, _ = examples("python", "Python", quiet_server)
    assert output([sys.executable, "-c", listing]).splitlines() == [
        "30 Largest",
        "20 Export fails",
        "10 Harmless export",
    ]


def test_python_subscribes_and_connects_again(quiet_server, quiet_store):
    _, subscribing = examples("python", "Python", quiet_server)
    with lines_of([sys.executable, "-c", subscribing]) as lines:
        wait_for(lines, "connected")
        quiet_store.put("2026-03-02", "Told by Python")
        wait_for(lines, "create Told by Python")
        quiet_server.process.stop()
        quiet_server.process.start()
        quiet_server.wait_until_ready()
        wait_for(lines, "connected")
        quiet_store.put("2026-03-02", "Told again")
        wait_for(lines, "create Told again")


def test_javascript_lists_filters_and_subscribes(browser, quiet_server, quiet_store):
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{quiet_server.url}/icon.svg")  # of the server, but without a script of its own
    said: list[str] = []
    # Of the snippet alone: the browser complains by itself that there is no favicon.
    page.on("console", lambda message: said.append(message.text) if message.type == "log" else None)
    listing, subscribing = examples("js", "JavaScript", quiet_server)
    page.evaluate(f"async () => {{ {listing} }}")
    assert said == ["20 Export fails"]
    with page.expect_console_message(lambda one: one.text == "connected", timeout=WAIT_MS):
        page.evaluate(f"() => {{ {subscribing} }}")
    told = "create Told by JavaScript"
    with page.expect_console_message(lambda one: one.text == told, timeout=WAIT_MS):
        quiet_store.put("2026-03-02", "Told by JavaScript")
    context.close()


def test_the_page_names_every_field(quiet_server, quiet_store):
    text = PAGE.read_text()
    for collection in ("issues", "issue_evidence", "problems", "problem_aliases"):
        fields = quiet_store.http.get(f"/api/collections/{collection}").json()["fields"]
        assert [field["name"] for field in fields if f"`{field['name']}`" not in text] == []
