"""From clusters to labelled issues; known labels are reused."""

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import cache, partial
from typing import Protocol

from issue_pipeline.errors import LabelingError, TitleTakenError
from issue_pipeline.labels.choice_ranking import MeasuredText
from issue_pipeline.labels.choices import (
    MAX_BODY_CHARS,
    NEAREST_MEMBERS,
    Choices,
    MaskedPost,
    rank_choices,
)
from issue_pipeline.labels.concurrent import LabelTask, label_concurrently
from issue_pipeline.labels.distinction import DayWords
from issue_pipeline.labels.hints import Hinter
from issue_pipeline.labels.masking import mask_unshared_words, shared_words
from issue_pipeline.labels.preparation import PreparedCluster, titles_of
from issue_pipeline.labels.problem_scoring import MIN_PROBLEM_SCORE
from issue_pipeline.labels.prompts import LabelRequest, Representative
from issue_pipeline.labels.reuse import reuse_problem, same_posts
from issue_pipeline.labels.session import CandidateLabels, LabelCheck, LabelResult
from issue_pipeline.labels.validation import (
    ClusterCheck,
    DayTitles,
    Grounding,
    cosines_to_centroid,
    stored_label_problem,
)
from issue_pipeline.records import IssueRow, Spent
from issue_pipeline.utils.cleaning.redaction import redact
from issue_pipeline.utils.cluster_representatives import (
    normalize_title,
)
from issue_pipeline.utils.clustering import centroid_distances
from issue_pipeline.utils.embeddings import (
    TextEncoder,
)
from issue_pipeline.utils.printable import printable
from issue_pipeline.utils.text_cleaning import snippet

logger = logging.getLogger(__name__)

MAX_FAILURE_CHARS = 1_000


class Labeler(Protocol):
    """What asks the models: ``LabelingSession``, or a test's own."""

    @property
    def labels_at_once(self) -> int:
        """How many labels can be worked on together, at least 1."""
        ...

    def candidates(
        self, request: LabelRequest, check: LabelCheck, taken: Collection[str]
    ) -> CandidateLabels:
        """Return valid labels, one after the other, or raise ``LabelingError``."""
        ...

    def stop(self) -> None:
        """Make no further call."""
        ...


def settled_rows(
    clusters: Sequence[PreparedCluster],
    *,
    known: Sequence[IssueRow],
    reusable: Mapping[str, IssueRow],
    model: TextEncoder | None = None,
) -> list[IssueRow]:
    """Return the row that every cluster has before any model is asked.

    Args:
        clusters: The day's clusters.
        known: The day's rows of an earlier run, by ``cluster_id``. A good one with the same
            fingerprint is kept as it is, whatever its cluster's number was; a failed one stands
            until a model is asked again.
        reusable: Good labels of any day, by fingerprint. Of these and those only such are good that
            today's rules would take: a model is asked again about the others.
        model: The embedding model: kept and reused labels must be about their cluster. ``None``:
            only their form is checked.

    Returns:
        One row per cluster, in the order of the clusters: kept, reused, failed before, or waiting.
    """
    kept: dict[str, list[IssueRow]] = {}
    for row in known:
        if _is_good(row):
            kept.setdefault(row.cluster_fingerprint, []).append(row)
    failed = {row.cluster_fingerprint: row for row in reversed(known) if row.label_failed}
    good = {fingerprint: [row] for fingerprint, row in reusable.items() if _is_good(row)}
    grounding = Grounding(model) if model else None
    rows = []

    def fitting(labels: Sequence[IssueRow], cluster: PreparedCluster) -> IssueRow | None:
        return next((row for row in labels if _mismatch(row, cluster, grounding) is None), None)

    for cluster in clusters:
        fingerprint = cluster.fingerprint
        if own := fitting(kept.get(fingerprint, []), cluster):
            # Taken once, the one that a model was asked for first: a second cluster with the same
            # titles has its own row or reuses this one, as on the first run.
            kept[fingerprint].remove(own)
            good.setdefault(fingerprint, []).insert(0, own)
            rows.append(_moved(own, cluster))
        elif source := fitting(good.get(fingerprint, []), cluster):
            rows.append(_without_cost(_moved(source, cluster), label_source="reused"))
        elif fingerprint in failed:
            rows.append(_moved(failed[fingerprint], cluster))
        else:
            rows.append(_without_label(cluster, Spent(), "no model was asked yet"))
    return rows


