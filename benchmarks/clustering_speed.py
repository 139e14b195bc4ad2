"""Time the clustering beside its peers, in one run, and check that it finds the same.

``python -m benchmarks.clustering_speed --cache FOLDER [--peers PYTHON] [--large]``; PYTHON has
``fast_hdbscan``. ``--large`` adds 100,000 sentences, which take long to embed the first time.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np

from benchmarks import embedded
from benchmarks.quality import ari
from issue_pipeline.utils.clustering import cluster_embeddings
from issue_pipeline.utils.embeddings import Vectors
from issue_pipeline.utils.spanning_tree import spanning_tree

Result = TypeVar("Result")
TITLES = "stackoverflow_titles_20"


def main() -> None:
    """Print one line a measurement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, default=Path(".sandbox/vectors"))
    parser.add_argument("--peers", type=Path)
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--alone", nargs=2, metavar=("MODE", "VECTORS"))
    arguments = parser.parse_args()
    if arguments.alone:
        _alone(*arguments.alone)
        return
    titles = embedded.vectors(TITLES, arguments.cache)
    chosen = titles[np.random.default_rng(0).permutation(len(titles))[:10_000]]
    cluster_embeddings(chosen[:1_000])  # imports
    _beside_hdbscan(chosen)
    if arguments.peers:
        _beside_fast_hdbscan(titles, arguments.peers)
    seconds = _timed(lambda: cluster_embeddings(titles))[1]
    print(f"n = {len(titles)}: smoothed {seconds}", flush=True)
    if arguments.large:
        embedded.sentences(arguments.cache, 100_000)
        for mode in ("raw", "smoothed"):
            large = str(arguments.cache / "sentences_100000.npy")
            own = [sys.executable, "-m", "benchmarks.clustering_speed", "--alone", mode, large]
            subprocess.run(own, check=True)


def _beside_hdbscan(vectors: Vectors) -> None:
    from hdbscan import HDBSCAN

    size = len(vectors) // 200
    found, ours = _timed(lambda: cluster_embeddings(vectors, mode="raw").labels)
    library = HDBSCAN(
        min_cluster_size=size, min_samples=size // 2, gen_min_span_tree=True, core_dist_n_jobs=1
    )
    expected, theirs = _timed(lambda: library.fit_predict(vectors.astype(np.float64)))
    weight = library.minimum_spanning_tree_.to_numpy()[:, 2].sum()
    off = abs(spanning_tree(vectors, size // 2).weights.sum() / weight - 1)
    print(f"n = {len(vectors)}: raw {ours}; hdbscan {theirs}", flush=True)
    print(f"    tree weight off by {off:.1e}, index {ari(found, expected):.5f}", flush=True)


def _beside_fast_hdbscan(vectors: Vectors, python: Path) -> None:
    found, ours = _timed(lambda: cluster_embeddings(vectors, mode="raw").labels)
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "vectors.npy"), Path(folder, "result.npz")
        np.save(source, vectors)
        peer = [python, "benchmarks/clustering_peers.py", "fast_hdbscan", source, target]
        subprocess.run(peer, check=True)
        result = np.load(target)
    theirs = f"{result['seconds']:.1f} s ({result['processor_s']:.1f} s of processor)"
    index = ari(found, result["labels"])
    print(f"n = {len(vectors)}: raw {ours}; fast_hdbscan {theirs}, index {index:.5f}", flush=True)


def _alone(mode: str, path: str) -> None:
    vectors = np.load(path)
    seconds = _timed(lambda: cluster_embeddings(vectors, mode=mode))[1]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    print(f"n = {len(vectors)}: {mode} {seconds}, {peak:.2f} GiB at most", flush=True)


def _timed(action: Callable[[], Result]) -> tuple[Result, str]:
    start, processor = time.perf_counter(), time.process_time()
    result = action()
    wall, used = time.perf_counter() - start, time.process_time() - processor
    return result, f"{wall:.1f} s ({used:.1f} s of processor)"


if __name__ == "__main__":
    main()
