"""One user of a folder at a time."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from issue_pipeline.local.errors import LocalSetupError


@contextmanager
def only_user_of(folder: Path, file_name: str, remedy: str) -> Iterator[None]:
    """Hold a folder's lock; the kernel releases it when this process ends, however it ends.

    Args:
        folder: Made if missing.
        file_name: Of the lock's file in it, which holds the process id of the holder.
        remedy: What to do if another process holds it; ends the message.

    Raises:
        LocalSetupError: Another process holds it, or the folder cannot be written to or locked.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / file_name).open("a+", encoding="ascii")
    except OSError as error:
        raise LocalSetupError(
            f"Cannot write to the folder {folder} ({error.strerror}). Start in a folder that can be"
            " written to."
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            raise LocalSetupError(
                f"The services in {folder} are running already (process {holder}): {remedy}"
            ) from error
        except OSError as error:
            raise LocalSetupError(
                f"The file system of {folder} has no file locks ({error.strerror}). Use a folder on"
                " a local disk."
            ) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield
