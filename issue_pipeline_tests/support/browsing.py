"""What the tests of the live page share: writing to its store, and waiting for what it shows."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from issue_pipeline.local.pocketbase_server import PocketBaseServer

WAIT_MS = 15_000


@dataclass(frozen=True)
class Store:
    """Writes issues as a superuser, the way that any program could."""

    url: str
    http: httpx.Client

    def put(self, day: str, title: str, **fields: Any) -> str:
        """Create or replace the issue of this day and title."""
        size = fields.pop("size", 6)
        posts = fields.pop("posts", [])
        record_id = derived_id(day, title)
        issue = {
            "id": record_id, "issue_date": day, "cluster_id": 0, "title": title,
            "fingerprint": hashlib.sha256(title.encode()).hexdigest(), "category": "devtools",
            "description": f"All about {title[:40]}.", "would_pay": False, "impact": "low",
            "size": size, "sources": {"github": size}, "complete": True,
            "is_problem": True, **fields,
        }  # fmt: skip
        self._batch([put_request("issues", issue)])
        for number, post in enumerate(posts):
            self.put_post(day, title, number, post)
        return record_id

    def put_post(self, day: str, title: str, number: int, post: Mapping[str, Any]) -> None:
        """Create or replace one post of the issue of this day and title."""
        record_id = derived_id(day, title)
        evidence = {
            "id": derived_id(record_id, str(number)), "issue": record_id, "source": "github",
            "url": f"https://example.org/{number}", "title": f"Post {number}",
            "snippet": "It broke.", "posted_at": "2026-03-10 12:00:00.000Z", "comments": 1,
            "votes": 100 - number, **post,
        }  # fmt: skip
        self._batch([put_request("issue_evidence", evidence)])

    def remove(self, record_id: str) -> None:
        self.http.delete(f"/api/collections/issues/records/{record_id}").raise_for_status()

    def _batch(self, requests: list[Mapping[str, Any]]) -> None:
        reply = self.http.post("/api/batch", json={"requests": requests})
        assert reply.is_success, reply.text


def put_request(collection: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"method": "PUT", "url": f"/api/collections/{collection}/records", "body": body}


def derived_id(*parts: str) -> str:
    return hashlib.sha256("/".join(parts).encode()).hexdigest()[:15]


@contextmanager
def opened_store(server: PocketBaseServer) -> Iterator[Store]:
    who = {"identity": server.superuser.email, "password": server.superuser.password}
    with httpx.Client(base_url=server.url, trust_env=False, timeout=60) as http:
        reply = http.post("/api/collections/_superusers/auth-with-password", json=who)
        http.headers["Authorization"] = reply.raise_for_status().json()["token"]
        yield Store(server.url, http)


def wait_for_titles(page: Any, expected: list[str]) -> None:
    expect(page.locator(".issue .title")).to_have_text(expected)


def expect(locator: Any) -> Any:
    """Assertions that wait until they hold."""
    from playwright.sync_api import expect

    expect.set_options(timeout=WAIT_MS)
    return expect(locator)
