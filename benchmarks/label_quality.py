"""How good labels are: their form and titles, what they took and what they say; for ``make eval``.

Labelled are clusters of the corpora's posts, dealt onto days, and of the synthetic world, by the
models that the environment names (``LLM_...``), or else by the sandbox's own, which chooses.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import numpy as np

from benchmarks.labelled_days import (
    ClusteredDay,
    LabelledDay,
    clustered_day,
    configured_models,
    first_clusters,
    labelled_day,
)
from benchmarks.labels import (
    FIELDS,
    Pairs,
    accuracy,
    balanced_accuracy,
    commonest,
    label_pairs,
    majority,
)
from benchmarks.problem_or_not import measure_problems
from benchmarks.report import Report, Row
from benchmarks.world import FIRST_DAY
from issue_pipeline.labels.masking import MASK
from issue_pipeline.labels.preparation import PreparedCluster
from issue_pipeline.labels.schema import MIN_GROUNDING
from issue_pipeline.labels.validation import Grounding
from issue_pipeline.local.model_weights import all_minilm_folder
from issue_pipeline.ops.run_day import show_progress
from issue_pipeline.records import IssueRow
from issue_pipeline.resources.embedding import EmbeddingResource
from issue_pipeline.resources.llm import LOCAL, STYLES, WRITE, LLMResource
from issue_pipeline.sandbox.world.corpus import CorpusWorld
from issue_pipeline.sandbox.world.posts import Truth
from issue_pipeline.sandbox.world.synthetic import SyntheticWorld
from issue_pipeline.utils.cluster_representatives import normalize_title
from issue_pipeline.utils.embeddings import TextEncoder

# The corpora are dealt onto so many days of about 2,080 posts, the first three of which are used.
DEALT_DAYS = 8
REAL_DAYS = 3
SYNTHETIC_DAYS = 5
# Repositories, subreddits and first tags that imply a category; the others imply none.
IMPLIED_CATEGORY = {
    **dict.fromkeys(
        ("huggingface/datasets", "opencv/opencv", "tensorflow/tensorflow", "tensorflow"), "ai"
    ),
    "MachineLearning": "ai",
    "bitcoin/bitcoin": "finance",
    **dict.fromkeys(("facebook/react", "microsoft/vscode", "bugzilla/firefox"), "devtools"),
    **dict.fromkeys(("learnpython", "learnprogramming", "SQL", "Database", "git"), "devtools"),
    **dict.fromkeys(("csharp", "vim", "webdev", "androiddev", "iOSProgramming"), "devtools"),
    **dict.fromkeys(("linuxquestions", "networking", "sysadmin", "Wordpress"), "devtools"),
    **dict.fromkeys(("c++", "python", "javascript", "c", "r", "c#", "java", "html"), "devtools"),
    **dict.fromkeys(("sql", ".net", "powershell", "php", "rust", "typescript"), "devtools"),
}
MIN_IMPLYING_SHARE = 0.5


def measure_labels(report: Report, corpora: Path, clusters: int) -> None:
    """Label clusters of real posts and of the synthetic world, and report how good the labels are.

    Args:
        report: Gets a table for each question.
        corpora: Real posts.
        clusters: Most to label of either.
    """
    show_progress()
    model = EmbeddingResource(embedding_model=str(all_minilm_folder())).get_model()
    dates = [FIRST_DAY + timedelta(days=number) for number in range(DEALT_DAYS)]
    real = CorpusWorld(corpora, dates)
    days = {
        "real": [clustered_day(real, day, model) for day in dates[:REAL_DAYS]],
        "synthetic": [
            clustered_day(SyntheticWorld(), day, model) for day in dates[:SYNTHETIC_DAYS]
        ],
    }
    measure_problems(report, corpora, days["synthetic"], model)
    with configured_models() as llm:
        name = " and ".join(one.name for one in llm.models())
        for posts, own in days.items():
            labelled = [labelled_day(day, llm, model) for day in first_clusters(own, clusters)]
            of = {"posts": posts}
            report.add(f"labels by {name}", of | form(labelled, model))
            for row in grounding_by_style(labelled, llm, model):
                report.add("labels that were written, and labels that were chosen", of | row)
            report.add("what a label takes", of | effort(labelled))
            for field, pairs in expectations(labelled).items():
                report.add(
                    "labels beside what is expected", of | {"field": field} | agreement(pairs)
                )
            report.add("labels that a later day can reuse", of | reuse(own))


def form(days: Sequence[LabelledDay], model: TextEncoder) -> Row:
    """Count what came of the clusters.

    A title is grounded as ``labels.MIN_GROUNDING`` says; a label that was written is refused unless
    it is, one that was chosen is not.

    Returns:
        ``clusters``; of these the shares ``valid`` and ``grounded`` in the end, and after one call;
        ``failed``, ``waiting``; ``same title``: labels whose title another of their day has;
        ``masked``: labels that show a mask.
    """
    asked = [row for day in days for row in day.rows]
    good = [row for row in asked if not row.label_failed]
    grounded = [row for day in days for row in grounded_labels(day, model)]
    waiting = sum(row.is_waiting for row in asked)
    return {
        "clusters": len(asked),
        "valid, one call": _share(_after_one_call(good), len(asked)),
        "valid": _share(len(good), len(asked)),
        "grounded, one call": _share(_after_one_call(grounded), len(asked)),
        "grounded": _share(len(grounded), len(asked)),
        "failed": len(asked) - len(good) - waiting,
        "waiting": waiting,
        "same title": sum(map(same_titles, days)),
        "masked": sum(MASK in f"{row.canonical_title} {row.description}" for row in good),
    }


def grounded_labels(day: LabelledDay, model: TextEncoder) -> list[IssueRow]:
    """Return the good labels whose title is near enough to the centroid of its cluster."""
    grounding = Grounding(model)
    return [
        row
        for cluster, row in zip(day.day.clusters, day.rows, strict=True)
        if row.canonical_title
        and grounding.similarities([row.canonical_title], cluster.embeddings)[0]
        >= MIN_GROUNDING["canonical_title"]
    ]


def same_titles(day: LabelledDay) -> int:
    """Count the labels whose title another cluster of the day has."""
    titles = Counter(normalize_title(row.canonical_title or "") for row in day.rows)
    return sum(
        titles[normalize_title(row.canonical_title)] > 1 for row in day.rows if row.canonical_title
    )


def grounding_by_style(
    days: Sequence[LabelledDay], llm: LLMResource, model: TextEncoder
) -> list[Row]:
    """Count grounded titles apart for labels that were written and labels that were chosen.

    Returns:
        A row for each style that gave labels: how many, and the share grounded, also after one
        call.
    """
    rows: list[Row] = []
    for style in STYLES:
        own = {LOCAL: llm.local_style}
        labels, grounded = (
            [row for row in some if row.attempts and own.get(row.label_source, WRITE) == style]
            for some in (
                [row for day in days for row in day.rows if not row.label_failed],
                [row for day in days for row in grounded_labels(day, model)],
            )
        )
        if labels:
            first = _share(_after_one_call(grounded), len(labels))
            share = _share(len(grounded), len(labels))
            rows.append(
                {
                    "style": style,
                    "labels": len(labels),
                    "grounded, one call": first,
                    "grounded": share,
                }
            )
    return rows


def effort(days: Sequence[LabelledDay]) -> Row:
    """Return what labels took: calls, dollars, and quantiles of each one's seconds and tokens."""
    asked = [row for day in days for row in day.rows if row.attempts]
    seconds = _middle([row.seconds for row in asked])
    tokens = _middle([row.prompt_tokens + row.completion_tokens for row in asked])
    return {
        "calls": sum(row.attempts for row in asked),
        "seconds, median": seconds[0],
        "seconds, 95 %": seconds[1],
        "tokens, median": tokens[0],
        "tokens, 95 %": tokens[1],
        "dollars": sum(row.cost_usd for row in asked),
    }


