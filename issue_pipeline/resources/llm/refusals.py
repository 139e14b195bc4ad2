"""What a failed call means: read from the server's own reply, not from LiteLLM's class for it.

LiteLLM turns a 413 into a 429, a 529 into a 500, and loses headers on its way. The error that it
started from is in the chain of causes, with the reply; that is looked for first.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from issue_pipeline.errors import (
    FailedGenerationError,
    LabelingError,
    ModelAccessError,
    ModelSilentError,
    ModelUnavailableError,
    ParameterRefusedError,
    RateLimitedError,
    RequestTooLargeError,
)
from issue_pipeline.resources.llm.limits import read_allowances, read_wait_s
from issue_pipeline.resources.llm.parameters import (
    LEAST_TOKENS,
    MAX_COMPLETION_TOKENS,
    MAX_TOKENS,
    RESPONSE_FORMAT,
    SEED,
    TEMPERATURE,
    CallParameters,
)
from issue_pipeline.resources.llm.styles import REMOTE
from issue_pipeline.utils.cleaning.redaction import SECRET_MARK, redact
from issue_pipeline.utils.printable import printable
from issue_pipeline.utils.urls import without_user_info

# How much of a server's message ours quotes, and is read at all.
_MAX_TOLD_CHARS = 200
_MAX_READ_CHARS = 20_000
_FORMAT_WORDS = re.compile(
    r"response.?(?:format|schema|mime)|(?:json|output).?schema|output.?(?:format|config)"
    r"|structured.?output|json.?(?:mode|object)|grammar|guided.?(?:json|decoding)"
    r"|required for format|specified schema",
    re.IGNORECASE,
)
_KEY_WORDS = re.compile(r"api.?key|credentials|unauthorized|authentication", re.IGNORECASE)
# A spent account: waiting a minute does not help. "Quota" alone is as often that of a minute.
_SPENT_WORDS = re.compile(
    r"billing|credit|insufficient|payment|balance|deactivated|suspended|spend(?:ing)? limit"
    r"|account.{0,30}(?:disabled|not active|inactive)",
    re.IGNORECASE,
)
# The same where the status does not say that it is about money: more must be said.
_SURELY_SPENT_WORDS = re.compile(
    r"credit balance|insufficient.{0,12}(?:quota|balance|credit|funds)|billing.{0,30}(?:limit|hard"
    r"|not active|inactive|disabled|required|details)|(?:account|organi[sz]ation|project).{0,40}"
    r"(?:deactivated|disabled|suspended|restricted|not active|inactive)|blocked api access"
    r"|exceeded.{0,10}(?:current|monthly|daily|plan).{0,3}quota|out of credits"
    r"|exceeded your quota|\bquota (?:is )?(?:exceeded|exhausted|spent|used up)\b(?! for)"
    r"|requires more credits|payment required|budget.{0,12}exceeded|arrear|in good standing"
    r"|(?:usage|spend(?:ing)?|budget|monthly).{0,3}limits?\b",
    re.IGNORECASE,
)
_SHORT_LIMIT_WORDS = re.compile(r"per[ _-]?(?:min|sec)|\b[rt]pm\b", re.IGNORECASE)
_DAILY_WORDS = re.compile(
    r"per[ _-]?(?:day|week|month)|/ ?(?:day|week|month)\b|\b[rt]pd\b|\bdaily\b"
    r"|ByDay|per 86400",
    re.IGNORECASE,
)
_THROTTLED_WORDS = re.compile(r"throttl(?:ing|ed)|too many requests", re.IGNORECASE)
# Where the status says nothing of it: a key, a region or a name of a model that is not taken.
_KEY_REFUSED_WORDS = re.compile(
    r"api.?key.{0,12}(?:not valid|invalid|expired|incorrect|not found)"
    r"|(?:invalid|incorrect|expired).{0,12}api.?key"
    r"|(?:location|country|region).{0,40}not supported",
    re.IGNORECASE,
)
_NO_MODEL_WORDS = re.compile(
    r"model.{0,60}(?:(?:not|n't) exist|decommissioned)|model_not_found|invalid model\b"
    r"|not a valid model|model .{0,60}not found|on-demand throughput"
    r"|not a chat model|model_not_supported|no models? loaded|(?:not|n't) support chat\b",
    re.IGNORECASE,
)
_LINK = re.compile(r"https?://\S+")
_OVERLOAD_WORDS = re.compile(
    r"overloaded|at capacity|server.{0,10}busy|temporarily|try again later|loading model"
    r"|UNAVAILABLE|rate.?limit|too many requests",
    re.IGNORECASE,
)
_TOO_LARGE_WORDS = re.compile(
    r"request.{0,3}too large|context.{0,3}(?:length|window|size|limit|overflow)|context is too long"
    r"|maximum (?:context|model)|prompt is too long|too many tokens|exceeds? the available context"
    r"|reduce (?:the length|your message)|(?:is|are) too large for model"
    r"|max.?(?:completion.?|output.?|new.?)?tokens`?'?\"?.{0,60}"
    r"(?:too large|at most|less than|greater than|maximum allowed|exceed|supported range"
    r"|valid range|\d+ > \d+)"
    r"|maximum tokens you requested exceed|max_tokens must be at least 1\b"
    r"|input length and .?max_tokens|tokens`? \+ `?max_|range of .?max_tokens",
    re.IGNORECASE | re.DOTALL,
)
# Where a limit is met: that of one request, not of the minute.
_ONE_TOO_LARGE_WORDS = re.compile(
    r"request.{0,3}too large|context.{0,3}(?:length|window)|maximum (?:context|model)",
    re.IGNORECASE,
)
_AFFORDED = re.compile(r"can only afford (\d[\d,]*)", re.IGNORECASE)
# A page for people, or LM Studio's error with status 200, as far as LiteLLM lets them through.
_NO_MODEL_REPLY = re.compile(r"APIResponse \[200|Unexpected endpoint|Exception - *\Z")
_OPENAI_STYLE = ("openai/", "lm_studio/", "hosted_vllm/", "llamafile/", "custom_openai/")
_BAD_GENERATION_WORDS = re.compile(r"json_validate_failed|failed_generation|tool_use_failed")
_REFUSAL_WORDS = re.compile(
    r"unsupported|(?:not|n't).{0,20}support|unrecogni[sz]ed|unknown|unexpected|not permitted"
    r"|not allowed|extra (?:inputs|fields)|deprecated|only the default|invalid|not available|failed"
    r"|cannot (?:both )?be (?:set|used|specified)|too many states|must be|not a valid|remove",
    re.IGNORECASE,
)
_MODERATION_WORDS = re.compile(r"moderation|flagged|content.?(?:policy|filter)", re.IGNORECASE)
# Hints of how many tokens of an answer would fit.
_CONTEXT = re.compile(
    r"(?:context (?:length|window|size|limit)[^\d]{0,40}|\"?n_ctx\"?\D{1,3}|context size \(| > "
    r"|tokens`? \+ `?max_\w+`? must be <= )"
    r"(\d[\d,]*)",
    re.IGNORECASE,
)
_PROMPT = re.compile(
    r"\(?(\d[\d,]*) (?:tokens )?(?:in|from) (?:the |your )?(?:messages|prompt|input)"
    r"|(?:prompt|input|messages|request has)[^\d]{0,30}?(\d[\d,]*)(?: input)? tokens"
    r"|Given: (\d[\d,]*) `?inputs`? tokens"
    r"|\"?n_prompt_tokens\"?\D{1,3}(\d+)|exceed context limit: (\d+)",
    re.IGNORECASE,
)
_MOST = re.compile(
    r"(?:at most|model limit of|less than or equal to"
    r"|range of .?max_tokens.? (?:is|should be) \[\d,"
    r"|maximum allowed is|inclusive\) to|tokens: \d+ >)[ `']*(\d[\d,]*)(?P<beyond> \(exclusive)?",
    re.IGNORECASE,
)
_REQUESTED = re.compile(
    r"Limit:?\s*(\d[\d,]*),(?:\s*Used:?\s*\d[\d,]*,)?\s*Requested:?\s*(\d[\d,]*)", re.IGNORECASE
)
# Room for what counts of prompt and answer differ by.
_MARGIN_TOKENS = 16
_PARAMETERS = (
    (RESPONSE_FORMAT, _FORMAT_WORDS),
    (MAX_COMPLETION_TOKENS, re.compile(r"max_completion_tokens", re.IGNORECASE)),
    (MAX_TOKENS, re.compile(r"max_tokens|max_new_tokens|maxOutputTokens", re.IGNORECASE)),
    (TEMPERATURE, re.compile("temperature", re.IGNORECASE)),
    (SEED, re.compile(r"\bseed\b|random_seed", re.IGNORECASE)),
)
_BAD_REQUEST = (400, 422)
_KEY_REFUSED = (401, 403)
_NO_MONEY = 402
_NOT_FOUND = (404, 405)
_TOO_LARGE = 413
_BROKEN = 500
_RATE_LIMITED = 429
# What passes by itself. 500 is not among them: as often it is a bug that the same call meets again.
_PASSING = (425, 429, 502, 503, 504, 520, 521, 522, 523, 524, 529)
_TIMED_OUT = 408


@dataclass(frozen=True, slots=True)
class Refusal:
    """What came back of a failed call.

    Attributes:
        status: The server's own; ``None`` if no reply came.
        headers: Names in lower case.
        text: Its words as they came, to be read and never shown.
        told: The same for a message of ours, without the key and other secrets.
    """

    status: int | None
    headers: Mapping[str, str] = field(repr=False)
    text: str = field(repr=False)
    told: str


def read_error(error: Exception, api_key: str | None) -> Refusal:
    """Find the server's reply behind an error of LiteLLM's."""
    status: int | None = None
    headers: dict[str, str] = {}
    words = [str(error)]
    for one in _causes(error):
        response = getattr(one, "response", None)
        for source in (response, one):
            found = _headers(getattr(source, "headers", None))
            if found and not headers:
                headers, status = found, _status(source) or _status(one)
        # LiteLLM makes responses up that were never read.
        text = getattr(response, "text", "") if _headers(getattr(response, "headers", None)) else ""
        if isinstance(text, str) and text:
            words.append(text)
    if not headers:
        headers = _headers(getattr(error, "litellm_response_headers", None))
    if status is None and (headers or not _came_from_nowhere(error)):
        status = _status(error)
    text = " ".join(words)[:_MAX_READ_CHARS]
    told = str(error)
    if api_key:  # some servers repeat what they refuse
        told = told.replace(api_key, SECRET_MARK)
    told = printable(redact(without_user_info(told)), _MAX_TOLD_CHARS)
    return Refusal(status, headers, text, f"{type(error).__name__}: {told}")


def meaning(
    refusal: Refusal, *, source: str, name: str, base_url: str | None, sent: CallParameters
) -> LabelingError:
    """Return what a failed call means for this call, and for those after it.

    Args:
        refusal: What came back.
        source: ``local`` or ``remote``; its settings are named.
        name: LiteLLM's name of the model.
        base_url: Where it is served, if that was set.
        sent: What the call sent along.
    """
    status, text, told = refusal.status, refusal.text, refusal.told
    setting = f"LLM_{source.upper()}"
    if "LLM Provider NOT provided" in text:
        return ModelAccessError(f"refused ({told}). Check {setting}_MODEL.")
    if _lacks_v1(name, base_url) and _NO_MODEL_REPLY.search(text):
        return ModelAccessError(
            f"no model's reply ({told}). {_wrong_address(source, name, base_url)}"
        )
    if status is None:
        if _misses_key(refusal, source):
            return ModelAccessError(f"no key ({told}). Set {setting}_API_KEY.")
        return ModelSilentError(f"no answer ({told}).")
    wait_s = read_wait_s(refusal.headers, text)
    bare = _LINK.sub("", text)
    if status == _NO_MONEY and (afforded := _afforded(bare)) >= LEAST_TOKENS:
        return RequestTooLargeError(f"request too large ({told}).", fits=afforded)
    if _is_spent(status, bare, wait_s):
        return ModelAccessError(f"quota spent ({told}).")
    if status == _NO_MONEY:
        return ModelAccessError(f"refused ({told}). The account behind {setting}_API_KEY must pay.")
    is_throttled = status in _BAD_REQUEST and bool(_THROTTLED_WORDS.search(bare))
    if not is_throttled and _is_too_large(status, bare, wait_s):
        return RequestTooLargeError(f"request too large ({told}).", fits=_fits(text, sent))
    if status in _BAD_REQUEST and _KEY_REFUSED_WORDS.search(bare):
        return ModelAccessError(f"refused ({told}). Check {setting}_API_KEY.")
    if status in _KEY_REFUSED and not _MODERATION_WORDS.search(bare) and wait_s is None:
        return ModelAccessError(f"refused ({told}). Check {setting}_API_KEY.")
    if status in _BAD_REQUEST and _NO_MODEL_WORDS.search(bare):
        return ModelAccessError(f"refused ({told}). Check {setting}_MODEL.")
    if status in _NOT_FOUND:
        return ModelAccessError(f"refused ({told}). {_wrong_address(source, name, base_url)}")
    if (
        is_throttled
        or status in _PASSING
        or wait_s is not None
        or (status >= 500 and _OVERLOAD_WORDS.search(bare))
    ):
        kind = "rate limited" if status == _RATE_LIMITED else "overloaded"
        allowances = read_allowances(refusal.headers, text)
        return RateLimitedError(f"{kind} ({told}).", wait_s=wait_s, allowances=allowances)
    if status in _BAD_REQUEST:
        if _BAD_GENERATION_WORDS.search(text):
            return FailedGenerationError(f"the provider found no valid JSON in it ({told})")
        if refused := _refused_parameters(bare):
            return ParameterRefusedError(f"{refused[0]} refused ({told}).", names=refused)
    if status == _BROKEN and RESPONSE_FORMAT in _refused_parameters(bare):  # as of llama.cpp
        return ParameterRefusedError(
            f"{RESPONSE_FORMAT} refused ({told}).", names=(RESPONSE_FORMAT,)
        )
    if status == _TIMED_OUT:
        return ModelSilentError(f"no answer ({told}).")
    return ModelUnavailableError(f"no answer ({told}).")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the errors behind an error, itself last: the first has the server's own reply."""
    chain: list[BaseException] = []
    one: BaseException | None = error
    while one is not None and one not in chain:
        chain.append(one)
        one = one.__cause__ or one.__context__
    yield from reversed(chain)


