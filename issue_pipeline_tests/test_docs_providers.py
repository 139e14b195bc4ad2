"""The lines of ``.env`` in docs/providers.md, tried against servers of each provider's kind."""

import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from issue_pipeline import settings
from issue_pipeline.labels.prompts import LabelRequest, Representative
from issue_pipeline.labels.schema import IssueLabel
from issue_pipeline.labels.session import start_session
from issue_pipeline.resources.llm import LLMResource
from issue_pipeline_tests.support.scripted_model import ScriptedModel, label

PAGE = Path(__file__).parent.parent / "docs" / "providers.md"
REQUEST = LabelRequest([Representative("Export hangs", "")], 12, "devtools")
# Where a provider without an address of the user's is found; LiteLLM knows.
OWN_PATHS = {
    "openai": "/v1",
    "anthropic": "",
    "gemini": "/v1beta",
    "groq": "/openai/v1",
    "mistral": "/v1",
    "deepseek": "",
    "openrouter": "/api/v1",
    "together_ai": "/v1",
}
ASKED_PATHS = {
    "ollama_chat": "/api/chat",
    "anthropic": "/v1/messages",
    "gemini": "/v1beta/models/gemini-2.5-flash:generateContent",
    "azure": "/openai/deployments/my-deployment/chat/completions",
}


def providers() -> dict[str, dict[str, str]]:
    """Return the variables of each row of the page's table."""
    rows = re.findall(r"^\| ([^|]+) \| (`[A-Z][^|]+) \|", PAGE.read_text(), re.MULTILINE)
    return {
        name: dict(line.split("=", 1) for line in re.findall(r"`([^`]+)`", cell))
        for name, cell in rows
    }


class NoCheck:
    def problem(self, label: IssueLabel, *, chosen: bool) -> str | None:
        return None


@pytest.mark.parametrize("name", providers())
def test_the_lines_of_a_provider_lead_to_a_label(name: str, monkeypatch: pytest.MonkeyPatch):
    lines = providers()[name]
    for variable in list(os.environ):
        if variable.startswith(("LLM_", "OPENAI_", "AZURE_")):
            monkeypatch.delenv(variable)
    for variable, value in lines.items():
        monkeypatch.setenv(variable, value)
    source = "LOCAL" if "LLM_LOCAL_MODEL" in lines else "REMOTE"
    kind = lines[f"LLM_{source}_MODEL"].split("/")[0]
    address = urlsplit(lines.get(f"LLM_{source}_BASE_URL", "")).path
    with ScriptedModel([label()]) as model:
        # The same path on a server of ours.
        path = address if f"LLM_{source}_BASE_URL" in lines else OWN_PATHS[kind]
        monkeypatch.setenv(f"LLM_{source}_BASE_URL", model.root + path)
        resource: Any = settings.resources()["llm"]
        configured = LLMResource(
            **{
                field: getattr(value, "get_value", lambda value=value: value)()
                for field, value in (
                    (one, getattr(resource, one)) for one in LLMResource.model_fields
                )
            }
        )
        result = next(start_session(configured).candidates(REQUEST, NoCheck()))
        assert model.calls == 1
    assert result.model == lines[f"LLM_{source}_MODEL"]
    expected = ASKED_PATHS.get(kind, f"{path}/chat/completions")
    assert model.paths[0].split("?")[0] == expected
    if version := lines.get("AZURE_API_VERSION"):
        assert model.paths[0].endswith(f"api-version={version}")
    if key := lines.get(f"LLM_{source}_API_KEY"):
        assert any(key in value for value in model.headers[0].values())


def test_the_page_has_every_provider_that_is_asked_for():
    named = " ".join(providers())
    for provider in (
        *("Ollama", "LM Studio", "vLLM", "llama.cpp", "Groq", "Anthropic", "OpenAI", "Gemini"),
        "Azure",
    ):
        assert provider in named
