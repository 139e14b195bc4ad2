"""The collections, made by migration or over the API, and what is said if others are there."""

import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from issue_pipeline.errors import LiveStoreAccessError
from issue_pipeline.labels.schema import CATEGORIES, IMPACT_LEVELS
from issue_pipeline.local.pocketbase_server import (
    MIGRATIONS,
    PocketBaseServer,
    pocketbase_binary,
)
from issue_pipeline.local.processes import LocalServer
from issue_pipeline.partitions import SOURCES
from issue_pipeline.resources.pocketbase.resource import PocketBaseResource
from issue_pipeline.resources.pocketbase.schema import choices, stated_schema

EMAIL, PASSWORD = "owner@shop.example", "battery staple"


@contextmanager
def plain_server(folder: Path, migrations: Path | None = None) -> Iterator[PocketBaseResource]:
    """A server as somebody runs it who has never heard of us."""
    data = f"--dir={folder / 'data'}"
    folder.mkdir(exist_ok=True)
    upsert = [str(pocketbase_binary()), "superuser", "upsert", EMAIL, PASSWORD, data]
    subprocess.run(upsert, check=True, capture_output=True)

    def command(port: int) -> list[str]:
        serve = [str(pocketbase_binary()), "serve", f"--http=127.0.0.1:{port}", data]
        return [*serve, f"--migrationsDir={migrations or folder / 'none'}", "--automigrate=false"]

    with LocalServer("P", command, health_path="/api/health", log=folder / "log") as server:
        yield PocketBaseResource(url=server.url, email=EMAIL, password=PASSWORD)


@contextmanager
def owner(resource: PocketBaseResource) -> Iterator[httpx.Client]:
    login = {"identity": resource.email, "password": resource.password}
    with httpx.Client(base_url=resource.url, trust_env=False) as client:
        reply = client.post("/api/collections/_superusers/auth-with-password", json=login)
        client.headers["Authorization"] = reply.raise_for_status().json()["token"]
        yield client


def schema(resource: PocketBaseResource) -> dict[str, Any]:
    """Both collections and the batch settings as the server gives them, without times."""
    with owner(resource) as client:
        settings = client.get("/api/settings").json()
        collections = [
            client.get(f"/api/collections/{name}").raise_for_status().json()
            for name in [one["name"] for one in stated_schema()["collections"]]
        ]
    timeless = [
        {key: value for key, value in one.items() if key not in ("created", "updated")}
        for one in collections
    ]
    return {"collections": timeless, "batch": settings["batch"]}


def connect(resource: PocketBaseResource) -> None:
    with resource.connect():
        pass


def test_the_api_makes_what_the_migration_makes(tmp_path):
    with PocketBaseServer(tmp_path / "ours", log=tmp_path / "log") as server:
        user = server.superuser
        by_migration = schema(
            PocketBaseResource(url=server.url, email=user.email, password=user.password)
        )
    with plain_server(tmp_path / "theirs") as resource:
        connect(resource)
        assert schema(resource) == by_migration
        connect(resource)
        assert schema(resource) == by_migration


def test_the_migration_leaves_collections_alone_that_were_made_over_the_api(tmp_path):
    with plain_server(tmp_path / "theirs") as resource:
        connect(resource)
        before = schema(resource)
    with plain_server(tmp_path / "theirs", MIGRATIONS) as resource:
        connect(resource)
        assert schema(resource) == before


def test_the_choices_are_those_of_labels_and_sources():
    assert choices("issues", "category") == CATEGORIES
    assert choices("issues", "impact") == IMPACT_LEVELS
    assert choices("problems", "category") == CATEGORIES
    assert choices("problems", "impact") == IMPACT_LEVELS
    assert choices("issue_evidence", "source") == SOURCES


@pytest.mark.parametrize("migrations", [None, MIGRATIONS], ids=["login", "migration"])
def test_fields_of_a_later_version_are_added_and_what_is_there_counts_as_a_problem(
    tmp_path, migrations
):
    with plain_server(tmp_path / "theirs") as resource, owner(resource) as client:
        connect(resource)
        today = schema(resource)
        for name, later in stated_schema()["added"].items():
            one = _collection(client, name)
            for field in later:
                one |= _without(field)(one)
            client.patch(f"/api/collections/{name}", json=one).raise_for_status()
        client.post("/api/collections/issues/records", json=AN_ISSUE).raise_for_status()
    with plain_server(tmp_path / "theirs", migrations) as resource, owner(resource) as client:
        connect(resource)
        names = [[field["name"] for field in one["fields"]] for one in today["collections"]]
        there = schema(resource)["collections"]
        assert [sorted(field["name"] for field in one["fields"]) for one in there] == [
            sorted(own) for own in names
        ]
        [record] = client.get("/api/collections/issues/records").json()["items"]
        assert record["is_problem"] is True
        connect(resource)