def _headers(found: object) -> dict[str, str]:
    if not isinstance(found, Mapping):
        return {}
    return {str(name).lower(): str(value) for name, value in found.items()}


def _status(source: object) -> int | None:
    status = getattr(source, "status_code", None)
    return status if isinstance(status, int) else None


def _came_from_nowhere(error: Exception) -> bool:
    """Return whether no reply came: then LiteLLM makes up a status of its own."""
    return type(error).__name__ in ("APIConnectionError", "Timeout") or (
        (_status(error) or 500) in (500, _TIMED_OUT)
    )


def _misses_key(refusal: Refusal, source: str) -> bool:
    return source == REMOTE and bool(_KEY_WORDS.search(refusal.text))


def _is_spent(status: int, bare: str, wait_s: float | None) -> bool:
    """Return whether an account is spent, or a day's limit: no wait within a run helps."""
    if status == _RATE_LIMITED:
        # Gemini states a wait of seconds for a quota of the day, too.
        if _DAILY_WORDS.search(bare) and "quota" in bare.lower():
            return True
        # Limits per minute advertise higher ones, and say how long to wait.
        if wait_s is not None or _SHORT_LIMIT_WORDS.search(bare):
            return False
        return any(
            words.search(bare) for words in (_DAILY_WORDS, _SPENT_WORDS, _SURELY_SPENT_WORDS)
        )
    is_refusal = status in (*_BAD_REQUEST, *_KEY_REFUSED, *_NOT_FOUND, _NO_MONEY)
    return is_refusal and bool(_SURELY_SPENT_WORDS.search(bare))


