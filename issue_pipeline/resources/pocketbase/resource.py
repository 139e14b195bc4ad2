"""``PocketBaseResource``: reading and writing the live store."""

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

import dagster as dg
from pydantic import Field

from issue_pipeline.errors import ConfigurationError
from issue_pipeline.resources.pocketbase.connection import PocketBaseConnection, RefusedError
from issue_pipeline.resources.pocketbase.records import Change, Fields, IssueChanges, LiveIssue
from issue_pipeline.resources.pocketbase.replies import BatchTooLargeError, base_url
from issue_pipeline.resources.pocketbase.schema import (
    collections_open_to_all,
    ensure_schema,
    field_names,
)
from issue_pipeline.utils.proxies import is_loopback
from issue_pipeline.utils.urls import is_web_address, without_user_info

logger = logging.getLogger(__name__)

# Well below the server's own limit, so that one batch stays a fraction of a second.
BATCH_REQUESTS = 200
PAGE_RECORDS = 1000
# The server refuses filters of more than a hundred and some conditions.
IDS_IN_A_FILTER = 50
TIMEOUT_S = 60.0


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
        """Log in, and make the collections if the server does not have them.

        Raises:
            ConfigurationError: A setting is missing.
            LiveStoreAccessError: The server refuses the credentials, or has collections of the same
                names that do not fit.
            LiveStoreError: It does not answer, or is in trouble.
        """
        url = base_url(self.url)
        for name, value in (
            ("POCKETBASE_URL", url),
            ("POCKETBASE_EMAIL", self.email),
            ("POCKETBASE_PASSWORD", self.password),
        ):
            if not value:
                raise ConfigurationError(f"{name} is not set; the live store needs it.")
        from pocketbase import PocketBase

        if not is_web_address(url):
            raise ConfigurationError(
                f"POCKETBASE_URL is {without_user_info(url)!r}; expected an address such as"
                " http://127.0.0.1:8090."
            )
        # A proxy cannot reach this machine's loopback interface, and would read the password.
        client = PocketBase(url, timeout=TIMEOUT_S, trust_env=not is_loopback(url))
        try:
            connection = PocketBaseConnection(client, url, email=self.email, password=self.password)
            connection.log_in()
            ensure_schema(connection)
            yield LiveStore(connection)
        finally:
            client.http_client.close()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one issue of a plan.

    Attributes:
        error: What the server refused of it; ``""`` if all of it is written.
    """

    record_id: str
    error: str = ""


class LiveStore:
    """A logged-in connection to the live store."""

    def __init__(self, connection: PocketBaseConnection) -> None:
        self._connection = connection

    def issues_of_day(self, day: date, known: Collection[str] = ()) -> dict[str, LiveIssue]:
        """Read every issue of a day with its evidence, by record id.

        Args:
            day: UTC day.
            known: Record ids to read, too, if they are there on another day, where only somebody's
                hand can have put them.

        Raises:
            LiveStoreAccessError: The server does not let us read.
            LiveStoreError: It does not answer, or is in trouble.
        """
        # A day is digits and dashes, an id letters and digits: nothing foreign gets into a filter.
        issue_fields, evidence_fields = field_names("issues"), field_names("issue_evidence")
        issues = dict(self._records("issues", f"issue_date = '{day.isoformat()}'", issue_fields))
        for condition in _any_of("id", sorted(set(known) - set(issues))):
            issues.update(self._records("issues", condition, issue_fields))
        evidence: dict[str, dict[str, Fields]] = {record_id: {} for record_id in issues}
        # By their issues' ids, which are indexed; by the issues' day it takes ten times as long.
        for condition in _any_of("issue", sorted(issues)):
            for post_id, fields in self._records("issue_evidence", condition, evidence_fields):
                evidence[str(fields["issue"])][post_id] = fields
        return {
            record_id: LiveIssue(record_id, fields, evidence[record_id])
            for record_id, fields in issues.items()
        }

    def records(self, collection: str, *names: str) -> dict[str, Fields]:
        """Read all records of a collection, by id.

        Args:
            collection: Its name.
            names: The fields to read; all that the pipeline writes if none is named.

        Raises:
            LiveStoreAccessError, LiveStoreError: As :meth:`issues_of_day` says.
        """
        return dict(self._records(collection, "id != ''", names or field_names(collection)))

    def collections_open_to_all(self) -> tuple[str, ...]:
        """Return the collections that a client without a login may write to, sorted.

        Raises:
            LiveStoreError: The server does not answer, or is in trouble.
        """
        return collections_open_to_all(self._connection)

    def apply(self, plan: Sequence[IssueChanges]) -> Iterator[Outcome]:
        """Write a plan in batches, reporting after each what became of its issues.

        A record that the server refuses is left out with its error, and the others are written. An
        issue whose own record is refused stays as it was, with its posts.

        Raises:
            LiveStoreAccessError: The server does not let us write.
            LiveStoreError: It stopped answering, or is in trouble; the next run completes the work.
        """
        for group in _batches(plan):
            errors = self._write(
                [(one.record_id, change) for one in group for change in one.changes]
            )
            for issue in group:
                yield Outcome(issue.record_id, errors.get(issue.record_id, ""))

    def _write(self, changes: list[tuple[str, Change]]) -> dict[str, str]:
        """Write changes, each with the record id of its issue; returns what was refused, by it."""
        errors: dict[str, str] = {}
        waiting = changes
        most = BATCH_REQUESTS
        while waiting:
            portion = waiting[:most]
            try:
                replies = self._connection.send_batch([_request(change) for _, change in portion])
            except RefusedError as refusal:
                waiting = _without(waiting, refusal, errors)
                continue
            except BatchTooLargeError as error:
                if len(portion) > 1:
                    most = len(portion) // 2
                else:
                    too_large = RefusedError(str(error), 0, is_missing=False)
                    waiting = _without(waiting, too_large, errors)
                continue
            for (owner, change), reply in zip(portion, replies, strict=True):
                if difference := _stored_otherwise(change, reply.get("body")):
                    _set_aside(owner, change, difference, errors)
            waiting = waiting[most:]
        return errors

    def _records(
        self, collection: str, condition: str, names: Sequence[str]
    ) -> Iterator[tuple[str, Fields]]:
        """Read the records that meet a condition, by id."""
        last = ""
        while True:
            reply = self._connection.send(
                "GET",
                f"/api/collections/{collection}/records",
                params={
                    # By id and not by page number: as quick at the end as at the beginning, and
                    # nothing is skipped when somebody removes a record meanwhile.
                    "filter": f"{condition} && id > '{last}'",
                    "sort": "id",
                    "fields": ",".join(("id", *names)),
                    "perPage": PAGE_RECORDS,
                    "skipTotal": 1,
                },
            )
            for record in reply["items"]:
                yield record["id"], {name: record[name] for name in names}
            if len(reply["items"]) < PAGE_RECORDS:
                return
            last = reply["items"][-1]["id"]


def _without(
    changes: list[tuple[str, Change]], refusal: RefusedError, errors: dict[str, str]
) -> list[tuple[str, Change]]:
    """Leave out what was refused: a post alone, an issue's own record with its posts."""
    owner, refused = changes[refusal.index]
    if not refusal.is_missing:
        _set_aside(owner, refused, str(refusal), errors)
    if refused.collection == "issues":
        return [(other, change) for other, change in changes if other != owner]
    return changes[: refusal.index] + changes[refusal.index + 1 :]