def continued_rows(
    clusters: Sequence[PreparedCluster],
    rows: Sequence[IssueRow],
    labels: Mapping[int, IssueRow],
    model: TextEncoder,
) -> list[IssueRow]:
    """Return the rows of clusters that take over the label of the problem that they continue.

    A label is taken over if the cluster has none, the label is about the cluster, the cluster
    reports a problem, and no other cluster of the day has its title.

    Args:
        clusters: The day's clusters.
        rows: Their rows, in the same order.
        labels: The label of the earlier problem that a cluster continues in meaning, by cluster id.
        model: The embedding model.

    Returns:
        The new rows alone, in the order of the clusters.
    """
    grounding = Grounding(model)
    taken = {normalize_title(row.canonical_title) for row in rows if row.canonical_title}
    continued = []
    for cluster, row in zip(clusters, rows, strict=True):
        label = labels.get(cluster.cluster_id)
        if label is None or not row.label_failed or not _is_good(label):
            continue
        title = normalize_title(str(label.canonical_title))
        is_problem = cluster.problem_score >= MIN_PROBLEM_SCORE
        if is_problem and title not in taken and _mismatch(label, cluster, grounding) is None:
            taken.add(title)
            own = replace(label, cluster_fingerprint=cluster.fingerprint)
            continued.append(_without_cost(_moved(own, cluster), label_source="reused"))
    return continued


def _is_good(row: IssueRow) -> bool:
    return not row.label_failed and stored_label_problem(row) is None


def _mismatch(row: IssueRow, cluster: PreparedCluster, grounding: Grounding | None) -> str | None:
    """Return why a label is not about a cluster that has the same titles, or ``None``."""
    texts = [text.text for text in cluster.texts]
    return reuse_problem(row, texts, cluster.embeddings, grounding) if grounding else None


def ask_models(
    clusters: Sequence[PreparedCluster],
    rows: Sequence[IssueRow],
    labeler: Labeler,
    model: TextEncoder,
) -> Iterator[list[IssueRow]]:
    """Ask models about every cluster whose row has no label, several at once.

    Clusters that no model was ever asked about go first, so that those that fail again and again
    leave them some of a run's budget. Of several with the same titles the first is asked about.

    Args:
        clusters: The day's clusters.
        rows: Their rows, in the same order.
        labeler: What asks the models.
        model: The embedding model, for hints and checks.

    Yields:
        As soon as a label is there, or is known to fail: the new rows of all clusters it is for,
        and of those whose label it takes back, which come again. Store them before you ask for
        more.
    """
    latest = {row.cluster_id: row for row in rows}
    unlabelled = {row.cluster_id for row in rows if row.label_failed}
    try:
        while unlabelled:
            left: set[int] = set()
            current = [latest[cluster.cluster_id] for cluster in clusters]
            for fresh in _ask_round(clusters, current, unlabelled, labeler, model, left):
                latest.update((row.cluster_id, row) for row in fresh)
                yield fresh
            # Clusters with the titles of another one, whose label is not about them.
            unlabelled = left
    finally:
        labeler.stop()


def _ask_round(
    clusters: Sequence[PreparedCluster],
    rows: Sequence[IssueRow],
    unlabelled: Collection[int],
    labeler: Labeler,
    model: TextEncoder,
    left: set[int],
) -> Iterator[list[IssueRow]]:
    """Ask about clusters, each title set once; note in ``left`` whom the label does not fit."""
    same_titles: dict[str, list[PreparedCluster]] = {}
    standing = {}
    for cluster, row in zip(clusters, rows, strict=True):
        if cluster.cluster_id in unlabelled:
            same_titles.setdefault(cluster.fingerprint, []).append(cluster)
            standing[cluster.cluster_id] = row
    groups = sorted(
        same_titles.values(), key=lambda group: not standing[group[0].cluster_id].is_waiting
    )
    if not groups:
        return
    shared = shared_words([text.text for text in cluster.texts] for cluster in clusters)
    titles = DayTitles(
        (row.canonical_title, titles_of(cluster))
        for cluster, row in zip(clusters, rows, strict=True)
        if row.canonical_title
    )
    hinter, grounding = Hinter(model), Grounding(model)
    words = DayWords(
        {one.cluster_id: [text.text for text in one.texts] for one in clusters},
        {one.cluster_id: [item.url for item in one.items] for one in clusters},
    )

    def asked(cluster: PreparedCluster) -> LabelTask:
        own = titles_of(cluster)
        taken = titles.taken(own)
        check = ClusterCheck(cluster.embeddings, grounding)
        return LabelTask(
            lambda: labeler.candidates(_request(cluster, shared, hinter, grounding), check, taken),
            own,
            apart=words.distinguishing(cluster.cluster_id),
            problem=lambda label: check.problem(label, chosen=False),
        )

    def fresh_rows(place: int, result: LabelResult | LabelingError) -> list[IssueRow]:
        first, *others = groups[place]
        row = _row(first, result)
        if row.is_waiting and not standing[first.cluster_id].is_waiting:
            row = standing[first.cluster_id]  # how it failed before says more
        source = row.label_source if row.label_failed else "reused"
        mismatches = {
            one.cluster_id
            for one in others
            if not row.label_failed
            and not same_posts(first.embeddings, one.embeddings)
            and _mismatch(row, one, grounding) is not None
        }
        left.difference_update(one.cluster_id for one in others)
        left.update(mismatches)
        return [
            row,
            *(
                standing[one.cluster_id]
                if one.cluster_id in mismatches
                else _without_cost(_moved(row, one), label_source=source)
                for one in others
            ),
        ]

    done: set[int] = set()
    for outcomes in label_concurrently(
        [asked(group[0]) for group in groups], titles, labeler.labels_at_once
    ):
        fresh = []
        for place, result in outcomes.items():
            rows_of_group = fresh_rows(place, result)
            fresh += rows_of_group
            if isinstance(result, TitleTakenError):
                done.discard(place)
                logger.info(
                    "cluster %d is asked about again: %s", groups[place][0].cluster_id, result
                )
            else:
                done.add(place)
                _report(len(done), len(groups), rows_of_group[0])
        yield fresh


