"""Each check sees what it is for, and the blocking ones keep wrong data from going on."""

from datetime import date
from typing import Any

import dagster as dg
import duckdb
import pytest

from issue_pipeline.assets import clusters, issues, live_issues, raw_items
from issue_pipeline.assets.checks import bronze_checks, gold_checks, live_checks, silver_checks
from issue_pipeline.sql import gold as gold_tables
from issue_pipeline.sql import silver as silver_tables
from issue_pipeline.sql.migrations import migrate

DAY = date(2026, 3, 10)

# Three posts, two of them in a cluster that is labelled and published.
GOOD_DAY = """
INSERT INTO bronze.raw_items
    SELECT hash, 'github', '2026-03-10', 'https://github.com/a/b/issues/' || hash, 'Exports fail',
        '', TIMESTAMP '2026-03-10 12:00:00', 0, 0, TIMESTAMP '2026-03-11 00:30:00', 'ada'
    FROM (VALUES ('a'), ('b'), ('c')) AS posts (hash);
INSERT INTO silver.clusters VALUES ('2026-03-10', 0, 2, 0.33, 0.7, 'smoothed', 5);
INSERT INTO silver.cluster_assignments VALUES
    ('2026-03-10', 'a', 0), ('2026-03-10', 'b', 0), ('2026-03-10', 'c', -1);
INSERT INTO gold.issues VALUES (
    '2026-03-10', 0, 'fingerprint', 2, 'Exports to CSV fail', 'devtools', 'Exports stop half-way.',
    true, 'high', false, 'local', 'openai/small', 800, 60, 0, '2026-03-11 06:00:00', 1, 1.5, '',
    true, 1.2
);
INSERT INTO gold.issue_evidence
    SELECT '2026-03-10', 0, hash, 'github', 'https://github.com/a/b/issues/' || hash,
        'Exports fail', '', TIMESTAMP '2026-03-10 12:00:00', 0, 0, 0.5
    FROM (VALUES ('a'), ('b')) AS posts (hash);
"""


@pytest.fixture
def con() -> Any:
    with duckdb.connect() as connection:
        migrate(connection)
        connection.execute(GOOD_DAY)
        yield connection


