import contextlib
import os
import stat
import subprocess

import httpx
import pytest

from issue_pipeline.local.errors import LocalSetupError
from issue_pipeline.local.pocketbase_server import (
    HOOKS,
    SUPERUSER_COMMAND,
    PocketBaseServer,
    pocketbase_binary,
)
from issue_pipeline.local.processes import LocalServer

ISSUE = {
    "id": "abcdefghij01234",
    "issue_date": "2026-11-21",
    "cluster_id": 0,
    "fingerprint": "0" * 64,
    "title": "Größe " * 166,
    "category": "finance",
    "description": "x" * 2000,
    "would_pay": False,
    "impact": "high",
    "size": 12,
    "sources": {"github": 7, "reddit": 5},
    "complete": True,
}
EVIDENCE = {
    "id": "evidence0123456",
    "issue": ISSUE["id"],
    "source": "reddit",
    "url": "https://example.org/" + "a" * 4980,
    "title": "t" * 1000,
    "snippet": "s" * 500,
    "posted_at": "2026-11-21 10:20:30.000Z",
    "comments": 0,
    "votes": -3,
}
ISSUES = "/api/collections/issues/records"
PROOFS = "/api/collections/issue_evidence/records"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pocketbase")
    with PocketBaseServer(folder / "data", log=folder / "log") as running:
        yield running


@pytest.fixture
def anyone(server):
    with httpx.Client(base_url=server.url, trust_env=False, timeout=60) as client:
        yield client


@pytest.fixture
def owner(server):
    with signed_in(server) as client:
        yield client
        client.delete(f"{ISSUES}/{ISSUE['id']}")


@contextlib.contextmanager
def signed_in(server):
    login = {"identity": server.superuser.email, "password": server.superuser.password}
    with httpx.Client(base_url=server.url, trust_env=False, timeout=60) as client:
        reply = client.post("/api/collections/_superusers/auth-with-password", json=login)
        client.headers["Authorization"] = reply.raise_for_status().json()["token"]
        yield client


def put(client, *records):
    requests = [
        {"method": "PUT", "url": f"/api/collections/{collection}/records", "body": body}
        for collection, body in records
    ]
    return client.post("/api/batch", json={"requests": requests})


def test_a_batch_is_stored_as_sent_and_everybody_can_read_it(owner, anyone):
    assert put(owner, ("issues", ISSUE), ("issue_evidence", EVIDENCE)).is_success
    for path, sent in ((ISSUES, ISSUE), (PROOFS, EVIDENCE)):
        (stored,) = anyone.get(path).json()["items"]
        assert {name: stored[name] for name in sent} == sent
        assert stored["created"]
        assert stored["updated"]


def test_the_evidence_goes_with_its_issue(owner, anyone):
    put(owner, ("issues", ISSUE), ("issue_evidence", EVIDENCE))
    assert owner.delete(f"{ISSUES}/{ISSUE['id']}").is_success
    assert anyone.get(PROOFS).json()["totalItems"] == 0


@pytest.mark.parametrize(
    ("collection", "change"),
    [
        ("issues", {"issue_date": "21.11.2026"}),
        ("issues", {"category": "sports"}),
        ("issues", {"impact": "dire"}),
        ("issues", {"title": ""}),
        ("issues", {"title": "x" * 1001}),
        ("issues", {"size": -1}),
        ("issues", {"id": "short"}),
        ("issue_evidence", {"url": "javascript:alert(1)"}),
        ("issue_evidence", {"url": "https://example.org/" + "a" * 4981}),
        ("issue_evidence", {"issue": "nosuchissue0000"}),
        ("issue_evidence", {"source": "usenet"}),
    ],
)
def test_a_record_that_cannot_be_meant_is_refused_and_undoes_its_batch(
    owner, anyone, collection, change
):
    records = {"issues": ISSUE, "issue_evidence": EVIDENCE}
    records[collection] = {**records[collection], **change}
    assert put(owner, *records.items()).status_code == 400
    assert anyone.get(ISSUES).json()["totalItems"] == 0


def test_500_records_fit_into_a_batch_and_501_do_not(owner):
    issues = [("issues", {**ISSUE, "id": f"batch{n:010}"}) for n in range(501)]
    assert put(owner, *issues).status_code == 400
    assert put(owner, *issues[:500]).is_success


def test_anonymous_clients_cannot_write(owner, anyone):
    put(owner, ("issues", ISSUE))
    assert put(anyone, ("issues", {**ISSUE, "title": "Mine"})).status_code in (400, 403)
    assert anyone.post(ISSUES, json={**ISSUE, "id": "x" * 15}).status_code == 403
    assert anyone.patch(f"{ISSUES}/{ISSUE['id']}", json={"title": "Mine"}).status_code == 403
    assert anyone.delete(f"{ISSUES}/{ISSUE['id']}").status_code == 403
    assert anyone.get(f"{ISSUES}/{ISSUE['id']}").json()["title"] == ISSUE["title"]


@pytest.mark.parametrize(
    "path",
    [
        "/api/collections/_superusers/records",
        "/api/collections/users/records",
        "/api/collections",
        "/api/settings",
        "/api/logs",
        "/api/backups",
        "/api/crons",
        "/api/collections/_externalAuths/records",
        "/api/collections/_authOrigins/records",
        "/api/collections/_mfas/records",
        "/api/collections/_otps/records",
        "/api/files/issues/abcdefghij01234/data.db",
        "/../data/data.db",
        "/data.db",
    ],
)
def test_anonymous_clients_read_nothing_else(anyone, path):
    reply = anyone.get(path)
    assert reply.status_code in (401, 403, 404) or reply.json()["totalItems"] == 0


