"""How fast and how exact embedding is: ``python -m benchmarks.embedding [--posts 1000]``.

Needs the corpora of real posts; OpenVINO is measured where the extra ``fast`` is installed. Beside
sentence-transformers as it comes (``default``: float32, the whole text tokenised) and in turns
with it, so that a busy machine slows all alike:

- texts a second over real GitHub issues, and how many times the default that is: medians over
  the rounds of the speed and of the ratio within a round,
- the cosine of each text's vector to the default's,
- how far the clusters of real posts of all sources agree with those on the default's vectors:
  the adjusted Rand index over all posts (each noise point a group of its own) and over the posts
  that both put into a cluster.
"""

import argparse
import importlib.util
import random
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from sentence_transformers import SentenceTransformer
from sklearn.metrics import adjusted_rand_score

from benchmarks import real_posts
from benchmarks.real_posts import CORPORA, WITH_BODY
from issue_pipeline.local.model_weights import all_minilm_folder
from issue_pipeline.resources.embedding import BACKENDS, EmbeddingResource
from issue_pipeline.resources.embedding.caching import uncached
from issue_pipeline.utils.clustering import NOISE, ClusterIds, cluster_embeddings
from issue_pipeline.utils.embeddings import TextEncoder, Vectors, clean_item, embed_texts

TIMED_CORPUS = "github_issues"
TEXTS_A_ROUND = 50

Embed = Callable[[list[str]], Vectors]


@dataclass(frozen=True, slots=True)
class Result:
    """What was measured of one way to embed.

    Attributes:
        texts_per_s: Median over the rounds.
        times_default: Median over the rounds of this speed over the default's in the same round.
        cosine_mean: Of a text's vector to the default's, over all timed texts.
        cosine_least: The least of them.
        clusters: Found on this way's vectors.
        rand_all: Adjusted Rand index to the default's clusters, noise points as groups of one.
        rand_clustered: Likewise over the posts that are noise in neither.
    """

    texts_per_s: float
    times_default: float
    cosine_mean: float
    cosine_least: float
    clusters: int
    rand_all: float
    rand_clustered: float


def measure(
    corpora: Path = CORPORA, *, rounds: int = 5, posts: int = 1000, cache: str = "", seed: int = 7
) -> dict[str, Result]:
    """Measure the default and every backend that is installed, the default first.

    Args:
        corpora: Folder of the real posts.
        rounds: Of ``TEXTS_A_ROUND`` GitHub issues each; every way embeds those of every round.
        posts: How many to cluster, over all sources.
        cache: Folder of the int8 model; empty for the user's cache folder.
        seed: Of the samples.
    """
    ways = load_ways(cache)
    texts = sample(corpora, TIMED_CORPUS, rounds * TEXTS_A_ROUND, seed)
    clustered = [
        text for name in WITH_BODY for text in sample(corpora, name, posts // len(WITH_BODY), seed)
    ]
    vectors, speeds = race(ways, texts)
    labels = {name: cluster_embeddings(embed(clustered)).labels for name, embed in ways.items()}
    results: dict[str, Result] = {}
    for name in ways:
        cosines = (vectors[name] * vectors["default"]).sum(axis=1)
        ratios = [own / other for own, other in zip(speeds[name], speeds["default"], strict=True)]
        rand_all, rand_clustered = agreement(labels["default"], labels[name])
        results[name] = Result(
            texts_per_s=statistics.median(speeds[name]),
            times_default=statistics.median(ratios),
            cosine_mean=float(cosines.mean()),
            cosine_least=float(cosines.min()),
            clusters=int(labels[name].max(initial=NOISE)) + 1,
            rand_all=rand_all,
            rand_clustered=rand_clustered,
        )
    return results


def load_ways(cache: str) -> dict[str, Embed]:
    """Load the default and the backends, with one and the same weights."""
    folder = str(all_minilm_folder())
    default = SentenceTransformer(folder)
    ways: dict[str, Embed] = {
        "default": lambda texts: default.encode(texts, show_progress_bar=False)
    }
    for backend in BACKENDS:
        if backend != "openvino" or importlib.util.find_spec("openvino"):
            resource = EmbeddingResource(embedding_model=folder, backend=backend, cache_dir=cache)
            ways[backend] = _embed_with(uncached(resource.get_model()))
    return ways


def _embed_with(model: TextEncoder) -> Embed:
    return lambda texts: embed_texts(texts, model)


def race(
    ways: dict[str, Embed], texts: list[str]
) -> tuple[dict[str, Vectors], dict[str, list[float]]]:
    """Embed every chunk of the texts in every way, in turns.

    Returns:
        For each way its vectors, float32 (n, 384), and its speed in each round, in texts a second.
    """
    vectors: dict[str, list[Vectors]] = {name: [] for name in ways}
    speeds: dict[str, list[float]] = {name: [] for name in ways}
    for embed in ways.values():
        embed(texts[:TEXTS_A_ROUND])  # what only the first call pays
    for start in range(0, len(texts), TEXTS_A_ROUND):
        chunk = texts[start : start + TEXTS_A_ROUND]
        for name, embed in ways.items():
            started_s = time.perf_counter()
            vectors[name].append(embed(chunk))
            speeds[name].append(len(chunk) / (time.perf_counter() - started_s))
    return {name: np.vstack(chunks) for name, chunks in vectors.items()}, speeds


def agreement(expected: ClusterIds, found: ClusterIds) -> tuple[float, float]:
    """Return the adjusted Rand index over all posts and over those that are noise in neither."""
    own = len(expected) + np.arange(len(expected))
    both = (expected != NOISE) & (found != NOISE)
    return (
        float(
            adjusted_rand_score(
                np.where(expected == NOISE, own, expected), np.where(found == NOISE, own, found)
            )
        ),
        float(adjusted_rand_score(expected[both], found[both])),
    )


def sample(corpora: Path, name: str, count: int, seed: int) -> list[str]:
    """Return the clean texts of so many different posts of a corpus, or of all if it has fewer."""
    posts = real_posts.posts(name, corpora)
    chosen = random.Random(seed).sample(posts, min(count, len(posts)))
    return [clean_item(post).text for post in chosen]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; return 1 if the corpora are not there."""
    parser = argparse.ArgumentParser(description="Compare ways to embed.")
    parser.add_argument("--corpora", type=Path, default=CORPORA)
    parser.add_argument("--rounds", type=int, default=5, help="of 50 issues (default: 5)")
    parser.add_argument("--posts", type=int, default=1000, help="to cluster (default: 1000)")
    parser.add_argument("--cache", default="", help="folder of the int8 model")
    options = parser.parse_args(arguments)
    if not options.corpora.is_dir():
        print(f"There is no folder {options.corpora} with real posts.", file=sys.stderr)
        return 1
    results = measure(
        options.corpora, rounds=options.rounds, posts=options.posts, cache=options.cache
    )
    table = Table("way", *(name.replace("_", " ") for name in Result.__dataclass_fields__))
    for name, result in results.items():
        figures = asdict(result).values()
        table.add_row(name, *(f"{figure:.4g}" for figure in figures))
    Console(width=120).print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