def reuse(days: Sequence[ClusteredDay]) -> Row:
    """Count the clusters of later days that have the fingerprint of one of a day before."""
    seen: set[str] = set()
    reused = count = 0
    for number, day in enumerate(days):
        own = [cluster.fingerprint for cluster in day.clusters]
        if number:
            count += len(own)
            reused += sum(fingerprint in seen for fingerprint in own)
        seen.update(own)
    return {
        "later days": len(days) - 1,
        "clusters": count,
        "known": reused,
        "share": _share(reused, count),
    }


def expectations(days: Sequence[LabelledDay]) -> dict[str, Pairs]:
    """Return (expected, label) of good labels: by group, and by field where the truth is known.

    What is expected of a cluster is the category that its posts' groups imply, and the truth of
    the problem that at least half of its posts report; a cluster that has none is left out.
    """
    pairs: dict[str, Pairs] = {"category, by group": [], **{field: [] for field in FIELDS}}
    for day in days:
        clusters, groups, truths = day.day.clusters, day.day.groups, day.day.truths
        for cluster, row in zip(clusters, day.rows, strict=True):
            if not row.label_failed and (implied := implied_category(cluster, groups)):
                pairs["category, by group"].append((implied, row.category))
        truth_of: dict[int, Truth | None] = {
            cluster.cluster_id: majority([truths[item.url_hash] for item in cluster.items])
            for cluster in clusters
        }
        for field, own in label_pairs(day.rows, truth_of).items():
            pairs[field] += own
    return {field: own for field, own in pairs.items() if own}


def implied_category(cluster: PreparedCluster, groups: dict[str, str]) -> str | None:
    """Return the category that the groups of at least half of the posts imply, if there is one."""
    # Large subreddits are served in parts: name, name_2, ...
    implied = Counter(
        IMPLIED_CATEGORY.get(group) or IMPLIED_CATEGORY.get(group.rpartition("_")[0])
        for group in (groups[item.url_hash] for item in cluster.items)
    )
    del implied[None]
    if not implied:
        return None
    category, count = implied.most_common(1)[0]
    return category if count >= MIN_IMPLYING_SHARE * len(cluster.items) else None


def agreement(pairs: Pairs) -> Row:
    """Compare labels with what is expected, beside always answering the commonest expected."""
    return {
        "clusters": len(pairs),
        "accuracy": accuracy(pairs),
        "commonest": accuracy(commonest(pairs)),
        "balanced": balanced_accuracy(pairs),
        "commonest, balanced": balanced_accuracy(commonest(pairs)),
    }


def _after_one_call(rows: Sequence[IssueRow]) -> int:
    return sum(row.attempts == 1 for row in rows)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")


def _middle(values: Sequence[float]) -> tuple[float, float]:
    if not values:
        return float("nan"), float("nan")
    median, high = np.quantile(values, [0.5, 0.95])
    return float(median), float(high)
