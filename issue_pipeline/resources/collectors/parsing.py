"""Reading single values: tolerant with what may be missing, strict with what may not."""

import math
from datetime import UTC, datetime
from typing import Any

from issue_pipeline.errors import UnexpectedReplyError
from issue_pipeline.utils.printable import repair_surrogates

# The largest whole number that every store keeps exactly.
MAX_COUNT = 2**53 - 1
# Longer than any source allows.
MAX_WRITER_CHARS = 200


def text(value: object) -> str:
    """Read a text field: ``None`` becomes ``""``, half surrogate pairs become U+FFFD."""
    if value is None:
        return ""
    return repair_surrogates(str(value))


def count(*values: object) -> int:
    """Read a count: the sum of the numbers given, anything else (NaN, infinity) counting 0."""
    total = sum(
        int(value)
        for value in values
        if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))
    )
    return _within_reason(total)


def writer(value: object) -> str | None:
    """Read the name or number of a post's writer; ``None`` for none and for a deleted account."""
    name = text(value).strip()[:MAX_WRITER_CHARS]
    return None if name in ("", "[deleted]", "[removed]") else name


def _within_reason(whole: int) -> int:
    return max(-MAX_COUNT, min(whole, MAX_COUNT))


def from_epoch(seconds: float) -> datetime:
    """Read seconds since 1970 as an aware UTC datetime.

    Raises:
        UnexpectedReplyError: No calendar has that second, as with milliseconds.
    """
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise UnexpectedReplyError(f"Expected seconds since 1970, got {seconds!r}.") from error


def from_iso(moment: str) -> datetime:
    """Read an ISO 8601 time as an aware UTC datetime; one that names no zone is UTC.

    Raises:
        UnexpectedReplyError: It is no such time.
    """
    try:
        parsed = datetime.fromisoformat(moment)
        return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise UnexpectedReplyError(f"Expected an ISO 8601 time, got {moment[:100]!r}.") from error


def epoch(moment: datetime) -> int:
    """Write an aware datetime as whole seconds since 1970."""
    return int(moment.timestamp())


def number(payload: Any, key: str, api: str) -> int:  # noqa: ANN401
    """Take a whole number that every reply of a kind must have, in whatever way it is written.

    Raises:
        UnexpectedReplyError: There is none.
    """
    value = payload.get(key) if isinstance(payload, dict) else None
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            value = None
    if isinstance(value, float) and not math.isfinite(value):
        value = None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UnexpectedReplyError(f"A reply of {api} has no number {key}: {str(payload)[:200]!r}.")
    return _within_reason(int(value))


def identifier(payload: Any, key: str, api: str) -> str:  # noqa: ANN401
    """Take the id that every item must have, a number or a text.

    Raises:
        UnexpectedReplyError: There is none.
    """
    value = payload.get(key) if isinstance(payload, dict) else None
    if isinstance(value, bool) or not isinstance(value, int | str) or value == "":
        raise UnexpectedReplyError(f"A reply of {api} has no {key}: {str(payload)[:200]!r}.")
    return str(value)
