"""``LLMResource``: the language models that write labels, through LiteLLM."""

import logging
import os
import re
from dataclasses import asdict, dataclass, field
from typing import Any

import dagster as dg
from pydantic import Field, ValidationError

from issue_pipeline.errors import (
    ConfigurationError,
    InvalidLabelError,
    LabelingError,
    ModelAccessError,
    ModelUnavailableError,
)
from issue_pipeline.labels import IssueLabel
from issue_pipeline.prompts import STYLES, WRITE, LabelRequest, Prompt, build_prompt, correction
from issue_pipeline.utils.printable import printable
from issue_pipeline.utils.redaction import SECRET_MARK
from issue_pipeline.utils.urls import without_user_info

logger = logging.getLogger(__name__)

CALLS_PER_MODEL = 2
MAX_ANSWER_TOKENS = 500
# How much of foreign text a message quotes.
_MAX_PLACE_CHARS = 60
_MAX_PROBLEM_CHARS = 500
_MAX_TOLD_CHARS = 200
# How providers word a spent quota: waiting a minute does not help.
_QUOTA_WORDS = ("quota", "billing", "credit", "insufficient", "payment")
_PER_MINUTE = re.compile(r"per[ _-]?min")
_LINK = re.compile(r"https?://\S+")
# HTTP statuses: no valid key, no money, no permission; too many requests.
_REFUSED = (401, 402, 403)
_RATE_LIMITED = 429


@dataclass(frozen=True, slots=True)
class LabelResult:
    """A valid label and what it took to get it.

    Attributes:
        source: ``local`` or ``remote``.
        model: LiteLLM's name of the model.
        prompt_tokens: Over all calls made for this label, failed ones included.
        completion_tokens: Likewise.
        cost_usd: Likewise; 0 for a model without a known price.
    """

    label: IssueLabel
    source: str
    model: str
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float


@dataclass(frozen=True, slots=True)
class _Model:
    source: str
    name: str
    style: str
    base_url: str | None
    api_key: str | None = field(repr=False)


@dataclass(slots=True)
class _Usage:
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float = 0.0


class LLMResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Labels clusters: the local model first, the remote one if that fails.

    For clusters of more than ``remote_above`` posts the remote model is asked first. At most two
    calls to a model, four for a cluster.

    Attributes:
        local_model: LiteLLM name, such as ``ollama_chat/llama3.1`` or ``openai/NAME`` for any
            OpenAI-compatible server; ``""`` for none.
        local_base_url: Where the local model is served; ``""`` for the provider's default.
        local_style: ``write``, or ``choose`` for very small models.
        remote_model: LiteLLM name, such as ``groq/llama-3.3-70b-versatile``; ``""`` for none.
        remote_api_key: Its key.
        remote_above: Cluster size above which the remote model goes first.
        timeout_s: Longest wait for one answer.
    """

    local_model: str = ""
    local_base_url: str = ""
    local_style: str = Field(default=WRITE, pattern=f"^({'|'.join(STYLES)})$")
    remote_model: str = ""
    remote_api_key: str = Field(default="", repr=False)
    remote_above: int = Field(default=50, ge=0)
    timeout_s: float = Field(default=120.0, gt=0)

    def start_session(self) -> "LabelingSession":
        """Begin a run of labelling.

        Raises:
            ConfigurationError: No model is configured.
        """
        if not (self.local_model or self.remote_model):
            raise ConfigurationError(
                "No language model is configured. Set LLM_LOCAL_MODEL (and LLM_LOCAL_BASE_URL)"
                " or LLM_REMOTE_MODEL and LLM_REMOTE_API_KEY."
            )
        local = self.local_model and _Model(
            "local",
            self.local_model,
            self.local_style,
            self.local_base_url or None,
            # OpenAI-compatible local servers want some key, whatever it is.
            "none" if self.local_base_url else None,
        )
        remote = self.remote_model and _Model(
            "remote", self.remote_model, WRITE, None, self.remote_api_key or None
        )
        return LabelingSession(local or None, remote or None, self.remote_above, self.timeout_s)


class LabelingSession:
    """One run's dealings with the models; remembers which of them refuses us."""

    def __init__(
        self, local: _Model | None, remote: _Model | None, remote_above: int, timeout_s: float
    ) -> None:
        self._local = local
        self._remote = remote
        self._remote_above = remote_above
        self._timeout_s = timeout_s
        self._refusing: set[str] = set()

    def label(self, request: LabelRequest) -> LabelResult:
        """Get a valid label for a cluster.

        Raises:
            LabelingError: No model gave one; it says what each of them did and what that took.
        """
        order = [self._local, self._remote]
        if request.cluster_size > self._remote_above:
            order.reverse()
        usage, problems = _Usage(), []
        for model in order:
            if model is None:
                continue
            if model.source in self._refusing:
                problems.append(f"{model.name}: not asked again in this run")
                continue
            try:
                label = self._ask(model, build_prompt(request, style=model.style), usage)
            except ModelAccessError as error:
                self._refusing.add(model.source)
                problems.append(f"{model.name}: {error}")
            except LabelingError as error:
                problems.append(f"{model.name}: {error}")
            else:
                return LabelResult(label, model.source, model.name, **asdict(usage))
        raise LabelingError("; ".join(problems), **asdict(usage))

    def _ask(self, model: _Model, prompt: Prompt, usage: _Usage) -> IssueLabel:
        messages = list(prompt.messages)
        for call in range(1, CALLS_PER_MODEL + 1):
            answer = self._complete(model, messages, prompt.schema, usage)
            try:
                return parse_label(answer, prompt)
            except InvalidLabelError as error:
                if call == CALLS_PER_MODEL:
                    raise
                messages += correction(answer, str(error))
        raise AssertionError("unreachable")

    def _complete(
        self,
        model: _Model,
        messages: list[dict[str, str]],
        schema: dict[str, object],
        usage: _Usage,
    ) -> str:
        """Make one call and give the text of the answer."""
        litellm = import_litellm()
        try:
            response = litellm.completion(
                model=model.name,
                messages=messages,
                base_url=model.base_url,
                api_key=model.api_key,
                response_format=_response_format(litellm, model, schema),
                temperature=0,
                seed=0,
                max_tokens=MAX_ANSWER_TOKENS,
                timeout=self._timeout_s,
                num_retries=0,
                max_retries=0,
                drop_params=True,
            )
        except Exception as error:  # LiteLLM lets through whatever its many providers raise
            raise _failure(error, model) from None  # its own words may hold the key
        _count_usage(litellm, response, model, usage)
        if not response.choices:
            raise ModelUnavailableError("no answer (a reply without choices).")
        return str(response.choices[0].message.content or "")


