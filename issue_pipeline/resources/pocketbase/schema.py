"""The collections of the live store, made over its API where they are missing.

``live/pb_migrations/collections.json`` states them, for this module and for the migration of a
server that is started with that folder; a test sees to it that both make the same.
"""

import json
from functools import cache
from importlib.resources import files
from typing import Any

from issue_pipeline.errors import LiveStoreAccessError
from issue_pipeline.resources.collectors.registry import SOURCES
from issue_pipeline.resources.pocketbase.connection import PocketBaseConnection
from issue_pipeline.resources.pocketbase.schema_differences import (
    WRITE_RULES,
    missing_fields,
    missing_indexes,
    schema_differences,
)

Json = dict[str, Any]

# More than 200 records of the longest texts.
_BATCH_BYTES = 16_000_000


@cache
def stated_schema() -> Json:
    """Return what ``collections.json`` states; see there."""
    file = files("issue_pipeline").joinpath("live/pb_migrations/collections.json")
    schema: Json = json.loads(file.read_text(encoding="utf-8"))
    return schema


def field_names(collection: str) -> tuple[str, ...]:
    """Return the names of a collection's fields that the pipeline writes, in order."""
    return tuple(field["name"] for field in _stated(collection)["fields"])


def choices(collection: str, field: str) -> tuple[str, ...]:
    """Return the values that a field of choices takes."""
    [values] = [one["values"] for one in _stated(collection)["fields"] if one["name"] == field]
    return tuple(values)


def _stated(collection: str) -> Json:
    [found] = [one for one in stated_schema()["collections"] if one["name"] == collection]
    # A source may come from another package, which a file of the built-in ones cannot know.
    fields = [
        {**field, "values": list(SOURCES)} if field["name"] == "source" else field
        for field in found["fields"]
    ]
    return {**found, "fields": fields}


def _wanted(collection: str, ids: Json) -> Json:
    """Return a collection as the API takes it.

    Args:
        collection: Its name.
        ids: The ids of the collections that are there, by name.
    """
    stated = _stated(collection)
    fields = []
    for field in map(dict, stated["fields"]):
        if (related := field.pop("collection", None)) is not None:
            field["collectionId"] = ids.get(related, "")
        fields.append(field)
    return {**stated, **stated_schema()["rules"], "fields": [*fields, *stated_schema()["times"]]}


def ensure_schema(connection: PocketBaseConnection) -> None:
    """Make the collections, later fields, indexes and sources that are missing; allow batches.

    Raises:
        LiveStoreAccessError: A collection of one of the names is there, but is somebody else's; the
            message says what about it does not fit. Nothing is changed then.
        LiveStoreError: The server does not answer, or is in trouble.
    """
    names = [one["name"] for one in stated_schema()["collections"]]
    found = connection.send(
        "GET", "/api/collections",
        params={"filter": " || ".join(f"name = '{name}'" for name in names), "skipTotal": 1},
    )  # fmt: skip
    there: Json = {collection["name"]: collection for collection in found["items"]}
    ids = {name: collection["id"] for name, collection in there.items()}
    later = stated_schema()["added"]
    problems = [
        problem
        for name in names
        if name in there
        for problem in schema_differences(
            {**there[name], "fields": _with_every_source(there[name]["fields"])},
            _wanted(name, ids),
            later.get(name, ()),
        )
    ]
    if problems:
        raise LiveStoreAccessError(
            f"PocketBase at {connection.shown_url} has collections of the pipeline's names that do"
            f" not fit: {'; '.join(problems)}. Put that right, or rename or remove them (missing"
            " ones are made), or point POCKETBASE_URL at a server of its own."
        )
    is_new = not there
    fill: dict[str, Json] = {}
    for name in names:
        if name not in there:
            there[name] = _create(connection, _wanted(name, ids))
            ids[name] = there[name]["id"]
        ours = _wanted(name, ids)
        fields = [*_with_every_source(there[name]["fields"]), *missing_fields(there[name], ours)]
        indexes = [*there[name].get("indexes", ()), *missing_indexes(there[name], ours)]
        changes = {
            what: wanted
            for what, wanted in (("fields", fields), ("indexes", indexes))
            if wanted != [*there[name].get(what, ())]
        }
        if changes:
            connection.send("PATCH", f"/api/collections/{there[name]['id']}", body=changes)
        added = {field["name"] for field in changes.get("fields", ())} - {
            field["name"] for field in there[name]["fields"]
        }
        fill |= {name: {one: later[name][one] for one in added if later[name][one]}}
    _allow_batches(connection)
    if is_new:
        _close_users(connection)
    for name, values in fill.items():
        if values:
            _fill(connection, name, values)


