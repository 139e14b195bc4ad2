"""The pipeline as an operator runs it: webserver, daemon, simulated sources, PocketBase.

Everything is a process of its own. The tests watch and steer through the GraphQL API that the UI
uses. Only the language model is scripted, so that two runs of a day give the same labels.
"""

import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import httpx
from dagster._core.scheduler.instigation import InstigatorType

from issue_pipeline.local.processes import LocalServer, ManagedProcess
from issue_pipeline.sandbox.services import Services, sandbox_services
from issue_pipeline_tests.support.scripted_model import ScriptedModel, about_the_posts

ROOT = Path(__file__).parent.parent.parent
DAGSTER_YAML = ROOT / "dagster.yaml"
POLL_S = 1.0
LIMIT_S = 900.0
FINISHED = {"SUCCESS", "FAILURE", "CANCELED"}
_BIN = Path(sys.executable).parent
_TABLES = {
    "bronze.raw_items": "* EXCLUDE (collected_at)",
    "bronze.collections": "* EXCLUDE (requests, waited_s, started_at, finished_at)",
    "silver.clusters": "*",
    "silver.cluster_assignments": "*",
    # Who was asked first, and how often, depends on the order of the days.
    "gold.issues": "cluster_date, cluster_id, cluster_fingerprint, cluster_size, canonical_title,"
    " category, description, would_pay_signal, impact_level, label_failed",
    "gold.issue_evidence": "*",
    "gold.problems": "*",
    "gold.problem_issues": "*",
    "gold.problem_posts": "*",
    "gold.linked_days": "*",
    "gold.live_issues": "* EXCLUDE (synced_at)",
}


