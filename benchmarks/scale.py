"""What a day and a backfill cost on N nodes: constants measured here, and a simulated schedule.

    python -m benchmarks.scale measure                      # constants of this machine, as JSON
    python -m benchmarks.scale simulate --nodes 8 --cores 16 --posts 1000000 --days 30

The formulas and their assumptions are in docs/scale.md.
"""

import argparse
import heapq
import json
import math
import resource
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np

from issue_pipeline.utils.clustering.cells import COMPARED_ROWS

# Sizes at which clustering is measured, and fitted by a square and a straight line.
SIZES = (5_000, 10_000, 20_000)
# Days that are clustered at once: the pool of deploy/postgres/dagster.yaml.
DAYS_IN_POOL = 4
_NEARLY_ALL = 0.8


@dataclass(frozen=True, slots=True)
class Constants:
    """Seconds of one core, unless said otherwise; the defaults are those of docs/scale.md.

    Attributes:
        embed_s: For a post, on one core.
        embed_gpu_s: For a post, on one GPU; assumed, not measured.
        pair_s: For a pair of posts that is compared: all searches of the clustering together.
        tree_s: For a post and a doubling of posts, on the machine of the database: the tree, and
            what is made of it.
        read_s: For a post: reading, cleaning and handing out its text, on that machine.
        write_s: For a post, while the database is locked.
        label_s: For a cluster: a model's answer. Assumed.
        clusters: Of a day, at most; assumed: a 200th of the posts makes a cluster.
        labels_at_once: Calls that the model's provider takes. Assumed.
        driver_bytes: Memory of the database's machine for a post of a day that is being clustered.
    """

    embed_s: float = 0.009
    embed_gpu_s: float = 0.0004
    pair_s: float = 2.6e-8
    tree_s: float = 2e-5
    read_s: float = 8e-4
    write_s: float = 1e-4
    label_s: float = 2.0
    clusters: float = 60.0
    labels_at_once: float = 4.0
    driver_bytes: float = 22_000.0


@dataclass(frozen=True, slots=True)
class Machines:
    """What there is.

    Attributes:
        nodes: That compute pieces.
        cores: Of each.
        gpus: In all; with any, they embed and search alone.
        gpu_products: Times that a GPU multiplies as fast as a core. Assumed.
        driver_cores: Of the machine that holds the database.
        runs: Days at a time (``max_concurrent_runs``).
    """

    nodes: int = 1
    cores: int = 16
    gpus: int = 0
    gpu_products: float = 400.0
    driver_cores: int = DAYS_IN_POOL
    runs: int = 12


def pairs(posts: int) -> float:
    """Return how many pairs a search compares: all, until each post has enough around it."""
    return float(posts) * min(posts, COMPARED_ROWS)


def stages(posts: int, constants: Constants, machines: Machines) -> list[tuple[str, float]]:
    """Return what a day passes through: the resource, and seconds on it with nobody else there."""
    read = constants.read_s * posts
    if machines.gpus:
        embed = constants.embed_gpu_s * posts / machines.gpus
        search = constants.pair_s * pairs(posts) / machines.gpu_products / machines.gpus
    else:
        cores = machines.nodes * machines.cores
        embed = constants.embed_s * posts / cores
        search = constants.pair_s * pairs(posts) / cores
    tree = constants.tree_s * posts * math.log2(max(2, posts))
    write = constants.write_s * posts
    label = constants.label_s * constants.clusters
    return [
        ("reading and cleaning", read),
        ("embedding", embed),
        ("search", search),
        ("tree", tree),
        ("database", write),
        ("labels", label),
        ("database", write),
    ]


# Stages that share one resource, and how many may use it at once.
def resources_of(constants: Constants, machines: Machines) -> dict[str, tuple[str, int]]:
    """Return for each stage its resource and how many days use it at a time.

    The cluster is one resource: days in it share its cores, which takes as long as one after the
    other.
    """
    driver = ("driver", machines.driver_cores)
    return {
        "reading and cleaning": driver,
        "embedding": ("cluster", 1),
        "search": ("cluster", 1),
        "tree": driver,
        "database": ("database", 1),
        "labels": ("model", max(1, int(constants.labels_at_once))),
    }


@dataclass(frozen=True, slots=True)
class Schedule:
    """How a backfill went.

    Attributes:
        seconds: From the first day's start to the last one's end.
        busy: Share of that time in which a resource was in use, of all its places.
        by_stage: Seconds spent in each stage, over all days.
    """

    seconds: float
    busy: dict[str, float]
    by_stage: dict[str, float]

    @property
    def binds(self) -> str:
        """The resource that is busy nearly all the time, else a day's longest step."""
        name = max(self.busy, key=lambda name: self.busy[name])
        if self.busy[name] > _NEARLY_ALL:
            return name
        return f"a day's own {max(self.by_stage, key=lambda stage: self.by_stage[stage])}"


