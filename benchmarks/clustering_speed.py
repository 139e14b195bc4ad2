"""Time the clustering beside its peers, in one run, and check that it finds the same.

``make bench`` runs it. Processor seconds are told, too: on a busy machine they say more.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np

from benchmarks import embedded
from benchmarks.quality import ari
from benchmarks.report import Row
from issue_pipeline.utils.clustering import cluster_embeddings
from issue_pipeline.utils.clustering.space import SharedRows
from issue_pipeline.utils.clustering.spanning_tree import spanning_tree
from issue_pipeline.utils.embeddings import Vectors
from issue_pipeline.utils.executor import LocalExecutor

Result = TypeVar("Result")
TITLES = "stackoverflow_titles_20"
# Each is compared with the library, up to so many posts.
CORPORA = (TITLES, "reddit_posts", "github_issues", "bugzilla_duplicates")
COMPARED = 5_000
LARGE = 100_000


def measure(cache: Path, *, large: bool) -> Iterator[Row]:
    """Compare on every corpus, and on 10,000 and 20,000 real titles.

    Args:
        cache: Folder of the vectors.
        large: Whether to cluster 100,000 sentences, too, which take long to embed the first time.
    """
    titles = embedded.vectors(TITLES, cache)
    cluster_embeddings(titles[:1_000], mode="raw")  # imports
    for name in CORPORA:
        yield _beside_hdbscan(name, _some(embedded.vectors(name, cache), COMPARED))
    yield _beside_hdbscan(TITLES, _some(titles, len(titles) // 2))
    yield _beside_peer("fast_hdbscan", "raw", TITLES, titles)
    for peer in ("umap", "evoc"):
        for some in (_some(titles, 6_000), titles):
            yield _beside_peer(peer, "smoothed", TITLES, some)
    if large:
        path = str(embedded.sentences(cache, LARGE))
        for mode in ("raw", "smoothed"):
            own = [sys.executable, "-m", "benchmarks.clustering_speed", mode, path]
            ended = subprocess.run(own, check=True, stdout=subprocess.PIPE, text=True)
            yield json.loads(ended.stdout)


def _some(vectors: Vectors, count: int) -> Vectors:
    """Choose so many rows, or all if there are fewer."""
    return vectors[np.random.default_rng(0).permutation(len(vectors))[:count]]


def _row(
    corpus: str,
    mode: str,
    n: int,
    seconds: float,
    processor_s: float,
    *,
    peer: str = "-",
    peer_s: float = float("nan"),
    index: float = float("nan"),
    weight_off: float = float("nan"),
    peak_mb: float = float("nan"),
) -> Row:
    return {
        "corpus": corpus,
        "mode": mode,
        "n": n,
        "s": seconds,
        "processor s": processor_s,
        "peer": peer,
        "peer's s": peer_s,
        "ratio": peer_s / seconds,
        "index": index,
        "tree weight off": weight_off,
        "peak MB": peak_mb,
    }


def _beside_hdbscan(corpus: str, vectors: Vectors) -> Row:
    from hdbscan import HDBSCAN

    size = max(5, len(vectors) // 200)
    found, seconds, processor_s = _timed(lambda: cluster_embeddings(vectors, mode="raw").labels)
    library = HDBSCAN(
        min_cluster_size=size, min_samples=size // 2, gen_min_span_tree=True, core_dist_n_jobs=1
    )
    expected, theirs_s, _ = _timed(lambda: library.fit_predict(vectors.astype(np.float64)))
    weight = library.minimum_spanning_tree_.to_numpy()[:, 2].sum()
    tree = spanning_tree(SharedRows.of(vectors, LocalExecutor()), size // 2)
    return _row(
        corpus,
        "raw",
        len(vectors),
        seconds,
        processor_s,
        peer="hdbscan",
        peer_s=theirs_s,
        index=ari(found, expected),
        weight_off=abs(tree.weights.sum() / weight - 1),
    )


def _beside_peer(peer: str, mode: str, corpus: str, vectors: Vectors) -> Row:
    found, seconds, processor_s = _timed(lambda: cluster_embeddings(vectors, mode=mode).labels)
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "vectors.npy"), Path(folder, "result.npz")
        np.save(source, vectors)
        command = [sys.executable, "benchmarks/clustering_peers.py", peer, source, target]
        subprocess.run(command, check=True)
        result = np.load(target)
    return _row(
        corpus,
        mode,
        len(vectors),
        seconds,
        processor_s,
        peer=peer,
        peer_s=float(result["seconds"]),
        index=ari(found, result["labels"]),
    )


def _timed(action: Callable[[], Result]) -> tuple[Result, float, float]:
    start, processor = time.perf_counter(), time.process_time()
    result = action()
    return result, time.perf_counter() - start, time.process_time() - processor


def _alone() -> None:
    """Cluster a file of vectors in this process, whose peak of memory is then all its own."""
    mode, path = sys.argv[1:]
    vectors = np.load(path)
    _, seconds, processor_s = _timed(lambda: cluster_embeddings(vectors, mode=mode))
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(_row("sentences", mode, len(vectors), seconds, processor_s, peak_mb=peak_mb)))


if __name__ == "__main__":
    _alone()