def _set_aside(owner: str, change: Change, error: str, errors: dict[str, str]) -> None:
    said = f"{change.collection} {change.record_id}: {error}"
    logger.warning("set aside: %s", said)
    errors.setdefault(owner, said)


def _stored_otherwise(change: Change, stored: Mapping[str, Any] | None) -> str:
    """Return what the server silently changed in a record: it stores 0 for what it cannot read."""
    if change.fields is None:
        return ""
    for name, value in change.fields.items():
        if stored is None or name not in stored or stored[name] != value:
            return f"{name} was not stored as sent"
    return ""


def _request(change: Change) -> dict[str, Any]:
    path = f"/api/collections/{change.collection}/records"
    if change.fields is None:
        return {"method": "DELETE", "url": f"{path}/{change.record_id}"}
    if change.partial:
        return {"method": "PATCH", "url": f"{path}/{change.record_id}", "body": change.fields}
    # Within a batch, PUT creates or updates by id.
    return {"method": "PUT", "url": path, "body": {"id": change.record_id, **change.fields}}


def _any_of(name: str, ids: Sequence[str]) -> Iterator[str]:
    """Make filters for the records whose field is one of these ids, some ids in each."""
    for start in range(0, len(ids), IDS_IN_A_FILTER):
        some = ids[start : start + IDS_IN_A_FILTER]
        yield f"({' || '.join(f'{name} = {record_id!r}' for record_id in some)})"


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
