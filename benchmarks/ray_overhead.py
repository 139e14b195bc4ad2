"""Ray's way beside this process's, on the same cores, and two nodes beside one.

    python -m benchmarks.ray_overhead --posts 20000

Real posts are needed (docs/corpora.md); beyond what there is they are told again. Seconds of the
clock are fair on a quiet machine only; seconds of processors are told beside them. Each way embeds
and clusters once before it is timed, so that worker processes have started and hold the model.
"""

import argparse
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import psutil

from benchmarks import real_posts
from issue_pipeline.local.model_weights import all_minilm_folder
from issue_pipeline.resources.compute import ComputeResource
from issue_pipeline.resources.embedding import EmbeddingResource
from issue_pipeline.resources.embedding.caching import uncached
from issue_pipeline.utils.clustering import cluster_posts
from issue_pipeline.utils.embeddings import clean_item, embed_texts
from issue_pipeline_tests.support.ray_cluster import RayCluster, ray_cluster

# (nodes, CPUs of each): the same two cores, one of them, and each on a node of its own.
CLUSTERS = ((1, 2), (1, 1), (2, 1))


def texts_of(count: int) -> list[str]:
    """Return clean texts of so many posts, in a random order that is always the same."""
    posts = [row for name in real_posts.WITH_BODY for row in real_posts.posts(name)]
    chosen = np.random.default_rng(0).permutation(len(posts))
    again = -(-count // len(posts))
    texts = [clean_item(posts[i]).text for i in chosen]
    told = [f"{text} ({number})" if number else text for number in range(again) for text in texts]
    return told[:count]


def measure(texts: list[str], compute: ComputeResource, cluster: RayCluster | None) -> Any:  # noqa: ANN401
    """Embed and cluster; return the seconds of each, of the clock and of processors, and labels."""
    model = uncached(
        EmbeddingResource(
            embedding_model=str(all_minilm_folder()), ray_address=compute.address
        ).get_model()
    )
    row: dict[str, Any] = {}
    with compute.executor() as executor:
        embed_texts(texts[:600], model)
        with _timed(row, "embedding", cluster):
            vectors = embed_texts(texts, model)
        with _timed(row, "clustering", cluster):
            labels = cluster_posts(texts, vectors, executor=executor).labels
    return row, vectors, labels


@contextmanager
def _timed(row: dict[str, Any], name: str, cluster: RayCluster | None) -> Iterator[None]:
    began, processors = time.perf_counter(), _processor_s(cluster)
    yield
    row[f"{name}_s"] = round(time.perf_counter() - began, 1)
    row[f"{name}_processor_s"] = round(_processor_s(cluster) - processors, 1)


def _processor_s(cluster: RayCluster | None) -> float:
    """Return the seconds that processors have worked for this process and the nodes' processes."""
    own = time.process_time()
    if cluster is None:
        return own
    parents = [psutil.Process(node.process.pid) for node in cluster.nodes]
    processes = [one for parent in parents for one in (parent, *parent.children(recursive=True))]
    return own + sum(sum(one.cpu_times()[:2]) for one in processes)


def main() -> None:
    """Print one line a way."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--posts", type=int, default=20_000)
    texts = texts_of(parser.parse_args().posts)
    here, vectors, labels = measure(texts, ComputeResource(), None)
    print(json.dumps({"way": "in process", "load": os.getloadavg()[0], **here}), flush=True)
    for nodes, cpus in CLUSTERS:
        with ray_cluster() as cluster:
            os.environ.update(cluster.environment)
            for _ in range(nodes):
                cluster.start_node(cpus=cpus)
            row, theirs, found = measure(texts, ComputeResource(address=cluster.address), cluster)
        same = np.array_equal(vectors, theirs) and np.array_equal(labels, found)
        way = {"way": f"{nodes} x {cpus}", "load": os.getloadavg()[0], **row, "same": same}
        print(json.dumps(way), flush=True)


if __name__ == "__main__":
    main()
