"""Folders of files that take long to make, kept until they are no longer what was made.

A folder appears whole or not at all, and is checked against its own checksums before every use: a
disk that filled up, or a hand that edited, leads to building it again.
"""

import json
import logging
import shutil
from collections.abc import Callable
from hashlib import file_digest
from pathlib import Path

from filelock import FileLock

from issue_pipeline.errors import CacheFolderError

logger = logging.getLogger(__name__)

_CHECKSUMS = "checksums.json"


def built_folder(folder: Path, build: Callable[[Path], None]) -> Path:
    """Return the folder if it is there and as it was made; else build it first.

    Processes that ask for one folder at the same time wait for the one that builds it.

    Args:
        folder: Its name must tell everything that the content depends on. Its parent exists.
        build: Writes the files, without subfolders, into the empty folder that it is given.

    Raises:
        CacheFolderError: The folder cannot be locked or written to.
    """
    try:
        return _built_folder(folder, build)
    except OSError as error:
        raise CacheFolderError(
            f"Cannot build {folder} ({error}). Make room there, or set ISSUES_CACHE_DIR to a folder"
            " on a local disk."
        ) from error


def _built_folder(folder: Path, build: Callable[[Path], None]) -> Path:
    with FileLock(folder.with_suffix(".lock")):
        if not _is_whole(folder):
            if folder.exists():
                logger.warning("%s is not as it was made; building it again", folder)
            _remove(folder)
            # Named after the folder, so only who holds the lock builds in it: one that is there
            # was left by a build that was killed.
            unfinished = folder.with_suffix(".unfinished")
            _remove(unfinished)
            unfinished.mkdir()
            try:
                build(unfinished)
                checksums = json.dumps(_checksums(unfinished))
                (unfinished / _CHECKSUMS).write_text(checksums, encoding="utf-8")
                unfinished.rename(folder)
            finally:
                _remove(unfinished)
    return folder


def _is_whole(folder: Path) -> bool:
    try:
        expected = json.loads((folder / _CHECKSUMS).read_text(encoding="utf-8"))
        return bool(expected == _checksums(folder))
    except (OSError, ValueError):  # also a subfolder or a link to nowhere, which nobody built
        return False


def _remove(path: Path) -> None:
    """Remove whatever is there; of a link the link only, for it is ours, what it names is not."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _checksums(folder: Path) -> dict[str, str]:
    sums: dict[str, str] = {}
    for path in sorted(folder.iterdir()):
        if path.name != _CHECKSUMS:
            with path.open("rb") as content:
                sums[path.name] = file_digest(content, "sha256").hexdigest()
    return sums
