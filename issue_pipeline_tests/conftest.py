"""What every test gets: a cache folder of its own; in which order files run, and signals."""

import signal

import pytest


def pytest_configure() -> None:
    """Have signals end our children, which background jobs and nohup would have them ignore."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take minutes, the longest first."""
    slow = {item.path for item in items if item.get_closest_marker("e2e")}
    items.sort(key=lambda item: ("unattended" not in item.path.parts, item.path not in slow))


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the paces and limits of other tests, and of the user, out of this one."""
    folder = str(tmp_path_factory.mktemp("cache"))
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: folder)
    monkeypatch.setenv("ISSUES_CACHE_DIR", folder)
