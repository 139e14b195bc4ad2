"""What every test gets: a cache folder of its own; in which order files run, and signals."""

import atexit
import inspect
import os
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import CodeType

import pytest

TESTS = Path(__file__).parent
# Slow as a whole: they work with servers, processes, databases and models, or compute for long.
SLOW_PLACES = (
    "assets",
    "automation",
    "benchmarks",
    "labels/test_session.py",
    "live",
    "local",
    "ops",
    "resources/collectors/test_completeness.py",
    "resources/embedding",
    "resources/pocketbase",
    "sandbox",
    "unattended",
    "utils/clustering/test_one_topic.py",
    "utils/clustering/test_spanning_tree.py",
)
# Elsewhere a test is slow if it, a helper of its module, or a fixture of it names one of these.
STARTERS = {
    "HTTPServer",
    "LocalServer",
    "ManagedProcess",
    "PocketBaseServer",
    "Popen",
    "Receiver",
    "ScriptedModel",
    "SentenceTransformer",
    "python_parent",
    "sandbox_services",
    "simulator",
    "socket",
    "subprocess",
}


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
    """Mark what is slow; begin with the files that take minutes, the longest first."""
    for item in items:
        if isinstance(item, pytest.Function) and _is_slow(item):
            item.add_marker(pytest.mark.slow)
    slow = {item.path for item in items if item.get_closest_marker("e2e")}
    items.sort(key=lambda item: ("unattended" not in item.path.parts, item.path not in slow))


def _is_slow(item: pytest.Function) -> bool:
    place = item.path.relative_to(TESTS).as_posix()
    if any(f"{place}/".startswith(f"{one}/") for one in SLOW_PLACES):
        return True
    fixtures = [one.func for found in item._fixtureinfo.name2fixturedefs.values() for one in found]
    seen: set[object] = set()
    return any(_names_a_starter(one, seen) for one in (item.function, *fixtures))


def _is_of_a_test(function: Callable[..., object]) -> bool:
    return function.__module__.startswith(TESTS.name) and function.__module__ != __name__


def _names_a_starter(function: Callable[..., object], seen: set[object]) -> bool:
    """Return whether a function names a starter, or a function of our tests that does."""
    code = getattr(function, "__code__", None)
    if code is None or code in seen or not _is_of_a_test(function):
        return False
    seen.add(code)
    names: set[str] = set()
    codes = [code]
    while codes:
        one = codes.pop()
        names.update(one.co_names)
        codes += [constant for constant in one.co_consts if isinstance(constant, CodeType)]
    if names & STARTERS:
        return True
    known = (function.__globals__.get(name) for name in names)
    return any(_names_a_starter(inspect.unwrap(one), seen) for one in known if callable(one))


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
