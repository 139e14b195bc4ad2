"""One day by hand: which days there are, what is missing, what is said at the start and the end."""

import logging
import os
import stat
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from issue_pipeline.errors import ConfigurationError
from issue_pipeline.local.stand_ins import StandIns, needed_stand_ins
from issue_pipeline.ops.announcement import announcement, one_improvement
from issue_pipeline.ops.dagster_home import DAGSTER_YAML, prepare_dagster_home
from issue_pipeline.ops.run_day import STORE_SETTINGS, _Plain, accepted_day, missing_settings
from issue_pipeline.partitions import SOURCES

NOW = datetime(2026, 3, 12, 6, tzinfo=UTC)
MODEL_SETTINGS = ("LLM_LOCAL_MODEL", "LLM_LOCAL_BASE_URL", "LLM_LOCAL_STYLE", "LLM_REMOTE_MODEL")
ALL_ELSEWHERE = StandIns(pocketbase=False, model=None, embedding_weights=False)
STORE = dict.fromkeys(STORE_SETTINGS, "x")


@pytest.fixture(autouse=True)
def _no_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (*MODEL_SETTINGS, *STORE_SETTINGS, "DAGSTER_HOME", "SOURCES"):
        monkeypatch.delenv(name, raising=False)


# --- Days ---------------------------------------------------------------------------------------


def test_without_a_day_it_is_yesterday():
    assert accepted_day(None, NOW) == date(2026, 3, 11)
    assert accepted_day(date(2026, 1, 1), NOW) == date(2026, 1, 1)


@pytest.mark.parametrize(
    ("day", "said"),
    [
        (date(2026, 3, 12), "2026-03-12 is not over"),
        (date(2027, 1, 1), "2027-01-01 is not over"),
        (date(2025, 12, 31), "2025-12-31 is before the first day"),
    ],
)
def test_a_day_that_there_is_not_is_refused_in_one_sentence(day, said):
    with pytest.raises(ConfigurationError, match=said) as caught:
        accepted_day(day, NOW)
    assert "from 2026-01-01 (ISSUES_START_DATE" in str(caught.value)
    assert "yesterday, 2026-03-11 (UTC)." in str(caught.value)
    assert "\n" not in str(caught.value)


