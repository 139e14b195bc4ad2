"""The two collections as the live store must have them; made over its API where they are missing.

A server that is started with ``issue_pipeline/live/pb_migrations`` has them already; a test sees to
it that both ways make the same.
"""

from typing import Any

from issue_pipeline.errors import LiveStoreAccessError
from issue_pipeline.labels.schema import CATEGORIES, IMPACT_LEVELS
from issue_pipeline.partitions import SOURCES
from issue_pipeline.resources.pocketbase.connection import PocketBaseConnection
from issue_pipeline.resources.pocketbase.schema_differences import (
    missing_indexes,
    schema_differences,
)

Json = dict[str, Any]

# What a batch may hold, and seconds it may take, where the server's own settings are below.
_BATCH = {"maxRequests": 500, "timeout": 30}
# More than 200 records of the longest texts.
_BATCH_BYTES = 16_000_000


def _text(name: str, most: int, **more: object) -> Json:
    return {"name": name, "type": "text", "max": most, **more}


def _choice(name: str, values: tuple[str, ...]) -> Json:
    return {
        "name": name, "type": "select", "required": True, "maxSelect": 1, "values": list(values),
    }  # fmt: skip


def _count(name: str) -> Json:
    # For numbers and booleans "required" would forbid 0 and false.
    return {"name": name, "type": "number", "onlyInt": True, "min": 0}


_TIMES: list[Json] = [
    {"name": "created", "type": "autodate", "onCreate": True},
    {"name": "updated", "type": "autodate", "onCreate": True, "onUpdate": True},
]
# Everybody may read ("" is a rule that always holds), only superusers may write (no rule).
_RULES: Json = {
    "listRule": "", "viewRule": "",
    "createRule": None, "updateRule": None, "deleteRule": None,
}  # fmt: skip

_ISSUES: Json = {
    "name": "issues",
    "type": "base",
    **_RULES,
    "fields": [
        _text("issue_date", 10, required=True, pattern=r"^\d{4}-\d{2}-\d{2}$"),
        _count("cluster_id"),
        _text("fingerprint", 64, required=True, pattern="^[0-9a-f]{64}$"),
        _text("title", 1000, required=True),
        _choice("category", CATEGORIES),
        _text("description", 2000),
        {"name": "would_pay", "type": "bool"},
        _choice("impact", IMPACT_LEVELS),
        _count("size"),
        {"name": "sources", "type": "json", "maxSize": 2000},
        {"name": "complete", "type": "bool"},
        *_TIMES,
    ],
    "indexes": ["CREATE INDEX idx_issues_date_size ON issues (issue_date, size)"],
}


def _evidence(issues_id: str) -> Json:
    issue = {
        "name": "issue", "type": "relation", "required": True, "collectionId": issues_id,
        "maxSelect": 1, "cascadeDelete": True,
    }  # fmt: skip
    return {
        "name": "issue_evidence",
        "type": "base",
        **_RULES,
        "fields": [
            issue,
            _choice("source", SOURCES),
            _text("url", 5000, required=True, pattern="^https?://"),
            _text("title", 1000),
            _text("snippet", 500),
            {"name": "posted_at", "type": "date"},
            _count("comments"),
            {"name": "votes", "type": "number", "onlyInt": True},
            *_TIMES,
        ],
        "indexes": ["CREATE INDEX idx_issue_evidence_issue ON issue_evidence (issue)"],
    }


def ensure_schema(connection: PocketBaseConnection) -> None:
    """Make the collections and indexes that are missing, and allow batches.

    Raises:
        LiveStoreAccessError: A collection of one of the names is there, but is somebody else's or
            an older one; the message says what about it does not fit. Nothing is changed then.
        LiveStoreError: The server does not answer, or is in trouble.
    """
    found = connection.send(
        "GET", "/api/collections",
        params={"filter": "name = 'issues' || name = 'issue_evidence'", "skipTotal": 1},
    )  # fmt: skip
    there = {collection["name"]: collection for collection in found["items"]}
    wanted = [_ISSUES, _evidence(there.get("issues", {}).get("id", ""))]
    problems = [
        problem
        for one in wanted
        if one["name"] in there
        for problem in schema_differences(there[one["name"]], one)
    ]
    if problems:
        raise LiveStoreAccessError(
            f"PocketBase at {connection.shown_url} has collections of the pipeline's names that do"
            f" not fit: {'; '.join(problems)}. Put that right, or rename or remove them (missing"
            " ones are made), or point POCKETBASE_URL at a server of its own."
        )
    issues = there.get("issues") or _create(connection, _ISSUES)
    evidence = there.get("issue_evidence") or _create(connection, _evidence(issues["id"]))
    for collection, ours in ((issues, _ISSUES), (evidence, _evidence(issues["id"]))):
        if missing := missing_indexes(collection, ours):
            indexes = {"indexes": [*collection.get("indexes", ()), *missing]}
            connection.send("PATCH", f"/api/collections/{collection['id']}", body=indexes)
    _allow_batches(connection)


def _create(connection: PocketBaseConnection, collection: Json) -> Json:
    created: Json = connection.send("POST", "/api/collections", body=collection)
    return created


def _allow_batches(connection: PocketBaseConnection) -> None:
    batch = connection.send("GET", "/api/settings").get("batch", {})
    larger = {name: max(least, batch.get(name, 0)) for name, least in _BATCH.items()}
    if 0 < batch.get("maxBodySize", 0) < _BATCH_BYTES:  # 0 stands for much more
        larger["maxBodySize"] = _BATCH_BYTES
    if {**batch, **larger, "enabled": True} != batch:
        connection.send(
            "PATCH", "/api/settings", body={"batch": {**batch, **larger, "enabled": True}}
        )
