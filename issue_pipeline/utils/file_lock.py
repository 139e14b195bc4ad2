"""One at a time: work that no two processes may do at once."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

logger = logging.getLogger(__name__)


@contextmanager
def turn(path: Path, timeout_s: float) -> Iterator[None]:
    """Wait until nobody else is within, and keep everybody else out meanwhile.

    A process that dies leaves the way free.

    Args:
        path: Of a file that all take turns by; it is there only meanwhile, and its folder is made.
        timeout_s: Longest wait, in seconds.

    Raises:
        TimeoutError: Somebody else was within all the time.
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
        # Before it is free, so that a file that somebody else works by is never removed. Those who
        # wait see that it is gone, and make a new one.
        with suppress(OSError):
            path.unlink()
        lock.release()
