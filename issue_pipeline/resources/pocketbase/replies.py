"""What a reply that is no success means: PocketBase's own, another server's, or none at all."""

import re
from collections.abc import Mapping
from typing import Any

import httpx

from issue_pipeline.errors import LiveStoreAccessError, LiveStoreError
from issue_pipeline.utils.printable import printable
from issue_pipeline.utils.urls import without_user_info

_MAX_TOLD_CHARS = 300
_TOO_LARGE, _TOO_MANY, _PROXY_LOGIN = 413, 429, 407
_GATEWAY = (502, 503, 504)
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)


class BatchTooLargeError(LiveStoreError):
    """The server, or a proxy before it, takes no request of that size; a smaller one may do."""


def base_url(url: str) -> str:
    """Return the address of a PocketBase from what people paste: no ``/_/`` of its dashboard."""
    plain = url.strip().partition("#")[0].partition("?")[0]
    return re.sub(r"(/_(/.*)?|/api/?|/+)$", "", plain)


def is_pocketbases_own(data: Any) -> bool:  # noqa: ANN401
    """Return whether the JSON of a refusal is worded as PocketBase words it."""
    return isinstance(data, Mapping) and ("message" in data or "mfaId" in data)


def no_reply(url: str, error: Exception) -> LiveStoreError:
    """Return the error for a request to which nothing answered.

    Args:
        url: Without user info.
        error: Of the HTTP client.
    """
    told = without_user_info(printable(str(error), _MAX_TOLD_CHARS))
    said = f"PocketBase at {url} was not reached ({type(error).__name__}: {told})."
    lower = told.lower()
    if isinstance(error, httpx.ProxyError):
        return LiveStoreError(
            f"{said} The proxy on the way refuses: check HTTP_PROXY and HTTPS_PROXY, or name the"
            " host in NO_PROXY."
        )
    if isinstance(error, httpx.UnsupportedProtocol | httpx.InvalidURL | httpx.LocalProtocolError):
        return LiveStoreAccessError(f"{said} Check POCKETBASE_URL, such as http://127.0.0.1:8090.")
    if "certificate" in lower or "ssl" in lower:
        return LiveStoreAccessError(
            f"{said} Its TLS certificate is not accepted. Check that POCKETBASE_URL names the host"
            " of the certificate; for an authority of your own set SSL_CERT_FILE."
        )
    if "name or service" in lower or "getaddrinfo" in lower or "name resolution" in lower:
        return LiveStoreError(f"{said} Its host has no address: check POCKETBASE_URL and the DNS.")
    return LiveStoreError(
        f"{said} Is it running? Check POCKETBASE_URL. The next run completes the work."
    )


def not_pocketbase(url: str, response: httpx.Response) -> LiveStoreError:
    """Return the error for a reply that is not PocketBase's: a proxy's, or another server's.

    Args:
        url: Without user info.
        response: Whatever it is; a success that is no JSON, too.
    """
    status = response.status_code
    said = f"Not PocketBase but something else answered at {url} ({status}{_words(response)})."
    if response.is_redirect:
        to = without_user_info(printable(response.headers.get("location", ""), _MAX_TOLD_CHARS))
        return LiveStoreAccessError(
            f"{said} It leads to {to!r}: set POCKETBASE_URL to the address that it should be."
        )
    if status == _TOO_LARGE:
        return BatchTooLargeError(
            f"{said} A proxy before it takes no request of that size; raise its limit"
            " (nginx: client_max_body_size 16m)."
        )
    if status == _PROXY_LOGIN:
        return LiveStoreError(f"{said} A proxy on the way wants a login: check HTTP_PROXY.")
    if status in _GATEWAY:
        return LiveStoreError(f"{said} A proxy before it does not reach it: is PocketBase running?")
    if status == _TOO_MANY:
        return LiveStoreError(f"{said} A proxy before it limits requests; exempt this machine.")
    if status in (401, 403):
        return LiveStoreError(
            f"{said} A proxy or a login page on the way refuses us; the superuser's password is not"
            " the cause. Check HTTP_PROXY and NO_PROXY, and what stands before PocketBase."
        )
    if status >= httpx.codes.INTERNAL_SERVER_ERROR:
        return LiveStoreError(f"{said} Is a proxy before it in trouble?")
    return LiveStoreAccessError(
        f"{said} Check POCKETBASE_URL: is a prefix missing that a proxy adds, or another server"
        " there?"
    )


def login_refused(url: str, status: int, data: Mapping[str, Any], said: str) -> LiveStoreError:
    """Return the error for a login that PocketBase itself refused.

    Args:
        url: Without user info.
        status: Of the reply.
        data: Its JSON.
        said: Status and words, for the message.
    """
    said = f"Cannot log in to PocketBase at {url} ({said})."
    settings = "POCKETBASE_EMAIL and POCKETBASE_PASSWORD"
    if "mfaId" in data:
        return LiveStoreAccessError(
            f"{said} It wants a second factor, which a program cannot give: switch off"
            " multi-factor authentication of _superusers (Collections, _superusers, Options)."
        )
    if status == _TOO_MANY:
        return LiveStoreError(f"{said} {_RATE_LIMITED}")
    if status == httpx.codes.NOT_FOUND:
        return LiveStoreAccessError(
            f"{said} Its superusers are not there: is POCKETBASE_URL right, a prefix included, and"
            " PocketBase 0.23 or newer?"
        )
    if status == httpx.codes.FORBIDDEN:
        return LiveStoreAccessError(
            f"{said} Check {settings}; if both are right: may superusers log in by password"
            " (Collections, _superusers, Options), and from this machine (Settings, superuser IPs)?"
        )
    if status < httpx.codes.INTERNAL_SERVER_ERROR:
        return LiveStoreAccessError(f"{said} Check {settings}.")
    return LiveStoreError(f"{said} It is in trouble: see its log. Is its disk full?")


def request_refused(url: str, status: int, said: str) -> LiveStoreError:
    """Return the error for a request that PocketBase itself refused, after a login.

    Args:
        url: Without user info.
        status: Of the reply, or of one request of a batch.
        said: Status and words, for the message.
    """
    said = f"PocketBase at {url} failed ({said})."
    if status == _TOO_LARGE:
        return BatchTooLargeError(f"{said} Raise maxBodySize of its batches (Settings, Batch).")
    if status == _TOO_MANY:
        return LiveStoreError(f"{said} {_RATE_LIMITED}")
    if status in (401, 403, 404):
        return LiveStoreAccessError(
            f"{said} Its collections are missing or closed to us: is POCKETBASE_EMAIL a"
            " superuser, and POCKETBASE_URL the address of PocketBase itself? The collections"
            " are made by issue_pipeline/live/pb_migrations, or at login."
        )
    return LiveStoreError(
        f"{said} Is it running, and its disk not full? The next run completes the work."
    )


_RATE_LIMITED = (
    "Its rate limits were waited for in vain: raise them, or exempt this machine's address"
    " (Settings, Rate limits)."
)


def _words(response: httpx.Response) -> str:
    """Return the title or the beginning of a foreign reply, for a message."""
    text = response.text
    title = _TITLE.search(text)
    words = printable(" ".join((title[1] if title else text).split()), _MAX_TOLD_CHARS)
    return f": {without_user_info(words)!r}" if words else ""
