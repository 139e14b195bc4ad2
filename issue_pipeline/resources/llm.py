"""``LLMResource``: the language models that write labels, and one call to one of them.

Whom to ask, how often, and when to stop is decided in ``labels/session.py``.
"""

import logging
import os
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
from pydantic import Field

from issue_pipeline.errors import (
    ConfigurationError,
    FormatRefusedError,
    LabelingError,
    ModelAccessError,
    ModelSilentError,
    ModelUnavailableError,
    RateLimitedError,
)
from issue_pipeline.utils.cleaning.redaction import SECRET_MARK, redact
from issue_pipeline.utils.printable import printable
from issue_pipeline.utils.urls import without_user_info

logger = logging.getLogger(__name__)

Messages = list[dict[str, str]]

# How a model gives a title: a capable one writes it, a weak one chooses it among those offered.
WRITE = "write"
CHOOSE = "choose"
STYLES = (WRITE, CHOOSE)
LOCAL = "local"
REMOTE = "remote"
# A reasoning model thinks before it answers, and that counts. What is chosen is short.
MAX_ANSWER_TOKENS = {WRITE: 4_000, CHOOSE: 500}
# LiteLLM's own work for a call, seconds for the first one; comes on top of the timeout.
OVERHEAD_S = 5.0
# A server may claim anything; more than this would not fit into the store.
_MAX_TOKENS_TOLD = 2**31
# How much of a server's message ours quotes.
_MAX_TOLD_CHARS = 200
# How providers word a spent quota: waiting a minute does not help.
_QUOTA_WORDS = ("quota", "billing", "credit", "insufficient", "payment")
_PER_MINUTE = re.compile(r"per[ _-]?min")
_LINK = re.compile(r"https?://\S+")
# How providers word that they do not take our schema, and that there is no key.
_FORMAT_WORDS = re.compile(
    r"response.?(?:format|schema)|(?:json|output).?schema|output.?(?:format|config)"
    r"|structured.?output|grammar",
    re.IGNORECASE,
)
_KEY_WORDS = re.compile(r"api.?key|credentials", re.IGNORECASE)
# HTTP statuses: no valid key, no money, no permission, no such model; too many requests.
_WRONG_KEY = (401, 402, 403)
_REFUSED = (*_WRONG_KEY, 404)
_RATE_LIMITED = 429
_TIMED_OUT = 408
_BAD_REQUEST = (400, 422)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model said, and what it took.

    Attributes:
        cost_usd: 0 for a local model, and where no price is known.
    """

    text: str
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float


@dataclass(frozen=True, slots=True)
class LanguageModel:
    """One model and where it is served.

    Attributes:
        source: ``local`` or ``remote``.
        name: LiteLLM's name of the model.
        style: ``write`` or ``choose``.
        timeout_s: Longest wait for a whole answer.
    """

    source: str
    name: str
    style: str
    base_url: str | None
    api_key: str | None = field(repr=False)
    timeout_s: float

    def complete(self, messages: Messages, schema: Mapping[str, object] | None) -> Answer:
        """Make one call; never more than one request.

        Args:
            messages: The conversation so far.
            schema: JSON schema that the answer should follow; ``None`` for any JSON.

        Raises:
            ModelAccessError: Refused; no further call can succeed.
            FormatRefusedError: Refused because of the schema.
            RateLimitedError: Too many calls.
            ModelSilentError: No reply at all.
            ModelUnavailableError: No answer for another reason.
        """
        litellm = import_litellm()

        def call() -> object:
            return litellm.completion(
                model=self.name,
                messages=messages,
                base_url=self.base_url,
                api_key=self.api_key,
                response_format=self._response_format(litellm, schema),
                temperature=0,
                seed=0,
                max_tokens=MAX_ANSWER_TOKENS[self.style],
                timeout=self.timeout_s,
                num_retries=0,
                max_retries=0,
                drop_params=True,
            )

        try:
            response = _within(self.timeout_s + OVERHEAD_S, call)
        except _TooSlowError:
            raise ModelSilentError(
                f"no answer (Timeout: not complete after {self.timeout_s:.0f} s)."
            ) from None
        except Exception as error:  # LiteLLM lets through whatever its many providers raise
            raise self._failure(error) from None  # its own words may hold the key
        choices = getattr(response, "choices", None)
        if not choices:
            raise ModelUnavailableError("no answer (a reply without choices).")
        usage = getattr(response, "usage", None)
        return Answer(
            text=_sendable(str(choices[0].message.content or "")),
            prompt_tokens=_tokens_told(usage, "prompt_tokens"),
            completion_tokens=_tokens_told(usage, "completion_tokens"),
            cost_usd=self._cost_usd(litellm, response),
        )

    def has_known_price(self) -> bool:
        """Whether what a call costs can be told."""
        try:
            import_litellm().cost_per_token(self.name, prompt_tokens=1, completion_tokens=1)
        except Exception:  # one of several of LiteLLM's own
            return False
        return True

    def _response_format(
        self,
        litellm: Any,  # noqa: ANN401
        schema: Mapping[str, object] | None,
    ) -> dict[str, object]:
        """Bind the answer to the schema where the model takes one, to JSON elsewhere."""
        # Local servers (llama.cpp, Ollama, vLLM) all take a schema, and LiteLLM does not know it.
        if schema and (self.source == LOCAL or litellm.supports_response_schema(model=self.name)):
            return {
                "type": "json_schema",
                "json_schema": {"name": "issue_label", "strict": True, "schema": schema},
            }
        return {"type": "json_object"}

    def _cost_usd(self, litellm: Any, response: Any) -> float:  # noqa: ANN401
        if self.source == LOCAL:
            return 0.0  # even where a server gives itself the name of a paid model
        try:
            return max(0.0, float(litellm.completion_cost(response, model=self.name)))
        except Exception:  # no price is known for the model
            logger.debug("no price known for this model")
            return 0.0

    def _failure(self, error: Exception) -> LabelingError:
        """Say what a failed call means: only this call failed, or no further one can succeed."""
        text = str(error)
        if self.source == REMOTE and self.api_key:
            text = text.replace(self.api_key, SECRET_MARK)  # some servers repeat what they refuse
        text = redact(without_user_info(text))
        told = f"{type(error).__name__}: {printable(text, _MAX_TOLD_CHARS)}"
        status = getattr(error, "status_code", None)
        headers = getattr(error, "litellm_response_headers", None)
        if self.source == REMOTE and not (self.api_key or headers) and _KEY_WORDS.search(text):
            return ModelAccessError(f"no key ({told}). Set LLM_REMOTE_API_KEY.")
        if status in _REFUSED or "LLM Provider NOT provided" in text:
            wrong_key = self.source == REMOTE and status in _WRONG_KEY
            setting = f"LLM_{self.source.upper()}_{'API_KEY' if wrong_key else 'MODEL'}"
            return ModelAccessError(f"refused ({told}). Check {setting}.")
        if status == _RATE_LIMITED and _means_spent_quota(text):
            return ModelAccessError(f"quota spent ({told}).")
        if status == _RATE_LIMITED:
            return RateLimitedError(f"rate limited ({told}).", wait_s=_retry_after_s(headers))
        if status in _BAD_REQUEST and _FORMAT_WORDS.search(text):
            return FormatRefusedError(f"schema refused ({told}).")
        # Where no reply came, LiteLLM makes up a status of its own.
        if status == _TIMED_OUT or (headers is None and (status or 500) >= 500):
            return ModelSilentError(f"no answer ({told}).")
        return ModelUnavailableError(f"no answer ({told}).")


class LLMResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The models that label clusters, and how much of them a run may use.

    Attributes:
        local_model: LiteLLM name, such as ``ollama_chat/llama3.1`` or ``openai/NAME`` for any
            OpenAI-compatible server; ``""`` for none.
        local_base_url: Where the local model is served; ``""`` for the provider's default.
        local_style: ``write``, or ``choose`` for very small models.
        remote_model: LiteLLM name, such as ``groq/openai/gpt-oss-120b``; ``""`` for none.
        remote_api_key: Its key.
        remote_above: Cluster size above which the remote model goes first.
        max_calls: Most calls to models in one run; ``None`` for no limit.
        max_cost_usd: No remote call is begun once a run has cost this much; ``None`` for no limit.
        timeout_s: Longest wait for one answer.
    """

    local_model: str = ""
    local_base_url: str = ""
    local_style: str = Field(default=WRITE, pattern=f"^({'|'.join(STYLES)})$")
    remote_model: str = ""
    remote_api_key: str = Field(default="", repr=False)
    remote_above: int = Field(default=50, ge=0)
    max_calls: int | None = Field(default=None, ge=0)
    max_cost_usd: float | None = Field(default=None, ge=0)
    timeout_s: float = Field(default=120.0, gt=0)

    def models(self) -> list[LanguageModel]:
        """Give the configured models, the local one first.

        Raises:
            ConfigurationError: There is none, the local one is a file, or the cost of the remote
                one cannot be limited.
        """
        models = []
        if self.local_model:
            if self.local_model.endswith(".gguf"):
                raise ConfigurationError(
                    f"LLM_LOCAL_MODEL is the file {self.local_model}, which only the sandbox serves"
                    " (make demo, make dev). Serve it with Ollama, llama.cpp or python -m"
                    " issue_pipeline.sandbox.llm_server, then set LLM_LOCAL_MODEL to openai/NAME"
                    " and LLM_LOCAL_BASE_URL to the server."
                )
            # OpenAI-compatible local servers want some key, whatever it is.
            key = "none" if self.local_base_url else None
            url = self.local_base_url or None
            models.append(
                LanguageModel(LOCAL, self.local_model, self.local_style, url, key, self.timeout_s)
            )
        if self.remote_model:
            key = self.remote_api_key or None
            remote = LanguageModel(REMOTE, self.remote_model, WRITE, None, key, self.timeout_s)
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


