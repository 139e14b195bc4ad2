from pathlib import Path

import pytest

from issue_pipeline.utils.built_folders import built_folder


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


def test_a_build_that_fails_leaves_nothing_behind(tmp_path: Path):
    def fails(folder: Path) -> None:
        (folder / "weights").write_bytes(b"123")
        raise RuntimeError("disk full")

    with pytest.raises(RuntimeError, match="disk full"):
        built_folder(tmp_path / "model", fails)
    assert not [path for path in tmp_path.iterdir() if path.is_dir()]
