"""One problem among real posts: in how many clusters it comes back, and what it does to the others.

Reports of problems of the synthetic world, sentences of all tellings mixed, among posts of the
corpora; ``make eval PARTS=problems`` prints the tables of ``docs/clustering-measurements.md``.
"""

import importlib.util
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks import embedded
from benchmarks.report import Row
from issue_pipeline.sandbox.world.content import Bot, Problem, shipped_content
from issue_pipeline.sandbox.world.slots import SlotFiller
from issue_pipeline.utils.clustering import ClusterIds, cluster_embeddings
from issue_pipeline.utils.clustering.api import default_min_cluster_size
from issue_pipeline.utils.embeddings import Vectors

SIZES = (15, 30, 60, 100, 200)
LOUD_SIZES = (250, 500)
PROBLEMS, LOUD_TOPICS = 12, 2
REAL_POSTS, REAL_POSTS_BESIDE_LOUD = 1_400, 1_000
CORPORA = ("hackernews_stories", "reddit_posts", "github_issues", "stackoverflow_titles_20")
# The peers are slow: they are shown fewer problems.
PEERS, PEER_PROBLEMS = ("umap", "evoc"), 4
MODES = ("smoothed", "raw")


@dataclass(frozen=True, slots=True)
class Parts:
    """What became of one problem's reports.

    Attributes:
        clusters: Clusters of which the reports are at least half.
        largest_share: Share of the reports in the cluster that has most of them.
    """

    clusters: int
    largest_share: float


def parts(cluster_ids: ClusterIds, is_report: NDArray[np.bool_]) -> Parts:
    """Count the parts of a problem.

    Args:
        cluster_ids: int64 (n,), -1 for noise.
        is_report: bool (n,), at least one true.
    """
    ids, counts = np.unique(cluster_ids[is_report & (cluster_ids >= 0)], return_counts=True)
    sizes = np.array([np.sum(cluster_ids == one) for one in ids])
    largest = counts.max(initial=0) / np.sum(is_report)
    return Parts(int(np.sum(2 * counts >= sizes)), float(largest))


def one_problem(cache: Path) -> Iterator[Row]:
    """Measure reports of one problem among real posts, for each method and number of reports."""
    reports = _reports(cache)
    for method in (*MODES, *(peer for peer in PEERS if _is_installed(peer))):
        problems = reports[: PROBLEMS if method in MODES else PEER_PROBLEMS]
        for size in SIZES:
            cases = [
                np.concatenate([some[:size], _real_posts(cache, REAL_POSTS, seed)])
                for seed, some in enumerate(problems)
            ]
            is_report = np.arange(size + REAL_POSTS) < size
            found = [parts(ids, is_report) for ids in _clustered(cases, method)]
            yield {
                "method": method,
                "reports": size,
                "problems": len(found),
                "clusters": float(np.mean([one.clusters for one in found])),
                "share in the largest": float(np.mean([one.largest_share for one in found])),
                "least": min(one.largest_share for one in found),
            }


def loud_topics(cache: Path) -> Iterator[Row]:
    """Measure what a loud topic leaves of the others: by people, and by a bot that counts."""
    kinds = {"people": _reports(cache), "bot": _notices(cache)}
    for kind, topics in kinds.items():
        for size in LOUD_SIZES:
            for seed, topic in enumerate(topics[:LOUD_TOPICS]):
                others = _real_posts(cache, REAL_POSTS_BESIDE_LOUD, seed)
                both = np.concatenate([topic[:size], others])
                # Of one size, since a larger one alone makes more noise.
                least = default_min_cluster_size(len(both))
                alone = cluster_embeddings(others, min_cluster_size=least).labels
                labels = cluster_embeddings(both).labels
                found = parts(labels, np.arange(len(both)) < size)
                before, after = np.mean(alone >= 0), np.mean(labels[size:] >= 0)
                yield {
                    "topic": f"{kind} {seed}",
                    "posts": size,
                    "clusters": found.clusters,
                    "share in the largest": found.largest_share,
                    "others clustered without it": float(before),
                    "with it": float(after),
                    "ratio": float(after / before),
                }


def _clustered(cases: list[Vectors], method: str) -> Iterator[ClusterIds]:
    if method in MODES:
        yield from (cluster_embeddings(vectors, mode=method).labels for vectors in cases)
        return
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "cases.npz"), Path(folder, "result.npz")
        np.savez(source, *cases)
        peer = [sys.executable, "benchmarks/clustering_peers.py", method, source, target]
        subprocess.run(peer, check=True)
        result = np.load(target)
        yield from (result[name] for name in np.load(source).files)


def _is_installed(peer: str) -> bool:
    return importlib.util.find_spec(peer) is not None


def _real_posts(cache: Path, count: int, seed: int) -> Vectors:
    """Choose as many posts of each corpus."""
    dice, each = np.random.default_rng(seed), count // len(CORPORA)
    some = []
    for name in CORPORA:
        vectors = embedded.vectors(name, cache)
        some.append(vectors[dice.permutation(len(vectors))[:each]])
    return np.concatenate(some)


def _reports(cache: Path) -> list[Vectors]:
    """Write reports of the first problems of all categories, each as often as is needed."""
    problems = shipped_content().problems
    categories = sorted({problem.category for problem in problems})
    of_category = [[one for one in problems if one.category == name] for name in categories]
    chosen = [one for rank in zip(*of_category, strict=False) for one in rank][:PROBLEMS]
    return _embedded(cache / "reports", [_written(one) for one in chosen])


def _written(problem: Problem) -> list[str]:
    """Mix sentences of all who tell of a problem."""
    dice = random.Random(problem.id)
    sentences = [
        sentence
        for passage in (*problem.tellings, *problem.details)
        for sentence in embedded.sentences_of(passage)
    ]
    slots = SlotFiller(dice)
    texts = []
    for _ in range(max(LOUD_SIZES)):
        said = " ".join(dice.sample(sentences, dice.choice((2, 3, 4))))
        failure, subject = dice.choice(problem.failures), dice.choice(problem.subjects)
        title = dice.choice((*problem.questions, f"{subject} {failure}"))
        texts.append(slots.fill(f"{title}\n{said}"))
    return texts


def _notices(cache: Path) -> list[Vectors]:
    """Write numbered notices of the first bots."""
    bots = shipped_content().bots[:LOUD_TOPICS]
    return _embedded(cache / "notices", [_numbered(bot) for bot in bots])


def _numbered(bot: Bot) -> list[str]:
    dice = random.Random(bot.id)
    slots = SlotFiller(dice)
    return [
        slots.fill(f"{dice.choice(bot.titles)} #{number}\n{dice.choice(bot.notices)}")
        for number in range(4_000, 4_000 + max(LOUD_SIZES))
    ]


def _embedded(path: Path, texts: list[list[str]]) -> list[Vectors]:
    vectors = embedded.texts([text for some in texts for text in some], path)
    return np.split(vectors, np.cumsum([len(some) for some in texts])[:-1])
