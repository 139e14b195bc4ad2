"""Gold states written straight into the database, and what the live store should then show."""

import multiprocessing
import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import httpx

from issue_pipeline.assets.linking import link_up_to_date
from issue_pipeline.assets.live import publish
from issue_pipeline.local.pocketbase_server import PocketBaseServer
from issue_pipeline.partitions import SOURCES
from issue_pipeline.publishing.sync import Published
from issue_pipeline.records import Collection, Evidence, IssueRow
from issue_pipeline.resources.duckdb import IssuesDatabase
from issue_pipeline.resources.embedding import EmbeddingResource
from issue_pipeline.resources.pocketbase import resource as pocketbase
from issue_pipeline.resources.pocketbase.connection import PocketBaseConnection
from issue_pipeline.resources.pocketbase.resource import PocketBaseResource
from issue_pipeline.sql import bronze, gold, silver

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
ISSUES_PATH = "/api/collections/issues/records"
PROOFS_PATH = "/api/collections/issue_evidence/records"
# Processes that start in a hundredth of a second, because everything is imported before, and the
# embedding model is loaded.
CHILDREN = multiprocessing.get_context("forkserver")
CHILDREN.set_forkserver_preload(
    ["pocketbase", __name__, "issue_pipeline_tests.support.loaded_model"]
)


@dataclass
class Site:
    """A server, a database, and a superuser with a mind of his own."""

    server: PocketBaseServer
    path: Path
    owner: httpx.Client = field(init=False)

    @property
    def database(self) -> IssuesDatabase:
        return IssuesDatabase(database=str(self.path))

    @property
    def settings(self) -> dict[str, str]:
        user = self.server.superuser
        return {"url": self.server.url, "email": user.email, "password": user.password}

    def publish(self, day: date) -> Published:
        return publish(day, self.database, PocketBaseResource(**self.settings))

    def child(self, target: Any, *args: Any) -> Any:
        """A process that publishes, not yet started."""
        return CHILDREN.Process(target=target, args=(*args, str(self.path), self.settings))

    def sign_in(self) -> None:
        user = self.server.superuser
        login = {"identity": user.email, "password": user.password}
        self.owner = httpx.Client(base_url=self.server.url, trust_env=False, timeout=60)
        reply = self.owner.post("/api/collections/_superusers/auth-with-password", json=login)
        self.owner.headers["Authorization"] = reply.raise_for_status().json()["token"]

    def restart(self) -> None:
        self.server.process.stop()
        self.server.process.start()
        self.server.wait_until_ready()

    def told(self, day: date) -> list[tuple[Any, ...]]:
        """What ``gold.live_issues`` says of the day."""
        with duckdb.connect(str(self.path), read_only=True) as connection:
            return connection.execute(
                "SELECT cluster_id, record_id, state, error, content_hash, synced_at"
                " FROM gold.live_issues WHERE cluster_date = ? ORDER BY ALL",
                [day],
            ).fetchall()


@contextmanager
def opened_site(folder: Path) -> Iterator[Site]:
    with PocketBaseServer(folder / "pocketbase", log=folder / "log") as server:
        site = Site(server, folder / "issues.duckdb")
        site.sign_in()
        yield site
        site.owner.close()


@dataclass(frozen=True)
class GoldIssue:
    """One cluster: its posts by name, and its label."""

    posts: Sequence[str]
    title: str = "It breaks"
    impact: str = "low"
    would_pay: bool = False
    failed: bool = False
    post_title: Mapping[str, str] = field(default_factory=dict)


def store_gold(database: IssuesDatabase, day: date, issues: Sequence[GoldIssue]) -> None:
    """Store these as the labelled clusters of the day, numbered from 0."""
    rows = [
        IssueRow(
            cluster_id=number,
            cluster_fingerprint="f" * 64,
            cluster_size=len(issue.posts),
            canonical_title=None if issue.failed else issue.title,
            category=None if issue.failed else "devtools",
            description=None if issue.failed else f"{issue.title} every time.",
            would_pay_signal=None if issue.failed else issue.would_pay,
            impact_level=None if issue.failed else issue.impact,
            label_failed=issue.failed,
            label_source="failed" if issue.failed else "local",
            model="",
            prompt_tokens=0,
            completion_tokens=0,
            cost_usd=0.0,
            labeled_at=NOON,
        )
        for number, issue in enumerate(issues)
    ]
    evidence = [
        _evidence(number, day, post, issue.post_title.get(post, f"Post {post}"))
        for number, issue in enumerate(issues)
        if not issue.failed
        for post in issue.posts
    ]
    with database.write() as connection:
        for source in SOURCES:
            bronze.store_collection(
                connection, source, day, [], Collection((), 0, 0), started_at=NOON, finished_at=NOON
            )
        assignments = [
            (url_hash(post), number) for number, issue in enumerate(issues) for post in issue.posts
        ]
        silver.replace_day(connection, day, [], assignments)
        gold.replace_day(connection, day, rows, evidence)


def _evidence(cluster_id: int, day: date, post: str, title: str) -> Evidence:
    return Evidence(
        cluster_id=cluster_id,
        url_hash=url_hash(post),
        source=SOURCES[hash_of(post) % len(SOURCES)],
        url=f"https://a.example/{day}/{post}",
        title=title,
        snippet="It broke.",
        created_at=NOON,
        comment_count=3,
        vote_count=-1,
        distance=0.5,
    )


