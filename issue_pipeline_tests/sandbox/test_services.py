import gzip
import json
import os
import signal

import httpx
import pytest

from issue_pipeline.local.errors import LocalSetupError, ServiceError
from issue_pipeline.sandbox.services import sandbox_services
from issue_pipeline.sandbox.world.synthetic import SyntheticWorld
from issue_pipeline_tests.support.process_watching import (
    LIMIT_S,
    descendants,
    is_gone,
    python_parent,
    wait_until_gone,
)

SMALL_WORLD = ["--posts-per-day", "100", "--now", "2026-03-12T06:00:00Z"]
SMALL_WORLD += ["--history-days", "3"]  # a query without dates would have years of posts made
PARENT = """
import sys, time
from pathlib import Path
from issue_pipeline.sandbox.services import sandbox_services
with sandbox_services(Path(sys.argv[1])) as services:
    for server in services.servers.values():
        print(server.process.pid, server.process.guard_pid, end=" ")
    print(flush=True)
    time.sleep(600)
"""


@pytest.fixture
def own_model(monkeypatch):
    """The user's own language model, which need not be there to be named."""
    monkeypatch.setenv("LLM_LOCAL_MODEL", "openai/mine")
    monkeypatch.setenv("LLM_LOCAL_BASE_URL", "http://127.0.0.1:9/v1")


@pytest.fixture
def no_own_model(monkeypatch):
    for name in ("LLM_LOCAL_MODEL", "LLM_LOCAL_BASE_URL", "LLM_LOCAL_STYLE"):
        monkeypatch.delenv(name, raising=False)


def test_every_service_works_with_what_the_environment_says(tmp_path, no_own_model):
    before = descendants()
    with sandbox_services(tmp_path, world_args=SMALL_WORLD) as services:
        it = services.environment()
        with httpx.Client(trust_env=False, headers={"User-Agent": "sandbox-test/1"}) as client:
            searched = client.get(
                f"{it['GITHUB_API_URL']}/search/issues",
                params={"q": f"{it['GITHUB_QUERY']} created:2026-03-11T00:00:00Z..2026-03-11"},
                headers={"Authorization": f"Bearer {it['GITHUB_TOKEN']}"},
            )
            assert searched.json()["total_count"] > 0
            asked = client.get(
                f"{it['STACKEXCHANGE_API_URL']}/2.3/questions",
                params={"site": "stackoverflow"},
                headers={"Authorization": f"Bearer {it['STACKEXCHANGE_KEY']}"},
            )
            assert asked.json()["items"]
            assert client.get(f"{it['HN_API_URL']}/api/v1/search_by_date").json()["nbHits"] > 0
            token = client.post(
                f"{it['REDDIT_AUTH_URL']}/api/v1/access_token",
                data={"grant_type": "client_credentials"},
                auth=(it["REDDIT_CLIENT_ID"], it["REDDIT_CLIENT_SECRET"]),
            ).json()["access_token"]
            subreddits = it["REDDIT_SUBREDDITS"].split(",")
            listed = client.get(
                f"{it['REDDIT_API_URL']}/r/{subreddits[0]}/new",
                headers={"Authorization": f"bearer {token}"},
            )
            assert listed.json()["data"]["children"]
            assert tuple(subreddits) == SyntheticWorld(7, 100).channels("reddit")
            assert client.get(f"{it['LLM_LOCAL_BASE_URL']}/models").json()["data"]
            entered = client.post(
                f"{it['POCKETBASE_URL']}/api/collections/_superusers/auth-with-password",
                json={"identity": it["POCKETBASE_EMAIL"], "password": it["POCKETBASE_PASSWORD"]},
            )
            assert entered.json()["token"]
        assert (services.embedding_model / "modules.json").is_file()
        assert services.duckdb_path.parent == tmp_path
        services.require_running()
        os.kill(services.servers["apis"].process.pid, signal.SIGKILL)
        wait_until_gone([services.servers["apis"].process.guard_pid])
        with pytest.raises(ServiceError, match="simulated APIs ended"):
            services.require_running()
    assert descendants() == before


def test_secrets_are_not_shown_with_the_services(tmp_path, own_model):
    with sandbox_services(tmp_path) as services:
        shown = repr(services)
        for name, value in services.environment().items():
            if name.endswith(("_SECRET", "_TOKEN", "_KEY", "_PASSWORD")):
                assert value not in shown, name


def test_a_language_model_of_the_users_own_wins(tmp_path, own_model):
    with sandbox_services(tmp_path) as services:
        assert set(services.servers) == {"apis", "pocketbase"}
        assert services.language_model_url is None
        environment = services.environment()
        assert environment["LLM_LOCAL_MODEL"] == "openai/mine"
        assert environment["LLM_LOCAL_BASE_URL"] == "http://127.0.0.1:9/v1"


def test_a_server_without_a_model_is_reported(tmp_path, no_own_model, monkeypatch):
    monkeypatch.setenv("LLM_LOCAL_BASE_URL", "http://127.0.0.1:9/v1")
    with pytest.raises(LocalSetupError, match="LLM_LOCAL_MODEL is not"), sandbox_services(tmp_path):
        pass


def test_a_folder_serves_one_sandbox_at_a_time(tmp_path, own_model):
    with (
        sandbox_services(tmp_path),
        pytest.raises(LocalSetupError, match=rf"are running already \(process {os.getpid()}\)"),
        sandbox_services(tmp_path),
    ):
        pass
    with sandbox_services(tmp_path):
        pass


def test_the_subreddits_are_those_of_the_corpus(tmp_path, own_model):
    corpus = tmp_path / "posts.jsonl.gz"
    with gzip.open(corpus, "wt", encoding="utf-8") as file:
        for number, label in enumerate(["gamedev", "excel"]):
            row = {"id": str(number), "source": "reddit", "title": "Broken", "label": label}
            file.write(json.dumps({**row, "body": "It is.", "created_at": None}) + "\n")
    world = ["--corpus", str(corpus), "--days", "2026-03-10"]
    with sandbox_services(tmp_path / "sandbox", world_args=world) as services:
        assert services.environment()["REDDIT_SUBREDDITS"] == "excel,gamedev"


@pytest.mark.parametrize(
    ("world", "told"),
    [
        (["--seed", "seven"], r"(?s)simulated APIs ended.*--seed seven.*invalid int value"),
        (["--corpus", "/no/such/corpus", "--days", "2026-03-10"], "/no/such/corpus"),
    ],
)
def test_a_world_that_cannot_be_served_is_reported_and_nothing_is_left(
    tmp_path, own_model, world, told
):
    before = descendants()
    with (
        pytest.raises(LocalSetupError, match=told),
        sandbox_services(tmp_path, world_args=world),
    ):
        pass
    assert descendants() == before


def test_a_proxy_is_not_asked_for_the_loopback_interface(tmp_path, own_model, monkeypatch):
    monkeypatch.setenv("no_proxy", "internal.example")
    with sandbox_services(tmp_path) as services:
        environment = services.environment()
        assert environment["no_proxy"] == "internal.example,127.0.0.1,localhost,::1"
        assert environment["NO_PROXY"] == environment["no_proxy"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_nothing_is_left_when_whoever_runs_the_sandbox_ends(tmp_path, no_own_model, number):
    with python_parent(PARENT, str(tmp_path)) as process:
        pids = [int(word) for word in process.stdout.readline().split()]
        assert len(pids) == 6
        assert not any(is_gone(pid) for pid in pids)
        process.send_signal(number)
        wait_until_gone(pids)
        process.wait(LIMIT_S)
    with sandbox_services(tmp_path):
        pass  # the folder is free again
