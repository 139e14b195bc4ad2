"""What a reply says of its server's rate limits: allowances in headers, and the wait it asks for.

Read are the headers of OpenAI, Azure, Groq, Cerebras, Mistral, Together (``x-ratelimit-*``),
Anthropic (``anthropic-ratelimit-*``) and of the IETF draft (``ratelimit-*``), and the bodies of
Gemini (``RetryInfo.retryDelay``), Groq and OpenAI ("Please try again in 7.66s") and Azure
("Please retry after 6 seconds").
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from issue_pipeline.records import Allowance
from issue_pipeline.utils.http_headers import server_time

REQUESTS = "requests"
TOKENS = "tokens"
INPUT_TOKENS = "input-tokens"
OUTPUT_TOKENS = "output-tokens"
_KINDS = (INPUT_TOKENS, OUTPUT_TOKENS, TOKENS, REQUESTS)
_WINDOWS_S = {"second": 1.0, "minute": 60.0, "hour": 3_600.0, "day": 86_400.0}
_DEFAULT_WINDOW_S = 60.0
# A number of seconds above this is a moment: seconds, or milliseconds, since 1970.
_EPOCH_S = 1e9
_EPOCH_MS = 1e12
_HEADER = re.compile(r"^(?:x-|anthropic-)?ratelimit-(?P<rest>.+)$")
_FIELD = re.compile(r"(?:^|-)(limit|remaining|reset)(?:-|$)")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|millis|[hms])")
_UNITS_S = {"ms": 0.001, "millis": 0.001, "h": 3_600.0, "m": 60.0, "s": 1.0}
_SAID_WAIT = re.compile(
    r"(?:(?:try again|retry)\s+(?:in|after)|wait)\s+(?:(?:for|about|another)\s+)*"
    r"(?P<duration>(?:\d+(?:\.\d+)?\s*[a-z]+\s*)+)"
    r"|\"?retryDelay\"?['\"]?\s*:\s*['\"](?P<delay>[\d.]+s)['\"]"
    r"|(?:retry_?after(?:_seconds)?|estimated_time)['\"]?\s*:\s*['\"]?(?P<seconds>\d+(?:\.\d+)?)\b"
    r"|retry_?delay['\"]?\s*:?\s*\{\s*['\"]?seconds['\"]?\s*:\s*(?P<grpc>\d+)",
    re.IGNORECASE,
)
_SAID_TOKENS = re.compile(
    r"tokens? per min[^:]{0,60}:\s*Limit:?\s*(?P<limit>\d+(?:,\d{3})*)"
    r"(?:,\s*Used:?\s*(?P<used>\d+(?:,\d{3})*))?(?:,\s*Requested:?\s*(?P<requested>\d+(?:,\d{3})*))?",
    re.IGNORECASE,
)


def read_allowances(headers: Mapping[str, str], text: str = "") -> list[Allowance]:
    """Return the allowances that a reply states.

    Args:
        headers: Its headers, with names in lower case.
        text: The body of a refusal, for a limit that only its words state.
    """
    fields: dict[str, dict[str, str]] = {}
    for name, value in headers.items():
        match = _HEADER.match(name)
        if match and (field := _FIELD.search(match["rest"])):
            rest = match["rest"][: field.start()] + "-" + match["rest"][field.end() :]
            fields.setdefault(rest.strip("-"), {})[field[1]] = value
    now = server_time(headers)
    allowances = []
    for name, values in fields.items():
        kind = next((kind for kind in _KINDS if kind in name), REQUESTS if _is_plain(name) else "")
        limit, remaining = _number(values.get("limit")), _number(values.get("remaining"))
        if kind and (limit is not None or remaining is not None):
            reset_s = _reset_s(values.get("reset", ""), now)
            window_s = next((_WINDOWS_S[one] for one in _WINDOWS_S if one in name), None)
            if reset_s is None:
                reset_s = window_s or _DEFAULT_WINDOW_S
            allowances.append(Allowance(name, kind, limit, remaining, reset_s))
    if not any(one.kind == TOKENS for one in allowances) and (said := _SAID_TOKENS.search(text)):
        allowances.append(_said_allowance(said, read_wait_s(headers, text)))
    return allowances


def _said_allowance(said: re.Match[str], wait_s: float | None) -> Allowance:
    """Return what a refusal's words say of tokens a minute: the limit, maybe what is used of it."""
    limit, used, requested = (
        float(said[name].replace(",", "")) if said[name] else None
        for name in ("limit", "used", "requested")
    )
    assert limit is not None
    if not limit or used is None or requested is None or not wait_s or used + requested <= limit:
        return Allowance(TOKENS, TOKENS, limit, None, 0.0)
    # In the wait it asks for, what is missing flows in.
    window_s = limit * wait_s / (used + requested - limit)
    return Allowance(
        TOKENS, TOKENS, limit, max(0.0, limit - used), used / limit * window_s, window_s
    )


def read_wait_s(headers: Mapping[str, str], text: str) -> float | None:
    """Return the seconds that a refusal asks to wait, from its headers, else from its words.

    Returns:
        At least 0, and finite; ``None`` if it asks for none.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1_000
    seconds = _reset_s(headers.get("retry-after", ""), server_time(headers))
    # Some providers state a rounded number there, and the exact one in words.
    said = _SAID_WAIT.search(text)
    if said is None:
        return seconds
    if seconds_said := said["seconds"] or said["grpc"]:
        words: float | None = float(seconds_said)
    else:
        words = duration_s(said["duration"] or said["delay"])
    return max((one for one in (seconds, words) if one is not None), default=None)


def duration_s(text: str) -> float | None:
    """Return the seconds of a duration such as ``2m59.56s``, ``6ms`` or ``6 seconds``."""
    parts = _DURATION.findall(text.lower())
    if not parts:
        return _number(text.strip())
    return sum(float(number) * _UNITS_S[unit] for number, unit in parts)


def _is_plain(name: str) -> bool:
    """Return whether a header names no kind: such limits count requests."""
    return name in ("", "policy", "req", "req-minute") or name.startswith("req")


def _reset_s(text: str, now: datetime) -> float | None:
    """Read seconds, a duration, seconds or milliseconds since 1970, or a date."""
    text = text.strip()
    if not text:
        return None
    number = _number(text)
    if number is not None:
        if number >= _EPOCH_MS:
            number /= 1_000
        return max(0.0, number - now.timestamp()) if number >= _EPOCH_S else number
    for parse in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            moment = parse(text)
        except ValueError:
            continue
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max(0.0, (moment - now).total_seconds())
    return duration_s(text)


def _number(text: str | None) -> float | None:
    try:
        number = float((text or "").strip().split(",")[0])
    except ValueError:
        return None
    return number if 0 <= number < float("inf") else None
