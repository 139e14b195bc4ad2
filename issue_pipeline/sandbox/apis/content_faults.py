"""Faults inside good replies: what an API does to its own page when the plan says so."""

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
    """Leave a fault with a request, for the API to commit where it can.

    Args:
        scope: Of the request.
        fault: What to commit.
        wait_s: How long a client is asked to wait, where the fault is about that.
        count: Called when it has been committed.
    """
    scope[_KEY] = _Planned(fault, wait_s, count)


def commits(request: Request, kind: str) -> bool:
    """Tell whether the reply to this request shall have this fault, and count it if so."""
    planned = _planned(request, kind)
    if planned is None:
        return False
    planned.count()
    return True


def asked_wait_s(request: Request, kind: str) -> int | None:
    """Give the wait that this fault asks for, and count it; ``None`` if it is not planned."""
    planned = _planned(request, kind)
    if planned is None:
        return None
    planned.count()
    return planned.wait_s


def with_duplicate(request: Request, items: list[T]) -> list[T]:
    """Give one item of a page twice in a row, if that is planned."""
    planned = _planned(request, DUPLICATE)
    if planned is None or not items:
        return items
    planned.count()
    repeated = planned.fault.pick(len(items))
    return items[: repeated + 1] + items[repeated:]


def unless_empty(request: Request, found: list[T]) -> list[T]:
    """Give what was found, or nothing, as if there were nothing, if that is planned."""
    planned = _planned(request, EMPTY)
    if planned is None or not found:
        return found
    planned.count()
    return []


def with_gap(request: Request, items: list[T]) -> list[T]:
    """Leave one item of a page out, if that is planned."""
    planned = _planned(request, MISSING)
    if planned is None or not items:
        return items
    planned.count()
    left_out = planned.fault.pick(len(items))
    return items[:left_out] + items[left_out + 1 :]


def _planned(request: Request, kind: str) -> _Planned | None:
    planned: _Planned | None = request.scope.get(_KEY)
    return planned if planned is not None and planned.fault.kind == kind else None
