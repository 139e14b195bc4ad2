"""Following problems over days, beside nearest centroids: ``make eval PARTS=identity``.

Labelled titles of real posts are dealt onto ten days; of each label and day the five nearest to
their mean stand for one issue. Of the synthetic world, the reports of one problem and day do.
Single reports of a bug tracker are the hardest case: issues of one post each.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import real_posts
from issue_pipeline.local.model_weights import all_minilm_folder
from issue_pipeline.problems import link_issues
from issue_pipeline.resources.embedding import EmbeddingResource
from issue_pipeline.sandbox.world.content import SOURCES
from issue_pipeline.sandbox.world.synthetic import SyntheticWorld
from issue_pipeline.utils.cluster_representatives import REPRESENTATIVES
from issue_pipeline.utils.clustering import centroid_distances
from issue_pipeline.utils.embeddings import TextEncoder, Vectors, clean_item, embed_texts

FIRST_DAY = date(2026, 3, 1)
DAYS = 10
TITLES_OF_A_LABEL = 150
REPORTS_OF_A_DAY = 8
FEWEST_REPORTS = 6
# The baseline: an issue joins the problem whose last centroid is nearest, at this cosine or more.
BASELINE_COSINE = 0.75

# A day's issues: the label of each, and the vectors of its representatives.
Stream = list[list[tuple[str, Vectors]]]


def problem_identity() -> Iterator[dict[str, Any]]:
    """Yield, for each stream, B-cubed precision, recall and F1 of the rule and of the baseline."""
    model = EmbeddingResource(embedding_model=str(all_minilm_folder())).get_model()
    streams = {
        "synthetic world": _world(model),
        "Stack Overflow by tag": _dealt("stackoverflow_titles_20", "label", model),
        "Reddit by subreddit": _dealt("reddit_posts", "label", model),
        "GitHub by repository": _dealt("github_issues", "repo", model),
        "bug tracker, single reports": _singles("bugzilla_duplicates", model),
    }
    for name, stream in streams.items():
        truth = [label for day in stream for label, _ in day]
        dated = [
            (FIRST_DAY + timedelta(days=place), [vectors for _, vectors in day])
            for place, day in enumerate(stream)
        ]
        ours = np.concatenate(link_issues(dated))
        yield {
            "stream": name,
            "issues": len(truth),
            **_named("rule", b_cubed(truth, ours)),
            **_named("last centroid", b_cubed(truth, nearest_centroids(stream))),
        }


def _named(name: str, scores: tuple[float, float, float]) -> dict[str, float]:
    return {
        f"{name}: {part}": round(score, 3)
        for part, score in zip(("precision", "recall", "F1"), scores, strict=True)
    }


def _dealt(corpus: str, key: str, model: TextEncoder) -> Stream:
    titles: dict[str, list[str]] = defaultdict(list)
    rows = real_posts.posts(corpus)
    for place in np.random.default_rng(0).permutation(len(rows)):
        label = str(rows[place][key])
        if len(titles[label]) < TITLES_OF_A_LABEL:
            titles[label].append(rows[place]["title"])
    vectors = {label: embed_texts(titles[label], model) for label in sorted(titles)}
    return [
        [
            (label, _representatives(np.array_split(rows, DAYS)[day]))
            for label, rows in vectors.items()
            if len(rows) >= DAYS
        ]
        for day in range(DAYS)
    ]


def _world(model: TextEncoder) -> Stream:
    world, dice = SyntheticWorld(), np.random.default_rng(0)
    stream: Stream = []
    for place in range(DAYS):
        reports: dict[str, list[str]] = defaultdict(list)
        for source in SOURCES:
            for post in world.posts(source, FIRST_DAY + timedelta(days=place)):
                if post.truth:
                    reports[post.truth.problem].append(clean_item(post).text)
        day = []
        for problem in sorted(reports):
            texts = reports[problem]
            if len(texts) >= FEWEST_REPORTS:
                some = dice.permutation(len(texts))[:REPORTS_OF_A_DAY]
                vectors = embed_texts([texts[i] for i in some], model)
                day.append((problem, _representatives(vectors)))
        stream.append(day)
    return stream


def _singles(corpus: str, model: TextEncoder) -> Stream:
    rows = real_posts.posts(corpus)
    vectors = embed_texts([clean_item({**row, "source": "github"}).text for row in rows], model)
    issues = [(str(row["label"]), vectors[i : i + 1]) for i, row in enumerate(rows)]
    step = -(-len(issues) // DAYS)
    return [issues[start : start + step] for start in range(0, len(issues), step)]


def _representatives(vectors: Vectors) -> Vectors:
    return vectors[np.argsort(centroid_distances(vectors), kind="stable")[:REPRESENTATIVES]]


def nearest_centroids(stream: Stream) -> NDArray[np.int64]:
    """Return the number of each issue's problem by the baseline, in the order of the stream."""
    last: list[NDArray[np.float64]] = []
    numbers: list[int] = []
    for day in stream:
        seen: dict[int, NDArray[np.float64]] = {}
        known = np.array(last)
        for _, vectors in day:
            centroid = vectors.mean(axis=0, dtype=np.float64)
            centroid /= np.linalg.norm(centroid)
            cosines = known @ centroid if len(known) else np.zeros(0)
            number = int(cosines.argmax()) if len(cosines) else -1
            if number < 0 or cosines[number] < BASELINE_COSINE:
                number = len(last)
                last.append(centroid)
            seen[number] = centroid
            numbers.append(number)
        for number, centroid in seen.items():
            last[number] = centroid
    return np.array(numbers, dtype=np.int64)


def b_cubed(truth: list[str], found: NDArray[np.int64]) -> tuple[float, float, float]:
    """Return B-cubed precision, recall and F1 (Bagga and Baldwin, 1998)."""
    labels = np.unique(truth, return_inverse=True)[1]
    groups = np.unique(found, return_inverse=True)[1]
    table = np.zeros((labels.max() + 1, groups.max() + 1))
    np.add.at(table, (labels, groups), 1)
    precision = float((table**2 / table.sum(axis=0)).sum() / len(labels))
    recall = float((table**2 / table.sum(axis=1, keepdims=True)).sum() / len(labels))
    return precision, recall, 2 * precision * recall / (precision + recall)
