import os
import subprocess
import sys

from issue_pipeline.ops.run_day import REQUIRED_SETTINGS, missing_settings


def test_everything_required_is_named_with_where_to_get_it():
    missing = "\n".join(missing_settings({}))
    for name, where in REQUIRED_SETTINGS.items():
        assert f"{name}: {where}" in missing
    assert "LLM_LOCAL_MODEL" in missing


def test_one_model_is_enough():
    complete = dict.fromkeys(REQUIRED_SETTINGS, "x")
    remote = {"LLM_REMOTE_MODEL": "groq/x", "LLM_REMOTE_API_KEY": "key"}
    assert missing_settings(complete | remote) == []
    assert missing_settings(complete | {"LLM_LOCAL_MODEL": "ollama_chat/x"}) == []


def _run(tmp_path, *arguments):
    bare = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-m", "issue_pipeline.cli", "run", *arguments],
        cwd=tmp_path,
        env=bare,
        capture_output=True,
        text=True,
    )


def test_a_run_without_keys_ends_at_once_and_says_which_are_missing(tmp_path):
    result = _run(tmp_path, "2026-03-10")
    assert result.returncode == 2
    assert "POCKETBASE_PASSWORD" in result.stderr
    assert "https://console.groq.com/keys" in result.stderr
    assert "REDDIT" not in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_day_that_is_none_is_refused(tmp_path):
    result = _run(tmp_path, "yesterday")
    assert result.returncode == 2
    assert "invalid" in result.stderr


def test_a_remote_model_without_its_key_is_named():
    complete = dict.fromkeys(REQUIRED_SETTINGS, "x")
    (line,) = missing_settings(complete | {"LLM_REMOTE_MODEL": "groq/x"})
    assert "LLM_REMOTE_API_KEY" in line


def test_the_start_date_of_the_env_file_counts_and_other_days_are_refused(tmp_path):
    settings = dict.fromkeys(REQUIRED_SETTINGS, "x") | {"LLM_LOCAL_MODEL": "openai/x"}
    settings["ISSUES_START_DATE"] = "2026-02-01"
    lines = "".join(f"{name}={value}\n" for name, value in settings.items())
    (tmp_path / ".env").write_text(lines)
    result = _run(tmp_path, "2026-01-31")
    assert result.returncode == 2
    assert "days go from 2026-02-01 (ISSUES_START_DATE) to yesterday" in result.stderr
