"""A backfill on a Ray cluster, its instance in PostgreSQL, many runs at once: the plain one's rows.

``make soak`` runs the backfill, fourteen days; the suite runs one job on such an instance.
"""

import re
import shutil
import threading
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

from issue_pipeline.ops.dagster_home import DAGSTER_YAML
from issue_pipeline_tests.support.deployment import ROOT, deployed
from issue_pipeline_tests.support.long_past_days import SCHEDULES, LongPastDays
from issue_pipeline_tests.support.postgres import PostgresServer, postgres_server
from issue_pipeline_tests.support.ray_cluster import ray_cluster
from issue_pipeline_tests.support.soak import soak

DAY_COUNT = 14
POSTS_PER_DAY = 160
LIMIT_S = 3600
EXAMPLE = ROOT / "deploy" / "postgres" / "dagster.yaml"
# Of Debian's server; the example stays below half of it.
MAX_CONNECTIONS = 100
RUNS_AT_ONCE = 12
DAYS = LongPastDays.of(DAY_COUNT)
HAS_RAY = find_spec("ray") is not None
HAS_POSTGRES = find_spec("dagster_postgres") is not None


def test_the_example_is_the_projects_own_but_for_storage_and_how_much_runs_at_once():
    ours, example = (yaml.safe_load(path.read_text()) for path in (DAGSTER_YAML, EXAMPLE))
    example.pop("storage")
    assert example["concurrency"].pop("pools")["granularity"] == "run"
    assert example["concurrency"]["runs"].pop("max_concurrent_runs") > (
        ours["concurrency"]["runs"].pop("max_concurrent_runs")
    )
    assert example == ours


def filled(root: Path, **options: Any) -> tuple[dict[str, Any], list[str], int]:
    """Fill the days; return the rows, what was logged of locks, and refused requests."""
    with deployed(root, posts_per_day=POSTS_PER_DAY, **SCHEDULES, **options) as deployment:
        DAYS.fill(deployment, LIMIT_S)
        return deployment.tables(), deployment.lock_errors(), deployment.violations()


class ConnectionCount:
    """The most connections that the server had at a time, asked twice a second."""

    def __init__(self, server: PostgresServer) -> None:
        self.most = 0
        self._server = server
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _watch(self) -> None:
        while not self._stopped.wait(0.5):
            ((count,),) = self._server.ask(
                "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
            )
            self.most = max(self.most, int(str(count)))

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()


@pytest.mark.slow
@pytest.mark.skipif(not HAS_POSTGRES, reason="the extra postgres is not installed")
def test_an_instance_as_in_the_example_keeps_its_runs_in_postgresql(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    @dg.op
    def say() -> None: ...

    @dg.job
    def short() -> None:
        say()

    shutil.copy(EXAMPLE, tmp_path / "dagster.yaml")
    with postgres_server(f"max_connections={MAX_CONNECTIONS}") as server:
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
            run = short.execute_in_process(instance=instance)
            assert instance.get_run_by_id(run.run_id).is_success
            assert instance.all_logs(run.run_id)
        ((runs,),) = server.ask("SELECT count(*) FROM runs WHERE status = 'SUCCESS'")
    assert int(str(runs)) == 1


@pytest.mark.e2e
@pytest.mark.skipif(not HAS_POSTGRES, reason="the extra postgres is not installed")
@pytest.mark.skipif(not HAS_RAY, reason="the extra ray is not installed")
@soak("takes an hour")
def test_a_backfill_on_ray_with_the_instance_in_postgresql_gives_the_same_rows(tmp_path: Path):
    instance = yaml.safe_load(EXAMPLE.read_text())
    instance["concurrency"]["runs"]["max_concurrent_runs"] = RUNS_AT_ONCE
    own = tmp_path / "dagster.yaml"
    own.write_text(yaml.safe_dump(instance))
    with (
        postgres_server(f"max_connections={MAX_CONNECTIONS}") as server,
        ray_cluster() as cluster,
    ):
        for _ in range(2):
            cluster.start_node()
        watch = ConnectionCount(server)
        try:
            rows, locks, violations = filled(
                tmp_path / "scaled",
                dagster_yaml=own,
                RAY_ADDRESS=cluster.address,
                **server.environment(),
                **cluster.environment,
            )
        finally:
            watch.stop()
        ((runs,),) = server.ask("SELECT count(*) FROM runs WHERE status = 'SUCCESS'")
        errors = re.findall(r".*(?:deadlock|too many|remaining conn).*", server.log.read_text())
    print(f"{DAY_COUNT} days, {runs} runs: {watch.most} connections at most")
    assert int(str(runs)) >= len(DAYS.source_days) + len(DAYS.days)
    assert (locks, violations, errors) == ([], 0, [])
    assert watch.most < MAX_CONNECTIONS // 2

    plain, _, _ = filled(tmp_path / "plain")
    assert plain["bronze.raw_items"]
    assert {table for table in rows if rows[table] != plain[table]} == set()
