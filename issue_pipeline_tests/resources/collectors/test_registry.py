"""A source is one module and one entry: what is registered, and a fifth source all the way."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import duckdb
import httpx
import pytest

from issue_pipeline.errors import ConfigurationError
from issue_pipeline.local import pocketbase_server
from issue_pipeline.local.model_weights import all_minilm_folder
from issue_pipeline.local.pocketbase_server import PocketBaseServer
from issue_pipeline.partitions import SOURCES
from issue_pipeline.resources.collectors import registry
from issue_pipeline.resources.collectors.registry import BUILT_IN, ENTRY_POINT_GROUP, load_sources
from issue_pipeline.utils.text_cleaning import clean_as
from issue_pipeline_tests.support.gitlab_source import SOURCE as GITLAB
from issue_pipeline_tests.support.scripted_model import ScriptedModel, about_the_posts
from issue_pipeline_tests.support.small_day import PROBLEMS, TITLES

ROOT = Path(__file__).parents[3]
WHERE = "issue_pipeline_tests.support.gitlab_source"
DAY = "2026-03-10"
TOKEN = "glpat-not-a-real-one"
# In words of its own: a sentence that all posts share, whatever they are about, would be dropped.
BODY = "### Steps\n```\nmake coffee\n```\n{title}, and that every morning."


def entry(value: str = f"{WHERE}:SOURCE", name: str = "gitlab") -> EntryPoint:
    return EntryPoint(name, value, ENTRY_POINT_GROUP)


def test_the_partitions_are_the_registered_sources_in_their_order():
    assert tuple(registry.SOURCES) == SOURCES
    assert SOURCES[:4] == ("github", "stackoverflow", "reddit", "hackernews")


def test_a_source_of_an_installed_package_comes_after_the_built_in_ones():
    sources = load_sources(BUILT_IN, [entry()])
    assert [*sources] == [*(source.name for source in BUILT_IN), "gitlab"]
    assert sources["gitlab"] == GITLAB


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("issue_pipeline_tests.support.nowhere:SOURCE", r"gitlab.*nowhere:SOURCE.*ModuleNotFound"),
        (f"{WHERE}:NOTHING", r"gitlab.*cannot be loaded"),
        (f"{WHERE}:collect", r"gitlab.*of type function; expected a Source"),
    ],
)
def test_an_entry_that_leads_to_no_source_is_named(value: str, said: str):
    with pytest.raises(ConfigurationError, match=said):
        load_sources(BUILT_IN, [entry(value)])


@pytest.mark.parametrize(
    "other", [replace(GITLAB, name="github"), replace(GITLAB, prefix="GITHUB")]
)
def test_two_sources_cannot_share_a_name_or_the_prefix_of_their_settings(other):
    with pytest.raises(ConfigurationError, match="Two sources"):
        load_sources([*BUILT_IN, other], [])


@pytest.mark.parametrize("name", ["", "Git Lab", "git|lab", "git-lab", "1lab", "ü"])
def test_a_name_that_could_be_no_partition_is_refused(name: str):
    with pytest.raises(ConfigurationError, match="expected lower-case letters and digits"):
        replace(GITLAB, name=name)


def test_texts_can_only_be_cleaned_like_those_of_a_known_source():
    with pytest.raises(ValueError, match="usenet"):
        clean_as("gitlab", "usenet")


class GitLab(ThreadingHTTPServer):
    """GitLab's list of issues: those of the small day, ten a page."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.agents: set[str] = set()
        self.tokens: set[str] = set()
        self.url = f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: GitLab

    def do_GET(self) -> None:
        self.server.agents.add(self.headers["User-Agent"])
        self.server.tokens.add(self.headers["Authorization"])
        query = {name: value[0] for name, value in parse_qs(urlsplit(self.path).query).items()}
        size = int(query["per_page"])
        start = (int(query["page"]) - 1) * size
        body = json.dumps([issue(place) for place in range(len(TITLES))][start : start + size])
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        pass


