"""The one HTTP seam of all collectors: paced, patient with what passes, errors by kind."""

import json
import logging
import math
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any, TypeVar

import httpx
import stamina

from issue_pipeline.errors import (
    AccessDeniedError,
    CollectionError,
    ConfigurationError,
    NetworkBlockedError,
    QuotaExhaustedError,
    RequestRejectedError,
    TimeBudgetError,
    TransientError,
    UnexpectedReplyError,
    UnreachableError,
)
from issue_pipeline.resources.collectors.rate_limits import RateLimiter, TimeBudget
from issue_pipeline.utils.http_headers import number_in as number_in
from issue_pipeline.utils.http_headers import retry_after_s as retry_after_s
from issue_pipeline.utils.http_headers import server_time as server_time
from issue_pipeline.utils.printable import printable
from issue_pipeline.utils.proxies import is_loopback
from issue_pipeline.utils.urls import without_user_info

logger = logging.getLogger(__name__)
# Our own warnings say what happened, and nothing twice.
stamina.instrumentation.set_on_retry_hooks([])

# How much of foreign text a message quotes.
_MAX_TOLD_CHARS = 200

CONNECT_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 60.0
# With the waits between them, an outage of two minutes is ridden out.
ATTEMPTS = 8
# Where nothing has answered yet, fewer: there is no network, or the address is wrong.
FIRST_CONTACT_ATTEMPTS = 3
# A page of the longest posts is a tenth of it.
MAX_REPLY_BYTES = 64_000_000
REQUEST_TIMEOUT_S = 120.0
MAX_REDIRECTS = 3
# Our own backoff, where the server names no wait: 1, 2, 4, ... s and some jitter.
FIRST_BACKOFF_S = 1.0
LONGEST_BACKOFF_S = 60.0
JITTER_S = 1.0
# The same for a throttle that names none: 30, 60, 120, ... s.
FIRST_THROTTLE_WAIT_S = 30.0
LONGEST_THROTTLE_WAIT_S = 300.0

T = TypeVar("T")
Parameters = Mapping[str, str | int]
# Reads an unsuccessful reply the way its API means it; None leaves it to the status code.
ErrorReader = Callable[[httpx.Response], CollectionError | None]
# Reads from a successful reply for how many seconds its API wants to be left alone.
PauseReader = Callable[[httpx.Headers, Any], float]
# Reads the status of a refusal that came with status 200; 0 for a good reply.
BodyStatusReader = Callable[[Any], int]


def user_agent(contact: str = "") -> str:
    """Return the User-Agent: the project, its version, and who can be reached about its requests.

    Args:
        contact: Such as an e-mail address; ``""`` for nobody.
    """
    reached = f"; contact: {contact}" if contact else ""
    return f"issue-pipeline/{_version()} (collects public posts{reached})"


def _version() -> str:
    try:
        return version("issue-pipeline")
    except PackageNotFoundError:  # run from the source tree
        return "0"


@dataclass(frozen=True, slots=True)
class ApiPolicy:
    """How one API wants to be treated, and how it says so.

    Attributes:
        name: What messages call it, such as ``GitHub``.
        url_setting: The setting of its address, named when nothing answers there.
        setting: That of its credential, named when access is denied or a quota is spent.
        read_error: How it words its limits and refusals.
        read_pause: How a good reply asks for a pause.
        read_body_status: How it refuses with a good status.
        follow_redirects: Whether its redirects lead to the same thing under a new name.
    """

    name: str
    url_setting: str
    setting: str = ""
    read_error: ErrorReader = lambda response: None
    read_pause: PauseReader = lambda headers, payload: 0.0
    read_body_status: BodyStatusReader = lambda payload: 0
    follow_redirects: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """A successful reply.

    Attributes:
        payload: The parsed JSON.
        next_url: Where the headers say that the next page is; ``""`` if they do not. It may lie on
            another host (``ApiClient.serves``).
    """

    payload: Any
    next_url: str = ""


@dataclass(frozen=True, slots=True)
class _Request:
    """What to send, as often as it takes."""

    method: str
    path: str
    params: Parameters | None
    form: Mapping[str, str] | None
    auth: tuple[str, str] | None


