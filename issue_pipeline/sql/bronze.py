"""Reading and writing ``bronze.raw_items`` and ``bronze.collections``."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime

import duckdb

from issue_pipeline.records import Collection, Item, LedgerEntry, Post
from issue_pipeline.sql.rows import columns_of, insert_rows, read_rows
from issue_pipeline.utils.missing_posts import too_many_missing


@dataclass(frozen=True, slots=True)
class KeyedPost:
    """A post together with the hash of its normalised permalink."""

    url_hash: str
    post: Post


def store_collection(
    con: duckdb.DuckDBPyConnection,
    source: str,
    day: date,
    posts: Sequence[KeyedPost],
    collection: Collection,
    *,
    started_at: datetime,
    finished_at: datetime,
    run_id: str = "",
) -> LedgerEntry:
    """Write what a collection brought, and its line in the ledger.

    A complete collection replaces the source-day. If it lacks too many of the stored posts
    (:func:`.too_many_missing`), or lacks one while the source hides some, those that no other run
    has missed before stay, pending: a complete collection of another run that lacks them, too,
    removes them. An incomplete one adds and updates posts, removes none, and leaves the ledger's
    word alone where that already says "complete"; only the number of stored rows follows.

    Args:
        con: A connection within a transaction.
        source: One of ``partitions.SOURCES``.
        day: UTC day.
        posts: Distinct by ``url_hash``.
        collection: What the collector reported.
        started_at: Aware.
        finished_at: Aware.
        run_id: Of the run that collected; without one, no other run can agree with it.

    Returns:
        What the ledger says of the source-day from now on.
    """
    came = [keyed.url_hash for keyed in posts]
    kept: set[str] = set()
    if collection.complete:
        hides_some = collection.hidden_count > 0
        kept = _kept_although_missing(con, source, day, came, run_id, hides_some=hides_some)
        con.execute(
            "DELETE FROM bronze.raw_items WHERE collection_date = ? AND source = ?"
            " AND url_hash NOT IN (SELECT unnest(?::VARCHAR[]))",
            [day, source, sorted(kept)],
        )
        _set_pending_removals(con, source, day, kept, run_id, finished_at)
    else:
        for table in ("bronze.raw_items", "bronze.pending_removals"):
            con.execute(
                f"DELETE FROM {table} WHERE collection_date = ? AND source = ?"  # noqa: S608
                " AND url_hash IN (SELECT unnest(?::VARCHAR[]))",
                [day, source, came],
            )
    insert_rows(
        con,
        "bronze.raw_items",
        (
            {
                "url_hash": keyed.url_hash,
                "collection_date": day,
                "collected_at": finished_at,
                **asdict(keyed.post),
            }
            for keyed in posts
        ),
    )
    stored_count = _count(con, source, day)
    pending = _pending_remark(len(kept), stored_count, collection) if kept else ""
    entry = LedgerEntry(
        collection_date=day,
        source=source,
        expected_count=collection.expected_count,
        fetched_count=collection.fetched_count,
        stored_count=stored_count,
        dropped_count=sum(collection.dropped.values()),
        complete=collection.complete and not kept,
        reason="; ".join(part for part in (pending, _remark(collection)) if part),
        requests=collection.requests,
        waited_s=collection.waited_s,
        started_at=started_at,
        finished_at=finished_at,
        pending_removal_count=_pending_count(con, source, day),
    )
    known = _entry(con, source, day)
    if known is not None and known.complete and not entry.complete:
        # What is stored was whole before, and nothing of it has gone.
        reason = pending or (
            "" if not entry.pending_removal_count and known.pending_removal_count else known.reason
        )
        entry = replace(
            known,
            stored_count=stored_count,
            pending_removal_count=entry.pending_removal_count,
            reason=reason,
        )
    con.execute(
        "DELETE FROM bronze.collections WHERE collection_date = ? AND source = ?", [day, source]
    )
    insert_rows(con, "bronze.collections", [asdict(entry)])
    return entry


def _kept_although_missing(
    con: duckdb.DuckDBPyConnection,
    source: str,
    day: date,
    came: Sequence[str],
    run_id: str,
    *,
    hides_some: bool,
) -> set[str]:
    """Return the stored posts that a complete collection lacks and that stay nevertheless.

    A search index that lost old posts, and an outage that looks like an empty day, are complete in
    their own words. And of posts that a source counts and does not show, a stored one may be one.
    """
    rows = con.execute(
        "SELECT items.url_hash, pending.run_id FROM bronze.raw_items AS items"
        " LEFT JOIN bronze.pending_removals AS pending"
        " USING (collection_date, source, url_hash)"
        " WHERE items.collection_date = ? AND items.source = ?",
        [day, source],
    ).fetchall()
    missed_by: dict[str, str | None] = dict(rows)
    lacking = missed_by.keys() - set(came)
    if not hides_some and not too_many_missing(len(lacking), len(missed_by)):
        return set()
    return {key for key in lacking if missed_by[key] in (None, run_id)}


def _set_pending_removals(
    con: duckdb.DuckDBPyConnection,
    source: str,
    day: date,
    kept: set[str],
    run_id: str,
    since: datetime,
) -> None:
    """Keep note of the posts of which another run must say that they are gone."""
    con.execute(
        "DELETE FROM bronze.pending_removals WHERE collection_date = ? AND source = ?",
        [day, source],
    )
    insert_rows(
        con,
        "bronze.pending_removals",
        (
            {
                "collection_date": day,
                "source": source,
                "url_hash": key,
                "run_id": run_id,
                "since": since,
            }
            for key in sorted(kept)
        ),
    )


def _pending_remark(kept: int, stored: int, collection: Collection) -> str:
    """Return the ledger's remark on posts that stay although a complete collection lacked them."""
    if not collection.fetched_count:
        lacks = f"the source calls the day empty, of which {stored} posts are stored"
    else:
        lacks = f"{kept} of {stored} stored posts are missing from what came this time"
    return f"{lacks}; they stay until a complete collection of another run agrees"