def url_hash(post: str) -> str:
    return f"hash-{post}"


def hash_of(post: str) -> int:
    return sum(post.encode())


Shown = list[tuple[dict[str, Any], list[dict[str, Any]]]]


def gold_says(day: date, issues: Sequence[GoldIssue]) -> Shown:
    """What must be on show: each issue and its posts, without ids and times."""
    shown: Shown = []
    for number, issue in enumerate(issues):
        if issue.failed:
            continue
        posts = [
            {
                "source": SOURCES[hash_of(post) % len(SOURCES)],
                "url": f"https://a.example/{day}/{post}",
                "title": issue.post_title.get(post, f"Post {post}"),
                "snippet": "It broke.",
                "posted_at": "2026-03-10 12:00:00.000Z",
                "comments": 3,
                "votes": -1,
                "distance": 0.5,
                "search": "",
            }
            for post in sorted(issue.posts)
        ]
        sources = [post["source"] for post in posts]
        fields = {
            "issue_date": day.isoformat(),
            "cluster_id": number,
            "fingerprint": "f" * 64,
            "title": issue.title,
            "category": "devtools",
            "description": f"{issue.title} every time.",
            "would_pay": issue.would_pay,
            "impact": issue.impact,
            "size": len(posts),
            "sources": {name: sources.count(name) for name in set(sources)},
            "complete": True,
            "is_problem": True,
            "problem": "",
        }
        shown.append((fields, posts))
    return shown


def live_shows(url: str, day: date) -> Shown:
    """What anybody sees of the day, by cluster id and post address; a duplicate would show."""
    posts: dict[str, list[dict[str, Any]]] = {}
    for post in _records(url, "issue_evidence", f"issue.issue_date = '{day}'"):
        posts.setdefault(post.pop("issue"), []).append(_content(post))
    issues = _records(url, "issues", f"issue_date = '{day}'")
    return [
        (_content(issue), sorted(posts.get(issue["id"], []), key=lambda post: str(post["url"])))
        for issue in sorted(issues, key=lambda issue: int(issue["cluster_id"]))
    ]


def record_ids(url: str, day: date) -> dict[int, str]:
    """The record of each cluster, in their order."""
    issues = _records(url, "issues", f"issue_date = '{day}'")
    return dict(sorted((issue["cluster_id"], issue["id"]) for issue in issues))


def _records(url: str, collection: str, condition: str) -> list[dict[str, Any]]:
    reply = httpx.get(
        f"{url}/api/collections/{collection}/records",
        params={"filter": condition, "perPage": 1000},
        trust_env=False,
    ).json()
    assert reply["totalItems"] == len(reply["items"])
    return list(reply["items"])


def _content(record: dict[str, Any]) -> dict[str, Any]:
    ours = ("id", "created", "updated", "collectionId", "collectionName")
    return {name: value for name, value in record.items() if name not in ours}


def publish_in_child(ready: Any, day: date, path: str, settings: dict[str, str]) -> None:
    """Publish in a process of its own, which may be killed; says when it begins."""
    ready.set()
    publish(day, IssuesDatabase(database=path), PocketBaseResource(**settings))


def die_at(moment: int) -> None:
    """Have this process kill itself at a moment, counted from 0.

    Moments are before and after each batch to PocketBase, and before each writing to the database
    and before its commit. Batches become small, so that there are several.
    """
    moments = iter(range(moment))

    def pass_a_moment() -> None:
        if next(moments, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)

    send_batch, write = PocketBaseConnection.send_batch, IssuesDatabase.write

    def send_batch_or_die(connection: PocketBaseConnection, requests: Any) -> Any:
        pass_a_moment()
        replies = send_batch(connection, requests)
        pass_a_moment()
        return replies

    @contextmanager
    def write_or_die(database: IssuesDatabase) -> Iterator[Any]:
        pass_a_moment()
        with write(database) as connection:
            yield connection
            pass_a_moment()

    PocketBaseConnection.send_batch = send_batch_or_die  # type: ignore[method-assign]
    IssuesDatabase.write = write_or_die  # type: ignore[method-assign]
    pocketbase.BATCH_REQUESTS = 5


def publish_until(moment: int, day: date, path: str, settings: dict[str, str]) -> None:
    """Publish, and die at this moment; exits with 0 if there are fewer."""
    die_at(moment)
    publish(day, IssuesDatabase(database=path), PocketBaseResource(**settings))


def link_and_publish_until(
    moment: int, model: str, day: date, path: str, settings: dict[str, str]
) -> None:
    """Link and publish, and die at this moment; exits with 0 if there are fewer."""
    die_at(moment)
    embedding = EmbeddingResource(embedding_model=model)
    link_up_to_date(day, IssuesDatabase(database=path), embedding)
    publish(day, IssuesDatabase(database=path), PocketBaseResource(**settings))


def publish_with_a_pause(
    begun: Any, go_on: Any, day: date, path: str, settings: dict[str, str]
) -> None:
    """Publish, but stop before the first batch until told to go on."""
    send_batch = PocketBaseConnection.send_batch

    def send_batch_later(connection: PocketBaseConnection, requests: Any) -> Any:
        begun.set()
        assert go_on.wait(60)
        return send_batch(connection, requests)

    PocketBaseConnection.send_batch = send_batch_later  # type: ignore[method-assign]
    publish(day, IssuesDatabase(database=path), PocketBaseResource(**settings))
