"""Requests to PocketBase as a superuser, and what its refusals mean."""

from collections.abc import Mapping, Sequence
from typing import Any

from issue_pipeline.errors import LiveStoreAccessError, LiveStoreError
from issue_pipeline.utils.printable import printable
from issue_pipeline.utils.urls import without_user_info

_MAX_TOLD_CHARS = 300
_BAD_CONTENT, _UNKNOWN = 400, 404
# No login, no permission, no such collection; a wrong password is a 400.
_NO_ACCESS = (401, 403, _UNKNOWN)
_NOT_LOGGED_IN = (401, 403)

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
        self.shown_url = without_user_info(url)
        self._email = email
        self._password = password

    def log_in(self) -> None:
        """Log in, or log in again.

        Raises:
            LiveStoreAccessError: The server refuses the credentials.
            LiveStoreError: It does not answer, or is in trouble.
        """
        self._client.auth_store.clear()
        try:
            self._client.collection("_superusers").auth_with_password(self._email, self._password)
        except Exception as error:  # the SDK raises more than its own error
            said = f"Cannot log in to PocketBase at {self.shown_url} ({_short(error)})."
            # Without their cause, whose own words may hold the URL with its user info.
            if getattr(error, "status", 0) in (_BAD_CONTENT, *_NO_ACCESS):
                raise LiveStoreAccessError(
                    f"{said} Check POCKETBASE_EMAIL and POCKETBASE_PASSWORD."
                ) from None
            raise LiveStoreError(f"{said} Is it running? Check POCKETBASE_URL.") from None

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
                return self._client.send(path, options)
            except ClientResponseError as error:
                if error.status not in _NOT_LOGGED_IN:
                    raise
            self.log_in()
            return self._client.send(path, options)
        except ClientResponseError as error:
            raise self._failure(_short(error), error.status) from None

    def send_batch(self, requests: Sequence[Json]) -> list[Json]:
        """Write records, all or none of them; returns each request's ``{"status", "body"}``.

        Raises:
            RefusedError: The first request that the server does not take.
            LiveStoreAccessError: We may not write, even after logging in again.
            LiveStoreError: The server does not answer, or is in trouble, such as a full disk.
        """
        from pocketbase.errors import ClientResponseError

        options = {"method": "POST", "body": {"requests": list(requests)}}
        for is_last_try in (False, True):
            try:
                return list(self._client.send("/api/batch", options))
            except ClientResponseError as error:
                index, inner = _failed_request(error.data)
                status = inner.get("status", error.status)
                # A batch is open to everybody: an expired token shows in the request inside it.
                if status in _NOT_LOGGED_IN and not is_last_try:
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
                raise self._failure(_short(error), status) from None
        raise AssertionError("unreachable")

    def _failure(self, what: str, status: int) -> LiveStoreError:
        said = f"PocketBase at {self.shown_url} failed ({what})."
        if status in _NO_ACCESS:
            return LiveStoreAccessError(
                f"{said} Its collections are missing or closed to us: is POCKETBASE_EMAIL a"
                " superuser, and POCKETBASE_URL the address of PocketBase itself? The collections"
                " are made by issue_pipeline/live/pb_migrations, or at login."
            )
        return LiveStoreError(
            f"{said} Is it running, and its disk not full? The next run completes the work."
        )


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


def _short(error: Exception) -> str:
    status = getattr(error, "status", 0)
    data = without_user_info(str(getattr(error, "data", None) or error))
    return f"{status or type(error).__name__}: {printable(data, _MAX_TOLD_CHARS)}"
