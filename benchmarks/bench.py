"""``make bench``: how fast it is, beside its peers, in one run.

Real posts are needed, in the folder that ``CORPORA`` names (docs/corpora.md).
Ratios above 1 mean that we are quicker.
"""

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np

from benchmarks import clustering_speed, real_posts
from benchmarks.cleaning import measure_cleaning
from benchmarks.report import Report, run_parts
from issue_pipeline.local.model_weights import all_minilm_folder
from issue_pipeline.resources.embedding import EmbeddingResource
from issue_pipeline.resources.embedding.caching import uncached
from issue_pipeline.utils.clustering import cluster_embeddings
from issue_pipeline.utils.embeddings import compute_embeddings_for_items

SILVER_POSTS = 1_000


def main() -> int:
    """Run all parts, or those named; return 2 if there is nothing to measure with."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--large", action="store_true", help="100,000 sentences, too: ten minutes more"
    )
    parser.add_argument("--posts", type=int, default=20_000, help="of the whole day, at most")
    return run_parts(parser, PARTS, real_posts.CORPORA, Path(".sandbox/bench.json"))


def _cleaning(report: Report, _options: argparse.Namespace) -> None:
    sources = measure_cleaning(real_posts.CORPORA)["sources"]
    report.add("cleaning", *({"source": source, **speed} for source, speed in sources.items()))


def _embedding(report: Report, options: argparse.Namespace) -> None:
    from benchmarks.embedding import measure as measure_embedding

    ways = measure_embedding(real_posts.CORPORA, cache=str(options.cache))
    report.add("embedding", *({"way": name, **asdict(way)} for name, way in ways.items()))


def _clustering(report: Report, options: argparse.Namespace) -> None:
    report.add("clustering", *clustering_speed.measure(options.cache, large=options.large))


def _silver(report: Report, _options: argparse.Namespace) -> None:
    """Time the whole step: from posts to clusters, beside the plain way to do it."""
    posts = [post for name in real_posts.WITH_BODY for post in real_posts.posts(name)]
    some = np.random.default_rng(0).permutation(len(posts))[:SILVER_POSTS]
    chosen = [posts[place] for place in some]
    ours = uncached(EmbeddingResource(embedding_model=str(all_minilm_folder())).get_model())
    compute_embeddings_for_items(chosen[:50], ours)
    seconds = _seconds(lambda: cluster_embeddings(compute_embeddings_for_items(chosen, ours)))

    from hdbscan import HDBSCAN
    from sentence_transformers import SentenceTransformer

    plain = SentenceTransformer(str(all_minilm_folder()))
    texts = [f"{post['title']}\n\n{post['body'] or ''}" for post in chosen]
    plain.encode(texts[:50])
    size = max(5, len(texts) // 200)
    plain_s = _seconds(lambda: HDBSCAN(min_cluster_size=size).fit_predict(plain.encode(texts)))
    row = {"posts": len(chosen), "s": seconds, "sentence-transformers + hdbscan, s": plain_s}
    report.add("the whole silver step", {**row, "ratio": plain_s / seconds})


def _day(report: Report, options: argparse.Namespace) -> None:
    from benchmarks import whole_day

    report.add("the whole day", *whole_day.measure(options.posts))


def _seconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


PARTS = {
    "cleaning": _cleaning,
    "embedding": _embedding,
    "clustering": _clustering,
    "silver": _silver,
    "day": _day,
}


if __name__ == "__main__":
    sys.exit(main())
