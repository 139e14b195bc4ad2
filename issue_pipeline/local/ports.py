"""Free ports on the loopback interface, reserved so that two servers of ours never meet on one."""

import fcntl
import os
import socket
import tempfile
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from issue_pipeline.local.errors import LocalSetupError

LOOPBACK = "127.0.0.1"
_ATTEMPTS = 50


class ReservedPort:
    """A free port that no other server of this user's pipelines takes while it is reserved.

    A server only takes a number, so between choosing the number and the server's bind the
    port is nobody's. Another pipeline's server could get it, and its healthy answer would be taken
    for ours. Hence a lock file per number, which the kernel releases when this process ends,
    however it ends.

    Attributes:
        number: The port.

    Args:
        preferred: A port to take if it is free; ``None`` for any.

    Raises:
        LocalSetupError: No free port was found.
    """

    def __init__(self, preferred: int | None = None) -> None:
        folder = Path(tempfile.gettempdir()) / f"issue-pipeline-ports-{os.getuid()}"
        folder.mkdir(mode=0o700, exist_ok=True)
        for attempt in range(_ATTEMPTS):
            wanted = preferred if attempt == 0 else None
            number = wanted or _any_free_port()
            lock = _lock(folder / str(number))
            if lock is not None:
                self.number = number
                self._lock = lock
                if wanted is None or self.is_bindable():
                    return
                lock.close()
        raise LocalSetupError(
            f"No free port on {LOOPBACK} after {_ATTEMPTS} tries. Close programs that listen there,"
            f" or remove {folder} if no demo, dev or run is going on."
        )

    def is_bindable(self) -> bool:
        """Return whether a server could listen on the port now."""
        with socket.socket() as candidate:
            # As servers do: connections of an earlier server that linger do not count.
            candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                candidate.bind((LOOPBACK, self.number))
                candidate.listen()
            except OSError:
                return False
            return True

    def release(self) -> None:
        """Release the reservation. Can be repeated."""
        self._lock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.release()


def _any_free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        number: int = probe.getsockname()[1]
        return number


def _lock(path: Path) -> IO[bytes] | None:
    file = path.open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file
