from collections.abc import Iterator

import duckdb
import pytest

from issue_pipeline.sql.migrations import migrate


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty database in memory, with every table."""
    with duckdb.connect() as connection:
        migrate(connection)
        yield connection
