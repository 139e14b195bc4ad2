"""The collections, made by migration or over the API, and what is said if others are there."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from issue_pipeline.errors import LiveStoreAccessError
from issue_pipeline.resources.pocketbase import PocketBaseResource
from issue_pipeline.sandbox.pocketbase_server import (
    MIGRATIONS,
    PocketBaseServer,
    pocketbase_binary,
)
from issue_pipeline.sandbox.processes import LocalServer

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
            for name in ("issues", "issue_evidence")
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


def test_what_else_is_on_the_server_stays(tmp_path):
    with plain_server(tmp_path / "theirs") as resource, owner(resource) as client:
        batch = {"enabled": True, "maxRequests": 900, "timeout": 5}
        client.patch("/api/settings", json={"batch": batch}).raise_for_status()
        before = client.get("/api/collections").json()["totalItems"]
        connect(resource)
        assert client.get("/api/collections").json()["totalItems"] == before + 2
        assert client.get("/api/collections/users").is_success
        kept = client.get("/api/settings").json()["batch"]
        assert (kept["maxRequests"], kept["timeout"]) == (900, 30)


def test_fields_that_somebody_added_do_no_harm(tmp_path):
    with plain_server(tmp_path / "theirs") as resource, owner(resource) as client:
        connect(resource)
        _change(client, "issues", lambda fields: [*fields, {"name": "note", "type": "text"}])
        connect(resource)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda fields: [one for one in fields if one["name"] != "impact"],
            "issues.impact is missing",
        ),
        (
            lambda fields: [_only(one, "title", type="json", id="json1") for one in fields],
            "issues.title is of type json, not text",
        ),
        (
            lambda fields: [_only(one, "title", max=80) for one in fields],
            "issues.title takes only 80, not 1000",
        ),
        (
            lambda fields: [_only(one, "category", values=["ai", "other"]) for one in fields],
            "issues.category does not know compliance, devtools",
        ),
        (
            lambda fields: [*fields, {"name": "owner", "type": "text", "required": True}],
            "issues.owner is required",
        ),
    ],
)
def test_a_collection_in_the_way_is_named_with_what_does_not_fit(tmp_path, change, said):
    with plain_server(tmp_path / "theirs") as resource, owner(resource) as client:
        connect(resource)
        _change(client, "issues", change)
        before = schema(resource)
        with pytest.raises(LiveStoreAccessError, match=said) as caught:
            connect(resource)
        assert "Rename or remove" in str(caught.value)
        assert schema(resource) == before


def test_a_collection_of_somebody_else_is_left_alone(tmp_path):
    with plain_server(tmp_path / "theirs") as resource, owner(resource) as client:
        theirs = {"name": "issues", "type": "base", "fields": [{"name": "text", "type": "text"}]}
        client.post("/api/collections", json=theirs).raise_for_status()
        with pytest.raises(LiveStoreAccessError, match=r"issues\.issue_date is missing"):
            connect(resource)


def test_a_collection_that_others_may_write_to_is_refused(tmp_path):
    with plain_server(tmp_path / "theirs") as resource, owner(resource) as client:
        connect(resource)
        client.patch("/api/collections/issue_evidence", json={"createRule": ""}).raise_for_status()
        with pytest.raises(LiveStoreAccessError, match=r"issue_evidence\.createRule lets others"):
            connect(resource)


def _change(client: httpx.Client, collection: str, change: Any) -> None:
    fields = client.get(f"/api/collections/{collection}").json()["fields"]
    reply = client.patch(f"/api/collections/{collection}", json={"fields": change(fields)})
    assert reply.is_success, reply.text


def _only(field: dict[str, Any], name: str, **changes: Any) -> dict[str, Any]:
    return {**field, **changes} if field["name"] == name else field
