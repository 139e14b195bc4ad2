"""``PocketBaseResource``: reading and writing the live store."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import dagster as dg
from pydantic import Field

from issue_pipeline.errors import ConfigurationError, LiveStoreAccessError, LiveStoreError
from issue_pipeline.publishing import Change, Fields, IssueChanges, LiveIssue
from issue_pipeline.utils.printable import printable
from issue_pipeline.utils.urls import without_user_info

logger = logging.getLogger(__name__)

# Well below the server's own limit, so that one batch stays a fraction of a second.
BATCH_REQUESTS = 200
PAGE_RECORDS = 500
TIMEOUT_S = 60.0
_MAX_TOLD_CHARS = 300
# HTTP statuses: no login, no permission, no such collection; a wrong password is a 400.
_NO_ACCESS = (401, 403, 404)
_BAD_CONTENT = 400

_ISSUE_FIELDS = (
    "issue_date", "cluster_id", "fingerprint", "title", "category", "description", "would_pay",
    "impact", "size", "sources", "complete",
)  # fmt: skip
_EVIDENCE_FIELDS = ("issue", "source", "url", "title", "snippet", "posted_at", "comments", "votes")


class PocketBaseResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The live store, written as a superuser.

    Attributes:
        url: Base URL of the server, such as ``http://127.0.0.1:8090``.
        email: Superuser's e-mail.
        password: Superuser's password.
    """

    url: str = ""
    email: str = Field(default="", repr=False)
    password: str = Field(default="", repr=False)

    @contextmanager
    def connect(self) -> "Iterator[LiveStore]":
        """Log in.

        Raises:
            ConfigurationError: A setting is missing.
            LiveStoreAccessError: The server refuses the credentials.
            LiveStoreError: It does not answer, or is in trouble.
        """
        for name, value in (
            ("POCKETBASE_URL", self.url),
            ("POCKETBASE_EMAIL", self.email),
            ("POCKETBASE_PASSWORD", self.password),
        ):
            if not value:
                raise ConfigurationError(f"{name} is not set; the live store needs it.")
        from pocketbase import PocketBase

        client = PocketBase(self.url, timeout=TIMEOUT_S)
        try:
            store = LiveStore(client, self.url)
            store.log_in(self.email, self.password)
            yield store
        finally:
            client.http_client.close()


@dataclass(slots=True)
class Outcome:
    """What became of a plan: the issues written, and the error of each that was set aside."""

    written: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)