class Gate:
    """Before a source: open, it lets everything through; shut, it answers 500."""

    def __init__(self, target_url: str) -> None:
        self.is_open = True
        gate = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if not gate.is_open:
                    self.send_error(500)
                    return
                reply = httpx.get(target_url + self.path, timeout=60)
                self.send_response(reply.status_code)
                self.send_header("Content-Type", reply.headers["content-type"])
                self.end_headers()
                self.wfile.write(reply.content)

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class Deployment:
    """Webserver and daemon over running services.

    Args:
        services: The sources and stores.
        environment: Settings on top of theirs.
        gate: Before Hacker News.
        dagster_yaml: Becomes that of Dagster's home.
    """

    def __init__(
        self,
        services: Services,
        environment: Mapping[str, str],
        gate: "Gate",
        dagster_yaml: Path = DAGSTER_YAML,
    ) -> None:
        self.services = services
        self.gate = gate
        self.home = services.root / "dagster_home"
        self.home.mkdir(exist_ok=True)
        shutil.copyfile(dagster_yaml, self.home / "dagster.yaml")
        self.environment = {
            **services.environment(),
            **environment,
            "DAGSTER_HOME": str(self.home),
            "PYTHONPATH": str(ROOT),
            "PYTHONWARNINGS": "ignore",
        }
        logs = services.root / "logs"
        self._webserver = LocalServer(
            "The webserver", self._webserver_command, health_path="/server_info",
            log=logs / "webserver.log", environment=self.environment, start_limit_s=LIMIT_S,
        )  # fmt: skip
        self.daemon_log = logs / "daemon.log"
        self._daemon: ManagedProcess | None = None

    @staticmethod
    def _webserver_command(port: int) -> list[str]:
        module = ("-m", "issue_pipeline.definitions")
        return [str(_BIN / "dagster-webserver"), *module, "-h", "127.0.0.1", "-p", str(port)]

    @property
    def url(self) -> str:
        return self._webserver.url

    @property
    def daemon(self) -> ManagedProcess:
        assert self._daemon is not None
        return self._daemon

    def start_daemon(self) -> None:
        self.daemon_log = self.daemon_log.with_name(f"daemon-{time.time_ns()}.log")
        self._daemon = ManagedProcess(
            "The daemon",
            [str(_BIN / "dagster-daemon"), "run", "-m", "issue_pipeline.definitions"],
            log=self.daemon_log,
            environment=self.environment,
            stop_grace_s=20,
        )
        self._daemon.start()

    def change(self, **settings: str) -> None:
        """Start the daemon again with other settings, as an operator does."""
        self.daemon.stop()
        self.environment.update(settings)
        self.start_daemon()

    def start(self) -> None:
        # Webserver and daemon would both make the tables of a new home, and one of them fail.
        subprocess.run(
            [_BIN / "dagster", "instance", "migrate"],
            env=os.environ | self.environment,
            check=True,
            capture_output=True,
        )
        self._webserver.start()
        self.start_daemon()
        self._webserver.wait_until_ready()
        # It answers before it has loaded the code location.
        self.wait_until(
            "the assets are known", lambda: self.graphql("{ assetNodes { id } }")["assetNodes"]
        )

    def stop(self) -> None:
        if self._daemon is not None:
            self._daemon.stop()
        self._webserver.stop()

    def graphql(self, query: str, **variables: Any) -> Any:
        """Ask what the UI asks; gives the data."""
        reply = httpx.post(
            f"{self.url}/graphql", json={"query": query, "variables": variables}, timeout=60
        ).json()
        assert "errors" not in reply, reply["errors"]
        return reply["data"]

    def known_schedules(self) -> int:
        """Return how many schedules the daemon watches; it does not see ticks before that."""
        with dg.DagsterInstance.from_config(str(self.home)) as instance:
            return len(instance.all_instigator_state(instigator_type=InstigatorType.SCHEDULE))

    def materialised(self, *asset: str) -> dict[str, float]:
        """Materialised partitions of an asset, each with its last moment, in seconds since 1970."""
        data = self.graphql(
            "query($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) { ... on AssetNode {"
            " assetMaterializations(limit: 2000) { partition timestamp } } } }",
            key={"path": list(asset)},
        )
        moments: dict[str, float] = {}
        for one in data["assetNodeOrError"]["assetMaterializations"]:
            at = float(one["timestamp"]) / 1000
            moments[one["partition"]] = max(at, moments.get(one["partition"], 0))
        return moments

    def runs(self) -> list[dict[str, Any]]:
        """Every run, the newest first: id, job, status and tags."""
        data = self.graphql(
            "{ runsOrError(limit: 5000) { ... on Runs { results {"
            " runId jobName status tags { key value } } } } }"
        )
        return [
            {**run, "tags": {tag["key"]: tag["value"] for tag in run["tags"]}}
            for run in data["runsOrError"]["results"]
        ]

    def failed_checks(self, *asset: str) -> set[str]:
        """Names of the asset's checks whose last evaluation failed."""
        data = self.graphql(
            "query($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) { ... on AssetNode {"
            " assetChecksOrError { ... on AssetChecks { checks { name"
            " executionForLatestMaterialization { status evaluation { success } } } } } } } }",
            key={"path": list(asset)},
        )
        return {
            check["name"]
            for check in data["assetNodeOrError"]["assetChecksOrError"]["checks"]
            if (last := check["executionForLatestMaterialization"])
            and last["evaluation"]
            and not last["evaluation"]["success"]
        }

    def backfill(self, assets: Sequence[Sequence[str]], partitions: Sequence[str]) -> str:
        """Start a backfill as the UI does; gives its id."""
        data = self.graphql(
            "mutation($params: LaunchBackfillParams!) { launchPartitionBackfill("
            "backfillParams: $params) { __typename ... on LaunchBackfillSuccess { backfillId }"
            " ... on PythonError { message } } }",
            params={
                "assetSelection": [{"path": list(asset)} for asset in assets],
                "partitionNames": list(partitions),
            },
        )
        launched = data["launchPartitionBackfill"]
        assert launched["__typename"] == "LaunchBackfillSuccess", launched
        return str(launched["backfillId"])

    def backfill_status(self, backfill_id: str) -> str:
        data = self.graphql(
            "query($id: String!) { partitionBackfillOrError(backfillId: $id) {"
            " ... on PartitionBackfill { status } } }",
            id=backfill_id,
        )
        return str(data["partitionBackfillOrError"]["status"])

    def complete_backfill(
        self, assets: Sequence[Sequence[str]], partitions: Sequence[str], limit_s: float
    ) -> None:
        """Start a backfill and wait until it is done; it must succeed."""
        backfill = self.backfill(assets, partitions)
        self.wait_until(
            f"the backfill of {assets} is done",
            lambda: self.backfill_status(backfill) not in ("REQUESTED", "CANCELING"),
            limit_s,
        )
        assert self.backfill_status(backfill) == "COMPLETED_SUCCESS"

    def cancel_backfill(self, backfill_id: str) -> None:
        self.graphql(
            "mutation($id: String!) { cancelPartitionBackfill(backfillId: $id) { __typename } }",
            id=backfill_id,
        )

    def wait_until(self, what: str, is_so: Callable[[], Any], limit_s: float = LIMIT_S) -> Any:
        """Ask again and again; gives the first answer that is true."""
        deadline = time.monotonic() + limit_s
        while time.monotonic() < deadline:
            if answer := is_so():
                return answer
            self.daemon.require_running()
            time.sleep(POLL_S)
        tail = self.daemon_log.read_text(errors="replace")[-3000:]
        states = [(run["jobName"], run["status"], run["tags"].get("dagster/partition"))
                  for run in self.runs()[:20]]  # fmt: skip
        raise AssertionError(f"Not within {limit_s:.0f} s: {what}.\n{states}\n{tail}")

    def wait_until_idle(self, limit_s: float = LIMIT_S) -> None:
        self.wait_until(
            "no run is queued or going on",
            lambda: all(run["status"] in FINISHED for run in self.runs()),
            limit_s,
        )

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the database, when no run has it."""
        deadline = time.monotonic() + 60
        while True:
            try:
                with duckdb.connect(str(self.services.duckdb_path), read_only=True) as connection:
                    return connection.execute(sql).fetchall()
            except duckdb.IOException:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def tables(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table, without times and without what the order of days decides."""
        return {
            table: self.query(f"SELECT {columns} FROM {table} ORDER BY ALL")
            for table, columns in _TABLES.items()
        }

    def live(self) -> list[dict[str, Any]]:
        """The live issues, as anybody can read them, without times."""
        url = f"{self.services.pocketbase_url}/api/collections/issues/records"
        reply = httpx.get(url, params={"perPage": 1000, "sort": "id"}, timeout=30).json()
        assert reply["totalPages"] <= 1
        return [
            {name: value for name, value in one.items() if name not in ("created", "updated")}
            for one in reply["items"]
        ]

    def lock_errors(self) -> list[str]:
        """Lines of the logs that speak of the database's lock."""
        logs = (self.services.root / "logs").glob("*.log")
        return [
            line
            for log in logs
            for line in log.read_text(errors="replace").splitlines()
            if re.search(r"could not set lock|Another process kept it locked", line, re.IGNORECASE)
        ]

    def violations(self) -> int:
        """How often the simulated sources had to refuse a request beyond their limits."""
        stats = httpx.get(f"{self.services.apis_url}/stats", timeout=30).json()
        return sum(sum(per_api.values()) for per_api in stats["violations"].values())


@contextmanager
def deployed(
    root: Path, *, posts_per_day: int, dagster_yaml: Path = DAGSTER_YAML, **settings: str
) -> Iterator[Deployment]:
    """Run everything in a folder until the block ends.

    Args:
        root: For data and logs.
        posts_per_day: Of the synthetic world, over all sources.
        dagster_yaml: Of the instance.
        settings: Of the environment.
    """
    world = ["--posts-per-day", str(posts_per_day), "--history-days", "60"]
    with ExitStack() as stack:
        model = stack.enter_context(ScriptedModel(about_the_posts))
        own = {"LLM_LOCAL_MODEL": "openai/scripted", "LLM_LOCAL_BASE_URL": model.url}
        stack.enter_context(_environment(own))
        services = stack.enter_context(sandbox_services(root, world_args=world))
        gate = Gate(services.apis_url)
        stack.callback(gate.close)
        behind_gate = {"HN_API_URL": f"{gate.url}/hackernews"}
        deployment = Deployment(services, {**own, **behind_gate, **settings}, gate, dagster_yaml)
        stack.callback(deployment.stop)
        deployment.start()
        yield deployment


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
