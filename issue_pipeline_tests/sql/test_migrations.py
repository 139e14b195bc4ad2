"""Tables change by numbered steps, each taken once, and never by an older version."""

import duckdb
import pytest

from issue_pipeline.errors import StoreError
from issue_pipeline.resources.duckdb import IssuesDatabase
from issue_pipeline.sql import migrations
from issue_pipeline.sql.migrations import Migration, known_migrations, migrate, table_columns


def with_steps(monkeypatch: pytest.MonkeyPatch, *more: Migration) -> None:
    steps = (*known_migrations(), *more)
    monkeypatch.setattr(migrations, "known_migrations", lambda: steps)


def next_step(sql: str) -> Migration:
    return Migration(known_migrations()[-1].version + 1, "later", sql)


def test_steps_are_numbered_without_gaps():
    assert [step.version for step in known_migrations()] == [
        number + 1 for number in range(len(known_migrations()))
    ]


def test_a_step_that_came_later_is_taken_once_and_keeps_what_is_stored(tmp_path, monkeypatch):
    database = IssuesDatabase(database=str(tmp_path / "issues.duckdb"))
    with database.write() as connection:
        connection.execute(
            "INSERT INTO silver.clusters VALUES ('2026-03-10', 0, 12, 0.5, 0.8, 'raw', 5)"
        )
    step = next_step("ALTER TABLE silver.clusters ADD COLUMN terms VARCHAR DEFAULT 'none'")
    with_steps(monkeypatch, step)
    for _ in range(2):
        with database.read() as connection:
            assert connection.execute(
                "SELECT cluster_size, terms FROM silver.clusters"
            ).fetchall() == [(12, "none")]
            (taken,) = connection.execute(
                "SELECT count(*) FROM migrations WHERE version = ?", [step.version]
            ).fetchone() or (0,)
            assert taken == 1


def test_a_step_that_fails_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    database = IssuesDatabase(database=str(tmp_path / "issues.duckdb"))
    with database.write():
        pass
    with monkeypatch.context() as patch:
        with_steps(patch, next_step("DROP TABLE gold.issue_evidence; SELECT no_such_column"))
        with pytest.raises(duckdb.Error), database.write():
            pass
    with database.read() as connection:
        assert connection.execute("SELECT count(*) FROM gold.issue_evidence").fetchone() == (0,)


def test_a_file_of_a_newer_version_is_left_alone_and_named(tmp_path, monkeypatch):
    database = IssuesDatabase(database=str(tmp_path / "issues.duckdb"))
    with monkeypatch.context() as patch:
        with_steps(patch, next_step("CREATE TABLE gold.trends (day DATE)"))
        with database.write():
            pass
    for opening in (database.read, database.write):
        with pytest.raises(StoreError, match=r"newer version[\s\S]*ISSUES_DUCKDB_PATH"), opening():
            pass


@pytest.mark.parametrize(
    "table", ["bronze.raw_items", "silver.clusters", "gold.issues", "gold.live_issues"]
)
def test_every_column_of_an_assets_table_is_explained(table):
    assert [column.name for column in table_columns(table) if not column.comment] == []
    assert len(table_columns(table)) >= 7


def test_a_table_in_memory_has_the_same_steps():
    with duckdb.connect() as connection:
        migrate(connection)
        migrate(connection)
        assert connection.execute("SELECT count(*) FROM migrations").fetchone() == (
            len(known_migrations()),
        )
