import threading
import time

import numpy as np
import pytest
import torch

from issue_pipeline.utils.clustering import cluster_embeddings
from issue_pipeline.utils.executor import LocalExecutor


def doubled(piece: int, array: np.ndarray) -> int:
    time.sleep(0.001 * (7 - piece % 7))  # the first are the last to end
    return int(array[piece]) * 2


def failing(piece: int) -> int:
    if piece == 3:
        raise ValueError("the fourth piece is bad")
    return piece


def threads_of_torch(_: int) -> tuple[int, str]:
    return torch.get_num_threads(), threading.current_thread().name


def test_results_come_in_the_order_of_the_pieces():
    executor = LocalExecutor()
    array = executor.share(np.arange(40))
    assert list(executor.map(doubled, range(40), array)) == [2 * i for i in range(40)]


def test_pieces_are_taken_only_a_few_ahead_of_the_results():
    taken = []
    results = LocalExecutor().map(failing, (taken.append(i) or 10 for i in range(1_000)))
    next(results)
    assert len(taken) <= 4 * torch.get_num_threads()
    results.close()


def test_what_a_piece_raises_reaches_the_caller():
    results = LocalExecutor().map(failing, range(10))
    with pytest.raises(ValueError, match="the fourth piece is bad"):
        list(results)


def test_a_piece_is_computed_by_one_thread_and_afterwards_all_are_there_again():
    before = torch.get_num_threads()
    assert {count for count, _ in LocalExecutor().map(threads_of_torch, range(8))} == {1}
    assert torch.get_num_threads() == before


def test_the_partition_does_not_depend_on_how_many_work_on_it(monkeypatch: pytest.MonkeyPatch):
    dice = np.random.default_rng(0)
    rows = np.concatenate(
        [dice.normal(size=32) + 0.6 * dice.normal(size=(90, 32)) for _ in "abcde"]
    )
    vectors = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    found = []
    for threads in (1, 2, 5):
        monkeypatch.setattr(torch, "get_num_threads", lambda threads=threads: threads)
        found.append(cluster_embeddings(vectors, executor=LocalExecutor()).labels)
    assert len(np.unique(found[0])) > 2
    assert all(np.array_equal(labels, found[0]) for labels in found)