def test_a_source_that_was_added_later_becomes_a_value_of_the_store_that_is_there(tmp_path):
    with plain_server(tmp_path / "theirs") as resource, owner(resource) as client:
        connect(resource)
        today = _collection(client, "issue_evidence")
        older = _with("source", values=["usenet", *SOURCES[:-1]])(today)
        client.patch("/api/collections/issue_evidence", json=older).raise_for_status()
        connect(resource)
        there = _collection(client, "issue_evidence")
        assert there == today | _with("source", values=["usenet", *SOURCES])(today) | {
            "updated": there["updated"]
        }


AN_ISSUE = {
    "id": "issue0000000001", "issue_date": "2026-03-10", "cluster_id": 0, "fingerprint": "f" * 64,
    "title": "It breaks", "category": "other", "description": "", "impact": "low", "size": 5,
}  # fmt: skip


def test_what_else_is_on_the_server_stays(tmp_path):
    with plain_server(tmp_path / "theirs") as resource, owner(resource) as client:
        batch = {"enabled": True, "maxRequests": 900, "timeout": 5, "maxBodySize": 1000}
        client.patch("/api/settings", json={"batch": batch}).raise_for_status()
        before = client.get("/api/collections").json()["totalItems"]
        connect(resource)
        assert client.get("/api/collections").json()["totalItems"] == before + len(
            stated_schema()["collections"]
        )
        assert client.get("/api/collections/users").is_success
        kept = client.get("/api/settings").json()["batch"]
        assert (kept["maxRequests"], kept["timeout"], kept["maxBodySize"]) == (900, 30, 16_000_000)


def test_a_collection_in_the_way_is_named_and_nothing_is_changed(tmp_path):
    with plain_server(tmp_path / "theirs") as resource, owner(resource) as client:
        theirs = {"name": "issues", "type": "base", "fields": [{"name": "text", "type": "text"}]}
        client.post("/api/collections", json=theirs).raise_for_status()
        before = client.get("/api/collections").json(), client.get("/api/settings").json()
        with pytest.raises(LiveStoreAccessError, match=r"issues\.issue_date is missing") as caught:
            connect(resource)
        assert "rename or remove" in str(caught.value)
        assert (client.get("/api/collections").json(), client.get("/api/settings").json()) == before


def test_every_change_that_would_lose_or_hide_something_is_refused_and_named(tmp_path):
    with plain_server(tmp_path / "theirs") as resource, owner(resource) as client:
        connect(resource)
        ours = {name: _collection(client, name) for name in ("issues", "issue_evidence")}
        for collection, change, said in [
            ("issues", _without("impact"), "issues.impact is missing"),
            ("issues", _with("title", type="json", id="json1"), "issues.title is of type json"),
            ("issues", _with("title", max=80), "issues.title takes only 80, not 1000"),
            ("issues", _with("title", min=3), "issues.title has min 3"),
            ("issues", _with("title", pattern="^a"), "issues.title has pattern '^a'"),
            ("issues", _with("title", hidden=True), "issues.title has hidden True"),
            ("issues", _with("description", required=True), "issues.description has required"),
            ("issues", _with("description", autogeneratePattern="[a-z]{9}"), "autogenerate"),
            ("issues", _with("category", values=["ai", "other"]), "know compliance, devtools"),
            ("issues", _with("category", maxSelect=2), "issues.category has maxSelect 2"),
            ("issues", _with("size", max=50), "issues.size has max 50"),
            ("issues", _with("size", min=2), "issues.size has min 2"),
            ("issues", _with("sources", maxSize=9), "issues.sources takes only 9, not 2000"),
            (
                "issues",
                _with("id", max=20, min=20, autogeneratePattern="[a-z0-9]{20}"),
                "issues.id has min 20",
            ),
            ("issues", _and({"name": "owner", "type": "text", "required": True}), "issues.owner"),
            ("issues", lambda one: {"listRule": None}, "issues.listRule keeps readers out"),
            ("issues", lambda one: {"viewRule": "size > 3"}, "issues.viewRule keeps readers out"),
            ("issues", lambda one: {"createRule": ""}, "issues.createRule lets others write"),
            (
                "issues",
                lambda one: {"indexes": ["CREATE UNIQUE INDEX one_title ON issues (title)"]},
                "issues has a unique index that may refuse ours",
            ),
            ("issue_evidence", _with("votes", min=0), "issue_evidence.votes has min 0"),
            ("issue_evidence", _with("issue", cascadeDelete=False), "has cascadeDelete False"),
            ("issue_evidence", _with("posted_at", min="2026-01-01 00:00:00.000Z"), "has min"),
        ]:
            path = f"/api/collections/{collection}"
            reply = client.patch(path, json=change(ours[collection]))
            assert reply.is_success, (said, reply.text)
            with pytest.raises(LiveStoreAccessError, match=re.escape(said)):
                connect(resource)
            client.patch(path, json=ours[collection]).raise_for_status()
        connect(resource)


