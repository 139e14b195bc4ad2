"""What a GPU brings: ``python -m benchmarks.gpu``, some minutes on a machine that has one.

Prints a table: texts a second of the embedding model beside the CPU's, with the cosine to float32;
and the seconds of clustering up to a million vectors, with the index to the CPU's partition where
the CPU can be waited for. ``--device cpu`` runs the same on a CPU, in small. Corpora are used where
they are (docs/corpora.md), else sentences of their lengths.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.quality import ari
from benchmarks.report import Report, Row
from issue_pipeline.utils.embeddings import DIMENSIONS, Vectors, clean_item, embed_texts

# Characters of a post's clean text, at these shares of the real posts: 0, 1/8, 2/8 and so on.
LENGTHS = (20, 60, 110, 210, 390, 640, 930, 1_500, 2_400)
SENTENCE = "the export of a large workspace hangs at ninety percent and loses every row "
BESIDE_THE_CPU = 20_000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--texts", type=int, default=50_000)
    parser.add_argument("--vectors", type=int, nargs="*", default=[20_000, 100_000, 1_000_000])
    arguments = parser.parse_args()
    if arguments.device == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    import torch

    if arguments.device == "cuda" and not torch.cuda.is_available():
        parser.error("torch sees no GPU here; --device cpu runs the same code without one.")
    report = Report()
    report.add("embedding", *_embedding(arguments.texts, arguments.device))
    for count in arguments.vectors:
        report.add("clustering", _clustering(count, arguments.device))


def _embedding(count: int, device: str) -> list[Row]:
    from issue_pipeline.local.model_weights import all_minilm_folder
    from issue_pipeline.resources.embedding.torch_encoder import (
        CPU_BATCH,
        GPU_BATCH,
        TorchEncoder,
        load_model,
    )
    from issue_pipeline.utils.precision import Precision

    texts = _texts(count)
    exact = embed_texts(
        texts[:500], TorchEncoder(load_model(str(all_minilm_folder()), "cpu"), "float32", CPU_BATCH)
    )
    rows = []
    precisions: tuple[Precision, ...] = ("float32", "bfloat16")
    for precision in precisions:
        model = load_model(str(all_minilm_folder()), device)
        encoder = TorchEncoder(model, precision, GPU_BATCH)
        embed_texts(texts[:2_000], encoder)  # compiles and allocates
        start = time.perf_counter()
        vectors = embed_texts(texts, encoder)
        seconds = time.perf_counter() - start
        cosines = (vectors[:500] * exact).sum(axis=1)
        rows.append(
            {
                "device": device,
                "precision": precision,
                "texts": count,
                "texts/s": count / seconds,
                "cosine to float32": float(cosines.mean()),
                "least": float(cosines.min()),
            }
        )
    return rows


def _clustering(count: int, device: str) -> Row:
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "vectors.npy")
        np.save(source, _vectors(count))
        labels, seconds = _clustered(source, device)
        row = {"device": device, "vectors": count, "s": seconds, "clusters": int(labels.max()) + 1}
        if device == "cpu" or count > BESIDE_THE_CPU:
            return row | {"CPU, s": float("nan"), "index to the CPU's": float("nan")}
        expected, cpu_s = _clustered(source, "cpu")
        return row | {"CPU, s": cpu_s, "index to the CPU's": ari(labels, expected)}


def _clustered(source: Path, device: str) -> tuple[np.ndarray, float]:
    """Cluster in a process of its own, after a small run that warms up."""
    target = source.with_name("labels.npz")
    code = (
        "import sys, time, numpy as np\n"
        "from issue_pipeline.utils.clustering import cluster_embeddings\n"
        "vectors = np.load(sys.argv[1])\n"
        "cluster_embeddings(vectors[:3000])\n"
        "start = time.perf_counter()\n"
        "labels = cluster_embeddings(vectors).labels\n"
        "np.savez(sys.argv[2], labels=labels, seconds=time.perf_counter() - start)\n"
    )
    hidden = {"CUDA_VISIBLE_DEVICES": ""} if device == "cpu" else {}
    command = [sys.executable, "-c", code, str(source), str(target)]
    subprocess.run(command, check=True, env=os.environ | hidden)
    result = np.load(target)
    return result["labels"], float(result["seconds"])


def _texts(count: int) -> list[str]:
    """Return real posts' clean texts, again and again with a number, or made-up ones as long."""
    from benchmarks import real_posts

    names = [name for name in real_posts.WITH_BODY if real_posts.path_of(name).exists()]
    found = [clean_item(post).text for name in names for post in real_posts.posts(name)[:5_000]]
    if not found:
        found = [(SENTENCE * (length // 75 + 1))[:length] for length in LENGTHS]
    return [f"{number} {found[number % len(found)]}" for number in range(count)]


def _vectors(count: int) -> Vectors:
    """Return groups of neighbours and noise around them, in as many dimensions as real posts."""
    dice = np.random.default_rng(0)
    centres = dice.normal(size=(500, DIMENSIONS)).astype(np.float32)
    found = dice.normal(size=(count, DIMENSIONS)).astype(np.float32)
    grouped = count // 2
    found[:grouped] += 1.5 * centres[dice.integers(0, len(centres), grouped)]
    unit: Vectors = found / np.linalg.norm(found, axis=1, keepdims=True)
    return unit


if __name__ == "__main__":
    main()
