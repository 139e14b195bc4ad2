"""``issue-pipeline dev``: what it prints comes out at once, also into a file, and stays there."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from issue_pipeline.local.ports import ReservedPort
from issue_pipeline_tests.support.process_watching import descendants
from issue_pipeline_tests.test_real_day import PREFIXES

pytestmark = pytest.mark.e2e

LIMIT_S = 300
DEV = (sys.executable, "-m", "issue_pipeline.cli", "dev")


@contextmanager
def running(folder: Path, *options: str, **settings: str) -> Iterator[tuple[Path, str]]:
    """Run it with everything that it prints in one file; gives the file and the UI's address."""
    bare = {name: one for name, one in os.environ.items() if not name.startswith(PREFIXES)}
    out = folder / "out"
    with ReservedPort() as port, out.open("w") as file:
        process = subprocess.Popen(
            [*DEV, *options, "--port", str(port.number)],
            cwd=folder,
            env=bare | settings,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
        try:
            yield out, f"http://127.0.0.1:{port.number}"
        finally:
            process.send_signal(signal.SIGINT)
            try:
                assert process.wait(60) == 0, out.read_text()
            finally:
                process.kill()


def wait_for(url: str, out: Path) -> None:
    deadline = time.monotonic() + LIMIT_S
    while True:
        try:
            if httpx.get(f"{url}/server_info", trust_env=False).is_success:
                return
        except httpx.TransportError:
            pass
        assert time.monotonic() < deadline, out.read_text()
        time.sleep(1)


def ask(url: str, query: str) -> dict:
    reply = httpx.post(f"{url}/graphql", json={"query": query}, timeout=60, trust_env=False).json()
    assert "errors" not in reply, reply
    return dict(reply["data"])


SCHEDULES = (
    "{ repositoriesOrError { ... on RepositoryConnection { nodes { schedules {"
    " name scheduleState { status } } } } } }"
)


def running_schedules(url: str) -> set[str]:
    nodes = ask(url, SCHEDULES)["repositoriesOrError"]["nodes"]
    return {
        one["name"]
        for node in nodes
        for one in node["schedules"]
        if one["scheduleState"]["status"] == "RUNNING"
    }


def test_on_the_real_sources_it_needs_no_setting_and_its_schedules_run(tmp_path):
    """The .env has the blank lines of the example, which Dagster would read over ours."""
    before = descendants()
    (tmp_path / ".env").write_text("POCKETBASE_URL=\nPOCKETBASE_EMAIL=\nLLM_LOCAL_MODEL=\n")
    # Nothing is collected meanwhile: the time of the schedules is hours away.
    later = f"{datetime.now(UTC) + timedelta(hours=2):%H:00}"
    far = {"COLLECT_AT": min(later, "22:00"), "PROCESS_DEADLINE": "23:30"}
    addresses = dict.fromkeys(("GITHUB_API_URL", "HN_API_URL"), "http://127.0.0.1:9")
    with running(tmp_path, "--real", SOURCES="github,hackernews", **far, **addresses) as (out, url):
        wait_for(url, out)
        said = out.read_text()
        page = re.search(r"The live page: (\S+)", said)
        assert page is not None, said
        assert "<html" in httpx.get(page[1], trust_env=False).text
        assert "GitHub, daily at" in said
        assert "One setting would make it better" in said
        assert {name for name in running_schedules(url) if name.startswith("collect")} == {
            "collect_github_daily",
            "collect_hackernews_daily",
        }
        # Runs get the stand-ins, and the database is where `make run` has it.
        config = ask(url, "{ instance { info } }")["instance"]["info"]
        assert str(tmp_path / "data" / "dagster_home") in config
        assert (tmp_path / "data" / "pocketbase" / "superuser.json").is_file()
        # A second one would share its data; it is told so.
        second = subprocess.run(
            [sys.executable, "-m", "issue_pipeline.cli", "run"],
            cwd=tmp_path,
            env={name: one for name, one in os.environ.items() if not name.startswith(PREFIXES)},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert second.returncode == 1
        assert "are running already" in second.stderr
        assert out.read_text().startswith(said[:200]), "what was printed first was overwritten"
    assert descendants() == before


def test_in_the_sandbox_the_pages_address_comes_out_at_once_and_is_not_overwritten(tmp_path):
    with running(tmp_path) as (out, url):
        wait_for(url, out)
        said = out.read_text()
        page = re.search(r"The live page: (\S+)", said)
        assert page is not None, said
        assert httpx.get(page[1], trust_env=False).is_success
        assert "dagster" in said.lower()
