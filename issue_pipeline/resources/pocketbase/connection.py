"""Requests to PocketBase as a superuser: one login, waits for rate limits, errors by kind."""

import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from issue_pipeline.errors import LiveStoreError
from issue_pipeline.resources.pocketbase.replies import (
    is_pocketbases_own,
    login_refused,
    no_reply,
    not_pocketbase,
    request_refused,
)
from issue_pipeline.utils.http_headers import retry_after_s
from issue_pipeline.utils.printable import printable
from issue_pipeline.utils.urls import without_user_info

logger = logging.getLogger(__name__)

_MAX_TOLD_CHARS = 300
_BAD_CONTENT, _UNKNOWN, _TOO_MANY = 400, 404, 429
_NOT_LOGGED_IN = (401, 403)
LOGIN_PATH = "/api/collections/_superusers/auth-with-password"
# Its rate limits count requests of some seconds and name no wait: 1, 2, 4, ... s in between.
FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 30.0
RATE_LIMIT_WAITS_S = 180.0

Json = dict[str, Any]


class RefusedError(LiveStoreError):
    """The server refuses what one request of a batch would write; nothing of it was written.

    Attributes:
        index: Which request.
        is_missing: It is about a record that is not there.
    """

    def __init__(self, message: str, index: int, *, is_missing: bool) -> None:
        super().__init__(message)
        self.index = index
        self.is_missing = is_missing


