"""The real server with what its owner may switch on: limits, second factors, small requests."""

from pathlib import Path

import httpx
import pytest

from issue_pipeline.errors import LiveStoreAccessError
from issue_pipeline.resources.pocketbase import connection
from issue_pipeline.resources.pocketbase.resource import PocketBaseResource
from issue_pipeline_tests.resources.pocketbase.test_schema import owner, plain_server
from issue_pipeline_tests.resources.pocketbase.test_store import DAY, an_issue, by_id, write


def settings(resource: PocketBaseResource, **changes: object) -> None:
    with owner(resource) as client:
        client.patch("/api/settings", json=changes).raise_for_status()


def superusers(resource: PocketBaseResource, **changes: object) -> None:
    with owner(resource) as client:
        client.patch("/api/collections/_superusers", json=changes).raise_for_status()


def test_its_own_rate_limits_are_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    waits: list[float] = []
    sleep = connection.time.sleep
    monkeypatch.setattr(connection.time, "sleep", lambda s: (waits.append(s), sleep(s)))
    with plain_server(tmp_path / "theirs") as resource:
        one_login = {"label": "*:auth", "maxRequests": 1, "duration": 2}
        settings(resource, rateLimits={"enabled": True, "rules": [one_login]})
        for _ in range(2):
            with resource.connect() as store:
                assert store.issues_of_day(DAY) == {}
    assert waits


def test_a_second_factor_is_named(tmp_path: Path):
    with plain_server(tmp_path / "theirs") as resource:
        superusers(resource, otp={"enabled": True}, mfa={"enabled": True})
        with pytest.raises(LiveStoreAccessError, match="second factor"), resource.connect():
            pass


def test_addresses_that_superusers_may_not_come_from_are_named(tmp_path: Path):
    with plain_server(tmp_path / "theirs") as resource:
        settings(resource, superuserIPs=["10.0.0.0/8"])
        with pytest.raises(LiveStoreAccessError, match="superuser IPs"), resource.connect():
            pass


def test_the_dashboards_address_works(tmp_path: Path):
    with plain_server(tmp_path / "theirs") as resource:
        pasted = resource.model_copy(update={"url": f"{resource.url}/_/#/collections"})
        with pasted.connect() as store:
            assert store.issues_of_day(DAY) == {}


def test_a_server_that_takes_small_requests_only_gets_small_ones(tmp_path: Path):
    issues = [an_issue("a", posts=150), an_issue("b", posts=3)]
    with plain_server(tmp_path / "theirs") as resource:
        with resource.connect() as store:
            # After the login, which makes room for the usual ones.
            settings(resource, batch={"enabled": True, "maxRequests": 500, "maxBodySize": 5_000})
            assert [one.error for one in write(store, *issues)] == ["", ""]
            assert store.issues_of_day(DAY) == by_id(*issues)
            settings(resource, batch={"enabled": True, "maxRequests": 500, "maxBodySize": 300})
            (outcome,) = write(store, *issues, an_issue("c", description="x" * 900))
        assert "Raise maxBodySize of its batches" in outcome.error


USERS = "/api/collections/users/records"
SOMEBODY = {
    "email": "joe@a.example",
    "password": "battery staple",
    "passwordConfirm": "battery staple",
}


def sign_up(resource: PocketBaseResource) -> httpx.Response:
    return httpx.post(f"{resource.url}{USERS}", json=SOMEBODY, trust_env=False)


def test_nobody_can_sign_up_once_the_collections_are_made(tmp_path: Path):
    with plain_server(tmp_path / "theirs") as resource:
        with resource.connect() as store:
            assert store.collections_open_to_all() == ()
        assert sign_up(resource).status_code == 403


def test_accounts_of_somebodys_own_stay_open_and_are_reported(tmp_path: Path):
    with plain_server(tmp_path / "theirs") as resource:
        sign_up(resource).raise_for_status()
        with owner(resource) as client:
            for name, rule in (
                ("guestbook", ""),
                ("votes", "@request.body.size > 0"),
                ("notes", "@request.auth.id != ''"),
                ("secrets", None),
            ):
                new = {"name": name, "type": "base", "fields": [], "createRule": rule}
                if name == "votes":
                    new = {**new, "fields": [{"name": "size", "type": "number"}]}
                client.post("/api/collections", json=new).raise_for_status()
        with resource.connect() as store:
            assert store.collections_open_to_all() == ("guestbook", "users", "votes")


def test_sign_up_that_the_owner_opens_again_is_left_to_him_and_reported(tmp_path: Path):
    with plain_server(tmp_path / "theirs") as resource, owner(resource) as client:
        with resource.connect():
            pass
        client.patch("/api/collections/users", json={"createRule": ""}).raise_for_status()
        with resource.connect() as store:
            assert store.collections_open_to_all() == ("users",)
        sign_up(resource).raise_for_status()
