"""What every test gets: a cache folder of its own."""

import pytest


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the paces and limits of other tests, and of the user, out of this one."""
    folder = str(tmp_path_factory.mktemp("cache"))
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: folder)
    monkeypatch.setenv("ISSUES_CACHE_DIR", folder)