class LiveStore:
    """A logged-in connection to the live store."""

    def __init__(self, client: Any, url: str) -> None:  # noqa: ANN401
        self._client = client
        self._shown_url = without_user_info(url)

    def log_in(self, email: str, password: str) -> None:
        """Log in as a superuser.

        Raises:
            LiveStoreAccessError: The server refuses the credentials.
            LiveStoreError: It does not answer, or is in trouble.
        """
        try:
            self._client.collection("_superusers").auth_with_password(email, password)
        except Exception as error:  # the SDK raises more than its own error
            said = f"Cannot log in to PocketBase at {self._shown_url} ({_short(error)})."
            # Without their cause, whose own words may hold the URL with its user info.
            if getattr(error, "status", 0) in (_BAD_CONTENT, *_NO_ACCESS):
                raise LiveStoreAccessError(
                    f"{said} Check POCKETBASE_EMAIL and POCKETBASE_PASSWORD."
                ) from None
            raise LiveStoreError(f"{said} Is it running? Check POCKETBASE_URL.") from None

    def issues_of_day(self, day: date) -> dict[str, LiveIssue]:
        """Read every issue of a day with its evidence, by record id."""
        evidence: dict[str, dict[str, Fields]] = {}
        # A day is digits and dashes: nothing foreign gets into the filters.
        for record in self._records("issue_evidence", f"issue.issue_date = '{day.isoformat()}'"):
            fields = {name: record[name] for name in _EVIDENCE_FIELDS}
            evidence.setdefault(record["issue"], {})[record["id"]] = fields
        return {
            record["id"]: LiveIssue(
                record["id"],
                {name: record[name] for name in _ISSUE_FIELDS},
                evidence.get(record["id"], {}),
            )
            for record in self._records("issues", f"issue_date = '{day.isoformat()}'")
        }

    def apply(self, plan: Sequence[IssueChanges]) -> Outcome:
        """Write a plan in batches; an issue that the server refuses is set aside with its error.

        Raises:
            LiveStoreAccessError: The server does not let us write.
            LiveStoreError: The server stopped answering; the next run completes the work.
        """
        outcome = Outcome()
        for group in _batches(plan):
            try:
                self._send_all([change for issue in group for change in issue.changes])
                outcome.written += [issue.record_id for issue in group]
            except _RefusedError:
                # A batch is all or nothing: find out which of its issues is to blame.
                for issue in group:
                    self._apply_alone(issue, outcome)
        return outcome

    def _apply_alone(self, issue: IssueChanges, outcome: Outcome) -> None:
        try:
            self._send_all(issue.changes)
            outcome.written.append(issue.record_id)
        except _RefusedError as error:
            logger.warning("issue %s is set aside: %s", issue.record_id, error)
            outcome.failed[issue.record_id] = str(error)

    def _send_all(self, changes: Sequence[Change]) -> None:
        for start in range(0, len(changes), BATCH_REQUESTS):
            requests = [_request(change) for change in changes[start : start + BATCH_REQUESTS]]
            self._send("/api/batch", {"method": "POST", "body": {"requests": requests}})

    def _records(self, collection: str, condition: str) -> Iterator[Mapping[str, Any]]:
        page = 1
        while True:
            reply = self._send(
                f"/api/collections/{collection}/records",
                {
                    "method": "GET",
                    "params": {
                        "filter": condition,
                        "sort": "id",
                        "page": page,
                        "perPage": PAGE_RECORDS,
                        "skipTotal": 1,
                    },
                },
            )
            yield from reply["items"]
            if len(reply["items"]) < PAGE_RECORDS:
                return
            page += 1

    def _send(self, path: str, options: dict[str, Any]) -> Any:  # noqa: ANN401
        from pocketbase.errors import ClientResponseError

        try:
            return self._client.send(path, options)
        except ClientResponseError as error:
            if error.status == _BAD_CONTENT:
                raise _RefusedError(_short(error)) from None
            said = f"PocketBase at {self._shown_url} failed ({_short(error)})."
            if error.status in _NO_ACCESS:
                raise LiveStoreAccessError(
                    f"{said} Its collections are missing or closed to us: start it with the"
                    " migrations of issue_pipeline/live/pb_migrations."
                ) from None
            raise LiveStoreError(f"{said} The next run completes the work.") from None


class _RefusedError(LiveStoreError):
    """The server refuses the content of a request (400)."""


def _request(change: Change) -> dict[str, Any]:
    path = f"/api/collections/{change.collection}/records"
    if change.fields is None:
        return {"method": "DELETE", "url": f"{path}/{change.record_id}"}
    # Within a batch, PUT creates or updates by id.
    return {"method": "PUT", "url": path, "body": {"id": change.record_id, **change.fields}}


def _batches(plan: Sequence[IssueChanges]) -> Iterator[list[IssueChanges]]:
    """Pack whole issues into batches; an issue larger than a batch goes alone."""
    group: list[IssueChanges] = []
    size = 0
    for issue in plan:
        if group and size + len(issue.changes) > BATCH_REQUESTS:
            yield group
            group, size = [], 0
        group.append(issue)
        size += len(issue.changes)
    if group:
        yield group


def _short(error: Exception) -> str:
    status = getattr(error, "status", 0)
    data = without_user_info(str(getattr(error, "data", None) or error))
    return f"{status or type(error).__name__}: {printable(data, _MAX_TOLD_CHARS)}"
