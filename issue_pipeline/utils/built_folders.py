"""Folders of files that take long to make, kept until they are no longer what was made.

A folder appears whole or not at all, and is checked against its own checksums before every use: a
disk that filled up, or a hand that edited, leads to building it again.
"""

import json
import logging
import shutil
import tempfile
from collections.abc import Callable
from hashlib import file_digest
from pathlib import Path

from filelock import FileLock

logger = logging.getLogger(__name__)

_CHECKSUMS = "checksums.json"


def built_folder(folder: Path, build: Callable[[Path], None]) -> Path:
    """Give the folder if it is there and as it was made; else build it first.

    Processes that ask for one folder at the same time wait for the one that builds it.

    Args:
        folder: Its name must tell everything that the content depends on. Its parent exists.
        build: Writes the files, without subfolders, into the empty folder that it is given.
    """
    with FileLock(folder.with_suffix(".lock")):
        if not _is_whole(folder):
            if folder.exists():
                logger.warning("%s is not as it was made; building it again", folder)
                shutil.rmtree(folder)
            with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
                made = Path(temporary) / folder.name
                made.mkdir()
                build(made)
                (made / _CHECKSUMS).write_text(json.dumps(_checksums(made)), encoding="utf-8")
                made.rename(folder)
    return folder


def _is_whole(folder: Path) -> bool:
    try:
        expected = json.loads((folder / _CHECKSUMS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(expected == _checksums(folder))


def _checksums(folder: Path) -> dict[str, str]:
    sums: dict[str, str] = {}
    for path in sorted(folder.iterdir()):
        if path.name != _CHECKSUMS:
            with path.open("rb") as content:
                sums[path.name] = file_digest(content, "sha256").hexdigest()
    return sums
