"""The two collections as the live store must have them; made over its API where they are missing.

A server that is started with ``issue_pipeline/live/pb_migrations`` has them already; a test sees to
it that both ways make the same.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from issue_pipeline.errors import LiveStoreAccessError
from issue_pipeline.labels import CATEGORIES, IMPACT_LEVELS
from issue_pipeline.partitions import SOURCES
from issue_pipeline.resources.pocketbase_connection import PocketBaseConnection

Json = dict[str, Any]

# What a batch may hold, and seconds it may take, where the server's own settings are below.
_BATCH = {"maxRequests": 500, "timeout": 30}
_WRITE_RULES = ("createRule", "updateRule", "deleteRule")


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
_RULES: Json = {"listRule": "", "viewRule": "", **dict.fromkeys(_WRITE_RULES)}

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
    """Make the collections that are missing, and allow batches.

    Raises:
        LiveStoreAccessError: A collection of one of the names is there, but is somebody else's or
            an older one; the message says what about it does not fit.
        LiveStoreError: The server does not answer, or is in trouble.
    """
    found = connection.send(
        "GET", "/api/collections",
        params={"filter": "name = 'issues' || name = 'issue_evidence'", "skipTotal": 1},
    )  # fmt: skip
    there = {collection["name"]: collection for collection in found["items"]}
    issues = there.get("issues") or _create(connection, _ISSUES)
    wanted = _evidence(issues["id"])
    evidence = there.get("issue_evidence") or _create(connection, wanted)
    misfits = [*_misfits(issues, _ISSUES), *_misfits(evidence, wanted)]
    if misfits:
        raise LiveStoreAccessError(
            f"PocketBase at {connection.shown_url} has collections of the pipeline's names that do"
            f" not fit: {'; '.join(misfits)}. Rename or remove them (missing ones are made), or"
            " point POCKETBASE_URL at a server of its own."
        )
    batch = connection.send("GET", "/api/settings").get("batch", {})
    larger = {name: max(least, batch.get(name, 0)) for name, least in _BATCH.items()}
    if not batch.get("enabled") or any(
        batch.get(name, 0) < least for name, least in larger.items()
    ):
        connection.send(
            "PATCH", "/api/settings", body={"batch": {**batch, **larger, "enabled": True}}
        )


def _create(connection: PocketBaseConnection, collection: Json) -> Json:
    created: Json = connection.send("POST", "/api/collections", body=collection)
    return created


def _misfits(there: Mapping[str, Any], wanted: Mapping[str, Any]) -> Iterator[str]:
    """Say what about a collection would lose or refuse what we write, or let others write."""
    name = there["name"]
    if there["type"] != wanted["type"]:
        yield f"{name} is a {there['type']} collection, not a {wanted['type']} one"
        return
    fields = {field["name"]: field for field in there["fields"]}
    for field in wanted["fields"]:
        if problem := _field_misfit(fields.pop(field["name"], None), field):
            yield f"{name}.{field['name']} {problem}"
    yield from (
        f"{name}.{field['name']} is required, but nothing of ours"
        for field in fields.values()
        if field.get("required") and not field.get("system")
    )
    yield from (
        f"{name}.{rule} lets others write" for rule in _WRITE_RULES if there.get(rule) is not None
    )


def _field_misfit(there: Mapping[str, Any] | None, wanted: Mapping[str, Any]) -> str:
    if there is None:
        return "is missing"
    if there["type"] != wanted["type"]:
        return f"is of type {there['type']}, not {wanted['type']}"
    for limit in ("max", "maxSize"):
        # For a text 0 means the default of 5,000 characters, and none of ours is longer.
        if limit in wanted and 0 < (there.get(limit) or 0) < wanted[limit]:
            return f"takes only {there[limit]}, not {wanted[limit]}"
    if missing := set(wanted.get("values", ())) - set(there.get("values", ())):
        return f"does not know {', '.join(sorted(missing))}"
    if there.get("collectionId") != wanted.get("collectionId"):
        return "refers to another collection"
    return ""