def _is_too_large(status: int, bare: str, wait_s: float | None) -> bool:
    """Whether one request takes too many tokens, for the context or for a limit."""
    if status == _RATE_LIMITED:
        # "Too many tokens" are a minute's there.
        return not wait_s and bool(_ONE_TOO_LARGE_WORDS.search(bare))
    return status == _TOO_LARGE or (
        status in (*_BAD_REQUEST, _BROKEN)
        and bool(_TOO_LARGE_WORDS.search(bare))
        and not _names_other_parameter(bare)
    )


def _afforded(bare: str) -> int:
    """Return for how many tokens of an answer an account's rest is said to do; 0 if it is not."""
    afforded = _AFFORDED.search(bare)
    return int(afforded[1].replace(",", "")) if afforded else 0


def _names_other_parameter(bare: str) -> bool:
    """Return whether a message that speaks of tokens refuses the parameter's name, not its size."""
    return bool(re.search(r"use '?`?max_completion_tokens|unsupported_parameter", bare, re.I))


def _refused_parameters(bare: str) -> tuple[str, ...]:
    """Return the names of refused parameters, the one that the message is about first."""
    if not (_REFUSAL_WORDS.search(bare) or _FORMAT_WORDS.search(bare)):
        return ()
    named = re.search(r"['\"]param['\"]:\s*['\"]([\w.]+)", bare)
    if named:
        found = [name for name, words in _PARAMETERS if words.search(named[1])]
        if found:
            return tuple(found)
    places = {name: match.start() for name, words in _PARAMETERS if (match := words.search(bare))}
    return tuple(sorted(places, key=lambda name: places[name]))