class PocketBaseConnection:
    """A superuser's session; logs in again when its token has expired.

    Args:
        client: The SDK's client.
        url: For messages.
    """

    def __init__(self, client: Any, url: str, *, email: str, password: str) -> None:  # noqa: ANN401
        self._client = client
        self._client.after_send = self._note_response
        self._response: httpx.Response | None = None
        self.shown_url = without_user_info(url)
        self._email = email
        self._password = password

    def log_in(self) -> None:
        """Log in, or log in again.

        Raises:
            LiveStoreAccessError: The server refuses the login, or is no PocketBase.
            LiveStoreError: It does not answer, or is in trouble.
        """
        from pocketbase.errors import ClientResponseError

        self._client.auth_store.clear()
        body = {"identity": self._email, "password": self._password}
        try:
            reply = self._exchange(LOGIN_PATH, {"method": "POST", "body": body})
        except ClientResponseError as error:
            # Without its cause, whose own words may hold the URL with its user info.
            raise self._foreign(error) or login_refused(
                self.shown_url, error.status, error.data, _short(error)
            ) from None
        if not isinstance(reply, dict) or not isinstance(reply.get("token"), str):
            raise self._not_pocketbase()
        self._client.auth_store.save(reply["token"], None)

    def send(
        self, method: str, path: str, *, params: Json | None = None, body: Json | None = None
    ) -> Any:  # noqa: ANN401
        """Send one request and return the reply's JSON.

        Raises:
            LiveStoreAccessError: We may not do this, even after logging in again.
            LiveStoreError: The server does not answer, or is in trouble.
        """
        from pocketbase.errors import ClientResponseError

        options = {"method": method, "params": params, "body": body}
        try:
            try:
                return self._exchange(path, options)
            except ClientResponseError as error:
                if error.status not in _NOT_LOGGED_IN or not is_pocketbases_own(error.data):
                    raise
            self.log_in()
            return self._exchange(path, options)
        except ClientResponseError as error:
            raise self._failure(error, error.status) from None

    def send_batch(self, requests: Sequence[Json]) -> list[Json]:
        """Write records, all or none of them; returns each request's ``{"status", "body"}``.

        Raises:
            RefusedError: The first request that the server does not take.
            BatchTooLargeError: All of them together are too large; fewer may do.
            LiveStoreAccessError: We may not write, even after logging in again.
            LiveStoreError: The server does not answer, or is in trouble, such as a full disk.
        """
        from pocketbase.errors import ClientResponseError

        options = {"method": "POST", "body": {"requests": list(requests)}}
        for is_last_try in (False, True):
            try:
                return list(self._exchange("/api/batch", options))
            except ClientResponseError as error:
                index, inner = _failed_request(error.data)
                status = inner.get("status", error.status)
                # A batch is open to everybody: an expired token shows in the request inside it.
                is_own = is_pocketbases_own(error.data)
                if status in _NOT_LOGGED_IN and is_own and not is_last_try:
                    self.log_in()
                    continue
                if index is not None and status == _BAD_CONTENT and inner.get("data"):
                    raise RefusedError(_complaints(inner), index, is_missing=False) from None
                if index is not None and requests[index]["method"] == "DELETE":
                    if status == _UNKNOWN:
                        raise RefusedError("not there", index, is_missing=True) from None
                    if status == _BAD_CONTENT:  # such as a record that others refer to
                        said = printable(str(inner.get("message")), _MAX_TOLD_CHARS)
                        raise RefusedError(said, index, is_missing=False) from None
                # What names no field is not about content: the disk is full, the database locked.
                raise self._failure(error, status) from None
        raise AssertionError("unreachable")

    def _exchange(self, path: str, options: Json) -> Any:  # noqa: ANN401
        """Send a request, waiting while rate limits refuse it, and return the reply's JSON.

        Raises:
            ClientResponseError: The SDK's, for a refusal or no reply.
            LiveStoreError: What answered is no PocketBase.
        """
        from pocketbase.errors import ClientResponseError

        give_up_s = time.monotonic() + RATE_LIMIT_WAITS_S
        wait_s = FIRST_WAIT_S
        while True:
            self._response = None
            try:
                data = self._client.send(path, options)
            except ClientResponseError as error:
                if error.status != _TOO_MANY:
                    raise
                asked_s = retry_after_s(self._response.headers) if self._response else None
                pause_s = wait_s if asked_s is None else max(asked_s, FIRST_WAIT_S)
                if time.monotonic() + pause_s > give_up_s:
                    raise
                logger.info("PocketBase: waiting %.0f s for its rate limits", pause_s)
                time.sleep(pause_s)
                wait_s = min(2 * wait_s, LONGEST_WAIT_S)
            else:
                is_empty = self._response is not None and self._response.status_code == 204
                if not is_empty and not isinstance(data, dict | list):
                    raise self._not_pocketbase()
                return data

    def _note_response(self, response: httpx.Response, data: Any, _: Json) -> Any:  # noqa: ANN401
        self._response = response
        return data

    def _failure(self, error: Any, status: int) -> LiveStoreError:  # noqa: ANN401
        return self._foreign(error) or request_refused(self.shown_url, status, _short(error))

    def _foreign(self, error: Any) -> LiveStoreError | None:  # noqa: ANN401
        """Return the error if nothing answered or something else did; ``None`` for a refusal."""
        if not error.status:
            return no_reply(self.shown_url, error.original_error or error)
        return None if is_pocketbases_own(error.data) else self._not_pocketbase()

    def _not_pocketbase(self) -> LiveStoreError:
        assert self._response is not None
        return not_pocketbase(self.shown_url, self._response)


def _failed_request(data: Json) -> tuple[int | None, Json]:
    """Find which request of a batch failed, and its own reply; (None, {}) if none is named."""
    details = data.get("data")
    named = details.get("requests") if isinstance(details, dict) else None
    for index, failure in named.items() if isinstance(named, dict) else ():
        if str(index).isdecimal() and isinstance(failure, dict):
            response = failure.get("response")
            return int(index), response if isinstance(response, dict) else {}
    return None, {}


def _complaints(reply: Mapping[str, Any]) -> str:
    fields = reply["data"].items()
    told = [f"{name}: {what.get('message', what)}" for name, what in fields]
    return printable("; ".join(told), _MAX_TOLD_CHARS)


def _short(error: Any) -> str:  # noqa: ANN401
    data = without_user_info(str(error.data or error))
    return f"{error.status}: {printable(data, _MAX_TOLD_CHARS)}"
