"""The peers of our clustering, run on vectors in a file by an interpreter of their own.

They need packages that the pipeline does not: ``umap-learn``, ``fast_hdbscan`` and ``evoc``.
Usage: ``PYTHON benchmarks/clustering_peers.py PEER VECTORS.npy RESULT.npz [SEED]``, or with several
arrays in ``VECTORS.npz``: then the result holds the cluster ids of each by its name.
"""

import sys
import time
import warnings

import numpy as np


def main() -> None:
    """Cluster, compiled beforehand, and save labels and seconds."""
    warnings.simplefilter("ignore")
    method, source, target = sys.argv[1:4]
    seed = int(sys.argv[4]) if len(sys.argv) > 4 else 0
    cluster = PEERS[method]
    vectors = np.load(source)
    if source.endswith(".npz"):
        found = {
            name: cluster(some, max(5, len(some) // 200), seed) for name, some in vectors.items()
        }
        np.savez(target, **found)
        return
    size = max(5, len(vectors) // 200)
    # Compiles. On data of the same shape: UMAP, for one, searches fewer than 4,096 rows by other
    # code, and what the larger number needs would be compiled inside the timed part.
    cluster(vectors[::-1].copy(), size, seed)
    start, processor = time.perf_counter(), time.process_time()
    labels = cluster(vectors, size, seed)
    np.savez(
        target,
        labels=labels.astype(np.int64),
        seconds=time.perf_counter() - start,
        processor_s=time.process_time() - processor,
    )


def _umap(vectors: np.ndarray, size: int, seed: int) -> np.ndarray:
    import hdbscan
    import umap

    reducer = umap.UMAP(n_neighbors=15, n_components=5, random_state=seed)
    low = reducer.fit_transform(vectors).astype(np.float64)
    return hdbscan.HDBSCAN(min_cluster_size=size, min_samples=size // 2).fit_predict(low)


def _bertopic(vectors: np.ndarray, _: int, seed: int) -> np.ndarray:
    """Cluster as BERTopic does if nothing is set: its UMAP and its HDBSCAN, without its topics."""
    import hdbscan
    import umap

    reducer = umap.UMAP(
        n_neighbors=15, n_components=5, min_dist=0.0, metric="cosine", random_state=seed
    )
    return hdbscan.HDBSCAN(min_cluster_size=10).fit_predict(reducer.fit_transform(vectors))


def _evoc(vectors: np.ndarray, size: int, seed: int) -> np.ndarray:
    import evoc

    return evoc.EVoC(base_min_cluster_size=size, random_state=seed).fit_predict(vectors)


def _fast_hdbscan(vectors: np.ndarray, size: int, _: int) -> np.ndarray:
    import fast_hdbscan

    return fast_hdbscan.HDBSCAN(min_cluster_size=size, min_samples=size // 2).fit_predict(
        vectors.astype(np.float64)
    )


PEERS = {
    "umap": _umap,
    "bertopic": _bertopic,
    "evoc": _evoc,
    "fast_hdbscan": _fast_hdbscan,
}

if __name__ == "__main__":
    main()
