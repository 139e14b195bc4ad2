"""A whole day of real posts, from HTTP to the live store, beside embedding the same posts once.

``make bench PARTS=day``. The simulated APIs serve the corpora over HTTP, PocketBase is the real
one, and the language model is a script that answers at once: what is left is the pipeline's own
time. The day runs in a process of its own, as ``issue-pipeline run`` would run it.
"""

import gzip
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import dagster as dg
import psutil

from benchmarks import real_posts
from benchmarks.report import Row
from issue_pipeline.ops.dagster_home import prepare_dagster_home
from issue_pipeline.sandbox.services import sandbox_services
from issue_pipeline_tests.support.scripted_model import ScriptedModel, about_the_posts

DAY = date(2026, 3, 11)
_SAMPLED_S = 0.2


def measure(posts: int) -> Iterator[Row]:
    """Run the day.

    Args:
        posts: How many of the corpora's posts, spread over the sources as they are there.

    Returns:
        A row for each step, one for embedding the posts once, and one for the whole.
    """
    with tempfile.TemporaryDirectory() as folder, ScriptedModel(about_the_posts) as model:
        root = Path(folder)
        corpus = _corpus(root / "posts.jsonl.gz", posts)
        served = ["--now", "2026-03-12T06:00:00Z", "--history-days", "14"]
        served += ["--corpus", str(corpus), "--days", DAY.isoformat()]
        own = {"LLM_LOCAL_MODEL": "openai/scripted", "LLM_LOCAL_BASE_URL": model.url}
        os.environ.update(own)
        with sandbox_services(root, world_args=served) as services:
            prepare_dagster_home(root / "dagster_home", is_ours=True)
            environment = os.environ | services.environment()
            command = [sys.executable, "-m", "benchmarks.whole_day"]
            day = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
            store = services.servers["pocketbase"].process.pid
            with _peak_memory(day.pid, store) as peak_mb:
                told = day.communicate()[0]
            if day.returncode:
                raise RuntimeError("The day failed; what it said is above.")
        result = json.loads(told.splitlines()[-1])
    embedding_s = result["embedding_s"]
    for step, seconds in result["steps"].items():
        yield _row(step, seconds, embedding_s, result["posts"])
    yield _row("embedding the posts once", embedding_s, embedding_s, result["posts"])
    whole = _row("the whole day", result["whole_s"], embedding_s, result["posts"])
    yield whole | {"peak MB": peak_mb[0]}


def _row(step: str, seconds: float, embedding_s: float, posts: int) -> Row:
    ratio = seconds / embedding_s
    return {"step": step, "posts": posts, "s": seconds, "ratio": ratio, "peak MB": float("nan")}


def _corpus(path: Path, count: int) -> Path:
    """Write so many of the real posts into one file: every source's share of them."""
    every = [post for name in real_posts.WITH_BODY for post in real_posts.posts(name)]
    step = max(1.0, len(every) / count)
    chosen = [every[int(place * step)] for place in range(min(count, len(every)))]
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(post) + "\n" for post in chosen)
    return path


@contextmanager
def _peak_memory(*roots: int) -> Iterator[list[float]]:
    """Sample the memory of some processes and all below them: megabytes at the highest."""
    peak, is_over = [0.0], threading.Event()

    def sample() -> None:
        while not is_over.wait(_SAMPLED_S):
            total = 0
            for root in roots:
                try:
                    process = psutil.Process(root)
                    for one in (process, *process.children(recursive=True)):
                        total += one.memory_full_info().pss
                except psutil.Error:
                    continue
            peak[0] = max(peak[0], total / 1024**2)

    sampling = threading.Thread(target=sample, daemon=True)
    sampling.start()
    try:
        yield peak
    finally:
        is_over.set()
        sampling.join()


def _run() -> None:
    """Run the day in this process; then embed its posts once, with the model already loaded."""
    from issue_pipeline.ops.run_day import run_day
    from issue_pipeline.resources.duckdb import IssuesDatabase
    from issue_pipeline.resources.embedding.caching import uncached
    from issue_pipeline.settings import resources
    from issue_pipeline.sql import bronze
    from issue_pipeline.utils.embeddings import clean_day, embed_texts

    start = time.perf_counter()
    failures = run_day(DAY)
    whole_s = time.perf_counter() - start
    if failures:
        print("\n".join(f"{one.step}: {one.reason}" for one in failures), file=sys.stderr)
        sys.exit(1)
    steps: dict[str, float] = {}
    with dg.DagsterInstance.get() as instance:
        for record in instance.get_run_records():
            for stats in instance.get_run_step_stats(record.dagster_run.run_id):
                seconds = (stats.end_time or 0) - (stats.start_time or 0)
                steps[stats.step_key] = steps.get(stats.step_key, 0.0) + seconds
    database = IssuesDatabase(database=os.environ["ISSUES_DUCKDB_PATH"])
    with database.read() as connection:
        items = bronze.items_of_day(connection, DAY)
    model = uncached(resources()["embedding"].get_model())
    texts = [text.text for text in clean_day(items)]
    start = time.perf_counter()
    embed_texts(texts, model)
    embedding_s = time.perf_counter() - start
    found = {"posts": len(items), "whole_s": whole_s, "embedding_s": embedding_s, "steps": steps}
    print(json.dumps(found))


if __name__ == "__main__":
    _run()
