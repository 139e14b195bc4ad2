"""What the clustering makes of labelled posts, beside its peers, and how its settings were chosen.

``make eval`` measures the default; ``python -m benchmarks.clustering_study settings|small`` the
others. The tables of ``docs/clustering-measurements.md`` come from here.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, astuple, dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans

from benchmarks import embedded, real_posts
from benchmarks.quality import Quality, ari, ari_of_clustered, quality
from benchmarks.report import Row
from issue_pipeline.utils.clustering.api import by_content, cluster_embeddings, hdbscan_clusters
from issue_pipeline.utils.clustering.cells import blocks_of
from issue_pipeline.utils.clustering.neighbours import nearest
from issue_pipeline.utils.clustering.outliers import REASSIGN_ROUNDS, REASSIGN_SHARE
from issue_pipeline.utils.clustering.selection import CEILING_SHARE, MIN_CEILING, select_clusters
from issue_pipeline.utils.clustering.smoothing import means
from issue_pipeline.utils.clustering.space import Ranks, SharedRows
from issue_pipeline.utils.clustering.tree import ClusterIds, ClusterTree
from issue_pipeline.utils.embeddings import Vectors
from issue_pipeline.utils.executor import LocalExecutor

DROPPED = 0.05
PEERS = {"umap": "UMAP + HDBSCAN", "bertopic": "BERTopic's defaults", "evoc": "EVoC"}
PEER_SEEDS = (0, 1, 2)
Corpus = tuple[str, Vectors, ClusterIds]


@dataclass(frozen=True, slots=True)
class Setting:
    """One way to smooth: neighbours in multiples of ``min_cluster_size``.

    Attributes:
        neighbours: That are averaged.
        rounds: Of averaging.
        samples: ``min_samples`` in multiples of ``min_cluster_size``.
        kept: The share of a row's first place that is mixed in again in each round.
        ceiling: Share of the day beyond which a cluster is divided; 0 for none.
        share: Of a noise post's neighbours, those that must lie in a cluster for it to join.
        rejoin_rounds: How often noise is asked; 0 for never.
    """

    neighbours: float = 1.0
    rounds: int = 2
    samples: float = 0.5
    kept: float = 0.0
    ceiling: float = CEILING_SHARE
    share: float = REASSIGN_SHARE
    rejoin_rounds: int = REASSIGN_ROUNDS

    def __str__(self) -> str:
        return (
            f"{self.neighbours:g} x, {self.rounds} rounds, samples {self.samples:g},"
            f" kept {self.kept:g}, ceiling {self.ceiling:g},"
            f" reassign_outliers {self.share:g} x {self.rejoin_rounds}"
        )

    def labels(self, vectors: Vectors) -> ClusterIds:
        """Cluster with this setting; with the default one, as the pipeline does."""
        order, same = by_content(vectors)
        return self._grouped(vectors[order])[same]

    def _grouped(self, vectors: Vectors) -> ClusterIds:
        n = len(vectors)
        size = max(5, n // 200)
        near = _nearest(vectors, 1 + max(1, min(round(self.neighbours * size), n // 6)))
        moved = self._moved(vectors, near)
        tree = ClusterTree(_shared(moved), size, max(1, int(self.samples * size)))
        ceiling = max(MIN_CEILING, int(self.ceiling * n)) if self.ceiling else n
        rounds, share = self.rejoin_rounds, self.share
        unsmoothed = hdbscan_clusters(_shared(vectors), size, size // 2)
        return select_clusters(
            tree, unsmoothed, vectors, near, size, ceiling=ceiling, share=share, rounds=rounds
        )

    def _moved(self, vectors: Vectors, near: Ranks) -> Vectors:
        moved = vectors
        for number in range(self.rounds):
            rows = _nearest(moved, near.shape[1]) if number else near
            moved = means(rows, moved) * (1 - self.kept) + vectors * self.kept
            moved /= np.linalg.norm(moved, axis=1, keepdims=True)
        return moved


def _shared(vectors: Vectors) -> SharedRows:
    return SharedRows.of(vectors, LocalExecutor())


def _nearest(vectors: Vectors, k: int) -> Ranks:
    """Return each row's k nearest rows: int32 (n, k)."""
    shared = _shared(vectors)
    pieces = blocks_of(shared, k)
    near = np.empty((len(vectors), k), np.int32)
    for block, found in shared.mapped(partial(nearest, ranks=[k]), pieces):
        near[block.rows] = found.rows
    return near


