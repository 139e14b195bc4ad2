"""Differences between a collection that is there and the one that the pipeline needs."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

Json = Mapping[str, Any]

# Say nothing about what a field takes.
_IGNORED = ("id", "name", "type", "system", "presentable", "help")
WRITE_RULES = ("createRule", "updateRule", "deleteRule")
_READ_RULES = ("listRule", "viewRule")
# Every collection has it; an owner can narrow it down.
_ID = {
    "name": "id", "type": "text", "min": 15, "max": 15, "pattern": "^[a-z0-9]+$",
    "primaryKey": True, "required": True, "autogeneratePattern": "[a-z0-9]{15}",
}  # fmt: skip


def schema_differences(there: Json, wanted: Json, addable: Collection[str] = ()) -> Iterator[str]:
    """Yield what about a collection would lose, change, refuse or hide what we write.

    Also what would let others write. What takes more than ours does no harm.

    Args:
        there: A collection as the server gives it.
        wanted: The collection as we would make it; an option that is not named has no value.
        addable: Names of fields that may be missing, because they are added.
    """
    name = there["name"]
    if there["type"] != wanted["type"]:
        yield f"{name} is a {there['type']} collection, not a {wanted['type']} one"
        return
    fields = {field["name"]: field for field in there["fields"]}
    for field in (_ID, *wanted["fields"]):
        if field["name"] in addable and field["name"] not in fields:
            continue
        if problem := _field_difference(fields.pop(field["name"], None), field):
            yield f"{name}.{field['name']} {problem}"
    for field in fields.values():
        if field.get("required") and not field.get("system"):
            yield f"{name}.{field['name']} is required, but nothing of ours"
    for rule in WRITE_RULES:
        if there.get(rule) is not None:
            yield f"{name}.{rule} lets others write"
    for rule in _READ_RULES:
        if there.get(rule) != "":
            yield f"{name}.{rule} keeps readers out"
    names = {_index_name(sql) for sql in missing_indexes(there, wanted)}
    for sql in there.get("indexes", ()):
        if re.match(r"\s*create\s+unique\b", sql, re.IGNORECASE):
            yield f"{name} has a unique index that may refuse ours: {sql}"
        elif _index_name(sql) in names:
            yield f"{name} has another index of our name: {sql}"


def missing_fields(there: Json, wanted: Json) -> list[Json]:
    """Return the fields that the collection lacks."""
    known = {field["name"] for field in there["fields"]}
    return [field for field in wanted["fields"] if field["name"] not in known]


def missing_indexes(there: Json, wanted: Json) -> list[str]:
    """List the indexes that the page's queries want and the collection lacks."""
    known = [_indexed(sql) for sql in there.get("indexes", ())]
    return [
        sql
        for sql in wanted["indexes"]
        if not any(columns[: len(_indexed(sql))] == _indexed(sql) for columns in known)
    ]


def _field_difference(there: Json | None, wanted: Json) -> str:
    if there is None:
        return "is missing"
    if there["type"] != wanted["type"]:
        return f"is of type {there['type']}, not {wanted['type']}"
    for option, value in there.items():
        expected = wanted.get(option)
        # No value is written as 0, "", [], false or null; but a number's limit may well be 0.
        is_limit = there["type"] == "number" and option in ("min", "max")
        is_same = value == expected or (not value and not expected and not is_limit)
        if option in _IGNORED or is_same or _is_wider(option, value, expected):
            continue
        if option == "values" and expected:
            return f"does not know {', '.join(sorted(set(expected) - set(value)))}"
        if option in ("max", "maxSize") and expected:
            return f"takes only {value}, not {expected}"
        return f"has {option} {value!r}, not {expected!r}"
    return ""


def _is_wider(option: str, value: Any, expected: Any) -> bool:  # noqa: ANN401
    """Return whether an option that differs from ours lets through all that ours does."""
    wider: Mapping[str, Callable[[], bool]] = {
        "required": lambda: not value,
        "onlyInt": lambda: not value,
        "pattern": lambda: not value,
        "values": lambda: set(value) >= set(expected),
        # For a text 0 means the default of 5,000 characters, and none of ours is longer.
        "max": lambda: expected is not None and (not value or value > expected),
        "maxSize": lambda: not value or value > expected,
        "min": lambda: value is None or (expected is not None and value < expected),
        "autogeneratePattern": lambda: expected is not None,  # of ids; we always send ours
        "maxSelect": lambda: value == 0,
        "minSelect": lambda: value <= 1,
    }
    return option in wider and wider[option]()


def _indexed(sql: str) -> list[str]:
    """Name the columns of an index, in order; none of one that leaves rows out."""
    found = re.search(r"\bon\s+\S+?\s*\(([^()]*)\)\s*;?\s*$", _unquoted(sql))
    return [column.split()[0] for column in found[1].split(",")] if found else []


def _index_name(sql: str) -> str:
    found = re.search(r"\bindex\s+(?:if\s+not\s+exists\s+)?(\S+)\s+on\b", _unquoted(sql))
    return found[1] if found else ""


def _unquoted(sql: str) -> str:
    return re.sub(r"[`\"\[\]]", "", sql).lower()