def import_litellm() -> Any:  # noqa: ANN401
    """Import LiteLLM: seconds of work, and offline only with its bundled price list."""
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    import litellm

    litellm.telemetry = False
    litellm.suppress_debug_info = True
    return litellm


class _TooSlowError(Exception):
    """A call took longer than it may."""


def _within(limit_s: float, call: Callable[[], object]) -> object:
    """Make a call that may take so long in all.

    Timeouts of HTTP clients are about silences: a server that sends a byte now and then keeps them
    waiting for ever. What is given up goes on in a thread that does not keep the process alive.

    Raises:
        _TooSlowError: It took longer.
        Exception: Whatever the call raised.
    """
    results: list[object] = []
    errors: list[Exception] = []

    def run() -> None:
        try:
            results.append(call())
        except Exception as error:  # raised again below
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True, name="model call")
    thread.start()
    thread.join(limit_s)
    if errors:
        raise errors[0]
    if not results:
        raise _TooSlowError
    return results[0]


def _sendable(text: str) -> str:
    """Replace half surrogate pairs, which no request can carry."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _tokens_told(usage: object, name: str) -> int:
    tokens = getattr(usage, name, None)
    return min(max(0, tokens), _MAX_TOKENS_TOLD) if isinstance(tokens, int) else 0


def _means_spent_quota(message: str) -> bool:
    # Limits per minute advertise higher ones, with links to the pages where they are sold.
    text = _LINK.sub("", message.lower())
    return not _PER_MINUTE.search(text) and any(word in text for word in _QUOTA_WORDS)


def _retry_after_s(headers: Mapping[str, str] | None) -> float | None:
    """Read the header's seconds; a date there, which no provider sends, counts as not said."""
    try:
        seconds = float((headers or {}).get("retry-after", ""))
    except ValueError:
        return None
    return seconds if 0 <= seconds < float("inf") else None
