"""Gold states written straight into the database, and what the live store should then show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import httpx

from issue_pipeline.assets.live import publish
from issue_pipeline.partitions import SOURCES
from issue_pipeline.records import Collection, Evidence, IssueRow
from issue_pipeline.resources.duckdb import IssuesDatabase
from issue_pipeline.resources.pocketbase import PocketBaseResource
from issue_pipeline.sql import bronze, gold

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


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
        gold.replace_day(connection, day, rows, evidence)


def _evidence(cluster_id: int, day: date, post: str, title: str) -> Evidence:
    return Evidence(
        cluster_id=cluster_id,
        url_hash=f"hash-{post}",
        source=SOURCES[hash_of(post) % len(SOURCES)],
        url=f"https://a.example/{day}/{post}",
        title=title,
        snippet="It broke.",
        created_at=NOON,
        comment_count=3,
        vote_count=-1,
        distance=0.5,
    )


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
    """The record of each cluster."""
    return {
        issue["cluster_id"]: issue["id"]
        for issue in _records(url, "issues", f"issue_date = '{day}'")
    }


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
