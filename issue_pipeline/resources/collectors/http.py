"""The one HTTP seam of all collectors: pacing, retries, limits, and errors by kind."""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
import stamina

from issue_pipeline.errors import (
    AccessDeniedError,
    CollectionError,
    ConfigurationError,
    QuotaExhaustedError,
    RequestRejectedError,
    TransientError,
    UnexpectedReplyError,
)
from issue_pipeline.utils.printable import printable
from issue_pipeline.utils.urls import without_user_info

logger = logging.getLogger(__name__)

# How much of foreign text a message quotes.
_MAX_TOLD_CHARS = 200

USER_AGENT = "issue-pipeline/0.1 (collects public posts; Python httpx)"
CONNECT_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 60.0
ATTEMPTS = 6
# Our own backoff, where the server names no wait: 1, 2, 4, 8, 16 s and up to 1 s of jitter.
FIRST_BACKOFF_S = 1.0
# Longest wait we accept from a server in one go: GitHub's hourly window, and some.
MAX_WAIT_S = 3_900.0

T = TypeVar("T")
Parameters = Mapping[str, str | int]
# Reads an unsuccessful reply the way its API means it; None leaves it to the status code.
ErrorReader = Callable[[httpx.Response], CollectionError | None]


@dataclass(frozen=True, slots=True)
class Reply:
    """A successful reply: the parsed JSON and the headers that came with it."""

    payload: Any
    headers: httpx.Headers


class ApiClient:
    """Talks to one API: one request at a time, paced, retried where that can help.

    Waits that a server asks for (``TransientError.wait_s``) are obeyed before our own backoff.
    Use as a context manager.

    Attributes:
        requests: HTTP requests made, retries included.
        waited_s: Seconds slept before them: for our own pace, for limits, and before retries.
    """

    def __init__(
        self,
        name: str,
        base_url: str,
        *,
        requests_per_minute: float,
        headers: Mapping[str, str] | None = None,
        read_error: ErrorReader = lambda response: None,
        setting: str = "",
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Prepare a client; nothing is sent yet.

        Args:
            name: What messages call the API, such as ``GitHub``.
            base_url: With or without a trailing slash.
            requests_per_minute: Our own pace, above 0.
            headers: Sent with every request, besides the User-Agent.
            read_error: How this API words its limits and refusals.
            setting: The credential's setting, named when access is denied.
            transport: For tests; the network by default.
        """
        self.name = name
        self.requests = 0
        self.waited_s = 0.0
        self._setting = setting
        self._shown_url = without_user_info(base_url)
        self._interval_s = 60.0 / requests_per_minute
        self._next_at = 0.0
        self._read_error = read_error
        self._http = httpx.Client(
            base_url=base_url,
            headers={"User-Agent": USER_AGENT, "Accept": "application/json", **(headers or {})},
            timeout=httpx.Timeout(READ_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
            follow_redirects=False,
            transport=transport,
        )

    def __enter__(self) -> "ApiClient":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._http.close()

    def set_header(self, name: str, value: str) -> None:
        """Send a header with every request from now on."""
        self._http.headers[name] = value

    def get(self, path: str, params: Parameters | None = None) -> Reply:
        """GET a path below the base URL and parse the JSON of the reply.

        Raises:
            CollectionError: Of the kind that says what can be done.
        """
        return self.request("GET", path, params=params)

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Parameters | None = None,
        form: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
    ) -> Reply:
        """Send a request until it succeeds, or until trying again makes no sense."""
        failed_at: float | None = None
        for attempt in stamina.retry_context(
            on=self._backoff,
            attempts=ATTEMPTS,
            timeout=None,
            wait_initial=FIRST_BACKOFF_S,
            wait_max=60.0,
        ):
            if failed_at is not None:
                self.waited_s += time.monotonic() - failed_at
            with attempt:
                return self._request_once(method, path, params=params, form=form, auth=auth)
            failed_at = time.monotonic()
        raise AssertionError("unreachable")

    def hold_for(self, seconds: float) -> None:
        """Send nothing for this long: the server asked for it in a successful reply."""
        self._next_at = max(self._next_at, time.monotonic() + min(seconds, MAX_WAIT_S))

    def _request_once(
        self,
        method: str,
        path: str,
        *,
        params: Parameters | None,
        form: Mapping[str, str] | None,
        auth: tuple[str, str] | None,
    ) -> Reply:
        self._pace()
        self.requests += 1
        try:
            response = self._http.request(
                method, path, params=params, data=form, auth=auth or httpx.USE_CLIENT_DEFAULT
            )
        except (httpx.UnsupportedProtocol, httpx.LocalProtocolError) as error:
            # The library's message may quote a header, and with it a secret: not ours.
            raise ConfigurationError(
                f"A request to {self.name} at {self._shown_url} cannot be sent"
                f" ({type(error).__name__}). Check the API's URL setting"
                + (f" and {self._setting} (spaces, line breaks)." if self._setting else ".")
            ) from None
        except httpx.RequestError as error:
            told = f"{type(error).__name__}: {printable(str(error), _MAX_TOLD_CHARS)}"
            raise TransientError(
                f"{self.name} could not be reached at {self._shown_url} ({told})."
                " Check the network and the API's URL setting."
            ) from error
        if not response.is_success:
            raise self._within_reach(self._read_error(response) or self._error_by_status(response))
        try:
            return Reply(response.json(), response.headers)
        except ValueError as error:
            raise TransientError(
                f"{self.name} answered {response.status_code} with something that is not JSON:"
                f" {response.text[:120]!r}."
            ) from error

    def _pace(self) -> None:
        wait_s = self._next_at - time.monotonic()
        if wait_s > 0:
            if wait_s > 5:
                logger.info("%s: waiting %.0f s for its limits", self.name, wait_s)
            time.sleep(wait_s)
            self.waited_s += wait_s
        self._next_at = time.monotonic() + self._interval_s

    def _backoff(self, error: Exception) -> bool | float:
        """Whether to try again (stamina's hook), after exactly how many seconds if told."""
        if not isinstance(error, TransientError):
            return False
        logger.warning("%s", error)
        return True if error.wait_s is None else error.wait_s

    def _within_reach(self, error: CollectionError) -> CollectionError:
        """A limit that ends later than we are ready to wait is a spent quota, not worth a retry."""
        if not isinstance(error, TransientError) or (error.wait_s or 0.0) <= MAX_WAIT_S:
            return error
        remedy = f" Try again later, or set {self._setting}." if self._setting else ""
        return QuotaExhaustedError(
            f"{error} It wants us to wait {error.wait_s:.0f} s; we wait up to {MAX_WAIT_S:.0f} s."
            f"{remedy}"
        )

    def _error_by_status(self, response: httpx.Response) -> CollectionError:
        status = response.status_code
        said = f"{self.name} answered {status}: {response.text[:200]!r}."
        if status in (408, 425, 429) or status >= 500:
            return TransientError(said, wait_s=retry_after_s(response.headers))
        if status in (401, 403):
            remedy = f" Check {self._setting}." if self._setting else ""
            return AccessDeniedError(f"{said}{remedy}")
        url = without_user_info(str(response.request.url))
        return RequestRejectedError(f"{said} The request was {url}.")


def retry_after_s(headers: httpx.Headers) -> float | None:
    """Read ``Retry-After`` in seconds; ``None`` where it is absent or a date."""
    try:
        return max(0.0, float(headers["retry-after"]))
    except (KeyError, ValueError):
        return None


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
