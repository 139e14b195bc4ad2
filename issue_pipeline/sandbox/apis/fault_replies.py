"""What the APIs answer in place of a good reply, as far as recordings and reports show it.

Each API words its errors in its own JSON. What stands before it (a proxy, a content network)
answers in HTML, and GitHub has been recorded to send HTML as ``application/json``. The words of the
archive are those of ArthurHeitmann/arctic_shift#12 and #66, and Reddit's block page is the one
quoted in mikf/gallery-dl#8641 and #8806.
"""

import json
import math
import time
from dataclasses import dataclass, field

from issue_pipeline.sandbox.apis.faults import (
    BLOCK_PAGE,
    HTML_PAGE,
    ODD_RESET,
    SECONDARY_LIMIT,
    SECONDARY_LIMIT_BARE,
    SERVER_ERROR,
    SLOW_QUERY,
    TOO_MANY_REQUESTS,
    TOO_MANY_REQUESTS_BARE,
    Fault,
)

REPLY_KINDS = (
    SERVER_ERROR,
    HTML_PAGE,
    TOO_MANY_REQUESTS,
    TOO_MANY_REQUESTS_BARE,
    SECONDARY_LIMIT,
    SECONDARY_LIMIT_BARE,
    BLOCK_PAGE,
    SLOW_QUERY,
    ODD_RESET,
)
# These say how long to wait, the last one in a unit that has to be guessed.
WAITING_KINDS = (TOO_MANY_REQUESTS, SECONDARY_LIMIT, ODD_RESET)
SECONDARY_LIMIT_WAIT_S = 60  # what GitHub's documentation asks for where the reply does not

_SECONDARY_MESSAGE = (
    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again"
)
_ABUSE_MESSAGE = (
    "You have triggered an abuse detection mechanism. "
    "Please wait a few minutes before you try again."
)
# Of the archive, all of which pass by themselves; they come with 400 as well as with 422.
_SLOW_QUERY_MESSAGES = ("Query timed out", "Slow down a little", "Timeout. Maybe slow down a bit")
_BLOCK_MESSAGES = (
    "You've been blocked by network security. To continue, log in to your Reddit account or use"
    " your developer token. If you think you've been blocked by mistake, file a ticket below and"
    " we'll look into it.",
    "Your request has been blocked due to a network policy. If you're running a script or"
    " application, please register or sign in with your developer credentials. Additionally make"
    " sure your User-Agent is not empty and is something unique and descriptive and try again.",
)
_REASONS = {
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}
# Its own numbers; 502 would mean a limit there.
_STACKEXCHANGE_ERRORS = {503: (503, "temporarily_unavailable")}
_STACKEXCHANGE_DEFAULT = (500, "internal_error")


@dataclass(frozen=True, slots=True)
class FaultReply:
    """A reply in place of the API's own."""

    status: int
    body: bytes
    content_type: str
    headers: dict[str, str] = field(default_factory=dict)


def fault_reply(api: str, fault: Fault, wait_s: int) -> FaultReply:
    """Return the reply that stands for a fault.

    Args:
        api: Whose reply it is.
        fault: Of one of ``REPLY_KINDS``.
        wait_s: What the reply asks the client to wait, where it asks for anything.
    """
    match fault.kind:
        case "server_error":
            status = (500, 502, 503, 504)[fault.pick(4)]
            return _html(status, api) if fault.pick(8) % 2 else _error(status, api)
        case "html_page":
            return _html((200, 502)[fault.pick(2)], api)
        case "too_many_requests":
            return _too_many_requests(api, fault, wait_s)
        case "too_many_requests_bare":
            return _too_many_requests_bare(api, fault)
        case "secondary_limit":
            message = (_SECONDARY_MESSAGE, _ABUSE_MESSAGE)[fault.pick(2)]
            return _json(403, {"message": message}, {"Retry-After": str(wait_s)})
        case "secondary_limit_bare":
            # What is left of the primary limit says nothing about this one.
            left = {"X-RateLimit-Limit": "30", "X-RateLimit-Remaining": "21"}
            return _json(403, {"message": f"{_SECONDARY_MESSAGE}."}, left)
        case "block_page":
            return _page(403, "Blocked", f"<p>{_BLOCK_MESSAGES[fault.pick(2)]}</p>")
        case "slow_query":
            message = _SLOW_QUERY_MESSAGES[fault.pick(3)]
            return _json((400, 422)[fault.pick(6) % 2], {"data": None, "error": message})
        case "odd_reset":
            ends_at_s = math.ceil(time.time()) + wait_s
            reset = (1_000 * wait_s, ends_at_s, 1_000 * ends_at_s)[fault.pick(3)]
            limits = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(reset)}
            return _error(429, api, limits)
        case other:
            raise ValueError(f"no reply for {other!r}; expected one of {', '.join(REPLY_KINDS)}")


