"""A cache folder that cannot be had names its setting."""

import subprocess
import sys
from pathlib import Path

import filelock
import pytest

from issue_pipeline.errors import CacheFolderError, ConfigurationError
from issue_pipeline.resources.cache_folder import cache_folder
from issue_pipeline.resources.collectors.rate_limits import RateLimiter, TimeBudget
from issue_pipeline.resources.embedding.built_folders import built_folder

# A container's arbitrary user: no HOME, and a number that the system has no name for.
WITHOUT_A_HOME = """
import os, pwd
def unknown(number): raise KeyError(number)
pwd.getpwuid = unknown
from pathlib import Path
from issue_pipeline.errors import ConfigurationError
from issue_pipeline.resources.cache_folder import cache_folder
try:
    cache_folder("", "pace")
except ConfigurationError as error:
    print(error)
import issue_pipeline.definitions
print(cache_folder("own", "pace"))
"""


@pytest.mark.slow
def test_a_user_without_a_home_is_told_which_setting_to_make(tmp_path: Path):
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_A_HOME],
        cwd=tmp_path,
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
    )
    said, folder = done.stdout.splitlines()
    assert "this user has no home" in said
    assert "Set ISSUES_CACHE_DIR" in said
    assert folder == "own/pace"
    assert [path.name for path in tmp_path.iterdir()] == ["own"]


def test_a_folder_that_cannot_be_made_names_the_setting(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="ISSUES_CACHE_DIR"):
        cache_folder(str(tmp_path / "file"), "pace")


def test_a_file_system_without_locks_is_named(tmp_path, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(filelock.FileLock, "acquire", refuse)
    limiter = RateLimiter(tmp_path, "an API", 60, TimeBudget(1))
    with pytest.raises(ConfigurationError, match=r"no file locks .*ISSUES_CACHE_DIR"):
        limiter.permit("GitHub").__enter__()
    with pytest.raises(CacheFolderError, match="ISSUES_CACHE_DIR"):
        built_folder(tmp_path / "model", lambda folder: None)


def test_a_full_disk_is_named_and_may_pass(tmp_path, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    limiter = RateLimiter(tmp_path, "an API", 60, TimeBudget(1))
    monkeypatch.setattr(Path, "write_text", refuse)
    with pytest.raises(CacheFolderError, match=r"No space left .*Make room there") as caught:
        limiter.permit("GitHub").__enter__()
    assert caught.value.may_pass
    with pytest.raises(CacheFolderError, match="Make room there"):
        built_folder(tmp_path / "model", lambda folder: None)
