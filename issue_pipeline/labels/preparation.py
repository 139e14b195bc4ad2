"""Clusters with all that is computed of them on the fly, and the evidence that is made of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from issue_pipeline.labels.problem_scoring import ProblemScorer
from issue_pipeline.records import Evidence, IssueRow, Item
from issue_pipeline.utils.cluster_representatives import cluster_fingerprint, select_representatives
from issue_pipeline.utils.clustering import centroid_distances
from issue_pipeline.utils.embeddings import (
    CleanText,
    TextEncoder,
    Vectors,
    clean_day,
    clean_item,
    embed_texts,
)
from issue_pipeline.utils.text_cleaning import snippet

# What the live store takes: one longer title would keep the whole issue out of it.
MAX_EVIDENCE_TITLE_CHARS = 1_000


@dataclass(frozen=True, slots=True)
class PreparedCluster:
    """A cluster with everything that is computed on the fly and never stored.

    Attributes:
        items: Members in ``url_hash`` order.
        texts: Their clean texts, in the same order.
        embeddings: float32 (m, 384), in the same order.
        representatives: Rows of the chosen members, nearest to the centroid first.
        fingerprint: SHA-256 hex of their titles.
        problem_score: How much the members report a problem; see ``problem_scoring.py``.
    """

    cluster_id: int
    items: Sequence[Item]
    texts: Sequence[CleanText]
    embeddings: Vectors
    representatives: Sequence[int]
    fingerprint: str
    problem_score: float


def texts_of_day(items: Sequence[Item]) -> Callable[[Item], CleanText]:
    """Clean all posts of a day, of which some are in clusters; return what looks up their texts."""
    texts = zip(items, clean_day(items), strict=True)
    by_key = {(item.source, item.url_hash): text for item, text in texts}
    return lambda item: by_key[item.source, item.url_hash]


def prepare_clusters(
    clusters: Sequence[tuple[int, Sequence[Item]]],
    model: TextEncoder,
    text_of: Callable[[Item], CleanText] = clean_item,
) -> list[PreparedCluster]:
    """Embed the members of every cluster, and choose its representatives.

    Args:
        clusters: (cluster_id, members in ``url_hash`` order).
        model: The embedding model.
        text_of: Returns an item's clean text.
    """
    texts = [[text_of(item) for item in items] for _, items in clusters]
    embeddings = embed_texts([text.text for members in texts for text in members], model)
    scorer = ProblemScorer(model)
    prepared, start = [], 0
    for (cluster_id, items), members in zip(clusters, texts, strict=True):
        vectors = embeddings[start : start + len(members)]
        start += len(members)
        prepared.append(prepare_cluster(cluster_id, items, members, vectors, scorer))
    return prepared


def prepare_cluster(
    cluster_id: int,
    items: Sequence[Item],
    texts: Sequence[CleanText],
    embeddings: Vectors,
    scorer: ProblemScorer,
) -> PreparedCluster:
    """Choose the representatives of one cluster, whose members are cleaned and embedded."""
    titles = [text.title for text in texts]
    rows = select_representatives(titles, embeddings)
    fingerprint = cluster_fingerprint([titles[row] for row in rows])
    score = scorer.score([text.text for text in texts], embeddings)
    return PreparedCluster(cluster_id, items, texts, embeddings, rows, fingerprint, score)


def collect_evidence(
    clusters: Sequence[PreparedCluster], rows: Sequence[IssueRow]
) -> list[Evidence]:
    """Return every member of each cluster whose label is good.

    Args:
        clusters: The day's clusters.
        rows: Rows of some or all of them.
    """
    by_id = {cluster.cluster_id: cluster for cluster in clusters}
    good = [by_id[row.cluster_id] for row in rows if not row.label_failed]
    return [post for cluster in good for post in collect_posts(cluster)]


def collect_posts(cluster: PreparedCluster) -> list[Evidence]:
    """Return every member of a cluster, as evidence has it."""
    return [
        Evidence(
            cluster_id=cluster.cluster_id,
            url_hash=item.url_hash,
            source=item.source,
            url=item.url,
            title=snippet(text.title, MAX_EVIDENCE_TITLE_CHARS),
            snippet=snippet(text.body),
            created_at=item.created_at,
            comment_count=max(0, item.comment_count),
            vote_count=item.vote_count,
            distance=float(distance),
        )
        for item, text, distance in zip(
            cluster.items, cluster.texts, centroid_distances(cluster.embeddings), strict=True
        )
    ]


def titles_of(cluster: PreparedCluster) -> list[str]:
    """Return the titles of a cluster's representatives, nearest to the centroid first."""
    return [cluster.texts[row].title for row in cluster.representatives]
