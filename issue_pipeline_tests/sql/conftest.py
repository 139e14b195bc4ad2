from collections.abc import Iterator
from importlib.resources import files

import duckdb
import pytest


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty database in memory, with every table."""
    with duckdb.connect() as connection:
        connection.execute(files("issue_pipeline.sql").joinpath("schema.sql").read_text())
        yield connection
