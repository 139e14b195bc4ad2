"""Reading single values: tolerant with what may be missing, strict with what may not."""

import math
from datetime import UTC, datetime

from issue_pipeline.errors import UnexpectedReplyError

# The largest whole number that every store keeps exactly.
MAX_COUNT = 2**53 - 1


def text(value: object) -> str:
    """Read a text field: ``None`` becomes ``""``, half surrogate pairs become U+FFFD."""
    if value is None:
        return ""
    return str(value).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def count(*values: object) -> int:
    """Read a count: the sum of the numbers given, anything else (NaN, infinity) counting 0."""
    total = sum(
        int(value)
        for value in values
        if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))
    )
    return max(-MAX_COUNT, min(total, MAX_COUNT))


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
    except ValueError as error:
        raise UnexpectedReplyError(f"Expected an ISO 8601 time, got {moment[:100]!r}.") from error
    return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def epoch(moment: datetime) -> int:
    """Write an aware datetime as whole seconds since 1970."""
    return int(moment.timestamp())
