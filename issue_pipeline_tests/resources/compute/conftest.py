from collections.abc import Iterator

import pytest

from issue_pipeline_tests.support.ray_cluster import AUTHENTICATION


@pytest.fixture(scope="package", autouse=True)
def authentication() -> Iterator[None]:
    """Ray reads its token once in a process, with whatever test imports it first."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in AUTHENTICATION.items():
            patch.setenv(name, value)
        yield
