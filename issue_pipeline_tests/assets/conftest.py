from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest

from issue_pipeline.assets import clusters, issues, live_issues, problems, raw_items
from issue_pipeline.local.model_weights import all_minilm_folder
from issue_pipeline.local.pocketbase_server import PocketBaseServer
from issue_pipeline.partitions import SOURCES
from issue_pipeline.resources.compute import ComputeResource
from issue_pipeline.resources.duckdb import IssuesDatabase
from issue_pipeline.resources.embedding.resource import EmbeddingResource
from issue_pipeline.resources.llm import LLMResource
from issue_pipeline.resources.pocketbase.resource import PocketBaseResource
from issue_pipeline_tests.support.published_day import Site, opened_site
from issue_pipeline_tests.support.scripted_model import Reply, ScriptedModel, about_the_posts
from issue_pipeline_tests.support.simulated import simulator
from issue_pipeline_tests.support.small_day import posts_of_the_day, posts_of_the_next_day

DAY = "2026-03-10"


def changed(resource: Any, **changes: Any) -> Any:
    """The resource with other settings; pydantic's own copy would keep the old ones for Dagster."""
    settings = {name: getattr(resource, name) for name in type(resource).model_fields}
    return type(resource)(**{**settings, **changes})


@dataclass
class Pipeline:
    """The five assets over real parts, one temporary database, and a model that is scripted."""

    resources: dict[str, Any]
    model: ScriptedModel
    path: Path
    instance: dg.DagsterInstance

    def run(self, asset: dg.AssetsDefinition, partition_key: str | None = None) -> dict[str, Any]:
        """Materialise one partition; gives the metadata."""
        result = self.attempt(asset, partition_key)
        assert result.success, result.all_events
        (event,) = result.asset_materializations_for_node(asset.node_def.name)
        return {name: value.value for name, value in event.metadata.items()}

    def attempt(
        self, asset: dg.AssetsDefinition, partition_key: str | None = None
    ) -> dg.ExecuteInProcessResult:
        """Materialise one partition, which may fail."""
        return dg.materialize(
            [asset],
            partition_key=partition_key or DAY,
            instance=self.instance,
            resources=self.resources,
            raise_on_error=False,
        )

    def collect(self) -> None:
        for source in SOURCES:
            self.run(raw_items, f"{DAY}|{source}")

    def run_day(self) -> None:
        self.collect()
        for asset in (clusters, issues, problems, live_issues):
            self.run(asset)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.path), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def tables(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table, without the times."""
        timeless = {
            "bronze.raw_items": "* EXCLUDE (collected_at)",
            "bronze.collections": "* EXCLUDE (waited_s, started_at, finished_at)",
            "silver.clusters": "*",
            "silver.cluster_assignments": "*",
            "gold.issues": "* EXCLUDE (labeled_at, seconds)",
            "gold.issue_evidence": "*",
            "gold.problems": "*",
            "gold.problem_issues": "*",
            "gold.problem_posts": "*",
            "gold.linked_days": "*",
            "gold.live_issues": "* EXCLUDE (synced_at)",
        }
        return {
            table: self.query(f"SELECT {columns} FROM {table} ORDER BY ALL")
            for table, columns in timeless.items()
        }

    def live(self) -> dict[str, list[dict[str, Any]]]:
        """Every record of the live store, as anybody can read it."""
        import httpx

        return {
            collection: httpx.get(
                f"{self.resources['pocketbase'].url}/api/collections/{collection}/records",
                params={"perPage": 500, "sort": "id"},
            ).json()["items"]
            for collection in ("issues", "issue_evidence")
        }


@pytest.fixture(scope="session")
def pocketbase(tmp_path_factory) -> Iterator[PocketBaseResource]:
    folder = tmp_path_factory.mktemp("pocketbase")
    with PocketBaseServer(folder, log=folder / "log") as server:
        user = server.superuser
        yield PocketBaseResource(url=server.url, email=user.email, password=user.password)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened_site(tmp_path_factory.mktemp("site")) as site:
        yield site


_days = (date(2027, 1, 1) + timedelta(days=number) for number in count())


@pytest.fixture
def new_day() -> Callable[[], date]:
    """Return days that no other test uses: they all share a server."""
    return lambda: next(_days)


@pytest.fixture
def a_day(new_day: Callable[[], date]) -> date:
    return new_day()


@contextmanager
def opened_pipeline(
    path: Path, pocketbase: PocketBaseResource, script: Callable[[dict[str, Any]], Reply]
) -> Iterator[Pipeline]:
    with (
        simulator([*posts_of_the_day(), *posts_of_the_next_day()]) as apis,
        ScriptedModel(script) as model,
        dg.DagsterInstance.ephemeral() as instance,
    ):
        resources = {
            "collectors": apis.collectors(),
            "database": IssuesDatabase(database=str(path)),
            "compute": ComputeResource(),
            "embedding": EmbeddingResource(embedding_model=str(all_minilm_folder())),
            "llm": LLMResource(local_model="openai/scripted", local_base_url=model.url),
            "pocketbase": pocketbase,
        }
        yield Pipeline(resources, model, path, instance)


@pytest.fixture
def make_pipeline(tmp_path, pocketbase) -> Iterator[Callable[..., Pipeline]]:
    with ExitStack() as stack:

        def make(script: Callable[[dict[str, Any]], Reply] = about_the_posts) -> Pipeline:
            path = tmp_path / "issues.duckdb"
            return stack.enter_context(opened_pipeline(path, pocketbase, script))

        yield make


@pytest.fixture
def pipeline(make_pipeline) -> Pipeline:
    return make_pipeline()
