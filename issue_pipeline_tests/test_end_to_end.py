"""The demo as a user runs it, on a smaller world: every part is the real one."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest

from issue_pipeline.local.pocketbase_server import PocketBaseServer
from issue_pipeline.partitions import SOURCES
from issue_pipeline_tests.support.soak import soak

pytestmark = pytest.mark.e2e

DEMO = ("-m", "issue_pipeline.cli", "demo")
DAYS = tuple(f"2026-03-{day:02}" for day in range(7, 12))
POSTS_PER_DAY = 150
LIMIT_S = 900
TIMES = {
    "bronze.raw_items": "collected_at",
    "bronze.collections": "waited_s, started_at, finished_at",
    "silver.clusters": "",
    "silver.cluster_assignments": "",
    "gold.issues": "",  # not even the times: nothing is labelled again
    "gold.issue_evidence": "",
    "gold.problems": "",
    "gold.problem_issues": "",
    "gold.problem_posts": "",
    "gold.linked_days": "",
    "gold.live_issues": "",  # nor published again
}


class Demo:
    """A sandbox folder in which the demo has run."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def run(self, *options: str) -> str:
        """Run it as ``make demo`` does; gives what it printed."""
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("LLM_", "CLUSTERING_", "POCKETBASE_", "DAGSTER_"))
        }
        size = ("--posts-per-day", str(POSTS_PER_DAY))
        result = subprocess.run(
            [sys.executable, *DEMO, "--root", self.root, *size, *options],
            env=environment,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
        )
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.root / "issues.duckdb"), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def tables(self) -> dict[str, list[tuple[Any, ...]]]:
        return {
            table: self.query(
                f"SELECT * {f'EXCLUDE ({times})' if times else ''} FROM {table} ORDER BY ALL"
            )
            for table, times in TIMES.items()
        }

    def live(self) -> dict[str, list[dict[str, Any]]]:
        """What anybody can read from the live store, the times of change included."""
        records: dict[str, list[dict[str, Any]]] = {}
        with PocketBaseServer(self.root / "pocketbase", log=self.root / "log") as server:
            for collection in ("problems", "issues", "issue_evidence"):
                url = f"{server.url}/api/collections/{collection}/records"
                reply = httpx.get(url, params={"perPage": 1000, "sort": "id"}).json()
                assert reply["totalPages"] <= 1
                records[collection] = reply["items"]
        return records


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> Demo:
    demo = Demo(tmp_path_factory.mktemp("sandbox"))
    demo.printed = demo.run()
    return demo


def test_every_source_is_collected_whole_on_every_day(demo):
    counts = demo.query(
        "SELECT collection_date::VARCHAR, source, complete, stored_count > 0"
        " FROM bronze.collections ORDER BY ALL"
    )
    assert counts == [(day, source, True, True) for day in DAYS for source in sorted(SOURCES)]
    assert demo.query(
        "SELECT collection_date::VARCHAR, count(*) FROM bronze.raw_items GROUP BY 1 ORDER BY 1"
    ) == [(day, POSTS_PER_DAY) for day in DAYS]


def test_every_item_is_assigned_exactly_once(demo):
    assert demo.query(
        "SELECT cluster_date, url_hash FROM silver.cluster_assignments ORDER BY ALL"
    ) == demo.query("SELECT collection_date, url_hash FROM bronze.raw_items ORDER BY ALL")


def test_every_cluster_has_a_label_and_at_least_nine_in_ten_are_good(demo):
    assert demo.query("SELECT cluster_date, cluster_id FROM gold.issues ORDER BY ALL") == (
        demo.query("SELECT cluster_date, cluster_id FROM silver.clusters ORDER BY ALL")
    )
    ((labels, good),) = demo.query(
        "SELECT count(*), count(*) FILTER (NOT label_failed) FROM gold.issues"
    )
    assert good >= 0.9 * labels > 0


def test_the_evidence_is_exactly_the_items_of_the_good_clusters(demo):
    assert demo.query(
        "SELECT cluster_date, cluster_id, url_hash FROM gold.issue_evidence ORDER BY ALL"
    ) == demo.query(
        "SELECT cluster_date, cluster_id, url_hash FROM silver.cluster_assignments"
        " JOIN gold.issues USING (cluster_date, cluster_id) WHERE NOT label_failed ORDER BY ALL"
    )


def test_the_live_store_shows_exactly_the_good_labels(demo):
    live = demo.live()
    assert sorted((one["issue_date"], one["title"], one["size"]) for one in live["issues"]) == (
        demo.query(
            "SELECT cluster_date::VARCHAR, canonical_title, cluster_size FROM gold.issues"
            " WHERE NOT label_failed ORDER BY ALL"
        )
    )
    issue_of = {
        record_id: (day, cluster_id)
        for day, cluster_id, record_id in demo.query(
            "SELECT cluster_date::VARCHAR, cluster_id, record_id FROM gold.live_issues"
        )
    }
    assert sorted((*issue_of[one["issue"]], one["url"]) for one in live["issue_evidence"]) == (
        demo.query(
            "SELECT cluster_date::VARCHAR, cluster_id, url FROM gold.issue_evidence ORDER BY ALL"
        )
    )


def test_it_ends_with_the_days_and_the_biggest_problems(demo):
    for word in (*SOURCES, *DAYS, "complete", "reused", "published"):
        assert word in demo.printed
    ((title,),) = demo.query(
        "SELECT canonical_title FROM gold.problems ORDER BY posts DESC, canonical_title LIMIT 1"
    )
    assert title.split()[0] in demo.printed


def test_problems_are_followed_over_the_days_and_their_labels_taken_over(demo):
    ((problems, followed),) = demo.query(
        "SELECT count(*), count(*) FILTER (days_seen >= 3) FROM gold.problems"
    )
    assert followed >= 3, problems
    ((reused,),) = demo.query("SELECT count(*) FROM gold.issues WHERE label_source = 'reused'")
    assert reused >= followed
    linked = demo.query("SELECT issue_date::VARCHAR, problem_id FROM gold.problem_issues")
    shown = {(one["issue_date"], one["problem"]) for one in demo.live()["issues"]}
    assert {one for one in shown if one[1]} == set(linked)


def test_a_second_run_changes_nothing_that_is_good(demo):
    tables, live = demo.tables(), demo.live()
    ((failed,),) = demo.query("SELECT count(*) FROM gold.issues WHERE label_failed")
    demo.run()
    again, live_again = demo.tables(), demo.live()
    if failed:  # which are tried again, and may have more luck
        tables, again = (only_good(one) for one in (tables, again))
        for name, rows in tables.items():
            assert set(rows) <= set(again[name]), name
        for name, records in live.items():
            assert [one for one in records if one not in live_again[name]] == []
    else:
        assert again == tables
        assert live_again == live


def only_good(tables: dict[str, list[tuple[Any, ...]]]) -> dict[str, list[tuple[Any, ...]]]:
    """Leave out the labels that failed: they have no title."""
    good = [row for row in tables["gold.issues"] if None not in row]
    return {**tables, "gold.issues": good}


@soak("labels five days again")
def test_the_other_mode_is_recorded_and_publishes_its_own_clusters(demo):
    demo.run("--mode", "raw")
    assert demo.query("SELECT DISTINCT mode FROM silver.clusters") == [("raw",)]
    live = {(one["issue_date"], one["cluster_id"]) for one in demo.live()["issues"]}
    assert live == set(
        demo.query(
            "SELECT cluster_date::VARCHAR, cluster_id FROM gold.issues WHERE NOT label_failed"
        )
    )
