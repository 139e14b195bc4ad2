"""Pieces of work for tests of executors; nodes import this module."""

import importlib
import os
import socket
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from issue_pipeline.errors import EmbeddingModelError


def product(rows: slice, array: NDArray[np.float32]) -> NDArray[np.float32]:
    """A block of products of all rows."""
    import torch

    x = torch.from_numpy(array)
    found: NDArray[np.float32] = (x[rows] @ x.T).numpy()
    return found


def place(_: Any) -> tuple[str, int, int]:
    """Host name's address of the node, process, and threads that torch uses."""
    import torch

    return socket.gethostname(), os.getpid(), torch.get_num_threads()


def refused(piece: int) -> int:
    """Piece 3 fails."""
    if piece == 3:
        raise EmbeddingModelError("Piece 3 is not to be had.")
    return piece


def importing(piece: tuple[int, str]) -> int:
    """Import a module that takes its time; piece 0 fails meanwhile."""
    number, folder = piece
    if number == 0:
        while not (Path(folder) / "begun").exists():
            time.sleep(0.05)
        raise EmbeddingModelError("Piece 0 is not to be had.")
    sys.path.insert(0, folder)
    return int(importlib.import_module("taking_its_time").VALUE)


def endless(_: Any) -> None:
    time.sleep(600)


def deadly(folder: str) -> int:
    """End the worker process the first time, as when the system kills it."""
    mark = Path(folder) / "tried"
    if not mark.exists():
        mark.touch()
        os._exit(1)
    return 1
