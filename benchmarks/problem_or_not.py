"""How well problems are told from other themes, and impact from Hadoop's own priorities.

Real posts: bug reports, feature requests and questions beside stories, shows and self-posts. The
synthetic world: a cluster is a problem if at least half of its posts are reports.
"""

import gzip
import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from benchmarks import real_posts
from benchmarks.labelled_days import ClusteredDay
from benchmarks.report import Report, Row
from issue_pipeline.labels.hints import Hinter
from issue_pipeline.labels.preparation import PreparedCluster
from issue_pipeline.labels.problem_scoring import MIN_PROBLEM_SCORE, ProblemScorer
from issue_pipeline.labels.schema import IMPACT_LEVELS
from issue_pipeline.partitions import SOURCES
from issue_pipeline.utils.embeddings import CleanText, TextEncoder, Vectors, clean_item, embed_texts

HADOOP = Path("dated/hadoop_duplicates.jsonl.gz")
PRIORITIES = ("Trivial", "Minor", "Major", "Critical", "Blocker")
POSTS_OF_A_KIND = 250
HADOOP_POSTS = 800
# Corpus and label of what reports problems by its nature, and of what mostly does not.
REPORTS = {
    "GitHub, bug": ("github_issues", "bug"),
    "GitHub, feature": ("github_issues", "feature"),
    "GitHub, question": ("github_issues", "question"),
    "Stack Overflow": ("stackoverflow_questions_full", None),
    "Bugzilla": ("bugzilla_duplicates", None),
}
OTHERS = {
    "Hacker News, story": ("hackernews_stories", "story"),
    "Hacker News, show": ("hackernews_stories", "show"),
    "Reddit": ("reddit_posts", None),
}


def measure_problems(
    report: Report, corpora: Path, world: Sequence[ClusteredDay], model: TextEncoder
) -> None:
    """Report the areas on real posts, precision and recall on the world, and Hadoop's correlation.

    Args:
        report: Gets three tables.
        corpora: Real posts; Hadoop's reports are beside that folder.
        world: Days of the synthetic world.
        model: The embedding model.
    """
    scorer = ProblemScorer(model)
    scores = {
        name: post_scores(scorer, *sample(corpora, *kind, POSTS_OF_A_KIND), model)
        for name, kind in (REPORTS | OTHERS).items()
    }
    report.add("problem or not: area by post", *areas(scores))
    report.add("problem or not: clusters of the synthetic world", by_cluster(world))
    if (hadoop := corpora.parent / HADOOP).exists():
        report.add("impact beside Hadoop's priorities", impact_beside_priority(hadoop, model))


def sample(
    corpora: Path, corpus: str, label: str | None, count: int
) -> tuple[list[CleanText], list[dict[str, Any]]]:
    """Return some posts of a kind, cleaned, and as they were; always the same."""
    posts = [post for post in real_posts.posts(corpus, corpora) if label in (None, post["label"])]
    return _drawn(posts, count)


def _drawn(posts: list[dict[str, Any]], count: int) -> tuple[list[CleanText], list[dict[str, Any]]]:
    posts = random.Random(1).sample(posts, min(count, len(posts)))
    return [clean_item(_as_item(post)) for post in posts], posts


def _as_item(post: Mapping[str, Any]) -> dict[str, str]:
    source = post["source"] if post["source"] in SOURCES else "github"
    return {"source": source, "title": post["title"] or "", "body": post["body"] or ""}


def post_scores(
    scorer: ProblemScorer, texts: Sequence[CleanText], _posts: object, model: TextEncoder
) -> list[float]:
    """Return the score of each post on its own."""
    vectors = embed_texts([text.text for text in texts], model)
    return [scorer.score([text.text], vectors[row : row + 1]) for row, text in enumerate(texts)]


def areas(scores: Mapping[str, Sequence[float]]) -> list[Row]:
    """Return, for each kind of report, the area under the curve beside each other kind."""
    return [
        {"reports": name} | {other: area(scores[name], scores[other]) for other in OTHERS}
        for name in REPORTS
    ]


def area(positive: Sequence[float], negative: Sequence[float]) -> float:
    """Return the chance that one of the first scores more than one of the second."""
    truth = [1] * len(positive) + [0] * len(negative)
    return float(roc_auc_score(truth, [*positive, *negative]))


def by_cluster(days: Sequence[ClusteredDay]) -> Row:
    """Return precision and recall of the threshold, and the area, over the clusters of days."""
    clusters = [(cluster, day) for day in days for cluster in day.clusters]
    truth = np.array([is_problem(cluster, day) for cluster, day in clusters])
    scores = np.array([cluster.problem_score for cluster, _ in clusters])
    found = scores >= MIN_PROBLEM_SCORE
    return {
        "clusters": len(clusters),
        "problems": int(truth.sum()),
        "precision": float((found & truth).sum() / max(1, found.sum())),
        "recall": float((found & truth).sum() / max(1, truth.sum())),
        "area": area(scores[truth].tolist(), scores[~truth].tolist()),
    }


def is_problem(cluster: PreparedCluster, day: ClusteredDay) -> bool:
    """Return whether at least half of a cluster's posts are reports of the synthetic world."""
    reports = sum(day.truths[item.url_hash] is not None for item in cluster.items)
    return 2 * reports >= len(cluster.items)


def impact_beside_priority(path: Path, model: TextEncoder) -> Row:
    """Return the rank correlation of impact with the priority that reporters gave, by post."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        texts, posts = _drawn([json.loads(line) for line in lines], HADOOP_POSTS)
    vectors: Vectors = embed_texts([text.text for text in texts], model)
    hinter = Hinter(model)
    levels = [
        IMPACT_LEVELS.index(hinter.hints([text.text], vectors[row : row + 1]).impact)
        for row, text in enumerate(texts)
    ]
    priorities = [PRIORITIES.index(post["priority"]) for post in posts]
    found = spearmanr(levels, priorities)
    return {"posts": len(posts), "correlation": float(found.statistic), "p": float(found.pvalue)}
