import multiprocessing
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from issue_pipeline.resources.embedding.built_folders import built_folder


class Builder:
    """Writes one file and counts how often it was asked to."""

    def __init__(self) -> None:
        self.builds = 0

    def __call__(self, folder: Path) -> None:
        self.builds += 1
        (folder / "weights").write_bytes(b"12345")


def test_a_folder_is_built_once(tmp_path: Path):
    builder = Builder()
    for _ in range(2):
        folder = built_folder(tmp_path / "model", builder)
        assert (folder / "weights").read_bytes() == b"12345"
    assert builder.builds == 1


@pytest.mark.parametrize("left", [b"1234", b"12346", b""])
def test_a_file_that_is_cut_or_altered_is_built_again(tmp_path: Path, left: bytes):
    builder = Builder()
    (built_folder(tmp_path / "model", builder) / "weights").write_bytes(left)
    assert (built_folder(tmp_path / "model", builder) / "weights").read_bytes() == b"12345"
    assert builder.builds == 2


@pytest.mark.parametrize("lost", ["weights", "checksums.json"])
def test_a_folder_that_lost_a_file_is_built_again(tmp_path: Path, lost: str):
    builder = Builder()
    (built_folder(tmp_path / "model", builder) / lost).unlink()
    built_folder(tmp_path / "model", builder)
    assert builder.builds == 2


def _add_a_folder(folder: Path) -> None:
    (folder / "sub").mkdir()


def _add_a_link_to_nowhere(folder: Path) -> None:
    (folder / "link").symlink_to("/nowhere/at/all")


def _put_a_file_in_its_place(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.write_text("mine")


def _put_a_link_to_nowhere_in_its_place(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.symlink_to("/nowhere/at/all")


@pytest.mark.parametrize(
    "damage",
    [
        _add_a_folder,
        _add_a_link_to_nowhere,
        _put_a_file_in_its_place,
        _put_a_link_to_nowhere_in_its_place,
    ],
)
def test_whatever_is_found_instead_of_what_was_made_is_built_again(
    tmp_path: Path, damage: Callable[[Path], None]
):
    builder = Builder()
    damage(built_folder(tmp_path / "model", builder))
    assert (built_folder(tmp_path / "model", builder) / "weights").read_bytes() == b"12345"
    assert {path.name for path in (tmp_path / "model").iterdir()} == {"weights", "checksums.json"}
    assert builder.builds == 2


def test_a_folder_that_was_moved_and_linked_is_used_and_if_damaged_left_alone(tmp_path: Path):
    builder = Builder()
    elsewhere = tmp_path / "elsewhere"
    built_folder(tmp_path / "model", builder).rename(elsewhere)
    (tmp_path / "model").symlink_to(elsewhere)
    built_folder(tmp_path / "model", builder)
    assert builder.builds == 1
    (elsewhere / "weights").write_bytes(b"mine")
    assert (built_folder(tmp_path / "model", builder) / "weights").read_bytes() == b"12345"
    assert (elsewhere / "weights").read_bytes() == b"mine"


def test_a_build_that_fails_leaves_nothing_behind(tmp_path: Path):
    def fails(folder: Path) -> None:
        (folder / "weights").write_bytes(b"123")
        raise RuntimeError("disk full")

    with pytest.raises(RuntimeError, match="disk full"):
        built_folder(tmp_path / "model", fails)
    assert not [path for path in tmp_path.iterdir() if path.is_dir()]


def _build_and_be_killed(folder: Path) -> None:
    def build(unfinished: Path) -> None:
        (unfinished / "half of it").write_bytes(b"123")
        os._exit(9)

    built_folder(folder, build)


def test_what_a_killed_build_left_is_removed_by_the_next_build(tmp_path: Path):
    killed = multiprocessing.get_context("spawn").Process(
        target=_build_and_be_killed, args=(tmp_path / "model",)
    )
    killed.start()
    killed.join()
    assert killed.exitcode == 9
    built_folder(tmp_path / "model", Builder())
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["model"]
    assert {path.name for path in (tmp_path / "model").iterdir()} == {"weights", "checksums.json"}
