"""What taking over labels saves, and what fresh ones would say: ``make eval PARTS=continued``.

Thirty days of the synthetic world are clustered, labelled and linked one after the other, as the
pipeline does with nothing stored. Only clusters that report a problem by their score are labelled:
nothing else is followed. Of those that take over the label of the problem that they continue, some
of every day are labelled afresh all the same, and both labels are compared, with each other and
with the world's truth. Models are those that the environment names, or else the sandbox's own.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import numpy as np

from benchmarks.labelled_days import ClusteredDay, clustered_day, configured_models
from benchmarks.labels import majority
from issue_pipeline.labels.labelling import ask_models, continued_rows, settled_rows
from issue_pipeline.labels.preparation import PreparedCluster
from issue_pipeline.labels.problem_scoring import MIN_PROBLEM_SCORE
from issue_pipeline.labels.session import start_session
from issue_pipeline.local.model_weights import all_minilm_folder
from issue_pipeline.problems.continuing import EarlierProblems, labels_by_meaning, posts_of
from issue_pipeline.problems.linking import Issue, embed_issues, link_days, recent_issues
from issue_pipeline.records import IssueRow, ProblemIssue
from issue_pipeline.resources.embedding import EmbeddingResource
from issue_pipeline.resources.llm import LLMResource
from issue_pipeline.sandbox.world.posts import Truth
from issue_pipeline.sandbox.world.synthetic import SyntheticWorld
from issue_pipeline.sql.problems import IssuePosts
from issue_pipeline.utils.cluster_representatives import normalize_title
from issue_pipeline.utils.embeddings import TextEncoder, embed_texts

FIRST_DAY = date(2026, 3, 1)
DAYS = 30
POSTS_PER_DAY = 700
WORLD_SEED = 7
# Of a day's labels that were taken over, so many are compared with fresh ones.
SAMPLE_OF_A_DAY = 2
# Of each field of a row, what the truth calls it; it has no title, and all of it are problems.
FIELDS: Mapping[str, str | None] = {
    "category": "category",
    "would_pay_signal": "would_pay",
    "impact_level": "impact",
    "is_problem": None,
    "canonical_title": None,
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """The label that a cluster took over, the one that models gave it, and the truth."""

    taken: IssueRow
    fresh: IssueRow
    truth: Truth | None


@dataclass(slots=True)
class Followed:
    """What is known after some days."""

    rows: dict[Issue, IssueRow] = field(default_factory=dict)
    posts: dict[Issue, IssuePosts] = field(default_factory=dict)
    links: list[ProblemIssue] = field(default_factory=list)
    sources: Counter[str] = field(default_factory=Counter)
    comparisons: list[Comparison] = field(default_factory=list)

    def earlier(self, day: date) -> EarlierProblems:
        """Return the problems that a day may continue, each with its largest issue's label."""
        recent = recent_issues(self.links, day)
        largest: dict[str, IssueRow] = {}
        for link in self.links:
            row = self.rows[link.issue_date, link.cluster_id]
            known = largest.get(link.problem_id)
            if known is None or row.cluster_size > known.cluster_size:
                largest[link.problem_id] = row
        posts = [self.posts[issue] for own in recent.values() for issue in own]
        return EarlierProblems(recent, posts, largest)


def labels_taken_over() -> Iterator[dict[str, Any]]:
    """Yield what was saved, then a row for each field of a label."""
    model = EmbeddingResource(embedding_model=str(all_minilm_folder())).get_model()
    world, dice, followed = (
        SyntheticWorld(WORLD_SEED, POSTS_PER_DAY),
        np.random.default_rng(0),
        Followed(),
    )
    with configured_models() as llm:
        for number in range(DAYS):
            day = FIRST_DAY + timedelta(days=number)
            _follow(followed, day, clustered_day(world, day, model), llm, model, dice)
    yield {
        "days": DAYS,
        "clusters that report a problem": followed.sources.total(),
        "known by fingerprint": followed.sources["fingerprint"],
        "taken over by meaning": followed.sources["meaning"],
        "a model was asked about": followed.sources["model"],
        "compared": len(followed.comparisons),
    }
    yield from compared(followed.comparisons, model)