def broken(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """Names of the checks that fail."""
    results = [
        *bronze_checks(connection, "github", DAY),
        *silver_checks(connection, DAY, posts=3, sizes=[2]),
        *gold_checks(connection, DAY),
    ]
    return {result.check_name for result in results if not result.passed}


def test_a_good_day_passes_every_check(con):
    assert broken(con) == set()


@pytest.mark.parametrize(
    ("damage", "seen_by"),
    [
        (
            "INSERT INTO bronze.raw_items SELECT * FROM bronze.raw_items WHERE url_hash = 'c'",
            {"posts_are_unique", "every_post_is_assigned_once"},
        ),
        (
            "UPDATE bronze.raw_items SET created_at = '2026-03-11 00:00:00' WHERE url_hash = 'a'",
            {"posts_are_of_the_day"},
        ),
        (
            "DELETE FROM silver.cluster_assignments WHERE url_hash = 'c'",
            {"every_post_is_assigned_once"},
        ),
        (
            "INSERT INTO silver.cluster_assignments VALUES ('2026-03-10', 'c', -1)",
            {"every_post_is_assigned_once"},
        ),
        (
            "INSERT INTO silver.cluster_assignments VALUES ('2026-03-10', 'unknown', -1)",
            {"every_post_is_assigned_once"},
        ),
        (
            "UPDATE silver.cluster_assignments SET cluster_id = 0 WHERE url_hash = 'c'",
            {"every_post_is_assigned_once", "evidence_matches_assignments"},
        ),
        (
            "INSERT INTO silver.clusters VALUES ('2026-03-10', 1, 7, 0.33, 0.7, 'smoothed', 5)",
            {"every_post_is_assigned_once", "every_cluster_has_a_row"},
        ),
        (
            "DELETE FROM gold.issues",
            {"every_cluster_has_a_row", "evidence_matches_assignments"},
        ),
        (
            "UPDATE gold.issues SET canonical_title = 'See https://evil.test'",
            {"labels_are_valid"},
        ),
        ("UPDATE gold.issues SET category = 'gossip'", {"labels_are_valid"}),
        ("UPDATE gold.issues SET description = NULL", {"labels_are_valid"}),
        (
            "UPDATE gold.issues SET label_failed = true; DELETE FROM gold.issue_evidence",
            {"few_labels_failed"},
        ),
        (
            "DELETE FROM gold.issue_evidence WHERE url_hash = 'b'",
            {"evidence_matches_assignments"},
        ),
        (
            "UPDATE gold.issue_evidence SET url_hash = 'c' WHERE url_hash = 'b'",
            {"evidence_matches_assignments"},
        ),
    ],
)
def test_damage_is_seen_by_the_checks_for_it_and_by_no_other(con, damage, seen_by):
    con.execute(damage)
    assert broken(con) == seen_by


@pytest.mark.parametrize(
    ("posts", "sizes", "seen_by"),
    [
        (1000, [250, 200], set()),
        (1000, [251, 200], {"no_collapse"}),
        (1000, [120, 80], set()),
        (1000, [120, 79], {"noise_is_bounded"}),
        (30, [30], set()),  # a small day may well be about one thing
        (1000, [], {"noise_is_bounded"}),
        (0, [], set()),
    ],
)
def test_shares_of_a_day_are_judged_on_days_that_are_large_enough(posts, sizes, seen_by):
    with duckdb.connect() as connection:
        migrate(connection)
        results = silver_checks(connection, DAY, posts=posts, sizes=sizes)
    assert {result.check_name for result in results if not result.passed} == seen_by


def test_records_that_differ_are_named():
    (equal, *_), (differing, *_) = live_checks([]), live_checks(["abc", "def"])
    assert equal.passed
    assert not differing.passed
    assert "record abc" in differing.description


def evaluations(result: dg.ExecuteInProcessResult) -> dict[str, bool]:
    return {check.check_name: check.passed for check in result.get_asset_check_evaluations()}


def test_a_whole_day_passes_the_checks_of_every_step(pipeline):
    for source in ("github", "stackoverflow", "reddit", "hackernews"):
        assert all(evaluations(pipeline.attempt(raw_items, f"2026-03-10|{source}")).values())
    result = dg.materialize(
        [clusters, issues, live_issues],
        partition_key="2026-03-10",
        instance=pipeline.instance,
        resources=pipeline.resources,
    )
    checks = evaluations(result)
    assert set(checks) >= {
        "every_post_is_assigned_once",
        "no_collapse",
        "noise_is_bounded",
        "every_cluster_has_a_row",
        "labels_are_valid",
        "evidence_matches_assignments",
        "few_labels_failed",
        "live_equals_gold",
    }
    assert all(checks.values())


def losing(table: str, original: Any) -> Any:
    """A write that loses a row of a table, as a bug would."""

    def write(connection: duckdb.DuckDBPyConnection, *rest: Any, **named: Any) -> None:
        original(connection, *rest, **named)
        connection.execute(f"DELETE FROM {table} WHERE rowid = (SELECT max(rowid) FROM {table})")

    return write


@pytest.mark.parametrize(
    ("module", "table", "check"),
    [
        (silver_tables, "silver.cluster_assignments", "every_post_is_assigned_once"),
        (gold_tables, "gold.issue_evidence", "evidence_matches_assignments"),
    ],
)
def test_wrong_data_blocks_what_would_be_made_of_it(pipeline, monkeypatch, module, table, check):
    pipeline.collect()
    steps = [clusters, issues, live_issues]
    if module is gold_tables:
        pipeline.run(steps.pop(0))
    monkeypatch.setattr(module, "replace_day", losing(table, module.replace_day))
    if module is gold_tables:  # each label is stored on its own, with its evidence, after that
        write = module.replace_clusters
        monkeypatch.setattr(module, "replace_clusters", losing(table, write))
    result = dg.materialize(
        steps,
        partition_key="2026-03-10",
        instance=pipeline.instance,
        resources=pipeline.resources,
        raise_on_error=False,
    )
    assert not result.success
    assert evaluations(result)[check] is False
    done = {event.step_key for event in result.all_events if event.is_step_success}
    assert done == set()
    assert pipeline.query("SELECT count(*) FROM gold.live_issues") == [(0,)]


@pytest.mark.parametrize(
    ("damage", "asset", "check"),
    [
        (
            "UPDATE bronze.raw_items SET created_at = created_at + INTERVAL 1 DAY",
            clusters,
            "posts_are_of_the_day",
        ),
        (
            "DELETE FROM silver.cluster_assignments WHERE rowid = 0",
            issues,
            "every_post_is_assigned_once",
        ),
        ("UPDATE gold.issues SET canonical_title = '<b>'", live_issues, "labels_are_valid"),
    ],
)
def test_nothing_is_made_of_data_that_fails_a_blocking_check_in_a_later_run_either(
    pipeline, damage, asset, check
):
    pipeline.run_day()
    with pipeline.resources["database"].write() as connection:
        connection.execute(damage)
    result = pipeline.attempt(asset)
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    assert check in failure.step_failure_data.user_failure_data.description