def test_what_takes_more_than_ours_is_taken_as_it_is(tmp_path):
    with plain_server(tmp_path / "theirs") as resource, owner(resource) as client:
        connect(resource)
        wider = _collection(client, "issues")
        for change in (
            _with("title", max=0, required=False),
            _with("fingerprint", max=100, pattern=""),
            _with("category", values=[*CATEGORIES, "sports"]),
            _with("size", min=None, onlyInt=False),
            _with("sources", maxSize=0),
            _and({"name": "note", "type": "text"}),
        ):
            wider |= change(wider)
        client.patch("/api/collections/issues", json=wider).raise_for_status()
        before = schema(resource)
        connect(resource)
        assert schema(resource) == before


def test_indexes_that_are_missing_are_made_and_others_stay(tmp_path):
    with plain_server(tmp_path / "theirs") as resource, owner(resource) as client:
        connect(resource)
        theirs = ["CREATE INDEX `mine` ON `issues` (`title`)"]
        longer = ["create index longer on issue_evidence (`issue` ASC, votes)"]
        for name, indexes in (("issues", theirs), ("issue_evidence", longer)):
            reply = client.patch(f"/api/collections/{name}", json={"indexes": indexes})
            reply.raise_for_status()
        connect(resource)
        made = [
            "CREATE INDEX idx_issues_date_size ON issues (issue_date, size)",
            "CREATE INDEX idx_issues_problem ON issues (problem)",
        ]
        assert _collection(client, "issues")["indexes"] == [*theirs, *made]
        assert _collection(client, "issue_evidence")["indexes"] == longer  # which serves as well
        other = ["CREATE INDEX idx_issues_date_size ON issues (title)"]
        client.patch("/api/collections/issues", json={"indexes": other}).raise_for_status()
        with pytest.raises(LiveStoreAccessError, match="issues has another index of our name"):
            connect(resource)


def test_evidence_of_somebody_else_is_noticed_before_anything_is_made(tmp_path):
    with plain_server(tmp_path / "theirs") as resource, owner(resource) as client:
        theirs = {"name": "issue_evidence", "type": "base", "fields": []}
        client.post("/api/collections", json=theirs).raise_for_status()
        with pytest.raises(LiveStoreAccessError, match=r"issue_evidence\.issue is missing"):
            connect(resource)
        assert client.get("/api/collections/issues").status_code == 404


def _collection(client: httpx.Client, name: str) -> dict[str, Any]:
    return dict(client.get(f"/api/collections/{name}").raise_for_status().json())


Change = Callable[[dict[str, Any]], dict[str, Any]]


def _with(name: str, **options: Any) -> Change:
    return lambda one: {
        "fields": [
            {**field, **options} if field["name"] == name else field for field in one["fields"]
        ]
    }


def _without(name: str) -> Change:
    return lambda one: {
        "fields": [field for field in one["fields"] if field["name"] != name],
        "indexes": [sql for sql in one["indexes"] if f"({name})" not in sql],
    }


def _and(field: dict[str, Any]) -> Change:
    return lambda one: {"fields": [*one["fields"], field]}
