"""A real PocketBase with problems, their aliases, issues and evidence, written as the sync does."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from issue_pipeline.local.pocketbase_server import PocketBaseServer
from issue_pipeline_tests.support.browsing import Store, derived_id, opened_store, put_request

DAY = "2026-03-10"


class ProblemStore:
    """Writes problems and what belongs to them as a superuser.

    Attributes:
        url: Of the server.
        http: A superuser's client.
        data: Folder of the server's database.
    """

    def __init__(self, store: Store, data: Path) -> None:
        self.data = data
        self.url = store.url
        self.http: httpx.Client = store.http
        self._issues = store

    def put(self, title: str, **fields: Any) -> str:
        """Create or replace the problem of this title."""
        record_id = fields.pop("id", derived_id("problem", title))
        posts = fields.get("posts", 12)
        record = {
            "id": record_id, "title": title, "category": "devtools", "impact": "low",
            "description": f"All about {title[:40]}.", "would_pay": False, "state": "new",
            "state_since": DAY, "first_seen": DAY, "last_seen": DAY, "days_seen": 1,
            "posts": posts, "reach": posts, "posts_7d": posts, "posts_30d": posts,
            "posts_week_before": 0, "comparable": True, "sources": {"github": posts},
            "days": {DAY: {"github": posts}}, **fields,
            "growth": fields.get("posts_7d", posts) - fields.get("posts_week_before", 0),
        }  # fmt: skip
        self._batch(put_request("problems", record))
        return record_id

    def put_alias(self, alias: str, problem: str) -> None:
        self._batch(put_request("problem_aliases", {"id": alias, "problem": problem}))

    def put_issue(self, problem: str, day: str, title: str, posts: list[dict[str, Any]]) -> None:
        """Create an issue of a problem, with its posts."""
        self._issues.put(day, title, problem=problem, size=len(posts), posts=posts)

    def remove(self, problem: str) -> None:
        self.http.delete(f"/api/collections/problems/records/{problem}").raise_for_status()

    def clear(self) -> None:
        """Delete every issue and problem."""
        for collection in ("issues", "problems"):
            path = f"/api/collections/{collection}/records"
            while records := self.http.get(path, params={"perPage": 500}).json()["items"]:
                for record in records:
                    self.http.delete(f"{path}/{record['id']}").raise_for_status()

    def _batch(self, *requests: Any) -> None:
        reply = self.http.post("/api/batch", json={"requests": requests})
        assert reply.is_success, reply.text


@contextmanager
def problem_store(folder: Path) -> Iterator[ProblemStore]:
    """Start a server over a folder and log in."""
    with (
        PocketBaseServer(folder / "pocketbase", log=folder / "log") as server,
        opened_store(server) as store,
    ):
        yield ProblemStore(store, folder / "pocketbase" / "data")
