"""Reading and writing ``bronze.raw_items`` and ``bronze.collections``."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime

import duckdb

from issue_pipeline.records import Collection, Item, LedgerEntry, Post
from issue_pipeline.sql.rows import columns_of, insert_rows, read_rows


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
) -> LedgerEntry:
    """Write what a collection brought, and its line in the ledger.

    A complete collection replaces the source-day. An incomplete one adds and updates posts,
    removes none, and leaves the ledger's word alone where that already says "complete"; only the
    number of stored rows follows.

    Args:
        con: A connection within a transaction.
        source: One of ``partitions.SOURCES``.
        day: UTC day.
        posts: Distinct by ``url_hash``.
        collection: What the collector reported.
        started_at: Aware.
        finished_at: Aware.

    Returns:
        What the ledger says of the source-day from now on.
    """
    if collection.complete:
        con.execute(
            "DELETE FROM bronze.raw_items WHERE collection_date = ? AND source = ?", [day, source]
        )
    else:
        con.execute(
            "DELETE FROM bronze.raw_items WHERE collection_date = ? AND source = ?"
            " AND url_hash IN (SELECT unnest(?::VARCHAR[]))",
            [day, source, [keyed.url_hash for keyed in posts]],
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
    entry = LedgerEntry(
        collection_date=day,
        source=source,
        expected_count=collection.expected_count,
        fetched_count=collection.fetched_count,
        stored_count=_count(con, source, day),
        dropped_count=sum(collection.dropped.values()),
        complete=collection.complete,
        reason=_remark(collection),
        requests=collection.requests,
        waited_s=collection.waited_s,
        started_at=started_at,
        finished_at=finished_at,
    )
    known = _entry(con, source, day)
    if known is not None and known.complete and not entry.complete:
        con.execute(
            "UPDATE bronze.collections SET stored_count = ?"
            " WHERE collection_date = ? AND source = ?",
            [entry.stored_count, day, source],
        )
        return replace(known, stored_count=entry.stored_count)
    con.execute(
        "DELETE FROM bronze.collections WHERE collection_date = ? AND source = ?", [day, source]
    )
    insert_rows(con, "bronze.collections", [asdict(entry)])
    return entry


def doubted(
    con: duckdb.DuckDBPyConnection, source: str, day: date, collection: Collection
) -> Collection:
    """Do not believe that a day of which posts are stored is empty now.

    That is how some outages look, and to replace the day would lose it.
    """
    stored = _count(con, source, day)
    if not collection.complete or collection.fetched_count or not stored:
        return collection
    reason = f"the source calls the day empty, of which {stored} posts are stored"
    return replace(collection, complete=False, reason=reason)


def source_day_version(con: duckdb.DuckDBPyConnection, source: str, day: date) -> str:
    """Give a text that changes when, and only when, what is stored of a source and day changes.

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
    """Give :func:`source_day_version` of each source that was collected, by its name."""
    return {
        entry.source: source_day_version(con, entry.source, day)
        for entry in ledger_of_day(con, day)
    }


def _remark(collection: Collection) -> str:
    """Say why a collection is incomplete, and what was left out."""
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


def clustered_items_of_day(
    con: duckdb.DuckDBPyConnection, day: date
) -> list[tuple[int, list[Item]]]:
    """Read the items of each cluster of a day: (cluster_id, items in ``url_hash`` order).

    Noise is left out. Clusters come by id, which is largest first.
    """
    of_clusters = " FROM silver.cluster_assignments WHERE cluster_date = $day AND cluster_id >= 0"
    cluster_of = dict(
        con.execute(f"SELECT url_hash, cluster_id{of_clusters}", {"day": day}).fetchall()
    )
    items = read_rows(
        con,
        f"SELECT {columns_of(Item)} FROM bronze.raw_items WHERE collection_date = $day"  # noqa: S608
        f" AND url_hash IN (SELECT url_hash{of_clusters}) ORDER BY url_hash, source",
        {"day": day},
        Item,
    )
    clusters: dict[int, list[Item]] = {}
    for item in items:
        clusters.setdefault(cluster_of[item.url_hash], []).append(item)
    return sorted(clusters.items())
