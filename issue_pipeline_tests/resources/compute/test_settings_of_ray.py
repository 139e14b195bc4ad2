"""Without a cluster nothing of Ray is imported; errors of Ray are ours, each with what to do."""

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from issue_pipeline.errors import (
    ClusterUnreachableError,
    ConfigurationError,
    NodeLostError,
    NodeMismatchError,
    ObjectStoreFullError,
)
from issue_pipeline.resources.compute import ComputeResource, ray_executor
from issue_pipeline.resources.compute.node_traits import (
    NodeTraits,
    Versions,
    traits_of_this_process,
    versions_of_this_process,
)
from issue_pipeline.resources.embedding.cluster_encoder import ClusterEncoder, pieces_of
from issue_pipeline.utils.executor import LocalExecutor

OURS = Versions("3.11", "0123", ("1", "2", "3", "4", "5", "6"))


def traits(**changes: Any) -> NodeTraits:
    fields = {
        "versions": OURS,
        "precision": "bfloat16",
        "products": "a",
        "model_products": "b",
    }
    return NodeTraits(**{**fields, **changes})


def test_without_an_address_work_stays_here_and_ray_is_not_imported():
    code = (
        "import sys, issue_pipeline.definitions\n"
        "from issue_pipeline.resources.compute import ComputeResource\n"
        "with ComputeResource().executor() as executor: print(type(executor).__name__)\n"
        "print('ray' in sys.modules)"
    )
    said = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert said == ["LocalExecutor", "False"]


@pytest.mark.parametrize("address", ["auto", "10.0.0.1:6379", "head:6379", "ray://head:10001"])
def test_an_address_is_one_that_ray_takes(address: str):
    assert ComputeResource(address=address).address == address


@pytest.mark.parametrize("address", ["local", "head", "http://head:6379", "ray://head", "a b:1"])
def test_another_address_is_refused(address: str):
    with pytest.raises(ValidationError, match="auto, HOST:PORT or ray://HOST:PORT"):
        ComputeResource(address=address)


def test_without_the_extra_the_setting_is_refused_with_what_to_install(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with (
        pytest.raises(ConfigurationError, match=r"RAY_ADDRESS.*\.\[ray\]"),
        ComputeResource(address="auto").executor(),
    ):
        pass


@pytest.mark.skipif(ray_executor.importlib.util.find_spec("ray") is None, reason="no extra ray")
def test_nothing_at_the_address_is_said_at_once():
    with (
        pytest.raises(ClusterUnreachableError, match=r"answers at 127\.0\.0\.1:1 \(RAY_ADDRESS\)"),
        ComputeResource(address="127.0.0.1:1").executor(),
    ):
        pass


def test_nodes_of_other_versions_are_named_with_what_differs():
    ours = versions_of_this_process()
    packages = dict(zip(("numpy", "scipy", "torch"), ours.packages, strict=False))
    other = (ours.python, "another", ("1.0", *ours.packages[1:]))
    with pytest.raises(NodeMismatchError) as error:
        ray_executor._require_same_versions(
            {
                "same": (ours.python, ours.code, ours.packages),
                "old (10.0.0.2, ab)": other,
                "bare": "ModuleNotFoundError: No module named 'issue_pipeline'",
            }
        )
    said = str(error.value)
    assert f"old (10.0.0.2, ab): the code of issue_pipeline {ours.code} here, another there" in said
    assert f"numpy {packages['numpy']} here, 1.0 there" in said
    assert "bare: ModuleNotFoundError" in said
    assert "same" not in said.splitlines()[1]


def test_nodes_that_compute_alike_keep_their_precision_and_others_fall_back(caplog, monkeypatch):
    monkeypatch.setattr(ray_executor, "traits_of_this_process", traits)
    alike = ray_executor._compared({"one": traits(), "two": traits()})
    assert ray_executor._common_precision(alike) == "bfloat16"
    assert caplog.messages == []
    unlike = ray_executor._compared(
        {"one": traits(), "old": traits(precision="float32", model_products="c")}
    )
    assert ray_executor._common_precision(unlike) == "float32"
    assert "do not compute alike" in caplog.text
    assert "old: float32" in caplog.text


def test_traits_are_the_same_however_many_threads_torch_has(monkeypatch):
    import torch

    threads = torch.get_num_threads()
    found = []
    for count in (1, threads + 1):
        traits_of_this_process.cache_clear()
        monkeypatch.setattr(torch, "get_num_threads", lambda count=count: threads)
        torch.set_num_threads(count)
        found.append(traits_of_this_process())
    assert found[0] == found[1]


@pytest.mark.skipif(ray_executor.importlib.util.find_spec("ray") is None, reason="no extra ray")
@pytest.mark.parametrize(
    ("name", "expected", "advice"),
    [
        ("ObjectStoreFullError", ObjectStoreFullError, "--object-store-memory"),
        ("OutOfDiskError", ObjectStoreFullError, "Make room on the disk"),
        ("OutOfMemoryError", NodeLostError, "fewer --num-cpus"),
        ("WorkerCrashedError", NodeLostError, "Run this again"),
        ("RaySystemError", ClusterUnreachableError, "RAY_AUTH_TOKEN"),
    ],
)
def test_errors_of_ray_become_ours_with_what_to_do(name, expected, advice):
    import ray

    kind = getattr(ray.exceptions, name)
    error = kind("said") if name != "WorkerCrashedError" else kind()
    found = ray_executor._translated(ray, error, "auto")
    assert type(found) is expected
    assert advice in str(found)


def test_a_mismatch_that_ray_finds_is_ours():
    import types

    kinds = ("AuthenticationError", "ObjectStoreFullError", "OutOfDiskError")
    fake = types.SimpleNamespace(
        exceptions=types.SimpleNamespace(**{name: type(name, (Exception,), {}) for name in kinds})
    )
    error = RuntimeError("Version mismatch: The cluster was started with: Ray: 2.1")
    assert isinstance(ray_executor._translated(fake, error, "auto"), NodeMismatchError)


def test_pieces_are_cut_by_what_a_model_reads_and_hold_every_text_once():
    texts = ["x" * 100_000] * 60 + ["short"] * 300
    pieces = pieces_of(texts)
    assert [text for piece in pieces for text in piece] == texts
    assert [len(piece) for piece in pieces] == [50, 310]
    assert pieces_of([]) == []


def test_few_texts_are_embedded_here(monkeypatch):
    class Here:
        def encode(self, texts: list[str]) -> np.ndarray:
            return np.full((len(texts), 384), len(texts), dtype=np.float32)

    monkeypatch.setattr(
        "issue_pipeline.resources.embedding.cluster_encoder._encoder", lambda *_: Here()
    )
    encoder = ClusterEncoder("a model", ComputeResource(address="nowhere:1"))
    assert [len(one) for one in encoder.encode_batches([["a"] * 250, ["b"] * 249])] == [250, 249]


def test_in_this_process_results_come_in_order():
    local = LocalExecutor()
    assert list(local.map(abs, [-3, -1, -2])) == [3, 1, 2]
