import gzip
import json
import os
import socket
import subprocess
import sys
import time

import httpx
import pytest

from issue_pipeline.sandbox.apis.__main__ import main
from issue_pipeline_tests.support.hand_written import (
    AGENT,
    CLIENT_ID,
    CLIENT_SECRET,
    InProcess,
)

START_LIMIT_S = 60


def test_missing_credentials_are_named(monkeypatch, capsys):
    monkeypatch.setenv("REDDIT_CLIENT_ID", CLIENT_ID)
    monkeypatch.delenv("REDDIT_CLIENT_SECRET", raising=False)
    assert main(["--port", "1"]) == 2
    told = capsys.readouterr().err
    assert "REDDIT_CLIENT_SECRET" in told
    assert "REDDIT_CLIENT_ID" not in told


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--port", "1", "--host", "0.0.0.0"],
        ["--port", "1", "--now", "tomorrow"],
        ["--port", "1", "--days", "2026-03-40"],
        ["--port", "1", "--faults", "gremlins"],
        ["--port", "1", "--fault-seed", "any"],
    ],
)
def test_arguments_that_cannot_be_meant_are_refused(arguments, capsys):
    with pytest.raises(SystemExit) as refused:
        main(arguments)
    assert refused.value.code == 2
    assert "error" in capsys.readouterr().err


def test_the_command_serves_a_corpus_up_to_its_clock(tmp_path):
    corpus = tmp_path / "posts.jsonl.gz"
    with gzip.open(corpus, "wt", encoding="utf-8") as file:
        for number in range(60):
            row = {
                "id": str(number),
                "source": "reddit",
                "title": f"Post {number}",
                "body": "It is broken.",
                "label": "shopkeepers",
                "created_at": None,
            }
            file.write(json.dumps(row) + "\n")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    command = [sys.executable, "-m", "issue_pipeline.sandbox.apis", "--port", str(port)]
    command += ["--corpus", str(corpus), "--days", "2026-03-10,2026-03-11"]
    command += ["--now", "2026-03-11T00:00:00Z"]
    command += ["--faults", "none", "--fault-seed", "3"]
    environment = {
        **os.environ,
        "REDDIT_CLIENT_ID": CLIENT_ID,
        "REDDIT_CLIENT_SECRET": CLIENT_SECRET,
    }
    with subprocess.Popen(command, env=environment) as server:
        try:
            base_url = f"http://127.0.0.1:{port}"
            with httpx.Client(base_url=base_url, headers=AGENT) as client:
                wait_until_healthy(client, server)
                token = client.post(
                    "/reddit/api/v1/access_token",
                    data={"grant_type": "client_credentials"},
                    auth=(CLIENT_ID, CLIENT_SECRET),
                ).json()["access_token"]
                reply = client.get(
                    "/reddit/r/shopkeepers/new",
                    params={"limit": 100},
                    headers={"Authorization": f"bearer {token}"},
                )
                # Half of the posts are dealt onto the second day, which has only begun.
                assert 20 <= reply.json()["data"]["dist"] <= 40
        finally:
            server.terminate()
        assert server.wait(START_LIMIT_S) is not None


def test_the_command_has_faults_by_name_and_seed(monkeypatch):
    monkeypatch.setenv("REDDIT_CLIENT_ID", CLIENT_ID)
    monkeypatch.setenv("REDDIT_CLIENT_SECRET", CLIENT_SECRET)
    monkeypatch.setattr("uvicorn.run", lambda app, **options: apps.append(app))

    def faults(*arguments):
        main(["--port", "1", *arguments])
        client = httpx.Client(transport=InProcess(apps.pop()), base_url="http://simulator")
        for _ in range(40):
            client.get("/hackernews/api/v1/nowhere", headers=AGENT)
        return client.get("/stats").json()["statuses"]["hackernews"]

    apps = []
    assert faults() == faults("--faults", "none") == {"404": 40}
    worst = faults("--faults", "worst")
    assert worst == faults("--faults", "worst", "--fault-seed", "0") != {"404": 40}
    assert worst != faults("--faults", "worst", "--fault-seed", "1")


def wait_until_healthy(client: httpx.Client, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline:
        assert server.poll() is None, "the server ended before it was ready"
        try:
            if client.get("/health").json() == {"status": "ok"}:
                return
        except httpx.ConnectError:
            time.sleep(0.05)  # between two looks at another process; nothing relies on its length
    raise AssertionError("the server was not ready in time")
