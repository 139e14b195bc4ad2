"""Reads the live store as anybody may: over HTTP, without a login."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import httpx

from issue_pipeline.errors import ConfigurationError, LiveStoreError
from issue_pipeline.utils.printable import printable
from issue_pipeline.utils.urls import without_user_info

PAGE_RECORDS = 500
TIMEOUT_S = 10.0
# The server refuses filters of more than a hundred and some conditions.
IDS_IN_A_FILTER = 50
_RECORD_ID = re.compile(r"[a-z0-9]{15}")
# PocketBase's filters have no way to write these inside of quotes, and % changes what ~ does.
_NOT_IN_A_FILTER = re.compile(r"""['"\\%\s]+""")
_NOT_FOUND = 404
_MAX_TOLD_CHARS = 300

Record = dict[str, Any]


class LiveReader:
    """An open connection for reading.

    Args:
        http: A client whose base URL is the server's.
        shown_url: For messages, without user info.
    """

    def __init__(self, http: httpx.Client, shown_url: str) -> None:
        self._http = http
        self._shown_url = shown_url

    def record(self, collection: str, record_id: str, fields: Sequence[str] = ()) -> Record | None:
        """Return one record; ``None`` if there is none of this id.

        Raises:
            LiveStoreError: The server does not answer, or is in trouble.
        """
        if not is_record_id(record_id):
            return None
        path = f"/api/collections/{collection}/records/{record_id}"
        reply = self._get(path, {"fields": ",".join(fields)} if fields else {})
        return None if reply.status_code == _NOT_FOUND else _json(self._checked(reply))

    def records(
        self,
        collection: str,
        *,
        where: str = "",
        sort: str = "id",
        fields: Sequence[str] = (),
        expand: str = "",
        limit: int = PAGE_RECORDS,
    ) -> list[Record]:
        """Return the first records of a filter.

        Args:
            collection: Its name.
            where: In PocketBase's language; make conditions on foreign text with ``has_words``.
            sort: Fields, a minus for the largest first.
            fields: Which to read; all by default.
            expand: A relation whose record comes along, under ``expand``.
            limit: At most ``PAGE_RECORDS``.

        Raises:
            LiveStoreError: The server does not answer, or is in trouble.
        """
        asked = {"filter": where, "sort": sort, "perPage": str(limit), "skipTotal": "1"}
        if expand:
            asked["expand"] = expand
        if fields:
            asked["fields"] = ",".join(fields)
        reply = self._get(f"/api/collections/{collection}/records", asked)
        return list(_json(self._checked(reply))["items"])

    def every_record(
        self, collection: str, *, where: str = "", fields: Sequence[str] = ()
    ) -> Iterator[Record]:
        """Yield all records of a filter, by id; records that come and go meanwhile shift nothing.

        Raises:
            LiveStoreError: The server does not answer, or is in trouble.
        """
        last = ""
        fields = ["id", *fields] if fields else ()
        while True:
            after = f"id > '{last}'"
            page = self.records(
                collection,
                where=f"({where}) && {after}" if where else after,
                fields=fields,
                limit=PAGE_RECORDS,
            )
            yield from page
            if len(page) < PAGE_RECORDS:
                return
            last = page[-1]["id"]

    def current_ids(self, ids: Sequence[str]) -> dict[str, str]:
        """Return for those ids that problems had before which id each has now.

        Raises:
            LiveStoreError: The server does not answer, or is in trouble.
        """
        found: dict[str, str] = {}
        known = [one for one in ids if is_record_id(one)]
        for start in range(0, len(known), IDS_IN_A_FILTER):
            part = known[start : start + IDS_IN_A_FILTER]
            where = " || ".join(f"id = '{one}'" for one in part)
            aliases = self.records("problem_aliases", where=where, fields=("id", "problem"))
            found |= {one["id"]: one["problem"] for one in aliases}
        return found

    def _get(self, path: str, params: dict[str, str]) -> httpx.Response:
        try:
            return self._http.get(path, params=params)
        except httpx.HTTPError as error:
            raise LiveStoreError(
                f"PocketBase at {self._shown_url} does not answer ({type(error).__name__})."
                " Is it running? Check POCKETBASE_URL."
            ) from None

    def _checked(self, reply: httpx.Response) -> httpx.Response:
        if reply.is_success:
            return reply
        said = printable(reply.text, _MAX_TOLD_CHARS)
        raise LiveStoreError(
            f"PocketBase at {self._shown_url} answered {reply.status_code} to a read of"
            f" {reply.request.url.path}: {said} Is POCKETBASE_URL the address of PocketBase itself,"
            " and are its collections open for reading? They are made at the first publication."
        )


@contextmanager
def open_reader(url: str) -> Iterator[LiveReader]:
    """Open the live store for reading.

    Args:
        url: Base URL of the server.

    Raises:
        ConfigurationError: There is none, or it is no address.
    """
    if not url:
        raise ConfigurationError("POCKETBASE_URL is not set; the live store is read from there.")
    try:
        http = httpx.Client(base_url=url, timeout=TIMEOUT_S)
    except (httpx.InvalidURL, ValueError):
        raise ConfigurationError("POCKETBASE_URL is no address.") from None
    with http:
        yield LiveReader(http, without_user_info(url))


def is_record_id(text: str) -> bool:
    """Return whether a text has the form of a record's id: 15 of ``[a-z0-9]``."""
    return _RECORD_ID.fullmatch(text) is not None


def has_words(fields: Sequence[str], text: str, max_words: int) -> str:
    """Return a condition: each word of a foreign text stands in one of the fields.

    Quotes, backslashes and percent signs part words, since no filter can hold them; case does not
    matter for ASCII letters.

    Args:
        fields: Of the collection, at least one.
        text: Of any content.
        max_words: Further words are left out.
    """
    words = [printable(one, len(one)) for one in _NOT_IN_A_FILTER.split(text) if one]
    conditions = [[f"{name} ~ '{word}'" for name in fields] for word in words[:max_words]]
    return " && ".join(f"({' || '.join(either)})" for either in conditions)


def _json(reply: httpx.Response) -> Record:
    try:
        read = reply.json()
    except ValueError:
        read = None
    if not isinstance(read, dict):
        raise LiveStoreError(
            f"{without_user_info(str(reply.request.url.copy_with(query=None)))} does not answer as"
            " PocketBase does. Check POCKETBASE_URL."
        )
    return read
