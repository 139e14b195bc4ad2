"""Every setting, table, column, check, job and command stands in the documentation."""

import argparse
import ast
import inspect
import re
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest
from pydantic import BaseModel

from issue_pipeline import cli, settings
from issue_pipeline.definitions import defs
from issue_pipeline.publishing.plan import desired_issues
from issue_pipeline.records import Evidence, IssueRow
from issue_pipeline.sql.migrations import migrate

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "issue_pipeline"
SETTING = re.compile(
    r"(ISSUES|CLUSTERING|EMBEDDING|COLLECT|PROCESS|TRY_AGAIN|ALERT|DAGSTER_UI|SOURCES|GITHUB"
    r"|STACKEXCHANGE|REDDIT|HN|LLM|POCKETBASE|RAY|ISSUE)(_[A-Z]+)*"
)
NO_SETTINGS = re.compile(r"[A-Z]+")  # one word alone is a prefix, or something else


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def documentation() -> str:
    return "\n".join(page(str(file)) for file in [ROOT / "README.md", *ROOT.glob("docs/*.md")])


def in_code(text: str) -> set[str]:
    """Every word that a page shows in code: between backticks, or in a block."""
    blocks = re.findall(r"```.*?```", text, re.DOTALL)
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    return {word for one in (*blocks, *spans) for word in re.split(r"[^\w.]+", one)}


# --- Settings -----------------------------------------------------------------------------------


def settings_of_the_example() -> set[str]:
    return set(re.findall(r"^#?([A-Z][A-Z_]+)=", page(".env.example"), re.MULTILINE))


def settings_of_the_code() -> set[str]:
    """Names that look like a setting and stand alone in a string of ours."""
    names = set()
    for file in PACKAGE.rglob("*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        exported = {
            constant
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
            for constant in ast.walk(node)
        }
        names |= {
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and node not in exported
            and "sandbox" not in file.parts
        }
    return {one for one in names if SETTING.fullmatch(one) and not NO_SETTINGS.fullmatch(one)}


def settings_of_the_models() -> set[str]:
    """The variables of every pydantic-settings model in the settings module."""
    names = set()
    for _, model in inspect.getmembers(settings, inspect.isclass):
        if issubclass(model, BaseModel) and "env_prefix" in model.model_config:
            prefix = str(model.model_config.get("env_prefix") or "")
            for name, field in model.model_fields.items():
                alias = field.validation_alias or field.alias
                if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
                    continue
                names.add(alias if isinstance(alias, str) else f"{prefix}{name}".upper())
    return names


def test_every_setting_is_explained_in_the_example_and_on_the_page():
    known = settings_of_the_example() | settings_of_the_code() | settings_of_the_models()
    assert len(known) > 40
    explained = in_code(page("docs/settings.md"))
    assert known - explained == set(), "explain them in docs/settings.md"
    # One source's time of day stands for all of them.
    missing = {one for one in known - settings_of_the_example() if "_COLLECT_AT" not in one}
    assert missing == set(), "add them to .env.example"


def test_no_page_names_a_setting_that_there_is_not():
    known = settings_of_the_example() | settings_of_the_code() | settings_of_the_models()
    named = {one for one in in_code(page("docs/settings.md")) if SETTING.fullmatch(one)}
    assert {one for one in named - known if "_COLLECT_AT" not in one} == set()


def test_a_default_on_the_page_is_that_of_the_example():
    example = dict(
        re.findall(r"^#([A-Z_]+)=(\S[^#\n]*?)\s*(?:#.*)?$", page(".env.example"), re.MULTILINE)
    )
    rows = re.findall(r"^\| `([A-Z_]+)` \| `([^`]+)` \|", page("docs/settings.md"), re.MULTILINE)
    assert len(rows) > 15
    assert {name: shown for name, shown in rows if name in example} == {
        name: example[name] for name, _ in rows if name in example
    }


# --- Tables -------------------------------------------------------------------------------------


def tables() -> dict[str, list[str]]:
    with duckdb.connect() as connection:
        migrate(connection)
        found: dict[str, list[str]] = {}
        for schema, table, column in connection.execute(
            "SELECT schema_name, table_name, column_name FROM duckdb_columns() WHERE NOT internal"
        ).fetchall():
            found.setdefault(table if schema == "main" else f"{schema}.{table}", []).append(column)
    return found