def import_litellm() -> Any:  # noqa: ANN401
    """Import LiteLLM: seconds of work, and offline only with its bundled price list."""
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    import litellm

    litellm.telemetry = False
    litellm.suppress_debug_info = True
    return litellm


def _response_format(litellm: Any, model: _Model, schema: dict[str, object]) -> dict[str, object]:  # noqa: ANN401
    """Bind the answer to the schema where the model takes one, to JSON elsewhere."""
    # Local servers (llama.cpp, Ollama, vLLM) all take a schema; LiteLLM does not know their models.
    if model.base_url or litellm.supports_response_schema(model=model.name):
        return {
            "type": "json_schema",
            "json_schema": {"name": "issue_label", "strict": True, "schema": schema},
        }
    return {"type": "json_object"}


def _count_usage(litellm: Any, response: Any, model: _Model, usage: _Usage) -> None:  # noqa: ANN401
    if (used := getattr(response, "usage", None)) is not None:
        usage.prompt_tokens += used.prompt_tokens or 0
        usage.completion_tokens += used.completion_tokens or 0
    if model.source == "local":
        return  # costs nothing, even where a server gives itself the name of a paid model
    try:
        usage.cost_usd += litellm.completion_cost(response, model=model.name)
    except Exception:  # no price is known for the model
        logger.debug("no price known for this model")


def parse_label(answer: str, prompt: Prompt) -> IssueLabel:
    """Read a model's answer: one JSON object, maybe with a fence or prose around it.

    Raises:
        InvalidLabelError: There is none, it breaks a rule of :class:`IssueLabel`, or it was to be
            chosen and was not.
    """
    start, end = answer.find("{"), answer.rfind("}")
    if start < 0 or end < start:
        raise InvalidLabelError("expected a JSON object, got none")
    try:
        label = IssueLabel.model_validate_json(answer[start : end + 1])
    except ValidationError as error:
        problems = "; ".join(
            # The place may be a key that the model made up.
            f"{'.'.join(map(str, problem['loc']))[:_MAX_PLACE_CHARS] or 'answer'}: {problem['msg']}"
            for problem in error.errors(include_url=False, include_input=False)
        )
        raise InvalidLabelError(printable(problems, _MAX_PROBLEM_CHARS)) from error
    if prompt.titles and label.canonical_title not in prompt.titles:
        raise InvalidLabelError("canonical_title: expected one of the titles given")
    return label


def _failure(error: Exception, model: _Model) -> ModelUnavailableError:
    """Say what a failed call means: only this call failed, or no further one can succeed."""
    text = str(error)
    if model.source == "remote" and model.api_key:
        text = text.replace(model.api_key, SECRET_MARK)  # some servers repeat the key they refuse
    told = f"{type(error).__name__}: {printable(without_user_info(text), _MAX_TOLD_CHARS)}"
    status = getattr(error, "status_code", None)
    if status in _REFUSED:
        setting = "LLM_REMOTE_API_KEY" if model.source == "remote" else "LLM_LOCAL_MODEL"
        return ModelAccessError(f"refused ({told}). Check {setting}.")
    if status != _RATE_LIMITED:
        return ModelUnavailableError(f"no answer ({told}).")
    if _means_spent_quota(text):
        return ModelAccessError(f"quota spent ({told}).")
    return ModelUnavailableError(f"rate limited ({told}).")


def _means_spent_quota(message: str) -> bool:
    # Limits per minute advertise higher ones, with links to the pages where they are sold.
    text = _LINK.sub("", message.lower())
    return not _PER_MINUTE.search(text) and any(word in text for word in _QUOTA_WORDS)