def issue(place: int) -> dict[str, Any]:
    return {
        "id": 1_000 + place,
        "web_url": f"https://gitlab.com/shop/site/-/issues/{place + 1}",
        "title": TITLES[place],
        "description": BODY.format(title=TITLES[place]),
        "created_at": f"{DAY}T08:{place:02}:00.000Z",
        "user_notes_count": 2,
        "upvotes": 1,
    }


@pytest.fixture
def gitlab() -> Iterator[GitLab]:
    with GitLab() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def pocketbase(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PocketBaseServer]:
    """An empty server, on which the pipeline makes its collections itself."""
    monkeypatch.setattr(pocketbase_server, "MIGRATIONS", tmp_path / "no_migrations")
    with PocketBaseServer(tmp_path / "pocketbase", log=tmp_path / "pocketbase.log") as server:
        yield server


def installed(folder: Path) -> Path:
    """A folder with what pip leaves of a package that adds the source."""
    info = folder / "gitlab_source-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: gitlab-source\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{ENTRY_POINT_GROUP}]\ngitlab = {WHERE}:SOURCE\n")
    return folder


@pytest.mark.e2e
def test_a_fifth_source_is_collected_cleaned_clustered_and_published(
    tmp_path: Path, gitlab: GitLab, pocketbase: PocketBaseServer
):
    user, database = pocketbase.superuser, tmp_path / "issues.duckdb"
    with ScriptedModel(about_the_posts) as model:
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(installed(tmp_path / "site"))]),
            "ISSUES_DUCKDB_PATH": str(database),
            "EMBEDDING_MODEL": str(all_minilm_folder()),
            "CONTACT": "ops@example.org",
            "GITLAB_API_URL": gitlab.url,
            "GITLAB_TOKEN": TOKEN,
            "GITLAB_LABELS": "bug, regression",
            "GITLAB_COLLECT_AT": "03:15",
            "GITLAB_REQUESTS_PER_MINUTE": "1e6",
            "LLM_LOCAL_MODEL": "openai/scripted",
            "LLM_LOCAL_BASE_URL": model.url,
            "POCKETBASE_URL": pocketbase.url,
            "POCKETBASE_EMAIL": user.email,
            "POCKETBASE_PASSWORD": user.password,
        }
        done = subprocess.run(
            [sys.executable, "-m", "issue_pipeline_tests.support.run_source_day", "gitlab", DAY],
            env=environment,
            capture_output=True,
            text=True,
        )
    assert done.returncode == 0, done.stderr[-4_000:]
    lines = [line for line in done.stdout.splitlines() if line.startswith('{"sources"')]
    found = json.loads(lines[-1])

    assert found["sources"] == [*(source.name for source in BUILT_IN), "gitlab"]
    assert found["schedules"]["collect_gitlab_daily"] == "15 3 * * *"
    assert "gitlab_is_fresh" in found["checks"]
    assert "'bug', 'regression'" in found["settings"]
    assert TOKEN not in done.stdout + done.stderr
    assert gitlab.tokens == {f"Bearer {TOKEN}"}
    assert all("ops@example.org" in agent for agent in gitlab.agents)

    with duckdb.connect(str(database), read_only=True) as connection:

        def rows(sql: str) -> list[tuple[Any, ...]]:
            return connection.execute(sql).fetchall()

        assert rows("SELECT source, stored_count, complete FROM bronze.collections") == [
            ("gitlab", len(TITLES), True)
        ]
        assert rows("SELECT count(*) FROM silver.cluster_assignments") == [(len(TITLES),)]
        assert rows("SELECT count(*) FROM gold.issues") == [(len(PROBLEMS),)]
        evidence = rows("SELECT source, title, snippet FROM gold.issue_evidence")
        assert evidence
        for source, title, snippet in evidence:
            assert (source, snippet) == ("gitlab", f"{title}, and that every morning.")

    def published(collection: str) -> list[dict[str, Any]]:
        url = f"{pocketbase.url}/api/collections/{collection}/records"
        records: list[dict[str, Any]] = httpx.get(url, params={"perPage": 500}).json()["items"]
        return records

    assert {tuple(record["sources"]) for record in published("issues")} == {("gitlab",)}
    assert {record["source"] for record in published("issue_evidence")} == {"gitlab"}
