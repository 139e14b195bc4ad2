"""``LLMResource``: which models label clusters, and how much of them a run may use."""

import dagster as dg
from pydantic import Field

from issue_pipeline.errors import ConfigurationError
from issue_pipeline.resources.llm.client import NO_KEY, LanguageModel
from issue_pipeline.resources.llm.styles import LOCAL, REMOTE, STYLES, WRITE


class LLMResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The models that label clusters, and how much of them a run may use.

    Attributes:
        local_model: LiteLLM name, such as ``ollama_chat/llama3.1`` or ``openai/NAME`` for any
            OpenAI-compatible server; ``""`` for none.
        local_base_url: Where the local model is served; ``""`` for the provider's default.
        local_api_key: Its key, if it wants one.
        local_style: ``write``, or ``choose`` for very small models.
        remote_model: LiteLLM name, such as ``groq/openai/gpt-oss-120b``; ``""`` for none.
        remote_base_url: Where it is served; ``""`` for the provider's default.
        remote_api_key: Its key.
        remote_above: Cluster size above which the remote model goes first.
        max_tokens: Most tokens of one answer, thoughts included; ``None`` for 4,000, and up to four
            times as many for an answer that is cut off.
        max_calls: Most calls to models in one run; ``None`` for no limit.
        max_cost_usd: No remote call is begun once a run has cost this much; ``None`` for no limit.
        timeout_s: Longest wait for one answer.
    """

    local_model: str = ""
    local_base_url: str = ""
    local_api_key: str = Field(default="", repr=False)
    local_style: str = Field(default=WRITE, pattern=f"^({'|'.join(STYLES)})$")
    remote_model: str = ""
    remote_base_url: str = ""
    remote_api_key: str = Field(default="", repr=False)
    remote_above: int = Field(default=50, ge=0)
    max_tokens: int | None = Field(default=None, ge=1)
    max_calls: int | None = Field(default=None, ge=0)
    max_cost_usd: float | None = Field(default=None, ge=0)
    timeout_s: float = Field(default=120.0, gt=0)

    def models(self) -> list[LanguageModel]:
        """Return the configured models, the local one first.

        Raises:
            ConfigurationError: There is none, the local one is a file, or the cost of the remote
                one cannot be limited.
        """
        models = []
        if self.local_model:
            if self.local_model.endswith(".gguf"):
                raise ConfigurationError(
                    f"LLM_LOCAL_MODEL is the file {self.local_model}, which only make demo, make"
                    " dev and make run serve. Serve it with Ollama, llama.cpp or python -m"
                    " issue_pipeline.local.llm_server, then set LLM_LOCAL_MODEL to openai/NAME"
                    " and LLM_LOCAL_BASE_URL to the server."
                )
            # With an address and without a key some key is sent: never the environment's own, which
            # is another server's.
            key = self.local_api_key or (NO_KEY if self.local_base_url else None)
            models.append(
                LanguageModel(
                    LOCAL,
                    self.local_model,
                    self.local_style,
                    self.local_base_url or None,
                    key,
                    self.timeout_s,
                    self.max_tokens,
                )
            )
        if self.remote_model:
            remote = LanguageModel(
                REMOTE,
                self.remote_model,
                WRITE,
                self.remote_base_url or None,
                self.remote_api_key or None,
                self.timeout_s,
                self.max_tokens,
            )
            if self.max_cost_usd is not None and not remote.has_known_price():
                raise ConfigurationError(
                    f"LLM_MAX_COST_USD is set, but LiteLLM knows no price of {self.remote_model},"
                    " so it cannot be kept. Unset it and limit LLM_MAX_CALLS instead, or name"
                    " another LLM_REMOTE_MODEL."
                )
            models.append(remote)
        if not models:
            raise ConfigurationError(
                "No language model is configured. Set LLM_LOCAL_MODEL (and LLM_LOCAL_BASE_URL)"
                " or LLM_REMOTE_MODEL and LLM_REMOTE_API_KEY."
            )
        return models
