"""A lock between processes, held through a file."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

logger = logging.getLogger(__name__)


@contextmanager
def file_lock(path: Path, timeout_s: float) -> Iterator[None]:
    """Hold a lock that one process, and one thread of it, holds at a time.

    The kernel releases the lock of a process that dies.

    Args:
        path: Of the lock's file. It exists only while the lock is held; its folder is made.
        timeout_s: Longest wait for another holder, in seconds.

    Raises:
        TimeoutError: Others held the lock all the time.
        OSError: The file cannot be made.
    """
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        logger.info("waiting for whoever holds %s", path)
        lock.acquire(timeout=timeout_s)
    try:
        yield
    finally:
        # Before the release, so that the file of another holder is never removed. Those who wait
        # see that it is gone, and make a new one.
        with suppress(OSError):
            path.unlink()
        lock.release()
