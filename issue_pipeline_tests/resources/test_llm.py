"""What is configured, and what cannot be; calls themselves are in ``labels/test_session.py``."""

import pytest

from issue_pipeline.errors import ConfigurationError
from issue_pipeline.resources.llm import LLMResource

KEY = "sk-remote-4f9a1c7e2b8d6a03"


def test_the_local_model_comes_first_and_the_remote_one_always_writes():
    resource = LLMResource(
        local_model="openai/small",
        local_base_url="http://127.0.0.1:9/v1",
        local_style="choose",
        remote_model="openai/gpt-4o",
        remote_api_key=KEY,
    )
    local, remote = resource.models()
    assert (local.source, local.style, local.api_key) == ("local", "choose", "none")
    assert (remote.source, remote.style, remote.base_url) == ("remote", "write", None)


def test_without_any_model_there_is_nothing_to_start():
    with pytest.raises(ConfigurationError, match="Set LLM_LOCAL_MODEL"):
        LLMResource().models()


def test_a_limit_of_cost_is_refused_where_no_price_is_known():
    unknown = LLMResource(remote_model="openai/no-such-model", max_cost_usd=1.0)
    with pytest.raises(ConfigurationError, match="knows no price of openai/no-such-model"):
        unknown.models()
    assert LLMResource(remote_model="openai/no-such-model", max_calls=9).models()
    assert LLMResource(remote_model="openai/gpt-4o", max_cost_usd=1.0).models()
    assert LLMResource(local_model="openai/no-such-model", max_cost_usd=1.0).models()


def test_a_file_is_no_model_outside_the_sandbox():
    with pytest.raises(
        ConfigurationError, match="which only make demo, make dev and make run serve"
    ):
        LLMResource(local_model="models/mine.gguf").models()


def test_the_key_does_not_show_when_the_resource_or_its_model_is_printed():
    resource = LLMResource(remote_model="openai/gpt-4o", remote_api_key=KEY)
    assert KEY not in repr(resource) + repr(resource.models())


def test_addresses_keys_and_limits_reach_the_models():
    resource = LLMResource(
        local_model="openai/small",
        local_base_url="http://127.0.0.1:9/v1",
        local_api_key="local-key-1",
        remote_model="azure/deployment",
        remote_base_url="https://x.openai.azure.com",
        remote_api_key=KEY,
        max_tokens=900,
        timeout_s=7,
    )
    local, remote = resource.models()
    assert (local.api_key, local.max_tokens, local.timeout_s) == ("local-key-1", 900, 7)
    assert (remote.base_url, remote.max_tokens) == ("https://x.openai.azure.com", 900)
    assert "local-key-1" not in repr(resource) + repr(local)


@pytest.mark.parametrize(
    ("name", "base_url", "expected"),
    [
        ("openai/gpt-4o", "", "json_schema"),  # as LiteLLM knows
        ("openai/no-such-model", "", "json_object"),  # LiteLLM knows nothing of it
        ("openai/no-such-model", "https://gateway.example/v1", "json_schema"),  # mostly taken
        ("openai/gpt-4", "", ""),  # LiteLLM would drop any without a word
    ],
)
def test_the_first_response_format_is_the_strictest_that_may_be_taken(
    name: str, base_url: str, expected: str
):
    (model,) = LLMResource(remote_model=name, remote_base_url=base_url).models()
    assert model.parameters().for_call().response_format == expected