class ApiClient:
    """Client of one API: one request at a time, rate limited, with retries where they can help.

    Waits that a server asks for (``TransientError.wait_s``, ``ApiPolicy.read_pause``) are obeyed
    before our own backoff, by every process of the machine. Use as a context manager.

    Attributes:
        requests: HTTP requests made, retries included.
    """

    def __init__(
        self,
        policy: ApiPolicy,
        base_url: str,
        limiter: RateLimiter,
        budget: TimeBudget,
        *,
        headers: Mapping[str, str] | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Prepare a client; nothing is sent yet.

        Args:
            policy: Of the API.
            base_url: With or without a trailing slash.
            limiter: When a request may be sent.
            budget: Of the source-day.
            headers: Sent with every request, besides the User-Agent.
            transport: For tests; the network by default.
        """
        self.name = policy.name
        self.requests = 0
        self._policy = policy
        self._limiter = limiter
        self._budget = budget
        self._backed_off_s = 0.0
        self._failed_contacts = 0
        self._throttles = 0
        self._answered = False
        self._last_trouble = ""
        self._shown_url = without_user_info(base_url)
        try:
            self._http = httpx.Client(
                base_url=base_url,
                headers={
                    "User-Agent": user_agent(),
                    "Accept": "application/json",
                    **(headers or {}),
                },
                timeout=httpx.Timeout(READ_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
                follow_redirects=policy.follow_redirects,
                max_redirects=MAX_REDIRECTS,
                transport=transport,
                # A proxy cannot reach this machine's loopback interface.
                trust_env=not is_loopback(base_url),
            )
        except (httpx.InvalidURL, UnicodeEncodeError) as error:
            raise self._cannot_be_sent(error) from None

    def __enter__(self) -> "ApiClient":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._http.close()

    @property
    def waited_s(self) -> float:
        """Seconds slept before requests: for the rate limiter, for limits, and before retries."""
        return self._limiter.waited_s + self._backed_off_s

    def serves(self, url: str) -> bool:
        """Return whether a URL lies where we ask. Our credential goes along, but nowhere else."""
        ours = self._http.base_url
        try:
            theirs = httpx.URL(url)
        except httpx.InvalidURL:
            return False
        return (ours.scheme, ours.host, ours.port) == (theirs.scheme, theirs.host, theirs.port)

    def set_header(self, name: str, value: str) -> None:
        """Send a header with every request from now on."""
        self._http.headers[name] = value

    def get(
        self, path: str, params: Parameters | None = None, *, attempts: int = ATTEMPTS
    ) -> Reply:
        """GET a path below the base URL, or the next page of a reply, and parse its JSON.

        Args:
            path: Or the URL of the next page.
            params: Of the query.
            attempts: How often it is tried.

        Raises:
            CollectionError: Of the kind that says what can be done.
        """
        return self.request("GET", path, params=params, attempts=attempts)

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Parameters | None = None,
        form: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        attempts: int = ATTEMPTS,
    ) -> Reply:
        """Send a request until it succeeds, or until trying again makes no sense."""
        try:
            return self._try(_Request(method, path, params, form, auth), attempts)
        except TimeBudgetError as error:
            if not self._last_trouble:
                raise
            raise TimeBudgetError(f"{error} Before that: {self._last_trouble}") from error

    def _try(self, request: _Request, attempts: int) -> Reply:
        failed_at: float | None = None
        for attempt in stamina.retry_context(
            on=self._backoff,
            attempts=attempts,
            timeout=None,
            wait_initial=FIRST_BACKOFF_S,
            wait_max=LONGEST_BACKOFF_S,
            wait_jitter=JITTER_S,
        ):
            if failed_at is not None:
                self._backed_off_s += time.monotonic() - failed_at
            with attempt, self._limiter.permit(self.name, self._remedy("Try again later, or set")):
                return self._request_once(request)
            failed_at = time.monotonic()
        raise AssertionError("unreachable")

    def _request_once(self, request: _Request) -> Reply:
        response = self._send(request)
        if not response.is_success:
            raise self._refusal(response)
        try:
            payload = _parse_json(response.content)
        except (ValueError, RecursionError) as error:
            raise TransientError(self._not_json(response)) from error
        if status := self._policy.read_body_status(payload):
            raise self._refusal(
                httpx.Response(
                    status,
                    headers=response.headers,
                    content=self._scrubbed(response.content, request.auth),
                    request=response.request,
                )
            )
        self._throttles = 0
        if (pause_s := self._policy.read_pause(response.headers, payload)) > 0:
            self._limiter.hold_for(pause_s)
        return Reply(payload, _next_url(response))

    def _refusal(self, response: httpx.Response) -> CollectionError:
        """Read a refusal; one that is to be waited out holds the next request of everybody."""
        refusal = (
            self._blocked(response)
            or self._policy.read_error(response)
            or self._error_by_status(response)
        )
        if not isinstance(refusal, TransientError):
            return refusal
        wait_s = refusal.wait_s
        if wait_s is None and refusal.is_throttle:
            wait_s = min(FIRST_THROTTLE_WAIT_S * 2**self._throttles, LONGEST_THROTTLE_WAIT_S)
            self._throttles += 1
        if wait_s is not None:
            self._limiter.hold_for(wait_s)
            self._refuse_long_wait(refusal, wait_s)
        return refusal

    def _blocked(self, response: httpx.Response) -> NetworkBlockedError | None:
        """Recognise who answers instead of the API: no API refuses with a web page."""
        status, words = response.status_code, _MAX_TOLD_CHARS
        if status == 407:
            return NetworkBlockedError(
                f"A proxy on the way to {self.name} wants a login (407:"
                f" {printable(response.text[:words], words)!r}). Check HTTPS_PROXY and HTTP_PROXY."
            )
        if status in (401, 403, 451) and _is_web_page(response):
            return NetworkBlockedError(
                f"A web page came instead of a reply of {self.name}: {status},"
                f" {_page_title(response)!r}. Requests from this network, or with this User-Agent,"
                " are blocked on the way or by the server's own guard. Try another network, or"
                f" later; credentials and what was asked for are not the cause. The address was"
                f" {self._shown_url} ({self._policy.url_setting})."
            )
        return None

    def _not_json(self, response: httpx.Response) -> str:
        if _is_web_page(response):
            return (
                f"{self.name} answered {response.status_code} with a web page instead of something"
                f" that is JSON: {_page_title(response)!r}. That is maintenance, or a proxy or"
                f" login page on the way; if it stays, check the network and"
                f" {self._policy.url_setting}."
            )
        return (
            f"{self.name} answered {response.status_code} with something that is not JSON:"
            f" {response.text[:120]!r}."
        )

    def _send(self, request: _Request) -> httpx.Response:
        """Send one request and read the whole reply, neither endless nor endlessly slow."""
        self.requests += 1
        end_s = time.monotonic() + min(REQUEST_TIMEOUT_S, max(1.0, self._budget.left_s))
        try:
            with self._http.stream(
                request.method,
                request.path,
                # httpx takes an empty mapping as "no query", even of a URL that has one.
                params=request.params or None,
                data=request.form,
                auth=request.auth or httpx.USE_CLIENT_DEFAULT,
            ) as response:
                self._answered = True
                self.requests += len(response.history)
                content = bytearray()
                for chunk in response.iter_bytes():
                    content += chunk
                    if len(content) > MAX_REPLY_BYTES or time.monotonic() > end_s:
                        raise TransientError(
                            f"A reply of {self.name} is too long or too slow: {len(content):,}"
                            f" bytes came in {REQUEST_TIMEOUT_S - end_s + time.monotonic():.0f} s."
                        )
        except (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.InvalidURL) as error:
            raise self._cannot_be_sent(error) from None
        except httpx.TooManyRedirects as error:
            raise RequestRejectedError(
                f"{self.name} sends us from one address to the next, starting at {request.path}."
            ) from error
        except httpx.RequestError as error:
            raise self._not_reached(error) from error
        return self._without_secrets(response, bytes(content), request.auth)

    def _without_secrets(
        self, response: httpx.Response, content: bytes, auth: tuple[str, str] | None
    ) -> httpx.Response:
        """Return the reply as read, without our credential where a refusal repeats it."""
        if not response.is_success:
            content = self._scrubbed(content, auth)
        as_it_travelled = ("content-encoding", "content-length", "transfer-encoding")
        headers = [
            (name, value)
            for name, value in response.headers.multi_items()
            if name not in as_it_travelled
        ]
        return httpx.Response(
            response.status_code, headers=headers, content=content, request=response.request
        )

    def _scrubbed(self, content: bytes, auth: tuple[str, str] | None) -> bytes:
        credential = self._http.headers.get("Authorization", "").split()[-1:]
        for secret in (*credential, *(auth or ())):
            content = content.replace(secret.encode("utf-8", "replace"), b"[secret]")
        return content

    def _cannot_be_sent(self, error: Exception) -> ConfigurationError:
        # The library's message may quote a header, and with it a secret: not ours.
        settings = " and ".join(
            name for name in (self._policy.url_setting, self._policy.setting) if name
        )
        return ConfigurationError(
            f"A request to {self.name} at {self._shown_url} cannot be sent"
            f" ({type(error).__name__}). Check {settings} (spaces, line breaks, odd characters)."
        )

    def _not_reached(self, error: httpx.RequestError) -> CollectionError:
        told = f"{type(error).__name__}: {printable(str(error), _MAX_TOLD_CHARS)}"
        check = f"the network and {self._policy.url_setting}"
        if isinstance(error, httpx.ProxyError):
            check = "the proxy (HTTPS_PROXY, HTTP_PROXY)"
        elif "CERTIFICATE_VERIFY_FAILED" in str(error):
            check = (
                f"{self._policy.url_setting}, and whether a proxy on the way replaces certificates"
                " (SSL_CERT_FILE)"
            )
        said = f"{self.name} could not be reached at {self._shown_url} ({told}). Check {check}."
        self._failed_contacts += isinstance(error, httpx.ConnectError)
        if not self._answered and self._failed_contacts >= FIRST_CONTACT_ATTEMPTS:
            return UnreachableError(said)
        return TransientError(said)

    def _backoff(self, error: Exception) -> bool:
        """Return whether to try again (stamina's hook), after the wait that the server named."""
        if isinstance(error, TransientError):
            self._last_trouble = str(error)
            logger.warning("%s", error)
        return isinstance(error, TransientError)

    def _refuse_long_wait(self, error: TransientError, wait_s: float) -> None:
        """A limit that ends later than we may wait is a spent quota, not worth a retry."""
        if wait_s > self._budget.left_s:
            raise QuotaExhaustedError(
                f"{error} It wants us to wait {wait_s:.0f} s; {max(0, self._budget.left_s):.0f} s"
                f" are left of the source-day's time.{self._remedy('Try again later, or set')}"
            ) from error

    def _error_by_status(self, response: httpx.Response) -> CollectionError:
        status = response.status_code
        said = f"{self.name} answered {status}: {response.text[:_MAX_TOLD_CHARS]!r}."
        if status in (408, 425, 429) or status >= 500:
            return TransientError(
                said, wait_s=retry_after_s(response.headers), is_throttle=status == 429
            )
        address = self._policy.url_setting
        if status in (401, 403):
            return AccessDeniedError(f"{said} Check {self._policy.setting or address}.")
        if status == 451:
            return RequestRejectedError(f"{said} It is withheld for legal reasons.")
        url = without_user_info(str(response.request.url))
        return RequestRejectedError(f"{said} The request was {url}. Check {address}.")

    def _remedy(self, advice: str) -> str:
        return f" {advice} {self._policy.setting}." if self._policy.setting else ""


def _parse_json(content: bytes) -> Any:  # noqa: ANN401
    """Read JSON; bytes that are no text become U+FFFD, for one of them must not hide a page."""
    try:
        return json.loads(content)
    except UnicodeDecodeError:
        return json.loads(content.decode("utf-8-sig", "replace"))


def _is_web_page(response: httpx.Response) -> bool:
    """Return whether a reply is HTML, by what it says or by how it begins."""
    start = response.content[:200].lstrip().lower()
    says_so = "html" in response.headers.get("content-type", "")
    tags = (b"<",) if says_so else (b"<!doctype html", b"<html", b"<head", b"<body")
    return start.startswith(tags)


def _page_title(response: httpx.Response) -> str:
    """Return the title of a web page, or how it begins."""
    start = response.text[:10_000]
    match = re.search(r"<title[^>]*>([^<]{1,200})", start, re.IGNORECASE)
    return printable((match[1] if match else start).strip(), 100)


def within_window(seconds: float | None, longest_s: float) -> float | None:
    """Read how long a limit's window lasts, which some servers state as a moment.

    Args:
        seconds: As stated: seconds, or seconds or milliseconds since 1970.
        longest_s: How long such a window can last.

    Returns:
        Seconds in [0, ``longest_s``]; ``None`` where nothing, or no number, was stated.
    """
    if seconds is None or not math.isfinite(seconds):
        return None
    if seconds > 1e11:
        seconds /= 1_000
    if seconds > 1e8:
        seconds -= time.time()
    return min(max(0.0, seconds), longest_s)


def _next_url(response: httpx.Response) -> str:
    url = response.links.get("next", {}).get("url", "")
    try:
        return str(response.request.url.join(url)) if url else ""
    except httpx.InvalidURL:
        return url


def expect(payload: Any, key: str, kind: type[T], api: str) -> T:  # noqa: ANN401
    """Take what every reply of a kind must have.

    Raises:
        UnexpectedReplyError: The key is missing or of another type.
    """
    value = payload.get(key) if isinstance(payload, dict) else None
    if not isinstance(value, kind):
        raise UnexpectedReplyError(
            f"A reply of {api} has no {key} of type {kind.__name__}: {str(payload)[:200]!r}."
        )
    return value
