"""Which record of the live store an issue is: the one it had before, if it is the same issue."""

import base64
import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from datetime import date

# PocketBase ids are 15 characters of [a-z0-9].
ID_CHARS = 15
# Jaccard overlap from which two clusters of a day count as the same issue.
SAME_FROM = 0.5


def assign_record_ids(
    day: date, members: Mapping[int, Collection[str]], known: Mapping[str, Collection[str]]
) -> dict[int, str]:
    """Give every issue of a day its record.

    An issue keeps the record that :func:`match_records` finds. Every other issue gets one of its
    own, named after the day and its smallest ``url_hash``, so that without a past the ids are
    always the same.

    Args:
        day: UTC day.
        members: ``url_hash`` of each post by cluster id; no post is in two clusters.
        known: The same by record id, as last known_members.

    Returns:
        Record ids by cluster id, all different.
    """
    chosen = match_records(members, known)
    # A record that stood for something else is not named anew, even if it goes now.
    taken = set(known)
    for cluster_id, posts in members.items():
        if cluster_id not in chosen:
            chosen[cluster_id] = _new_id(day, min(posts), taken)
            taken.add(chosen[cluster_id])
    return chosen


def match_records(
    members: Mapping[int, Collection[str]], known: Mapping[str, Collection[str]]
) -> dict[int, str]:
    """Find the clusters that are the same issue as a known record.

    They share at least half of the posts of both together (Jaccard). Matched one to one, best
    overlap first, equal ones by record id.

    Args:
        members: ``url_hash`` of each post by cluster id.
        known: The same by record id.

    Returns:
        Record ids by cluster id, all different; clusters without a match are left out.
    """
    chosen: dict[int, str] = {}
    kept: set[str] = set()
    for _, record_id, cluster_id in sorted(_overlaps(members, known)):
        if cluster_id not in chosen and record_id not in kept:
            chosen[cluster_id] = record_id
            kept.add(record_id)
    return chosen


def derive_id(*parts: str) -> str:
    """Derive a record id of 15 characters (75 bits) from what makes the record unique."""
    digest = hashlib.sha256("/".join(parts).encode()).digest()
    return base64.b32hexencode(digest).decode().lower()[:ID_CHARS]


def _overlaps(
    members: Mapping[int, Collection[str]], known: Mapping[str, Collection[str]]
) -> list[tuple[float, str, int]]:
    """List the pairs that may be the same: (minus the overlap, record id, cluster id)."""
    records_of = defaultdict(list)
    for record_id, posts in known.items():
        for post in posts:
            records_of[post].append(record_id)
    pairs = []
    for cluster_id, posts in members.items():
        shared_by_record = Counter(
            record_id for post in posts for record_id in records_of.get(post, ())
        )
        for record_id, shared in shared_by_record.items():
            overlap = shared / (len(posts) + len(known[record_id]) - shared)
            if overlap >= SAME_FROM:
                pairs.append((-overlap, record_id, cluster_id))
    return pairs


def _new_id(day: date, smallest: str, taken: Collection[str]) -> str:
    record_id = derive_id(day.isoformat(), smallest)
    count = 1
    while record_id in taken:
        count += 1
        record_id = derive_id(day.isoformat(), smallest, str(count))
    return record_id