def sections(text: str) -> dict[str, str]:
    """What stands below each heading that is a name in code."""
    parts = re.split(r"^## `([^`]+)`$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_table_and_column_is_explained():
    text = page("docs/tables.md")
    missing = {}
    for table, columns in tables().items():
        section = text if table == "migrations" else sections(text).get(table, "")
        if lost := [one for one in columns if one not in in_code(section)]:
            missing[table] = lost
    assert missing == {}, "explain them in docs/tables.md, below a heading of the table's name"


def test_no_table_is_explained_that_there_is_not():
    assert set(sections(page("docs/tables.md"))) <= set(tables())


def test_every_field_of_the_live_store_is_explained():
    moment = datetime(2026, 3, 10, tzinfo=UTC)
    # Values do not matter here: the names of the fields do.
    row = IssueRow(**dict.fromkeys(_fields(IssueRow), 0) | {"cluster_id": 0})
    post = Evidence(
        **dict.fromkeys(_fields(Evidence), "x")
        | {"created_at": moment, "source": "github", "distance": 0}
    )
    [live] = desired_issues(
        date(2026, 3, 10), [row], {0: [post]}, {0: "x"}, {}, complete=True
    ).values()
    names = {*live.fields, *(name for fields in live.evidence.values() for name in fields)}
    assert names - in_code(page("docs/api.md")) == set(), "explain them in docs/api.md"


def _fields(record: type) -> list[str]:
    return list(inspect.signature(record).parameters)


# --- What runs ----------------------------------------------------------------------------------


def test_every_check_job_schedule_and_sensor_is_explained():
    repository = defs.get_repository_def()
    names = {key.name for key in defs.resolve_asset_graph().asset_check_keys}
    names |= {one.name for one in repository.get_all_jobs() if not one.name.startswith("__")}
    names |= {one.name for one in (*repository.schedule_defs, *repository.sensor_defs)}
    assert names - in_code(page("docs/operations.md")) == set(), "explain them in operations.md"


def test_every_asset_is_on_the_map():
    assets = {key.to_user_string() for key in defs.resolve_asset_graph().get_all_asset_keys()}
    text = page("docs/architecture.md")
    assert {one for one in assets if one not in text} == set()


# --- Commands -----------------------------------------------------------------------------------


def commands() -> dict[str, argparse.ArgumentParser]:
    [choices] = [
        action.choices
        for action in cli.build_parser()._actions
        if isinstance(action, argparse._SubParsersAction)
    ]
    return dict(choices)


@pytest.mark.parametrize("name", commands())
def test_every_command_and_option_is_explained(name):
    text = page("README.md")
    assert f"`issue-pipeline {name}" in text
    options = {
        option
        for action in commands()[name]._actions
        for option in action.option_strings
        if option not in ("-h", "--help")
    }
    assert {one for one in options if one not in text} == set()


def test_every_target_of_the_makefile_is_explained():
    [targets] = re.findall(r"^\.PHONY: (.*)$", page("Makefile"), re.MULTILINE)
    text = documentation() + page("CONTRIBUTING.md")
    lost = {one for one in targets.split() if f"make {one}" not in text}
    assert lost <= {"help", "clean"}, "explain them in README.md or CONTRIBUTING.md"
    shown = page("Makefile").split("\ndemo:")[0]
    lost = {one for one in targets.split() if f"make {one}" not in shown}
    assert lost <= {"help", "check", "format", "clean"}


# --- Pages --------------------------------------------------------------------------------------


PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/*.md"))]


def anchors(file: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}


@pytest.mark.parametrize("file", PAGES, ids=lambda file: str(file.relative_to(ROOT)))
def test_links_lead_somewhere(file):
    links = re.findall(r"\]\(([^)\s]+)\)", file.read_text(encoding="utf-8"))
    for link in links:
        if re.match(r"https?://", link):
            continue
        path, _, anchor = link.partition("#")
        target = (file.parent / path).resolve() if path else file
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_every_page_is_in_the_index():
    index = page("docs/README.md")
    pages = {file.name for file in ROOT.glob("docs/*.md")} - {"README.md"}
    assert {one for one in pages if f"({one})" not in index} == set()


@pytest.mark.parametrize("file", PAGES, ids=lambda file: str(file.relative_to(ROOT)))
def test_files_that_a_page_names_exist(file):
    named = re.findall(r"`((?:\w+/)+\w+\.(?:py|js|toml|yaml|sql|txt))`", page(str(file)))
    assert [one for one in named if not any((at / one).exists() for at in (PACKAGE, ROOT))] == []


@pytest.mark.parametrize("file", PAGES, ids=lambda file: str(file.relative_to(ROOT)))
def test_pages_know_no_folder_outside_the_project(file):
    assert "../shared" not in file.read_text(encoding="utf-8")


# --- Messages -----------------------------------------------------------------------------------

MIN_CHARS = 10


def messages_of_the_code() -> list[str]:
    """Every text of ours, without what is filled in: the pieces that stand between."""
    pieces: list[str] = []
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                whole = "".join(
                    str(part.value) if isinstance(part, ast.Constant) else "\0"
                    for part in node.values
                )
                pieces += whole.split("\0")
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                pieces.append(node.value)
    return [" ".join(piece.split()) for piece in pieces if len(piece.strip()) >= MIN_CHARS]


def quoted_messages() -> list[str]:
    """What the operator's page says one may read, without what is left out of it."""
    [table] = re.findall(
        r"^\| what you read \|.*?\n\|---.*?\n(.*?)\n\n", page("docs/operations.md"), re.M | re.S
    )
    cells = [row.split(" | ")[0] for row in table.splitlines()]
    quoted = [one for cell in cells for one in re.findall(r"`([^`]+)`", cell)]
    # Names of settings are filled in by the code.
    parts = [re.sub(r"[A-Z]+_$", "", part).strip() for one in quoted for part in one.split("...")]
    return [part for part in parts if len(part) >= MIN_CHARS]


def test_every_message_that_the_operators_page_quotes_is_one_of_ours():
    known = messages_of_the_code()
    quoted = quoted_messages()
    assert len(quoted) > 15
    lost = [one for one in quoted if not any(one in piece or piece in one for piece in known)]
    assert lost == [], "these are no messages of the code any more"
