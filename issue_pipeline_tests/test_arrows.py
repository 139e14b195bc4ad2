"""Imports between packages point one way: from what runs the pipeline down to pure functions."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

import issue_pipeline

PACKAGE = Path(issue_pipeline.__file__).parent
# From the bottom up; those of one level do not import each other.
LEVELS = (
    ("utils", "records"),
    ("errors",),
    ("sql",),
    ("resources", "local"),
    ("labels", "problems", "publishing"),
    ("partitions", "settings"),
    ("assets",),
    ("automation",),
    ("definitions",),
    ("ops",),
    ("sandbox",),
    ("cli",),
)
# Of one level, and yet one may use the other.
WITHIN_A_LEVEL = {("settings", "partitions"), ("problems", "labels"), ("publishing", "problems")}


def imported_names(code: str, module: str) -> Iterator[str]:
    """Every module of ours that code imports: at its top, in a function, or for types only.

    ``from issue_pipeline import labels`` and ``from issue_pipeline.labels import schema`` may name
    modules or what is in them; both are reported, with the longest name.
    """
    package = module.rpartition(".")[0]
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names if one.name.startswith("issue_pipeline"))
        elif isinstance(node, ast.ImportFrom):
            # One dot is the module's own package, each further dot its parent.
            parts = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join([*parts, node.module or ""]).strip(".") if node.level else node.module
            if base and base.split(".")[0] == "issue_pipeline":
                yield from (f"{base}.{one.name}" for one in node.names)
        elif (
            isinstance(node, ast.Call)
            and getattr(node.func, "attr", getattr(node.func, "id", "")) == "import_module"
            and node.args
            and isinstance(node.args[0], ast.Constant)
            and str(node.args[0].value).startswith("issue_pipeline")
        ):
            yield str(node.args[0].value)


def arrows() -> dict[tuple[str, str], set[str]]:
    """Which part of the package imports which other one, with the modules that do."""
    found = defaultdict(set)
    for file in PACKAGE.rglob("*.py"):
        module = ".".join((PACKAGE.name, *file.relative_to(PACKAGE).with_suffix("").parts))
        part = module.split(".")[1]
        for name in imported_names(file.read_text(encoding="utf-8"), module):
            _, target, *_ = [*name.split("."), "__init__"]
            if target not in (part, "__init__"):
                found[part, target].add(f"{module} imports {name}")
    return found


LEVEL_OF = {part: level for level, parts in enumerate(LEVELS) for part in parts}


def upward(found: dict[tuple[str, str], set[str]]) -> dict[tuple[str, str], set[str]]:
    return {
        (part, target): modules
        for (part, target), modules in found.items()
        if LEVEL_OF[target] >= LEVEL_OF[part] and (part, target) not in WITHIN_A_LEVEL
    }


def test_every_part_of_the_package_has_its_level():
    parts = {file.stem for file in PACKAGE.glob("*.py")} | {
        folder.name for folder in PACKAGE.iterdir() if any(folder.rglob("*.py"))
    }
    assert parts - {"__init__", "__pycache__"} <= set(LEVEL_OF)


def test_no_package_imports_one_above_it():
    assert upward(arrows()) == {}


def test_no_two_packages_import_each_other():
    found = set(arrows())
    assert {pair for pair in found if pair[::-1] in found} == set()


@pytest.mark.parametrize(
    "code",
    [
        "import issue_pipeline.labels.schema",
        "from issue_pipeline.labels import schema",
        "from issue_pipeline import labels",
        "from ..labels import schema",
        "def late():\n    from issue_pipeline.labels.schema import IssueLabel",
        "if TYPE_CHECKING:\n    from issue_pipeline.labels.schema import IssueLabel",
        "importlib.import_module('issue_pipeline.labels')",
    ],
)
def test_an_import_is_seen_however_it_is_written(code):
    (name,) = imported_names(code, "issue_pipeline.resources.llm")
    assert name.startswith("issue_pipeline.labels")


def test_at_the_root_stand_at_most_six_modules():
    assert len([file for file in PACKAGE.glob("*.py") if file.stem != "__init__"]) <= 6