@pytest.mark.parametrize(
    "asked",
    [
        {"filter": "@collection._superusers.email ?~ '%'"},
        {"sort": "@collection._superusers.email"},
        {"filter": "_superusers_via_issue.email ~ '%'"},
    ],
)
def test_anonymous_clients_cannot_ask_around_the_rules(owner, anyone, asked):
    put(owner, ("issues", ISSUE))
    assert anyone.get(ISSUES, params=asked).status_code in (400, 403)


def test_nobody_can_register(anyone):
    someone = {"email": "a@example.org", "password": "x" * 12, "passwordConfirm": "x" * 12}
    assert anyone.post("/api/collections/users/records", json=someone).status_code == 404


def test_pages_of_other_sites_are_not_let_in(server, anyone):
    own = anyone.get(ISSUES, headers={"Origin": server.url})
    assert own.headers["Access-Control-Allow-Origin"] == server.url
    other = anyone.get(ISSUES, headers={"Origin": "https://elsewhere.example"})
    assert "Access-Control-Allow-Origin" not in other.headers


def test_data_and_superuser_survive_a_restart_and_a_lost_account_is_restored(tmp_path):
    folder = tmp_path / "data"
    with PocketBaseServer(folder, log=tmp_path / "log") as server, signed_in(server) as client:
        first = server.superuser
        assert put(client, ("issues", ISSUE)).is_success
    credentials = folder / "superuser.json"
    assert stat.S_IMODE(credentials.stat().st_mode) == 0o600
    with PocketBaseServer(folder, log=tmp_path / "log") as server, signed_in(server) as client:
        assert server.superuser == first
        assert client.get(ISSUES).json()["totalItems"] == 1
    credentials.unlink()
    with PocketBaseServer(folder, log=tmp_path / "log") as server, signed_in(server) as client:
        assert server.superuser.password != first.password
        assert client.get(ISSUES).json()["totalItems"] == 1


def test_credentials_that_cannot_be_read_are_reported(tmp_path):
    (tmp_path / "superuser.json").write_text("{}")
    with pytest.raises(LocalSetupError, match=r"superuser.json does not hold .*Remove it"):
        PocketBaseServer(tmp_path, log=tmp_path / "log")


def test_accounts_of_a_server_that_was_there_before_stay_and_no_more_can_be_made(tmp_path):
    folder, account = tmp_path / "data", {"email": "a@example.org", "password": "correct horse"}
    someone = {**account, "passwordConfirm": account["password"]}

    def before(port: int) -> list[str]:
        serve = [str(pocketbase_binary()), "serve", f"--http=127.0.0.1:{port}"]
        return [*serve, f"--dir={folder / 'data'}", f"--migrationsDir={tmp_path / 'none'}"]

    users = "/api/collections/users"
    old = LocalServer("PocketBase", before, health_path="/api/health", log=tmp_path / "log")
    (folder / "data").mkdir(parents=True)
    upsert = [str(pocketbase_binary()), "superuser", "upsert", "b@example.org", "battery staple"]
    subprocess.run([*upsert, f"--dir={folder / 'data'}"], check=True, capture_output=True)
    with old:
        old.wait_until_ready()
        assert httpx.post(f"{old.url}{users}/records", json=someone).is_success
    with PocketBaseServer(folder, log=tmp_path / "log") as server:
        login = {"identity": account["email"], "password": account["password"]}
        entered = httpx.post(f"{server.url}{users}/auth-with-password", json=login)
        assert entered.is_success
        another = {**someone, "email": "c@example.org"}
        assert httpx.post(f"{server.url}{users}/records", json=another).status_code == 403
        assert httpx.get(f"{server.url}/api/collections/issues/records").is_success


def test_no_password_is_an_argument_of_a_command(tmp_path, monkeypatch):
    commands = []
    run = subprocess.run
    monkeypatch.setattr(
        subprocess,
        "run",
        lambda command, **named: (commands.append(command), run(command, **named))[1],
    )
    with PocketBaseServer(tmp_path / "data", log=tmp_path / "log") as running:
        assert commands
        process = running.process
        arguments = [*commands[0], *process._command]
        assert running.superuser.password not in " ".join(map(str, arguments))


@pytest.mark.parametrize(
    ("given", "said"),
    [({}, "Set POCKETBASE_EMAIL"), ({"POCKETBASE_PASSWORD": "short"}, "at least 8 character")],
)
def test_a_superuser_that_cannot_be_made_is_a_failure_in_one_line(tmp_path, given, said):
    given = {"POCKETBASE_EMAIL": "a@b.example", **given} if given else {}
    done = subprocess.run(
        [
            pocketbase_binary(),
            SUPERUSER_COMMAND,
            f"--hooksDir={HOOKS}",
            f"--dir={tmp_path / 'data'}",
        ],
        env={**os.environ, **given},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    told = (done.stdout + done.stderr).strip()
    assert said in told
    assert "goroutine" not in told


def test_a_superuser_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "data" / "superuser.json").mkdir(parents=True)
    with pytest.raises(LocalSetupError, match=r"superuser.json cannot be read .*as the same user"):
        PocketBaseServer(tmp_path / "data", log=tmp_path / "log")
