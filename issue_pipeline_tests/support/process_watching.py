"""Watches processes come and go."""

import os
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]
LIMIT_S = 30
_POLL_S = 0.02  # between two looks at another process; nothing relies on its length


def descendants() -> set[int]:
    """Process ids of everything that this process started, directly or not."""
    return {process.pid for process in psutil.Process().children(recursive=True)}


def wait_until_gone(pids: Iterable[int]) -> None:
    """Wait until none of the processes runs any more; fail if one still does after a while."""
    deadline = time.monotonic() + LIMIT_S
    remaining = set(pids)
    while remaining:
        remaining = {pid for pid in remaining if not is_gone(pid)}
        assert time.monotonic() < deadline, f"still running: {remaining}"
        time.sleep(_POLL_S)


def is_gone(pid: int) -> bool:
    """Return whether the process has ended; a zombie has, it only waits to be noticed."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def python_parent(code: str, *arguments: str) -> "subprocess.Popen[str]":
    """Start a Python process that can import the package; its output is a pipe."""
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )
