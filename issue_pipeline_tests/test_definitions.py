import subprocess
import sys

import dagster as dg

from issue_pipeline.definitions import defs
from issue_pipeline.partitions import SOURCES, daily_partitions, source_day_partitions

KEYS = {
    "bronze/raw_items": "bronze",
    "silver/clusters": "silver",
    "gold/issues": "gold",
    "gold/problems": "gold",
    "gold/live_issues": "gold",
}


def _nodes():
    graph = defs.resolve_asset_graph()
    return {key.to_user_string(): graph.get(key) for key in graph.get_all_asset_keys()}


def test_the_five_assets_stand_in_their_groups_with_words_about_them():
    nodes = _nodes()
    assert {key: node.group_name for key, node in nodes.items()} == KEYS
    assert all(len(node.description) > 50 for node in nodes.values())


def test_every_asset_names_its_owners_kinds_and_the_columns_of_its_table():
    for key, node in _nodes().items():
        assert node.owners, key
        assert {"python", "duckdb"} <= node.kinds, key
        assert node.metadata["dagster/table_name"].split(".")[0] == node.group_name, key
        columns = node.metadata["dagster/column_schema"].columns
        assert all(column.description for column in columns), key


def test_everything_that_runs_by_itself_is_on():
    repository = defs.get_repository_def()
    names = {one.name for one in repository.schedule_defs}
    assert {f"collect_{source}_daily" for source in SOURCES} <= names
    assert {one.name for one in repository.sensor_defs} >= {"process_days", "try_again"}
    for one in [*repository.schedule_defs, *repository.sensor_defs]:
        assert one.default_status.value == "RUNNING", one.name


def test_bronze_has_a_partition_per_source_and_day_and_the_rest_one_per_day():
    nodes = _nodes()
    assert nodes["bronze/raw_items"].partitions_def == source_day_partitions
    for key in ("silver/clusters", "gold/issues", "gold/problems", "gold/live_issues"):
        assert nodes[key].partitions_def == daily_partitions
    keys = source_day_partitions.get_partition_keys()
    assert {key.keys_by_dimension["source"] for key in keys} == set(SOURCES)
    assert daily_partitions.get_first_partition_key() == "2026-01-01"


def test_a_day_of_silver_depends_on_all_four_sources_of_that_day():
    graph = defs.resolve_asset_graph()
    (mapping,) = [
        graph.get_partition_mapping(dg.AssetKey(["silver", "clusters"]), parent)
        for parent in graph.get(dg.AssetKey(["silver", "clusters"])).parent_keys
    ]
    assert isinstance(mapping, dg.MultiToSingleDimensionPartitionMapping)


def test_loading_the_code_location_imports_no_heavy_library():
    heavy = ("torch", "litellm", "sentence_transformers", "hdbscan", "sklearn", "pocketbase")
    code = (
        "import sys, issue_pipeline.definitions;"
        f"print(*[name for name in {heavy!r} if name in sys.modules])"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert loaded.stdout.strip() == ""


def test_dagster_accepts_the_workspace():
    result = subprocess.run(
        [sys.executable, "-m", "dagster", "definitions", "validate", "-w", "workspace.yaml"],
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
