"""One call to one language model through LiteLLM: never more than one request."""

import logging
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from issue_pipeline.errors import ModelSilentError, ModelUnavailableError
from issue_pipeline.records import Allowance
from issue_pipeline.resources.llm.limits import read_allowances
from issue_pipeline.resources.llm.parameters import (
    OBJECT,
    PLAIN,
    RESPONSE_FORMAT,
    SCHEMA,
    CallParameters,
    ModelParameters,
)
from issue_pipeline.resources.llm.refusals import meaning, read_error
from issue_pipeline.resources.llm.styles import CHOOSE, LOCAL, WRITE
from issue_pipeline.utils.printable import repair_surrogates
from issue_pipeline.utils.proxies import no_proxy_for_loopback

logger = logging.getLogger(__name__)

Messages = list[dict[str, str]]

# A reasoning model thinks before it answers, and that counts. What is chosen is short.
MAX_ANSWER_TOKENS = {WRITE: 4_000, CHOOSE: 500}
# How many times that an answer may take that was cut off, where LLM_MAX_TOKENS does not say.
_MOST_ROOM = 4
# LiteLLM's own work for a call, seconds for the first one; comes on top of the timeout.
OVERHEAD_S = 5.0
# A server may claim anything; more than this would not fit into the store.
_MAX_TOKENS_TOLD = 2**31
# LiteLLM keeps these providers' headers to itself, unless the client is ours.
_HEADERS_KEPT_BACK = ("groq", "mistral", "deepseek", "xai", "cerebras", "sambanova")
# As its providers say it: the answer ended at the most tokens it may take.
_CUT = ("length", "max_tokens", "MAX_TOKENS", "model_length")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model said, and what it took.

    Attributes:
        cost_usd: 0 for a local model, and where no price is known.
        thoughts: What it said apart from its answer (``reasoning_content``, ``reasoning``).
        arguments: Those of the tools that it called, though it was given none.
        is_cut: Whether the answer ended at the most tokens that it may take.
        allowances: What the server says is left of its rate limits.
    """

    text: str
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float
    thoughts: str = ""
    arguments: Sequence[str] = ()
    is_cut: bool = False
    allowances: Sequence[Allowance] = ()


@dataclass(frozen=True, slots=True)
class LanguageModel:
    """One model and where it is served.

    Attributes:
        source: ``local`` or ``remote``.
        name: LiteLLM's name of the model.
        style: ``write`` or ``choose``.
        timeout_s: Longest wait for a whole answer.
        max_tokens: Most tokens of an answer; ``None`` for what fits the style, and more for an
            answer that is cut off.
    """

    source: str
    name: str
    style: str
    base_url: str | None
    api_key: str | None = field(repr=False)
    timeout_s: float
    max_tokens: int | None = None

    def parameters(self) -> ModelParameters:
        """Return what is sent along with a prompt, as long as the server teaches nothing else."""
        usual = self.max_tokens or MAX_ANSWER_TOKENS[self.style]
        most = self.max_tokens or _MOST_ROOM * usual
        return ModelParameters(self.name, self._first_format(), usual, most)

    def complete(
        self,
        messages: Messages,
        schema: Mapping[str, object] | None,
        parameters: CallParameters | None = None,
    ) -> Answer:
        """Make one call.

        Args:
            messages: The conversation so far.
            schema: JSON schema that the answer should follow; ``None`` for any JSON.
            parameters: What is sent along; by default that of :meth:`parameters`.

        Raises:
            ModelAccessError: Refused; no further call can succeed.
            ParameterRefusedError: Refused because of a parameter, or of the schema.
            RequestTooLargeError: Refused because prompt and answer would take too many tokens.
            FailedGenerationError: The provider refused what the model wrote.
            RateLimitedError: Too many calls, or a server too busy.
            ModelSilentError: No reply at all.
            ModelUnavailableError: No answer for another reason.
        """
        litellm = import_litellm()
        sent = parameters or self.parameters().for_call()
        seen = _SeenHeaders()

        def call() -> object:
            return litellm.completion(
                model=self.name,
                messages=messages,
                base_url=self.base_url,
                api_key=self.api_key,
                timeout=self.timeout_s,
                num_retries=0,
                max_retries=0,
                drop_params=True,
                **_sent_along(sent, schema),
                **seen.client(litellm, self.name, self.timeout_s),
            )

        try:
            response = _within(self.timeout_s + OVERHEAD_S, call)
        except _TooSlowError:
            raise ModelSilentError(
                f"no answer (Timeout: not complete after {self.timeout_s:.0f} s). LLM_TIMEOUT_S"
                " sets how long that is."
            ) from None
        except Exception as error:  # LiteLLM lets through whatever its many providers raise
            raise meaning(
                read_error(error, self.api_key if self._has_own_key else None),
                source=self.source,
                name=self.name,
                base_url=self.base_url,
                sent=sent,
            ) from None  # its own words may hold the key
        finally:
            seen.close()
        choices = getattr(response, "choices", None)
        if not choices:
            raise ModelUnavailableError("no answer (a reply without choices).")
        message, usage = choices[0].message, getattr(response, "usage", None)
        return Answer(
            text=repair_surrogates(str(message.content or "")),
            prompt_tokens=_tokens_told(usage, "prompt_tokens"),
            completion_tokens=_tokens_told(usage, "completion_tokens"),
            cost_usd=self._cost_usd(litellm, response),
            thoughts=repair_surrogates(_thoughts(message)),
            arguments=tuple(map(repair_surrogates, _arguments(message))),
            is_cut=str(getattr(choices[0], "finish_reason", "")) in _CUT,
            allowances=read_allowances(seen.headers or _headers(response)),
        )

    def has_known_price(self) -> bool:
        """Return whether the price of a call is known."""
        try:
            import_litellm().cost_per_token(self.name, prompt_tokens=1, completion_tokens=1)
        except Exception:  # one of several of LiteLLM's own
            return False
        return True

    @property
    def _has_own_key(self) -> bool:
        return bool(self.api_key) and self.api_key != NO_KEY

    def _first_format(self) -> str:
        """Bind the answer to the schema where the model may take one, to JSON elsewhere."""
        litellm = import_litellm()
        try:
            name, provider, *_ = litellm.get_llm_provider(self.name, api_base=self.base_url)
            taken = litellm.get_supported_openai_params(name, custom_llm_provider=provider)
        except Exception:  # the call itself will say what is wrong with the name
            return OBJECT
        if taken is not None and RESPONSE_FORMAT not in taken:
            logger.warning(
                "%s: LiteLLM would leave out any response_format; only the prompt asks for JSON",
                self.name,
            )
            return PLAIN
        # Servers at an address of their own (llama.cpp, Ollama, vLLM, gateways) mostly take a
        # schema, and LiteLLM does not know it; those that do not say so.
        if self.source == LOCAL or self.base_url:
            return SCHEMA
        return SCHEMA if litellm.supports_response_schema(model=self.name) else OBJECT

    def _cost_usd(self, litellm: Any, response: Any) -> float:  # noqa: ANN401
        if self.source == LOCAL:
            return 0.0  # even where a server gives itself the name of a paid model
        try:
            return max(0.0, float(litellm.completion_cost(response, model=self.name)))
        except Exception:  # no price is known for the model
            logger.debug("no price known for this model")
            return 0.0


# What OpenAI-compatible servers without keys are sent: their clients insist on some.
NO_KEY = "none"


def import_litellm() -> Any:  # noqa: ANN401
    """Import LiteLLM: seconds of work, and offline only with its bundled price list."""
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    os.environ.setdefault("LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS", "True")
    # Its clients take no setting for it. A model on this machine is asked through no proxy.
    os.environ.update(no_proxy_for_loopback(os.environ))
    import litellm

    litellm.telemetry = False
    litellm.suppress_debug_info = True
    return litellm


def _sent_along(sent: CallParameters, schema: Mapping[str, object] | None) -> dict[str, object]:
    along: dict[str, object] = {}
    if sent.response_format == SCHEMA and schema:
        along[RESPONSE_FORMAT] = {
            "type": SCHEMA,
            SCHEMA: {"name": "issue_label", "strict": True, "schema": schema},
        }
    elif sent.response_format:
        along[RESPONSE_FORMAT] = {"type": OBJECT}
    if sent.temperature:
        along["temperature"] = 0
    if sent.seed:
        along["seed"] = 0
    if sent.tokens_name:
        along[sent.tokens_name] = sent.max_tokens
    return along


class _SeenHeaders:
    """Reads the headers of a successful reply where LiteLLM does not hand them on."""

    def __init__(self) -> None:
        self.headers: dict[str, str] = {}
        self._http: httpx.Client | None = None

    def close(self) -> None:
        if self._http is not None:
            self._http.close()

    def client(self, litellm: Any, name: str, timeout_s: float) -> dict[str, object]:  # noqa: ANN401
        """Return the argument that lets LiteLLM use a client of ours; none where it need not."""
        if name.split("/")[0] not in _HEADERS_KEPT_BACK:
            return {}
        self._http = httpx.Client(timeout=timeout_s, event_hooks={"response": [self._note]})
        return {"client": litellm.HTTPHandler(client=self._http)}

    def _note(self, response: httpx.Response) -> None:
        self.headers = {name.lower(): value for name, value in response.headers.items()}


def _headers(response: object) -> dict[str, str]:
    """Return what LiteLLM hands on of a reply's headers."""
    found = getattr(response, "_response_headers", None)
    if not found:
        hidden = getattr(response, "_hidden_params", None) or {}
        found = hidden.get("additional_headers") or {}
    return {
        str(name).lower().removeprefix("llm_provider-"): str(value) for name, value in found.items()
    }


def _thoughts(message: object) -> str:
    fields = getattr(message, "provider_specific_fields", None) or {}
    found = getattr(message, "reasoning_content", None) or fields.get("reasoning")
    return found if isinstance(found, str) else ""


def _arguments(message: object) -> list[str]:
    calls = getattr(message, "tool_calls", None) or []
    functions = [getattr(call, "function", None) for call in calls]
    functions.append(getattr(message, "function_call", None))
    found = [getattr(function, "arguments", None) for function in functions]
    return [one for one in found if isinstance(one, str) and one]


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


def _tokens_told(usage: object, name: str) -> int:
    tokens = getattr(usage, name, None)
    return min(max(0, tokens), _MAX_TOKENS_TOLD) if isinstance(tokens, int) else 0