SETTINGS = (
    Setting(),
    *(Setting(neighbours=k) for k in (0.5, 0.75, 1.5, 2, 4)),
    *(Setting(rounds=r) for r in (1, 3)),
    *(Setting(kept=a) for a in (0.05, 0.1, 0.2)),
    *(Setting(kept=0.1, samples=s) for s in (0.25, 0.75)),
    Setting(kept=0.1, neighbours=0.75),
    *(Setting(rounds=3, kept=a) for a in (0.2, 0.3)),
    Setting(ceiling=0),
    *(Setting(share=s, rejoin_rounds=r) for s, r in ((1, 0), (0.35, 1), (0.4, 2), (0.3, 2))),
)


def main() -> None:
    """Print how the settings were chosen: a table of settings, or one of small days."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", choices=["settings", "small"])
    parser.add_argument("--cache", type=Path, default=Path(".sandbox/vectors"))
    parser.add_argument("--runs", type=int, default=1)
    arguments = parser.parse_args()
    if arguments.table == "settings":
        _settings(arguments.cache, arguments.runs)
    else:
        _small(arguments.cache)


def corpora(cache: Path) -> Iterator[Corpus]:
    """Return the labelled corpora, the largest also in two samples: name, vectors, truth."""
    for name, file, key in (
        ("Stack Overflow", "stackoverflow_titles_20", "label"),
        ("Reddit", "reddit_posts", "label"),
        ("GitHub", "github_issues", "repo"),
        ("bug tracker", "bugzilla_duplicates", "label"),
    ):
        vectors, truth = embedded.vectors(file, cache), embedded.truth(real_posts.posts(file), key)
        if len(vectors) > 10_000:
            for seed in (0, 1):
                some = np.sort(np.random.default_rng(seed).permutation(len(vectors))[:6_000])
                yield f"{name}, 6,000 ({seed})", vectors[some], truth[some]
        yield name, vectors, truth


def beside_peers(name: str, vectors: Vectors, truth: ClusterIds) -> list[Row]:
    """Measure both modes, k-means with the true number of groups, and the peers.

    A peer is run with several seeds, each on rows in an order of its own. Its index to itself is
    that of the other runs to the first: 1 if neither seed nor order matters.
    """
    cluster_embeddings(vectors[:100])  # imports
    found: dict[str, list[tuple[ClusterIds, float]]] = {
        mode: [_timed(lambda mode=mode: cluster_embeddings(vectors, mode=mode).labels)]
        for mode in ("raw", "smoothed")
    }
    means = KMeans(int(truth.max()) + 1, n_init=1, random_state=0)
    found["k-means, true k"] = [_timed(lambda: means.fit_predict(vectors).astype(np.int64))]
    for peer in PEERS:
        found[PEERS[peer]] = [_run_by_peer(peer, vectors, seed) for seed in PEER_SEEDS]
    ours_s = found["smoothed"][0][1]
    return [
        {
            "corpus": name,
            "method": method if len(runs) == 1 else f"{method}, {seed}",
            **asdict(quality(labels, truth)),
            "index to itself": ari(labels, runs[0][0]) if seed else float("nan"),
            "s": seconds,
            "times ours": seconds / ours_s,
        }
        for method, runs in found.items()
        for seed, (labels, seconds) in enumerate(runs)
    ]


def _timed(find: Callable[[], ClusterIds]) -> tuple[ClusterIds, float]:
    start = time.perf_counter()
    labels = find()
    return labels, time.perf_counter() - start


def _run_by_peer(peer: str, vectors: Vectors, seed: int) -> tuple[ClusterIds, float]:
    """Let a peer cluster the rows in another order: its cluster ids in ours, and the seconds."""
    order = np.random.default_rng(seed).permutation(len(vectors))
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "vectors.npy"), Path(folder, "result.npz")
        np.save(source, vectors[order])
        command = [
            sys.executable,
            "benchmarks/clustering_peers.py",
            peer,
            source,
            target,
            str(seed),
        ]
        subprocess.run(command, check=True)
        result = np.load(target)
    labels = np.empty(len(vectors), np.int64)
    labels[order] = result["labels"]
    return labels, float(result["seconds"])


def stability(vectors: Vectors, runs: int, setting: Setting | None = None) -> tuple[Row, list[Row]]:
    """Cluster a day, and again with 5 % of it dropped at random.

    Args:
        vectors: float32 (n, 384), of the day.
        runs: How often to drop.
        setting: Another way to smooth than the pipeline's own.

    Returns:
        What the whole day gives; and for each run what it gives, and its index to the whole: over
        all posts, and over those that are clustered in both.
    """

    def find(some: Vectors) -> ClusterIds:
        return cluster_embeddings(some).labels if setting is None else setting.labels(some)

    start = time.perf_counter()
    whole = find(vectors)
    first = {**_shape(whole), "s": time.perf_counter() - start}
    rows = []
    for seed in range(runs):
        order = np.random.default_rng(seed).permutation(len(vectors))
        kept = order[int(DROPPED * len(vectors)) :]
        labels = find(vectors[kept])
        index = {
            "all": ari(labels, whole[kept]),
            "both": ari_of_clustered(labels, whole[kept]),
        }
        rows.append({"run": seed, **_shape(labels), **index})
    return first, rows


def _settings(cache: Path, runs: int) -> None:
    labelled, day = list(corpora(cache)), embedded.day(cache)
    for setting in SETTINGS:
        for name, vectors, truth in labelled:
            start = time.perf_counter()
            found = quality(setting.labels(vectors), truth)
            _print(name, str(setting), found, time.perf_counter() - start)
        print(f"| whole day | {setting} | {stability(day, runs, setting)} |", flush=True)


def _small(cache: Path) -> None:
    for n in (60, 150, 318, 700, 1_500, 3_000):
        for name, vectors, truth in corpora(cache):
            if len(vectors) < 3_000 or "(" in name:
                continue
            for neighbours in (0, 1, 2, 3, 4):
                found = [
                    astuple(_sampled(vectors, truth, n, seed, neighbours)) for seed in range(4)
                ]
                mean = Quality(*np.mean(found, axis=0).tolist())
                _print(f"{name}, n = {n}", f"{neighbours} x" if neighbours else "raw", mean, 0.0)


def _sampled(vectors: Vectors, truth: ClusterIds, n: int, seed: int, neighbours: int) -> Quality:
    some: NDArray[np.int64] = np.random.default_rng(seed).permutation(len(vectors))[:n]
    if neighbours:
        labels = Setting(neighbours=neighbours).labels(vectors[some])
    else:
        labels = cluster_embeddings(vectors[some], mode="raw").labels
    return quality(labels, truth[some])


def _shape(labels: ClusterIds) -> Row:
    clustered = labels[labels >= 0]
    return {
        "posts": len(labels),
        "clusters": int(labels.max() + 1),
        "noise": 1 - len(clustered) / len(labels),
        "largest": float(np.bincount(clustered).max(initial=0) / len(labels)),
    }


def _print(name: str, method: str, found: Quality, seconds: float) -> None:
    print(
        f"| {name} | {method} | {found.clusters:g} | {found.noise:.1%} | {found.largest:.1%} |"
        f" {found.ari:.3f} | {found.nmi:.3f} | {found.purity:.3f} | {found.correct:.3f} |"
        f" {seconds:.1f} |",
        flush=True,
    )


if __name__ == "__main__":
    main()
