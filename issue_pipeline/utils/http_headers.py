"""Reading waits, numbers and times from the headers of an HTTP reply."""

import math
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that ``Retry-After`` asks to wait, at least 0.

    Args:
        headers: With lower-case names, or a mapping that ignores case. A date is compared with the
            server's own clock (``Date``), and with ours where it sends none.

    Returns:
        ``None`` where the header is absent, or neither a finite number nor a date.

    Source: https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
    """
    value = headers.get("retry-after", "")
    if (seconds := _finite(value)) is not None:
        return max(0.0, seconds)
    try:
        return max(0.0, (_moment(value) - server_time(headers)).total_seconds())
    except (TypeError, ValueError):
        return None


def number_in(headers: Mapping[str, str], name: str) -> float | None:
    """Return the number in a header; ``None`` where it is absent or no finite number."""
    return _finite(headers.get(name, ""))


def server_time(headers: Mapping[str, str]) -> datetime:
    """Return the time of the server that replied; of our own clock where it does not say."""
    try:
        return _moment(headers.get("date", ""))
    except (TypeError, ValueError):
        return datetime.fromtimestamp(time.time(), UTC)


def _moment(text: str) -> datetime:
    """Return the moment of a header's date; one whose zone is ``-0000`` is UTC, too (RFC 5322)."""
    moment = parsedate_to_datetime(text)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _finite(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