def _too_many_requests(api: str, fault: Fault, wait_s: int) -> FaultReply:
    retry_after = {"Retry-After": str(wait_s)}
    match api:
        case "github":
            if fault.pick(2):
                return _json(429, {"message": _SECONDARY_MESSAGE}, retry_after)
            headers = {
                "X-RateLimit-Limit": "30",
                "X-RateLimit-Remaining": "0",
                "X-RateLimit-Reset": str(math.ceil(time.time()) + wait_s),
            }
            return _json(403, {"message": "API rate limit exceeded for user ID 1."}, headers)
        case "stackexchange":
            message = f"too many requests from this IP, more requests available in {wait_s} seconds"
            body = {"error_id": 502, "error_message": message, "error_name": "throttle_violation"}
            return _json(400, body)
        case "reddit":
            limits = {
                "x-ratelimit-used": "1000",
                "x-ratelimit-remaining": "0.0",
                "x-ratelimit-reset": str(wait_s),
            }
            return _error(429, api, limits if fault.pick(2) else retry_after)
        case "archive":
            limits = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(wait_s)}
            return _error(429, api, limits if fault.pick(2) else retry_after)
        case _:
            return _error(429, api, retry_after)


def _too_many_requests_bare(api: str, fault: Fault) -> FaultReply:
    if api == "reddit":
        return _error(429, api)
    if api == "archive" and fault.pick(2):  # its usual way to say so, or that it is overtaxed
        return _json(422, {"data": None, "error": "Timeout. Maybe slow down a bit"})
    if api == "stackexchange" and fault.pick(2):
        message = "too many requests from this IP, please wait before calling this method again"
        body = {"error_id": 502, "error_message": message, "error_name": "throttle_violation"}
        return _json(400, body)
    return _html(429, api)


def _error(status: int, api: str, headers: dict[str, str] | None = None) -> FaultReply:
    """Return a status with the API's own JSON."""
    reason = _REASONS[status]
    error_id, error_name = _STACKEXCHANGE_ERRORS.get(status, _STACKEXCHANGE_DEFAULT)
    bodies: dict[str, dict[str, object]] = {
        "github": {"message": "Server Error"},
        "stackexchange": {
            "error_id": error_id,
            "error_message": reason,
            "error_name": error_name,
        },
        "reddit": {"message": reason, "error": status},
        "archive": {"data": None, "error": reason},
        "hackernews": {"message": reason, "status": status},
    }
    return _json(status, bodies[api], headers)


def _json(
    status: int, body: dict[str, object], headers: dict[str, str] | None = None
) -> FaultReply:
    return FaultReply(
        status, json.dumps(body).encode(), "application/json; charset=utf-8", headers or {}
    )


def _html(status: int, api: str) -> FaultReply:
    """Return the page of whatever stands before the API."""
    title = "We will be back soon" if status == 200 else f"{status} {_REASONS[status]}"
    mislabelled = api == "github" and status == 503
    return _page(status, title, kind="application/json" if mislabelled else "text/html")


def _page(status: int, title: str, text: str = "", kind: str = "text/html") -> FaultReply:
    head = f"<!DOCTYPE html>\n<html><head><title>{title}</title></head>"
    body = f"<body><h1>{title}</h1>{text}</body></html>\n"
    return FaultReply(status, f"{head}{body}".encode(), f"{kind}; charset=utf-8")