def _moved(row: IssueRow, cluster: PreparedCluster) -> IssueRow:
    """Return a row for a cluster: its number, size and score, and what follows from the score."""
    is_problem = row.is_problem
    if is_problem is None and not row.label_failed:
        # A label from before problems were separated from other themes.
        is_problem = cluster.problem_score >= MIN_PROBLEM_SCORE
    return replace(
        row,
        cluster_id=cluster.cluster_id,
        cluster_size=len(cluster.items),
        is_problem=is_problem,
        problem_score=cluster.problem_score,
    )


def _without_cost(row: IssueRow, *, label_source: str) -> IssueRow:
    """Return the row for a cluster that shares another's label, or another's failure."""
    # Whether a model was asked is no cost, and true for both.
    spent = Spent(attempts=row.attempts if row.label_failed else 0)
    return replace(row, **asdict(spent), label_source=label_source, labeled_at=datetime.now(UTC))


def _request(
    cluster: PreparedCluster, shared: frozenset[str], hinter: Hinter, grounding: Grounding
) -> LabelRequest:
    texts = [text.text for text in cluster.texts]
    hints = hinter.hints(texts, cluster.embeddings, cluster.problem_score)
    posts = [cluster.texts[row] for row in cluster.representatives]
    return LabelRequest(
        representatives=[
            Representative(
                mask_unshared_words(post.title, shared),
                mask_unshared_words(snippet(post.body), shared),
            )
            for post in posts
        ],
        cluster_size=len(cluster.items),
        likely_category=hints.category,
        likely_impact=hints.impact,
        likely_would_pay=hints.would_pay,
        likely_problem=hints.is_problem,
        choices=cache(partial(_choices, cluster, shared, hinter, grounding, hints.is_problem)),
    )


def _choices(
    cluster: PreparedCluster,
    shared: frozenset[str],
    hinter: Hinter,
    grounding: Grounding,
    is_problem: bool,
) -> Choices:
    """Return what a model that chooses is offered: the best texts of the members in the middle."""
    distances = centroid_distances(cluster.embeddings)
    nearest = sorted(range(len(distances)), key=lambda row: (distances[row], row))

    def measure(texts: list[str]) -> list[MeasuredText]:
        if not texts:
            return []
        vectors = grounding.embed(texts)
        cosines = cosines_to_centroid(vectors, cluster.embeddings)
        # Where there is no problem, no text is better for speaking of one.
        scores = hinter.problem_scores(texts, vectors) if is_problem else [0.0] * len(texts)
        return list(map(MeasuredText, texts, vectors, cosines, scores))

    return rank_choices(
        [
            MaskedPost(
                mask_unshared_words(cluster.texts[row].title, shared),
                mask_unshared_words(cluster.texts[row].body[:MAX_BODY_CHARS], shared),
            )
            for row in nearest[:NEAREST_MEMBERS]
        ],
        measure,
    )


def _row(cluster: PreparedCluster, result: LabelResult | LabelingError) -> IssueRow:
    if isinstance(result, LabelingError):
        return _without_label(cluster, result.spent, str(result))
    return replace(
        _without_label(cluster, result.spent, ""),
        **result.label.model_dump(),
        label_failed=False,
        label_source=result.source,
        model=result.model,
    )


def _without_label(cluster: PreparedCluster, spent: Spent, why: str) -> IssueRow:
    """Return the row of a cluster without a label, with what was spent on it."""
    return IssueRow(
        cluster_id=cluster.cluster_id,
        cluster_fingerprint=cluster.fingerprint,
        cluster_size=len(cluster.items),
        canonical_title=None,
        category=None,
        description=None,
        would_pay_signal=None,
        impact_level=None,
        is_problem=None,
        problem_score=cluster.problem_score,
        label_failed=True,
        label_source="failed",
        model="",
        **asdict(spent),
        labeled_at=datetime.now(UTC),
        failure=printable(redact(why), MAX_FAILURE_CHARS),
    )


def _report(number: int, count: int, row: IssueRow) -> None:
    if row.is_waiting:
        logger.info("label %d of %d waits for the next run: %s", number, count, row.failure)
    elif row.label_failed:
        logger.warning(
            "label %d of %d, cluster %d failed: %s", number, count, row.cluster_id, row.failure
        )
    else:
        logger.info("label %d of %d, %s: %s", number, count, row.label_source, row.canonical_title)
