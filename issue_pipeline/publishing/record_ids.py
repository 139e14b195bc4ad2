"""Record ids in the live store; an issue keeps its record while it is the same issue."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from datetime import date

from issue_pipeline.utils.short_ids import derive_id

# Jaccard overlap from which two clusters of a day count as the same issue.
SAME_FROM = 0.5


def assign_record_ids(
    day: date, members: Mapping[int, Collection[str]], known: Mapping[str, Collection[str]]
) -> dict[int, str]:
    """Assign a record id to every issue of a day.

    An issue keeps the record that :func:`match_records` finds. Every other issue gets a new id,
    derived from the day and its smallest ``url_hash``: on an empty store the ids depend on the
    posts alone.

    Args:
        day: UTC day.
        members: ``url_hash`` of each post by cluster id; no post is in two clusters.
        known: ``url_hash`` of each post by record id, as of the last sync.

    Returns:
        Record ids by cluster id, all different.
    """
    chosen = match_records(members, known)
    # The id of a record that stood for another issue is not used again, even if that one goes now.
    taken = set(known)
    for cluster_id, posts in members.items():
        if cluster_id not in chosen:
            chosen[cluster_id] = _new_id(day, min(posts), taken)
            taken.add(chosen[cluster_id])
    return chosen


def match_records(
    members: Mapping[int, Collection[str]], known: Mapping[str, Collection[str]]
) -> dict[int, str]:
    """Match clusters to the known records of the same issue.

    Two sets of posts are the same issue from a Jaccard overlap of ``SAME_FROM`` on. Matched one to
    one, greedily by overlap, ties by record id and then by cluster id. Linear in the posts.

    Args:
        members: ``url_hash`` of each post by cluster id.
        known: ``url_hash`` of each post by record id.

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


def _overlaps(
    members: Mapping[int, Collection[str]], known: Mapping[str, Collection[str]]
) -> list[tuple[float, str, int]]:
    """Return the pairs that may be the same: (minus the overlap, record id, cluster id)."""
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
