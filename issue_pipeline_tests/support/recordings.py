"""Recorded replies of the real APIs, where they are at hand."""

import json
from pathlib import Path
from typing import Any

import pytest

_RECORDINGS = Path(__file__).parents[3] / "shared" / "data" / "api"


def recorded(name: str) -> dict[str, Any]:
    """Read one recorded exchange; skips the test where there are none."""
    path = _RECORDINGS / name
    if not path.exists():
        pytest.skip("the recorded replies (../shared/data/api) are not at hand")
    return json.loads(path.read_text(encoding="utf-8"))


def common_names(items: list[dict[str, Any]]) -> set[str]:
    """The fields that every one of the items has."""
    return set.intersection(*(set(item) for item in items))


def types_of(item: dict[str, Any]) -> dict[str, type]:
    """The JSON type of each field that has a value."""
    return {name: type(value) for name, value in item.items() if value is not None}


def clashes(ours: dict[str, Any], theirs: list[dict[str, Any]]) -> dict[str, str]:
    """Fields whose type none of the recorded items has."""
    found: dict[str, str] = {}
    for name, kind in types_of(ours).items():
        seen = {types_of(item)[name] for item in theirs if name in types_of(item)}
        if seen and kind not in seen and not {kind, *seen} <= {int, float}:
            found[name] = f"{kind} instead of {seen}"
    return found