def compared(comparisons: Sequence[Comparison], model: TextEncoder) -> list[dict[str, Any]]:
    """Return for each field how often both labels say the same, and how often each is right.

    Returns:
        A row a field: ``same``, a share; ``taken over, right`` and ``fresh, right``, shares of the
        clusters whose truth is known, ``None`` where there is no truth; and of titles ``cosine``,
        the median of the cosine of both.
    """
    titles = [[str(one.canonical_title) for one in (c.taken, c.fresh)] for c in comparisons]
    vectors = embed_texts([title for pair in titles for title in pair], model)
    rows = []
    for name, of_truth in FIELDS.items():
        pairs = [(getattr(c.taken, name), getattr(c.fresh, name), c.truth) for c in comparisons]
        if name == "canonical_title":
            pairs = [(normalize_title(a), normalize_title(b), truth) for a, b, truth in pairs]
        known = [(a, b, getattr(truth, of_truth)) for a, b, truth in pairs if of_truth and truth]
        rows.append(
            {
                "field": name,
                "compared": len(pairs),
                "same": _share([a == b for a, b, _ in pairs]),
                "truth known": len(known),
                "taken over, right": _share([a == true for a, _, true in known]),
                "fresh, right": _share([b == true for _, b, true in known]),
                "cosine": float(np.median((vectors[::2] * vectors[1::2]).sum(axis=1)))
                if name == "canonical_title" and comparisons
                else None,
            }
        )
    return rows


def _share(hits: Sequence[bool]) -> float | None:
    return float(np.mean(hits)) if hits else None


def _follow(
    followed: Followed,
    day: date,
    clustered: ClusteredDay,
    llm: LLMResource,
    model: TextEncoder,
    dice: np.random.Generator,
) -> None:
    """Label and link a day; compare some of the labels that it takes over with fresh ones."""
    clusters = [one for one in clustered.clusters if one.problem_score >= MIN_PROBLEM_SCORE]
    by_fingerprint = {row.cluster_fingerprint: row for row in followed.rows.values()}
    settled = settled_rows(clusters, known=[], reusable=by_fingerprint, model=model)
    waiting = {row.cluster_id for row in settled if row.label_failed}
    unlabelled = [one for one in clusters if one.cluster_id in waiting]
    labels = labels_by_meaning(day, unlabelled, followed.earlier(day), model)
    taken = {row.cluster_id: row for row in continued_rows(clusters, settled, labels, model)}
    sample = set(dice.permutation(sorted(taken))[:SAMPLE_OF_A_DAY].tolist())
    # Those in the sample stand without a label, so that a model is asked about them, too.
    asked = [row if row.cluster_id in sample else taken.get(row.cluster_id, row) for row in settled]
    fresh: dict[int, IssueRow] = {}
    for some in ask_models(clusters, asked, start_session(llm), model):
        fresh.update((row.cluster_id, row) for row in some)
    truths = {one.cluster_id: _truth(one, clustered) for one in clusters}
    followed.comparisons += [
        Comparison(taken[one], fresh[one], truths[one])
        for one in sorted(sample)
        if not fresh[one].label_failed
    ]
    followed.sources["fingerprint"] += len(clusters) - len(waiting)
    followed.sources["meaning"] += len(taken)
    followed.sources["model"] += len(waiting) - len(taken)
    rows = [taken.get(row.cluster_id) or fresh.get(row.cluster_id, row) for row in settled]
    _link(followed, day, clusters, rows, model)


def _truth(cluster: PreparedCluster, clustered: ClusteredDay) -> Truth | None:
    return majority([clustered.truths[item.url_hash] for item in cluster.items])


def _link(
    followed: Followed,
    day: date,
    clusters: Sequence[PreparedCluster],
    rows: Sequence[IssueRow],
    model: TextEncoder,
) -> None:
    recent = recent_issues(followed.links, day)
    posts = []
    for cluster, row in zip(clusters, rows, strict=True):
        if row.is_problem and not row.label_failed:
            followed.rows[day, cluster.cluster_id] = row
            posts.append(posts_of(day, cluster))
            followed.posts[day, cluster.cluster_id] = posts[-1]
    known = [followed.posts[issue] for own in recent.values() for issue in own]
    groups = embed_issues([*posts, *known], model)
    followed.links += link_days([day], posts, recent, groups)
