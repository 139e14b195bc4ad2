"""The peers of our clustering, run on vectors in a file by an interpreter of their own.

They need packages that the pipeline does not: ``umap-learn``, ``fast_hdbscan`` and ``evoc``.
Usage: ``PYTHON benchmarks/clustering_peers.py umap|fast_hdbscan|evoc VECTORS.npy RESULT.npz``, or
with several arrays in ``VECTORS.npz``: then the result holds the cluster ids of each by its name.
"""

import sys
import time
import warnings

import numpy as np


def main() -> None:
    """Cluster, compiled beforehand, and save labels and seconds."""
    warnings.simplefilter("ignore")
    method, source, target = sys.argv[1:]
    cluster = {"umap": _umap, "fast_hdbscan": _fast_hdbscan, "evoc": _evoc}[method]
    vectors = np.load(source)
    if source.endswith(".npz"):
        found = {name: cluster(some, max(5, len(some) // 200)) for name, some in vectors.items()}
        np.savez(target, **found)
        return
    size = max(5, len(vectors) // 200)
    cluster(vectors[:500], 5)  # compiles
    start, processor = time.perf_counter(), time.process_time()
    labels = cluster(vectors, size)
    np.savez(
        target,
        labels=labels.astype(np.int64),
        seconds=time.perf_counter() - start,
        processor_s=time.process_time() - processor,
    )


def _umap(vectors: np.ndarray, size: int) -> np.ndarray:
    import hdbscan
    import umap

    reducer = umap.UMAP(n_neighbors=15, n_components=5, random_state=0)
    low = reducer.fit_transform(vectors).astype(np.float64)
    return hdbscan.HDBSCAN(min_cluster_size=size, min_samples=size // 2).fit_predict(low)


def _evoc(vectors: np.ndarray, size: int) -> np.ndarray:
    import evoc

    return evoc.EVoC(base_min_cluster_size=size, random_state=0).fit_predict(vectors)


def _fast_hdbscan(vectors: np.ndarray, size: int) -> np.ndarray:
    import fast_hdbscan

    return fast_hdbscan.HDBSCAN(min_cluster_size=size, min_samples=size // 2).fit_predict(
        vectors.astype(np.float64)
    )


if __name__ == "__main__":
    main()