def collections_open_to_all(connection: PocketBaseConnection) -> tuple[str, ...]:
    """Return the collections that a client without a login may write to, sorted.

    By their rules: an empty one lets everybody in, and one that does not ask who it is may.
    """
    found = connection.send(
        "GET",
        "/api/collections",
        params={"perPage": 1000, "skipTotal": 1, "filter": "system=false"},
    )
    return tuple(
        sorted(
            collection["name"]
            for collection in found["items"]
            if collection["type"] != "view"
            and any(_lets_anybody_in(collection.get(rule)) for rule in WRITE_RULES)
        )
    )


def _lets_anybody_in(rule: str | None) -> bool:
    return rule is not None and "@request.auth" not in rule


def _close_users(connection: PocketBaseConnection) -> None:
    """Let nobody sign up in the collection of users that PocketBase brings.

    Nobody logs in here, and whoever signs up may upload a file. One in which somebody has an
    account, or that was changed, is somebody's own and stays as it is; a check reports it.
    """
    found = connection.send(
        "GET", "/api/collections", params={"filter": "name = 'users'", "skipTotal": 1}
    )
    for users in found["items"]:
        if users["type"] != "auth" or not _lets_anybody_in(users.get("createRule")):
            continue
        accounts = connection.send(
            "GET", "/api/collections/users/records", params={"perPage": 1, "fields": "id"}
        )
        if not accounts["items"]:
            connection.send("PATCH", f"/api/collections/{users['id']}", body={"createRule": None})


def _with_every_source(fields: list[Json]) -> list[Json]:
    """Return fields of which ``source`` takes every source, if it takes one of them already.

    A source that is added later, such as by a package, finds a store that does not know it.
    """
    return [
        {**field, "values": list(dict.fromkeys((*field["values"], *SOURCES)))}
        if field["name"] == "source" and {*field.get("values", ())} & {*SOURCES}
        else field
        for field in fields
    ]


def _fill(connection: PocketBaseConnection, name: str, values: Json) -> None:
    """Set these values on every record of a collection; those from before hold the empty ones."""
    path = f"/api/collections/{name}/records"
    last = ""
    while True:
        query = {"filter": f"id > '{last}'", "sort": "id", "fields": "id", "perPage": 200}
        records = connection.send("GET", path, params={**query, "skipTotal": 1})["items"]
        for record in records:
            connection.send("PATCH", f"{path}/{record['id']}", body=values)
        if len(records) < 200:
            return
        last = records[-1]["id"]


def _create(connection: PocketBaseConnection, collection: Json) -> Json:
    created: Json = connection.send("POST", "/api/collections", body=collection)
    return created


def _allow_batches(connection: PocketBaseConnection) -> None:
    batch = connection.send("GET", "/api/settings").get("batch", {})
    larger = {
        name: max(least, batch.get(name, 0)) for name, least in stated_schema()["batch"].items()
    }
    if 0 < batch.get("maxBodySize", 0) < _BATCH_BYTES:  # 0 stands for much more
        larger["maxBodySize"] = _BATCH_BYTES
    if {**batch, **larger, "enabled": True} != batch:
        connection.send(
            "PATCH", "/api/settings", body={"batch": {**batch, **larger, "enabled": True}}
        )