def simulate(days: int, posts: int, constants: Constants, machines: Machines) -> Schedule:
    """Run days through the stages, first come, first served; so many at a time."""
    of = resources_of(constants, machines)
    free: dict[str, list[float]] = {}
    for name, places in set(of.values()):
        free[name] = [0.0] * places
    path = stages(posts, constants, machines)
    used = dict.fromkeys(free, 0.0)
    by_stage: dict[str, float] = {}
    # (moment, day, next stage): the earliest is dealt with first.
    waiting = [(0.0, day, 0) for day in range(min(days, machines.runs))]
    started, end = len(waiting), 0.0
    heapq.heapify(waiting)
    while waiting:
        moment, day, number = heapq.heappop(waiting)
        if number == len(path):
            end = max(end, moment)
            if started < days:
                heapq.heappush(waiting, (moment, started, 0))
                started += 1
            continue
        stage, seconds = path[number]
        places = free[of[stage][0]]
        begin = max(moment, heapq.heappop(places))
        heapq.heappush(places, begin + seconds)
        used[of[stage][0]] += seconds
        by_stage[stage] = by_stage.get(stage, 0.0) + seconds
        heapq.heappush(waiting, (begin + seconds, day, number + 1))
    busy = {name: used[name] / (end * len(free[name])) if end else 0.0 for name in free}
    return Schedule(end, busy, by_stage)


# --- Measured -----------------------------------------------------------------------------------


def measure() -> Constants:
    """Measure what can be on this machine, in seconds of a processor; the rest as assumed."""
    from benchmarks import real_posts
    from issue_pipeline.local.model_weights import all_minilm_folder
    from issue_pipeline.resources.embedding import EmbeddingResource
    from issue_pipeline.resources.embedding.caching import uncached
    from issue_pipeline.utils.clustering import cluster_embeddings
    from issue_pipeline.utils.embeddings import clean_item, embed_texts

    posts = [row for name in real_posts.WITH_BODY for row in real_posts.posts(name)]
    chosen = [posts[i] for i in np.random.default_rng(0).permutation(len(posts))[:1_000]]
    with _processor_time() as read:
        texts = [clean_item(post).text for post in chosen]
    model = uncached(EmbeddingResource(embedding_model=str(all_minilm_folder())).get_model())
    embed_texts(texts[:20], model)
    with _processor_time() as embed:
        vectors = embed_texts(texts, model)
    rng = np.random.default_rng(1)
    timed, peaks = [], []
    for size in SIZES:
        # Neighbours around real posts: as dense as a day is, at any size.
        near = vectors[rng.integers(0, len(vectors), size)]
        near = near + 0.03 * rng.standard_normal(near.shape, dtype=np.float32)
        near /= np.linalg.norm(near, axis=1, keepdims=True)
        with _processor_time() as cluster:
            cluster_embeddings(near)
        timed.append(cluster.seconds)
        peaks.append(peak_bytes())
        print(f"{size}: {cluster.seconds:.1f} s of a core, {peaks[-1]:.3g} B", file=sys.stderr)
    # Least squares of  pair_s * n^2 + tree_s * n log n.
    sizes = np.array(SIZES, dtype=float)
    terms = np.stack([sizes**2, sizes * np.log2(sizes)], axis=1)
    pair_s, tree_s = np.linalg.lstsq(terms, np.array(timed), rcond=None)[0]
    return replace(
        Constants(),
        embed_s=embed.seconds / len(texts),
        read_s=read.seconds / len(texts),
        pair_s=float(pair_s),
        tree_s=max(0.0, float(tree_s)),
        driver_bytes=(peaks[-1] - peaks[0]) / (SIZES[-1] - SIZES[0]),
    )


class _processor_time:  # noqa: N801  (reads as a function)
    """Seconds of all cores that the block took."""

    seconds = 0.0

    def __enter__(self) -> "_processor_time":
        self._began = time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.process_time() - self._began


def peak_bytes() -> float:
    """Return the most memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0


# --- Command ------------------------------------------------------------------------------------


def rows(
    days: int, posts: int, constants: Constants, machines: list[Machines]
) -> Iterator[dict[str, Any]]:
    """Yield one line for each set of machines."""
    for one in machines:
        found = simulate(days, posts, constants, one)
        yield {
            "machines": f"{one.gpus} GPU" if one.gpus else f"{one.nodes} x {one.cores} cores",
            "hours": round(found.seconds / 3600, 2),
            "binds": found.binds,
            "driver_gb": round(constants.driver_bytes * posts * min(days, DAYS_IN_POOL) / 1e9, 1),
            "busy": {name: round(share, 2) for name, share in found.busy.items()},
            "stages_of_a_day_s": {
                stage: round(seconds / days) for stage, seconds in found.by_stage.items()
            },
        }


def main() -> None:
    """Print constants, or a schedule for 1, 2, 4 ... nodes and for one GPU."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("measure", "simulate"))
    parser.add_argument("--posts", type=int, default=1_000_000, help="of a day")
    parser.add_argument("--days", type=int, default=1)
    parser.add_argument("--nodes", type=int, default=16, help="at most; doubled from 1 on")
    parser.add_argument("--cores", type=int, default=16, help="of a node")
    parser.add_argument("--runs", type=int, default=12, help="days at a time")
    for one in fields(Constants):
        parser.add_argument(f"--{one.name.replace('_', '-')}", type=float, default=one.default)
    options = vars(parser.parse_args())
    if options["what"] == "measure":
        print(json.dumps(asdict(measure()), indent=1))
        return
    constants = Constants(**{one.name: options[one.name] for one in fields(Constants)})
    nodes = [2**power for power in range(options["nodes"].bit_length())]
    machines = [
        *(Machines(nodes=one, cores=options["cores"], runs=options["runs"]) for one in nodes),
        Machines(gpus=1, runs=options["runs"]),
    ]
    for row in rows(options["days"], options["posts"], constants, machines):
        print(json.dumps(row))


if __name__ == "__main__":
    main()