def _fits(text: str, sent: CallParameters) -> int | None:
    """Return how many tokens of an answer would fit, if the server's words tell."""

    def number(match: re.Match[str]) -> int:
        return int(next(group for group in match.groups() if group).replace(",", ""))

    if requested := _REQUESTED.search(text):
        limit, asked = (int(one.replace(",", "")) for one in requested.groups())
        return sent.max_tokens - (asked - limit) - _MARGIN_TOKENS
    if most := _MOST.search(text):
        return number(most) - bool(most["beyond"])
    context, prompt = _CONTEXT.search(text), _PROMPT.search(text)
    if context and prompt:
        return number(context) - number(prompt) - _MARGIN_TOKENS
    return None


def _lacks_v1(name: str, base_url: str | None) -> bool:
    """Whether an address has no path of an OpenAI-compatible API."""
    return (
        bool(base_url)
        and name.startswith(_OPENAI_STYLE)
        and not re.search(r"/(?:v\d|openai)", base_url or "")
    )


def _wrong_address(source: str, name: str, base_url: str | None) -> str:
    """Name the setting behind a 404: the model, or an address that its kind of server has not."""
    setting = f"LLM_{source.upper()}"
    address = (base_url or "").rstrip("/")
    if address and name.startswith(("ollama/", "ollama_chat/")) and address.endswith("/v1"):
        return (
            f"Check {setting}_BASE_URL: {name.split('/')[0]} speaks Ollama's own protocol, so it"
            f" ends without /v1; or set {setting}_MODEL to openai/{name.split('/', 1)[1]}."
        )
    if address.endswith("/chat/completions"):
        return f"Check {setting}_BASE_URL: it ends before /chat/completions, which is added."
    if _lacks_v1(name, address):
        return (
            f"Check {setting}_BASE_URL: OpenAI-compatible servers usually want /v1 at its end;"
            f" otherwise check {setting}_MODEL."
        )
    return f"Check {setting}_MODEL."