def _run(tmp_path: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    bare = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-m", "issue_pipeline.cli", "run", *arguments],
        cwd=tmp_path,
        env=bare | settings,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.parametrize("days", [0, 400], ids=["today", "in more than a year"])
@pytest.mark.parametrize("asked", [(), ("2026-03-10",)], ids=["yesterday", "a day"])
def test_a_start_date_that_leaves_no_day_is_one_sentence(tmp_path, days, asked):
    start = (datetime.now(UTC) + timedelta(days=days)).date()
    result = _run(tmp_path, *asked, ISSUES_START_DATE=start.isoformat())
    assert result.returncode == 2
    assert result.stderr.startswith(
        f"ISSUES_START_DATE is {start}, and no day from then on is over"
    )
    assert result.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_the_start_date_of_the_env_file_counts_and_a_refused_day_leaves_nothing(tmp_path):
    (tmp_path / ".env").write_text("ISSUES_START_DATE=2026-02-01\nPOCKETBASE_URL=\n")
    result = _run(tmp_path, "2026-01-31")
    assert result.returncode == 2
    assert "2026-01-31 is before the first day" in result.stderr
    assert [file.name for file in tmp_path.iterdir()] == [".env"]


def test_a_day_that_is_none_is_refused(tmp_path):
    result = _run(tmp_path, "yesterday")
    assert result.returncode == 2
    assert "invalid" in result.stderr


# --- Settings -----------------------------------------------------------------------------------


def test_nothing_is_missing_where_nothing_is_named():
    assert missing_settings({}) == []
    assert missing_settings(dict.fromkeys((*STORE_SETTINGS, *MODEL_SETTINGS), " ")) == []


@pytest.mark.parametrize("name", STORE_SETTINGS)
def test_a_store_that_is_named_in_part_lacks_the_rest(name):
    others = [other for other in STORE_SETTINGS if other != name]
    assert [one.split(":")[0] for one in missing_settings({name: "x"})] == others
    assert missing_settings(STORE) == []


def test_a_remote_model_without_its_key_is_named():
    (line,) = missing_settings(STORE | {"LLM_REMOTE_MODEL": "groq/x"})
    assert "LLM_REMOTE_API_KEY" in line
    assert missing_settings({"LLM_REMOTE_MODEL": "groq/x", "LLM_REMOTE_API_KEY": "k"}) == []


def test_a_malformed_setting_ends_the_run_in_one_line_and_leaves_nothing(tmp_path):
    result = _run(tmp_path, SOURCES="github,gitlab")
    assert result.returncode == 2
    assert "SOURCES is 'github,gitlab'; expected some of github, stackoverflow" in result.stderr
    assert result.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_remote_store_without_its_password_is_named_and_nothing_is_started(tmp_path):
    result = _run(tmp_path, POCKETBASE_URL="https://live.example")
    assert result.returncode == 2
    assert "POCKETBASE_PASSWORD: the superuser's password" in result.stderr
    assert list(tmp_path.iterdir()) == []


# --- Stand-ins ----------------------------------------------------------------------------------


def test_everything_stands_in_for_an_empty_environment():
    wanted = needed_stand_ins({})
    assert wanted.pocketbase
    assert wanted.embedding_weights
    assert wanted.is_small_model


def test_each_setting_replaces_its_stand_in(monkeypatch):
    def with_setting(name: str, value: str) -> StandIns:
        with monkeypatch.context() as context:
            context.setenv(name, value)
            return needed_stand_ins({name: value})

    assert not with_setting("POCKETBASE_URL", "https://live.example").pocketbase
    assert not with_setting("EMBEDDING_MODEL", "/models/minilm").embedding_weights
    assert with_setting("LLM_LOCAL_MODEL", "ollama_chat/llama3.1").model is None
    assert with_setting("LLM_REMOTE_MODEL", "groq/x").model is None
    own = with_setting("LLM_LOCAL_MODEL", "mine.gguf")
    assert own.model.file == Path("mine.gguf")
    assert not own.is_small_model


# --- What is said -------------------------------------------------------------------------------


def test_it_says_what_it_will_do_with_which_limits_and_for_how_long():
    said = "\n".join(announcement(NOW.date(), SOURCES, needed_stand_ins({}), {}))
    for words in (
        "2026-03-12 (UTC)",
        "9 searches a minute without GITHUB_TOKEN",
        "300 requests a day that there are without STACKEXCHANGE_KEY",
        "Arctic Shift archive, which needs no key, 60 requests a minute",
        "Hacker News",
        "smollm2",
        "a PocketBase of its own",
        "minutes on two cores",
        "One setting would make it better: LLM_LOCAL_MODEL",
    ):
        assert words in said


def test_it_says_what_it_uses_of_ones_own_and_no_secret(monkeypatch):
    monkeypatch.setenv("GITHUB_TOKEN", "ghp_secret")
    own = {
        "GITHUB_TOKEN": "ghp_secret",
        "POCKETBASE_URL": "https://live.example",
        "POCKETBASE_PASSWORD": "hush",
        "LLM_LOCAL_MODEL": "ollama_chat/llama3.1",
        "LLM_REMOTE_MODEL": "groq/x",
    }
    said = "\n".join(announcement(NOW.date(), ["github"], ALL_ELSEWHERE, own))
    assert "28 searches a minute with GITHUB_TOKEN" in said
    assert "ollama_chat/llama3.1, then groq/x" in said
    assert "PocketBase at https://live.example" in said
    assert "Reddit" not in said
    assert "One setting" not in said
    assert "secret" not in said
    assert "hush" not in said


@pytest.mark.parametrize(
    ("environment", "sources", "named"),
    [
        ({}, SOURCES, "GITHUB_TOKEN"),
        ({"GITHUB_TOKEN": "x"}, SOURCES, "STACKEXCHANGE_KEY"),
        ({"GITHUB_TOKEN": " "}, ["github"], "GITHUB_TOKEN"),
        ({}, ["hackernews"], ""),
        ({"GITHUB_TOKEN": "x", "STACKEXCHANGE_KEY": "y"}, SOURCES, ""),
    ],
)
def test_the_one_setting_that_helps_most_is_named(environment, sources, named):
    said = one_improvement(sources, ALL_ELSEWHERE, environment)
    assert said.startswith(named) if named else said == ""


def test_progress_is_shown_without_the_ids_of_dagsters_runs():
    shown = _Plain("%(asctime)s  %(message)s", "%H:%M:%S")
    run = "collect_github - f16d3fba-5853-414c-a909-4370c01b0b88 - bronze__raw_items - "
    for said in (f"{run}GitHub: 5 posts so far", "GitHub: 5 posts so far"):
        record = logging.LogRecord("x", logging.INFO, "", 0, said, None, None)
        record.created = time.time()
        assert shown.format(record).split("  ")[1] == "GitHub: 5 posts so far"


# --- Dagster's home -----------------------------------------------------------------------------

POSTGRES = "storage:\n  postgres:\n    postgres_url: postgresql://db.example/dagster\n"


def test_an_operators_dagster_yaml_is_never_touched(tmp_path, monkeypatch):
    monkeypatch.setenv("DAGSTER_HOME", "before")
    home = tmp_path / "home"
    home.mkdir()
    file = home / "dagster.yaml"
    file.write_text(POSTGRES)
    file.chmod(0o400)
    before = file.stat().st_mtime_ns
    prepare_dagster_home(home)
    assert file.read_text() == POSTGRES
    assert (file.stat().st_mtime_ns, stat.S_IMODE(file.stat().st_mode)) == (before, 0o400)
    assert os.environ["DAGSTER_HOME"] == str(home)


def test_a_new_home_gets_the_projects_and_the_sandboxs_own_is_brought_up_to_date(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("DAGSTER_HOME", "before")
    file = tmp_path / "home" / "dagster.yaml"
    prepare_dagster_home(tmp_path / "home")
    assert file.read_bytes() == DAGSTER_YAML.read_bytes()
    file.write_text("telemetry:\n  enabled: false\n")
    prepare_dagster_home(tmp_path / "home", is_ours=True)
    assert file.read_bytes() == DAGSTER_YAML.read_bytes()


def test_a_home_that_cannot_be_made_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("DAGSTER_HOME", "before")
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="DAGSTER_HOME"):
        prepare_dagster_home(tmp_path / "file" / "home")
    assert os.environ["DAGSTER_HOME"] == "before"


def test_a_refused_day_leaves_an_operators_home_alone(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    (home / "dagster.yaml").write_text(POSTGRES)
    result = _run(tmp_path, "2020-01-01", DAGSTER_HOME=str(home))
    assert result.returncode == 2
    assert (home / "dagster.yaml").read_text() == POSTGRES
    assert [file.name for file in home.iterdir()] == ["dagster.yaml"]
