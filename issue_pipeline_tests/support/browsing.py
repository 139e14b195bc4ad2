"""What the tests of the live page share: writing to its store, and waiting for what it shows."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import httpx

from issue_pipeline.local.pocketbase_server import PocketBaseServer

WAIT_MS = 15_000
BATCH_REQUESTS = 400


@dataclass(frozen=True)
class Store:
    """Writes issues and problems as a superuser, the way that any program could."""

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

    def put_problem(
        self, title: str, days: Mapping[str, Mapping[str, int]], newest: str, **fields: Any
    ) -> str:
        """Create or replace the problem of this title, with its posts by day and source.

        ``newest`` is the latest published day, with which the last 7 and 30 days end.
        """
        record_id = derived_id("problem", title)
        self._batch([put_request("problems", a_problem(record_id, title, days, newest, **fields))])
        return record_id

    def put_alias(self, former: str, problem: str) -> None:
        """Let a former problem's id lead to another one."""
        self._batch([put_request("problem_aliases", {"id": former, "problem": problem})])

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

    def remove(self, record_id: str, collection: str = "issues") -> None:
        path = f"/api/collections/{collection}/records/{record_id}"
        self.http.delete(path).raise_for_status()

    def put_all(self, requests: Sequence[Mapping[str, Any]]) -> None:
        """Send many of ``put_request``, as many at once as the server takes."""
        for start in range(0, len(requests), BATCH_REQUESTS):
            self._batch(requests[start : start + BATCH_REQUESTS])

    def _batch(self, requests: Sequence[Mapping[str, Any]]) -> None:
        reply = self.http.post("/api/batch", json={"requests": list(requests)})
        assert reply.is_success, reply.text


def a_problem(
    record_id: str,
    title: str,
    days: Mapping[str, Mapping[str, int]],
    newest: str,
    **fields: Any,
) -> Mapping[str, Any]:
    """A record of ``problems``, its numbers counted from its days."""
    last = date.fromisoformat(newest)

    def posts_in(first: int, days_before: int) -> int:
        """Posts of the days from so many days ago to others ago, both included."""
        span = {(last - timedelta(days=ago)).isoformat() for ago in range(days_before, first + 1)}
        return sum(sum(days[day].values()) for day in days if day in span)

    posts = sum(sum(counts.values()) for counts in days.values())
    sources: dict[str, int] = {}
    for counts in days.values():
        for source, number in counts.items():
            sources[source] = sources.get(source, 0) + number
    return {
        "id": record_id, "title": title, "category": "devtools", "impact": "low",
        "description": f"All about {title[:40]}.", "would_pay": False, "state": "steady",
        "state_since": max(days), "first_seen": min(days), "last_seen": max(days),
        "days_seen": len(days), "posts": posts, "reach": posts, "posts_7d": posts_in(6, 0),
        "posts_30d": posts_in(29, 0), "posts_week_before": posts_in(13, 7), "comparable": True,
        "growth": posts_in(6, 0) - posts_in(13, 7), "sources": sources,
        "days": {day: dict(counts) for day, counts in days.items()}, **fields,
    }  # fmt: skip


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
