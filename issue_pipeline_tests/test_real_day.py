"""A real day as a newcomer runs it: the simulator at the APIs' addresses, at their real limits.

Nothing is configured but where the APIs are, and what each test says.
"""

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import httpx
import pytest

from issue_pipeline.local.processes import LocalServer
from issue_pipeline_tests.support.scripted_model import ScriptedModel, about_the_posts
from issue_pipeline_tests.support.soak import soak

pytestmark = pytest.mark.e2e

RUN = ("-m", "issue_pipeline.cli", "run")
POSTS_PER_DAY = 160
LIMIT_S = 600
TODAY = datetime.now(UTC).date()
YESTERDAY = (TODAY - timedelta(days=1)).isoformat()
SUBREDDITS = "shopkeepers"
# Whatever the machine that tests has set.
PREFIXES = ("GITHUB_", "STACKEXCHANGE_", "REDDIT_", "HN_", "LLM_", "POCKETBASE_", "DAGSTER_",
            "EMBEDDING_", "CLUSTERING_", "ISSUES_", "SOURCES")  # fmt: skip


# The suite has the day without any setting.
in_the_soak = soak("takes a minute")


@pytest.fixture(scope="module")
def apis(tmp_path_factory) -> Iterator[LocalServer]:
    """The simulator, late today, when yesterday is whole, and with the documented limits."""

    def command(port: int) -> list[str]:
        serve = [sys.executable, "-m", "issue_pipeline.sandbox.apis", "--port", str(port)]
        return [*serve, "--posts-per-day", str(POSTS_PER_DAY), "--history-days", "3",
                "--time-scale", "1", "--now", f"{TODAY}T20:00:00Z"]  # fmt: skip

    with LocalServer(
        "The simulator",
        command,
        health_path="/health",
        log=tmp_path_factory.mktemp("apis") / "log",
        environment={"REDDIT_CLIENT_ID": "unused", "REDDIT_CLIENT_SECRET": "unused"},
    ) as server:
        yield server


def environment(apis: LocalServer, folder: Path, **settings: str) -> dict[str, str]:
    bare = {name: one for name, one in os.environ.items() if not name.startswith(PREFIXES)}
    return bare | {
        "GITHUB_API_URL": f"{apis.url}/github",
        "GITHUB_QUERY": "is:issue is:public",  # the simulated issues have few comments
        "STACKEXCHANGE_API_URL": f"{apis.url}/stackexchange",
        "REDDIT_ARCHIVE_URL": f"{apis.url}/archive",
        "REDDIT_SUBREDDITS": SUBREDDITS,
        "HN_API_URL": f"{apis.url}/hackernews",
        "ISSUES_CACHE_DIR": str(folder / "cache"),
        **settings,
    }


def run(apis: LocalServer, folder: Path, *options: str, **settings: str) -> str:
    (folder / ".env").write_text("")
    result = subprocess.run(
        [sys.executable, *RUN, *options],
        cwd=folder,
        env=environment(apis, folder, **settings),
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def query(folder: Path, sql: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(folder / "data" / "issues.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def violations(apis: LocalServer) -> int:
    stats = httpx.get(f"{apis.url}/stats", timeout=30, trust_env=False).json()
    return sum(sum(per_api.values()) for per_api in stats["violations"].values())


def test_without_any_setting_yesterday_is_published_and_its_page_stays_up(apis, tmp_path):
    (tmp_path / ".env").write_text("# nothing\nPOCKETBASE_URL=\nGITHUB_TOKEN=\n")
    out = tmp_path / "out"
    with out.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, *RUN, "--serve"],
            cwd=tmp_path,
            env=environment(apis, tmp_path),
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        deadline = time.monotonic() + LIMIT_S
        while "The live page: " not in out.read_text() and process.poll() is None:
            assert time.monotonic() < deadline, out.read_text()
            time.sleep(0.5)
        said = out.read_text()  # it came out although the process goes on, and into a file
        assert process.poll() is None, said
        page = said.partition("The live page: ")[2].split()[0]
        with httpx.Client(trust_env=False, base_url=page) as client:
            assert "<html" in client.get("").text
            issues = client.get("api/collections/issues/records").json()["items"]
        assert {one["issue_date"] for one in issues} == {YESTERDAY}
    finally:
        process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0
    for words in (
        f"{YESTERDAY} (UTC), from the real sources",
        "9 searches a minute without GITHUB_TOKEN",
        "Arctic Shift archive",
        "smollm2",
        "One setting would make it better",
        "hackernews",
        "complete",
        "The tables are in data/issues.duckdb",
    ):
        assert words in said
    assert query(
        tmp_path, "SELECT source, complete, stored_count > 0 FROM bronze.collections ORDER BY ALL"
    ) == [(one, True, True) for one in ("github", "hackernews", "reddit", "stackoverflow")]
    superuser = tmp_path / "data" / "pocketbase" / "superuser.json"
    assert stat.S_IMODE(superuser.stat().st_mode) == 0o600
    assert json.loads(superuser.read_text())["password"] not in said
    assert violations(apis) == 0


@in_the_soak
def test_with_only_a_token_of_githubs(apis, tmp_path):
    said = run(apis, tmp_path, YESTERDAY, GITHUB_TOKEN="any", SOURCES="github")
    assert "28 searches a minute with GITHUB_TOKEN" in said
    assert query(tmp_path, "SELECT source, complete FROM bronze.collections") == [("github", True)]
    assert "stackoverflow" not in said


@in_the_soak
def test_with_only_a_model_of_ones_own(apis, tmp_path):
    with ScriptedModel(about_the_posts) as model:
        said = run(
            apis,
            tmp_path,
            YESTERDAY,
            SOURCES="hackernews,stackoverflow",
            LLM_LOCAL_MODEL="openai/mine",
            LLM_LOCAL_BASE_URL=model.url,
            # Which would see the posts, and cannot reach this machine's loopback interface.
            HTTP_PROXY="http://127.0.0.1:9",
            http_proxy="http://127.0.0.1:9",
            NO_PROXY="",
        )
        assert "openai/mine" in said
        assert "smollm2" not in said
    assert not (tmp_path / "data" / "logs" / "language_model.log").exists()
    labels = query(tmp_path, "SELECT DISTINCT model FROM gold.issues WHERE NOT label_failed")
    assert labels == [("openai/mine",)]


@in_the_soak
def test_with_hacker_news_alone(apis, tmp_path):
    said = run(apis, tmp_path, SOURCES="hackernews")
    assert query(tmp_path, "SELECT source FROM bronze.collections") == [("hackernews",)]
    ((published,),) = query(tmp_path, "SELECT count(*) FROM gold.live_issues")
    assert f"published: {published}" in said
    assert published > 0
    assert "GITHUB_TOKEN" not in said
