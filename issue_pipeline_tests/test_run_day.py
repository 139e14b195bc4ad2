import os
import subprocess
import sys

from issue_pipeline.run_day import REQUIRED_SETTINGS, missing_settings


def test_everything_required_is_named_with_where_to_get_it():
    missing = "\n".join(missing_settings({}))
    for name, where in REQUIRED_SETTINGS.items():
        assert f"{name}: {where}" in missing
    assert "LLM_LOCAL_MODEL" in missing


def test_one_model_is_enough():
    complete = dict.fromkeys(REQUIRED_SETTINGS, "x")
    assert missing_settings(complete | {"LLM_REMOTE_MODEL": "groq/x"}) == []
    assert missing_settings(complete | {"LLM_LOCAL_MODEL": "ollama_chat/x"}) == []


def _run(tmp_path, *arguments):
    bare = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-m", "issue_pipeline.run_day", *arguments],
        cwd=tmp_path,
        env=bare,
        capture_output=True,
        text=True,
    )


def test_a_run_without_keys_ends_at_once_and_says_which_are_missing(tmp_path):
    result = _run(tmp_path, "2026-03-10")
    assert result.returncode == 2
    assert "REDDIT_CLIENT_SECRET" in result.stderr
    assert "reddit.com/prefs/apps" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_day_that_is_none_is_refused(tmp_path):
    result = _run(tmp_path, "yesterday")
    assert result.returncode == 2
    assert "invalid" in result.stderr
