"""Faults inside good replies: a page that an API itself makes empty, shorter or longer."""

from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from typing import Any, TypeVar

from starlette.requests import Request

from issue_pipeline.sandbox.apis.faults import DUPLICATE, EMPTY, MISSING, Fault

T = TypeVar("T")
_KEY = "issue_pipeline.content_fault"


@dataclass(frozen=True, slots=True)
class _Planned:
    fault: Fault
    wait_s: int
    count: Callable[[], None]


def plan_content_fault(
    scope: MutableMapping[str, Any], fault: Fault, *, wait_s: int, count: Callable[[], None]
) -> None:
    """Store a fault with a request, for the API to apply where it can.

    Args:
        scope: Of the request.
        fault: What to apply.
        wait_s: How long a client is asked to wait, where the fault is about that.
        count: Called when it has been applied.
    """
    scope[_KEY] = _Planned(fault, wait_s, count)


def commits(request: Request, kind: str) -> bool:
    """Return whether the reply to this request shall have this fault, and count it if so."""
    planned = _planned(request, kind)
    if planned is None:
        return False
    planned.count()
    return True


def asked_wait_s(request: Request, kind: str) -> int | None:
    """Return the wait that this fault asks for, and count it; ``None`` if it is not planned."""
    planned = _planned(request, kind)
    if planned is None:
        return None
    planned.count()
    return planned.wait_s


def with_duplicate(request: Request, items: list[T]) -> list[T]:
    """Return a page, with one item twice in a row if that is planned."""
    planned = _planned(request, DUPLICATE)
    if planned is None or not items:
        return items
    planned.count()
    repeated = planned.fault.pick(len(items))
    return items[: repeated + 1] + items[repeated:]


def unless_empty(request: Request, found: list[T]) -> list[T]:
    """Return what was found, or nothing, as if there were nothing, if that is planned."""
    planned = _planned(request, EMPTY)
    if planned is None or not found:
        return found
    planned.count()
    return []


def with_gap(request: Request, items: list[T]) -> list[T]:
    """Return a page, without one of its items if that is planned."""
    planned = _planned(request, MISSING)
    if planned is None or not items:
        return items
    planned.count()
    left_out = planned.fault.pick(len(items))
    return items[:left_out] + items[left_out + 1 :]


def _planned(request: Request, kind: str) -> _Planned | None:
    planned: _Planned | None = request.scope.get(_KEY)
    return planned if planned is not None and planned.fault.kind == kind else None