def source_day_version(con: duckdb.DuckDBPyConnection, source: str, day: date) -> str:
    """Return a text that changes when, and only when, what is stored of a source and day changes.

    Of the posts, whatever their order, and of whether they are all.
    """
    row = con.execute(
        "SELECT coalesce(bit_xor(hash(url_hash, title, body, comment_count, vote_count)), 0),"
        " count(*), (SELECT any_value(complete) FROM bronze.collections"
        " WHERE collection_date = $day AND source = $source)"
        " FROM bronze.raw_items WHERE collection_date = $day AND source = $source",
        {"day": day, "source": source},
    ).fetchone()
    assert row is not None
    posts_hash, count, complete = row
    return f"{count} posts {posts_hash:016x}{'' if complete else ', incomplete'}"


def day_versions(con: duckdb.DuckDBPyConnection, day: date) -> dict[str, str]:
    """Return :func:`source_day_version` of each source that was collected, by its name."""
    return {
        entry.source: source_day_version(con, entry.source, day)
        for entry in ledger_of_day(con, day)
    }


def _remark(collection: Collection) -> str:
    """Return why a collection is incomplete, and what was left out."""
    dropped = ", ".join(f"{count} {why}" for why, count in sorted(collection.dropped.items()))
    cut = collection.cut_count and f"cut to the longest that is stored: {collection.cut_count}"
    parts = (collection.reason, dropped and f"left out: {dropped}", cut)
    return "; ".join(part for part in parts if part)


def _count(con: duckdb.DuckDBPyConnection, source: str, day: date) -> int:
    row = con.execute(
        "SELECT count(*) FROM bronze.raw_items WHERE collection_date = ? AND source = ?",
        [day, source],
    ).fetchone()
    return int(row[0]) if row else 0


def _pending_count(con: duckdb.DuckDBPyConnection, source: str, day: date) -> int:
    row = con.execute(
        "SELECT count(*) FROM bronze.pending_removals WHERE collection_date = ? AND source = ?",
        [day, source],
    ).fetchone()
    return int(row[0]) if row else 0


def _entry(con: duckdb.DuckDBPyConnection, source: str, day: date) -> LedgerEntry | None:
    return next((entry for entry in ledger_of_day(con, day) if entry.source == source), None)


def ledger_of_day(con: duckdb.DuckDBPyConnection, day: date) -> list[LedgerEntry]:
    """Read the ledger's entries of a day, by source; a source never collected has none."""
    return read_rows(
        con,
        f"SELECT {columns_of(LedgerEntry)} FROM bronze.collections"  # noqa: S608  (names of ours)
        " WHERE collection_date = ? ORDER BY source",
        [day],
        LedgerEntry,
    )


def items_of_day(con: duckdb.DuckDBPyConnection, day: date) -> list[Item]:
    """Read the items of all sources of a day, in ``url_hash`` order."""
    return read_rows(
        con,
        f"SELECT {columns_of(Item)} FROM bronze.raw_items"  # noqa: S608
        " WHERE collection_date = ? ORDER BY url_hash, source",
        [day],
        Item,
    )


def items_by_cluster(
    con: duckdb.DuckDBPyConnection, day: date, items: Sequence[Item]
) -> list[tuple[int, list[Item]]]:
    """Divide the items of a day into its clusters: (cluster_id, items in the order given).

    Noise is left out. Clusters come by id, which is largest first.
    """
    cluster_of = dict(
        con.execute(
            "SELECT url_hash, cluster_id FROM silver.cluster_assignments"
            " WHERE cluster_date = ? AND cluster_id >= 0",
            [day],
        ).fetchall()
    )
    clusters: dict[int, list[Item]] = {}
    for item in items:
        if item.url_hash in cluster_of:
            clusters.setdefault(cluster_of[item.url_hash], []).append(item)
    return sorted(clusters.items())
