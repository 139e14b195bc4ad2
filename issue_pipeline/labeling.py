"""From clusters to labelled issues and their evidence: reuse what is known, ask for the rest."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol

from issue_pipeline.errors import LabelingError
from issue_pipeline.hints import Hinter
from issue_pipeline.prompts import LabelRequest, Representative
from issue_pipeline.records import Evidence, IssueRow, Item
from issue_pipeline.resources.llm import LabelResult
from issue_pipeline.utils.cluster_representatives import cluster_fingerprint, select_representatives
from issue_pipeline.utils.clustering import centroid_distances
from issue_pipeline.utils.embeddings import (
    CleanText,
    TextEncoder,
    Vectors,
    clean_item,
    embed_texts,
)
from issue_pipeline.utils.text_cleaning import snippet

logger = logging.getLogger(__name__)

# What the live store takes: one longer title would keep the whole issue out of it.
MAX_EVIDENCE_TITLE_CHARS = 1_000


class Labeler(Protocol):
    """What asks the models: ``LabelingSession``, or a test's own."""

    def label(self, request: LabelRequest) -> LabelResult:
        """Give a valid label, or raise ``LabelingError``."""
        ...


@dataclass(frozen=True, slots=True)
class PreparedCluster:
    """A cluster with everything that is computed on the fly and never stored.

    Attributes:
        items: Members in ``url_hash`` order.
        texts: Their clean texts, in the same order.
        embeddings: float32 (m, 384), in the same order.
        representatives: Rows of the chosen members, nearest to the centroid first.
        fingerprint: SHA-256 hex of their titles.
    """

    cluster_id: int
    items: Sequence[Item]
    texts: Sequence[CleanText]
    embeddings: Vectors
    representatives: Sequence[int]
    fingerprint: str


def prepare_clusters(
    clusters: Sequence[tuple[int, Sequence[Item]]], model: TextEncoder
) -> list[PreparedCluster]:
    """Clean and embed the members of every cluster, and choose its representatives.

    Args:
        clusters: (cluster_id, members in ``url_hash`` order).
        model: The embedding model.
    """
    texts = [[clean_item(item) for item in items] for _, items in clusters]
    embeddings = embed_texts([text.text for members in texts for text in members], model)
    prepared, start = [], 0
    for (cluster_id, items), members in zip(clusters, texts, strict=True):
        vectors = embeddings[start : start + len(members)]
        start += len(members)
        titles = [text.title for text in members]
        rows = select_representatives(titles, vectors)
        fingerprint = cluster_fingerprint([titles[row] for row in rows])
        prepared.append(PreparedCluster(cluster_id, items, members, vectors, rows, fingerprint))
    return prepared


def label_clusters(
    clusters: Sequence[PreparedCluster],
    labeler: Labeler,
    model: TextEncoder,
    *,
    known: Sequence[IssueRow],
    reusable: Mapping[str, IssueRow],
) -> list[IssueRow]:
    """Give every cluster its row: kept, reused, freshly labelled, or failed.

    Args:
        clusters: The day's clusters.
        labeler: Asked only where no good label is known.
        model: The embedding model, for the hints.
        known: The day's rows of an earlier run. A good one with the same fingerprint is kept as it
            is, whatever its cluster's number was. Ordered by ``cluster_id``.
        reusable: Good labels of any day, by fingerprint.

    Returns:
        One row per cluster, in the order of the clusters.
    """
    # Of several with the same titles the first: it is the one that a model was asked for.
    kept = {row.cluster_fingerprint: row for row in reversed(known) if not row.label_failed}
    hinter = Hinter(model)
    fresh: dict[str, IssueRow] = {}
    rows = []
    for number, cluster in enumerate(clusters, start=1):
        fingerprint = cluster.fingerprint
        if fingerprint in kept:
            # Taken once: a second cluster with the same titles reuses it, as on the first run.
            row = _moved(fresh.setdefault(fingerprint, kept.pop(fingerprint)), cluster)
        elif (source := fresh.get(fingerprint) or reusable.get(fingerprint)) is not None:
            row = _reused(source, cluster)
        else:
            row = _labelled(cluster, labeler, hinter)
            if not row.label_failed:
                fresh[fingerprint] = row
        logger.info(
            "label %d of %d, %s: %s",
            number,
            len(clusters),
            row.label_source,
            row.canonical_title or "none",
        )
        rows.append(row)
    return rows


def collect_evidence(
    clusters: Sequence[PreparedCluster], rows: Sequence[IssueRow]
) -> list[Evidence]:
    """Give every member of each cluster whose label is good.

    Args:
        clusters: The day's clusters.
        rows: Their rows, in the same order.
    """
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
        for cluster, row in zip(clusters, rows, strict=True)
        if not row.label_failed
        for item, text, distance in zip(
            cluster.items, cluster.texts, centroid_distances(cluster.embeddings), strict=True
        )
    ]


def _moved(row: IssueRow, cluster: PreparedCluster) -> IssueRow:
    return replace(row, cluster_id=cluster.cluster_id, cluster_size=len(cluster.items))


def _reused(row: IssueRow, cluster: PreparedCluster) -> IssueRow:
    return replace(
        _moved(row, cluster),
        label_source="reused",
        prompt_tokens=0,
        completion_tokens=0,
        cost_usd=0.0,
        labeled_at=datetime.now(UTC),
    )


def _labelled(cluster: PreparedCluster, labeler: Labeler, hinter: Hinter) -> IssueRow:
    hints = hinter.hints([text.text for text in cluster.texts], cluster.embeddings)
    request = LabelRequest(
        representatives=[
            Representative(cluster.texts[row].title, snippet(cluster.texts[row].body))
            for row in cluster.representatives
        ],
        cluster_size=len(cluster.items),
        likely_category=hints.category,
        likely_impact=hints.impact,
        likely_would_pay=hints.would_pay,
    )
    try:
        result = labeler.label(request)
    except LabelingError as error:
        logger.warning("cluster %d could not be labelled: %s", cluster.cluster_id, error)
        return _failed(cluster, error)
    return replace(
        _failed(cluster, result),
        **result.label.model_dump(),
        label_failed=False,
        label_source=result.source,
        model=result.model,
    )


def _failed(cluster: PreparedCluster, spent: LabelResult | LabelingError) -> IssueRow:
    """Give the row of a cluster without a label, with what was spent on it."""
    return IssueRow(
        cluster_id=cluster.cluster_id,
        cluster_fingerprint=cluster.fingerprint,
        cluster_size=len(cluster.items),
        canonical_title=None,
        category=None,
        description=None,
        would_pay_signal=None,
        impact_level=None,
        label_failed=True,
        label_source="failed",
        model="",
        prompt_tokens=spent.prompt_tokens,
        completion_tokens=spent.completion_tokens,
        cost_usd=spent.cost_usd,
        labeled_at=datetime.now(UTC),
    )
