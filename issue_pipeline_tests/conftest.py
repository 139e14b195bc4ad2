"""What every test gets: a cache folder of its own; in which order files run, and signals."""

import atexit
import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
# Whole folders that work with servers, processes, databases and models; what is slow elsewhere says
# so itself, with `pytestmark`.
SLOW_FOLDERS = {"assets", "automation", "benchmarks", "live", "ops", "unattended"}


def pytest_configure() -> None:
    """Have signals end our children, which background jobs and nohup would have them ignore."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@atexit.register
def _end_in_silence() -> None:
    """Print nothing once the interpreter is taken down, long after pytest's summary.

    With torch and Dagster's assets in one process, objects of DuckDB outlive their module, and its
    bindings (nanobind) list them as leaked: 40 lines of no consequence, which DuckDB offers no way
    to switch off. The exit status stays.
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark folders as slow; begin with the files that take minutes, the longest first."""
    for item in items:
        if item.path.relative_to(TESTS).parts[0] in SLOW_FOLDERS:
            item.add_marker(pytest.mark.slow)
    slow = {item.path for item in items if item.get_closest_marker("e2e")}
    items.sort(key=lambda item: ("unattended" not in item.path.parts, item.path not in slow))


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the paces and limits of other tests, and of the user, out of this one."""
    folder = str(tmp_path_factory.mktemp("cache"))
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: folder)
    monkeypatch.setenv("ISSUES_CACHE_DIR", folder)


@pytest.fixture(autouse=True)
def _fast_tests_start_nothing(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fail a test that starts a process or a server and is not marked ``slow``."""
    if request.node.get_closest_marker("slow") or request.node.get_closest_marker("e2e"):
        return

    def refuse(*_: object, **__: object) -> None:
        pytest.fail("This test starts a process or a server: mark it with pytest.mark.slow.")

    monkeypatch.setattr(subprocess.Popen, "__init__", refuse)
    monkeypatch.setattr(socket.socket, "listen", refuse)
