from pathlib import Path

import pytest

from issue_pipeline.local.chosen_model import chosen_model
from issue_pipeline.local.errors import LocalSetupError

OWN = Path("own.gguf")
URL = "http://127.0.0.1:4000"


@pytest.fixture(autouse=True)
def _bare_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    for name in ("LLM_LOCAL_MODEL", "LLM_LOCAL_BASE_URL", "LLM_LOCAL_STYLE"):
        monkeypatch.delenv(name, raising=False)


def test_without_a_word_the_sandbox_serves_its_own_model_which_chooses():
    model = chosen_model(OWN)
    assert model.file == OWN
    assert model.variables(URL) == {
        "LLM_LOCAL_MODEL": "openai/smollm2-135m-instruct",
        "LLM_LOCAL_BASE_URL": f"{URL}/v1",
        "LLM_LOCAL_STYLE": "choose",
    }


def test_a_gguf_file_is_served_instead_and_writes_by_one_setting(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LLM_LOCAL_MODEL", "models/mine-7b.gguf")
    model = chosen_model(OWN)
    assert model.file == Path("models/mine-7b.gguf")
    assert model.variables(URL) == {
        "LLM_LOCAL_MODEL": "openai/mine-7b",
        "LLM_LOCAL_BASE_URL": f"{URL}/v1",
        "LLM_LOCAL_STYLE": "write",
    }


def test_an_ollama_model_of_the_env_file_is_used_where_it_is_by_one_setting():
    Path(".env").write_text("LLM_LOCAL_MODEL=ollama_chat/llama3.1  # mine\nGITHUB_TOKEN=secret\n")
    model = chosen_model(OWN)
    assert model.file is None
    assert model.variables(None) == {
        "LLM_LOCAL_MODEL": "ollama_chat/llama3.1",
        "LLM_LOCAL_BASE_URL": "",
        "LLM_LOCAL_STYLE": "write",
    }


def test_the_environment_goes_before_the_file(monkeypatch: pytest.MonkeyPatch):
    Path(".env").write_text("LLM_LOCAL_MODEL=ollama_chat/other\nLLM_LOCAL_STYLE=choose\n")
    monkeypatch.setenv("LLM_LOCAL_MODEL", "openai/mine")
    monkeypatch.setenv("LLM_LOCAL_BASE_URL", "http://127.0.0.1:9/v1")
    model = chosen_model(OWN)
    assert (model.name, model.base_url, model.style) == (
        "openai/mine",
        "http://127.0.0.1:9/v1",
        "choose",
    )


def test_a_server_without_a_model_is_a_mistake(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LLM_LOCAL_BASE_URL", "http://127.0.0.1:9/v1")
    with pytest.raises(LocalSetupError, match="LLM_LOCAL_MODEL is not"):
        chosen_model(OWN)
