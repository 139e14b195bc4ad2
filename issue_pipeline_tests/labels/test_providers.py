"""Labels from any provider: what each of them refuses, limits or wraps, over real HTTP.

In tables: what the server does, what comes of it, and with how many calls.
"""

import json
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from issue_pipeline.errors import LabelingError
from issue_pipeline.labels.prompts import LabelRequest, Representative
from issue_pipeline.labels.schema import IssueLabel
from issue_pipeline.labels.session import LabelingSession, LabelResult
from issue_pipeline.resources.llm import LLMResource, rate_limiter
from issue_pipeline.resources.llm.rate_limiter import Clock
from issue_pipeline_tests.support import provider_replies as said
from issue_pipeline_tests.support.rate_limited import (
    FastClock,
    FixedWindow,
    TokenBucket,
    tokens_asked,
    with_headers,
)
from issue_pipeline_tests.support.scripted_model import GOOD_LABEL, Reply, ScriptedModel, label

KEY = "sk-remote-4f9a1c7e2b8d6a03"
POSTS = [
    Representative("Export hangs", "The export hangs at 90 %."),
    Representative("CSV fails", ""),
]
REQUEST = LabelRequest(POSTS, cluster_size=12, likely_category="devtools")
GOOD = json.dumps(GOOD_LABEL)
DRAFT = json.dumps({**GOOD_LABEL, "canonical_title": "A draft that was rejected"})
Script = Callable[[dict[str, Any]], Reply]


class NoCheck:
    def problem(self, label: IssueLabel, *, chosen: bool) -> str | None:
        return None


@pytest.fixture(autouse=True)
def _every_first_reply_is_waited_for(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(rate_limiter, "FIRST_REPLY_S", 1e9)  # time runs fast here


@pytest.fixture
def clock() -> FastClock:
    return FastClock()


def session_of(
    model: ScriptedModel,
    name: str = "openai/small",
    *,
    source: str = "remote",
    path: str = "/v1",
    clock: Clock | None = None,
    **settings: Any,
) -> LabelingSession:
    where = {
        f"{source}_model": name,
        f"{source}_base_url": model.root + path,
        f"{source}_api_key": KEY,
    }
    resource = LLMResource(**{**where, **settings})
    return LabelingSession(resource.models(), remote_above=50, clock=clock)


def ask(session: LabelingSession) -> LabelResult:
    return next(session.candidates(REQUEST, NoCheck()))


def ask_often(session: LabelingSession, count: int) -> list[LabelResult | LabelingError]:
    """Ask about so many clusters, as many at once as the session takes."""

    def one(_: int) -> LabelResult | LabelingError:
        try:
            return ask(session)
        except LabelingError as error:
            return error

    with ThreadPoolExecutor(session.labels_at_once) as pool:
        return list(pool.map(one, range(count)))


def failed(results: list[LabelResult | LabelingError]) -> list[str]:
    return [str(one) for one in results if isinstance(one, LabelingError)]


PROVIDERS = [
    ("openai/gpt-4o", "/v1"),
    ("groq/openai/gpt-oss-120b", "/openai/v1"),
    ("anthropic/claude-sonnet-4-5", ""),
    ("gemini/gemini-2.5-flash", "/v1beta"),
    ("azure/my-deployment", ""),
    ("mistral/mistral-small-latest", "/v1"),
    ("deepseek/deepseek-chat", ""),
    ("openrouter/meta-llama/llama-3.3-70b-instruct", "/api/v1"),
    ("together_ai/meta-llama/Llama-3.3-70B-Instruct-Turbo", "/v1"),
    ("ollama_chat/llama3.1", ""),
    ("openai/llama3.1", "/v1"),
    ("lm_studio/qwen2.5", "/v1"),
    ("hosted_vllm/qwen2.5", "/v1"),
]


@pytest.mark.parametrize("source", ["local", "remote"])
@pytest.mark.parametrize(("name", "path"), PROVIDERS, ids=[name for name, _ in PROVIDERS])
def test_every_provider_gives_a_label_in_one_call_in_its_own_protocol(
    name: str, path: str, source: str
):
    with ScriptedModel([label()]) as model:
        result = ask(session_of(model, name, path=path, source=source))
        assert model.calls == 1
    assert result.label == IssueLabel.model_validate(GOOD_LABEL)
    assert any(KEY in value for value in model.headers[0].values())


@pytest.mark.parametrize(
    ("refusal", "name", "path"),
    [
        (Reply("overloaded", status=529), "openai/small", "/v1"),
        (Reply("overloaded", status=529, retry_after="1"), "openai/small", "/v1"),
        (Reply("unavailable", status=503), "openai/small", "/v1"),
        (Reply("unavailable", status=503, retry_after="1"), "openai/small", "/v1"),
        (Reply("bad gateway", status=502), "openai/small", "/v1"),
        (Reply("it broke", status=500, retry_after="1"), "openai/small", "/v1"),
        (Reply("come back", status=403, retry_after="1"), "openai/small", "/v1"),
        (said.ANTHROPIC_OVERLOADED, "anthropic/claude-sonnet-4-5", ""),
        (said.gemini_limit(1.5), "gemini/gemini-2.5-flash", "/v1beta"),
        (said.gemini_limit(1.5), "openai/gemini-2.5-flash", "/v1beta/openai"),
        (Reply("The model is overloaded.", status=503), "gemini/gemini-2.5-flash", "/v1beta"),
        (said.groq_tokens_limit(6_000, 5_500, 2_000, 1.5), "groq/openai/gpt-oss-120b", "/v1"),
        (said.azure_limit(1.5), "azure/my-deployment", ""),
        (said.MISTRAL_LIMIT, "mistral/mistral-small-latest", "/v1"),
        (said.OLLAMA_BUSY, "ollama_chat/llama3.1", ""),
        (said.LLAMA_CPP_LOADING, "openai/llama", "/v1"),
        (said.OPENROUTER_ERROR_IN_200, "openrouter/x/y", "/api/v1"),
    ],
)
def test_a_refusal_that_passes_is_waited_for_and_the_same_call_made_again(
    refusal: Reply, name: str, path: str, clock: FastClock
):
    with ScriptedModel([refusal, label()]) as model:
        assert ask(session_of(model, name, path=path, clock=clock)).spent.attempts == 2
        assert model.calls == 2
        assert model.requests[0]["messages"] == model.requests[1]["messages"]


@pytest.mark.parametrize("retry_after", [None, "2"])
@pytest.mark.parametrize("status", [503, 529])
def test_an_outage_of_seconds_costs_no_label(
    status: int, retry_after: str | None, clock: FastClock
):
    began = clock.now()

    def script(_: dict[str, Any]) -> Reply:
        if clock.now() < began + 60:
            return Reply("busy", status=status, retry_after=retry_after)
        return label()

    began = clock.now() - 57  # three seconds are left of it
    with ScriptedModel(script) as model:
        results = ask_often(session_of(model, clock=clock), 80)
        assert failed(results) == []
        assert model.calls <= 80 + 4  # one goes ahead, and tells for all


def test_a_limit_that_only_the_body_states_is_obeyed_by_all_workers(clock: FastClock):
    window = FixedWindow(10, clock)

    def script(_: dict[str, Any]) -> Reply:
        wait_s = window.take()
        return label() if wait_s is None else said.gemini_limit(wait_s)

    with ScriptedModel(script) as model:
        results = ask_often(session_of(model, clock=clock), 40)
        assert failed(results) == []
        # At the end of each of three windows at most as many as work at once are refused.
        assert model.calls == 40 + window.refused <= 40 + 3 * 4


@pytest.mark.parametrize("limit", [6_000, 8_000, 30_000])
def test_tokens_a_minute_are_never_overdrawn_once_a_reply_has_stated_them(
    limit: int, clock: FastClock
):
    bucket = TokenBucket(limit, clock)

    def script(request: dict[str, Any]) -> Reply:
        cost = tokens_asked(request)
        wait_s = bucket.take(cost)
        if wait_s is not None:
            return said.groq_tokens_limit(limit, 0, cost, wait_s)
        return with_headers(label(), bucket.headers("tokens"))

    with ScriptedModel(script) as model:
        session = session_of(model, "groq/openai/gpt-oss-120b", clock=clock)
        assert failed(ask_often(session, 40)) == []
        assert (bucket.refused, model.calls) == (0, 40)
    dictated_s = max(0.0, bucket.spent - limit) * 60 / limit
    assert session.waited_s <= 1.5 * dictated_s


def test_tokens_a_minute_that_only_refusals_state_cost_few_calls(clock: FastClock):
    bucket = TokenBucket(8_000, clock)

    def script(request: dict[str, Any]) -> Reply:
        cost = tokens_asked(request)
        used = 8_000 - bucket.left
        wait_s = bucket.take(cost)
        return label() if wait_s is None else said.groq_tokens_limit(8_000, used, cost, wait_s)

    with ScriptedModel(script) as model:
        session = session_of(model, "groq/openai/gpt-oss-120b", clock=clock)
        assert failed(ask_often(session, 40)) == []
        assert model.calls == 40 + bucket.refused <= 40 + 8


@pytest.mark.parametrize(
    ("headers", "calls_before"),
    [
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "20s"}, 1),
        (
            {
                "anthropic-ratelimit-requests-limit": "50",
                "anthropic-ratelimit-requests-remaining": "0",
                "anthropic-ratelimit-requests-reset": "{moment}",
            },
            1,
        ),
        ({"ratelimit-remaining": "0", "ratelimit-reset": "20"}, 1),
        ({"x-ratelimit-limit-requests": "100", "x-ratelimit-remaining-requests": "99"}, 4),
    ],
    ids=["openai", "anthropic", "ietf", "plenty left"],
)
def test_what_a_reply_says_is_left_holds_for_all_workers(
    headers: dict[str, str], calls_before: int
):
    from datetime import UTC, datetime, timedelta

    # Where nothing is waited for the clock is ours: a busy machine must not look like a wait.
    clock = FastClock(speed=1.0 if calls_before == 4 else 100.0)
    moment = (datetime.now(UTC) + timedelta(seconds=20)).isoformat()
    filled = {name: value.format(moment=moment) for name, value in headers.items()}
    times: list[float] = []

    def script(_: dict[str, Any]) -> Reply:
        times.append(clock.now())
        return with_headers(label(), filled)

    with ScriptedModel(script) as model:
        ask_often(session_of(model, clock=clock), 4)
    early = sum(at < times[0] + 15 for at in times)
    assert early == calls_before


def test_after_a_refusal_one_call_goes_ahead_of_the_others(clock: FastClock):
    under_way, most = [0], [0]
    lock = threading.Lock()
    calls = [0]

    def script(_: dict[str, Any]) -> Reply:
        with lock:
            calls[0] += 1
            under_way[0] += 1
            number = calls[0]
            if number in (9, 10):
                most.append(under_way[0])
        try:
            return Reply("slow down", status=429, retry_after="5") if number == 8 else label()
        finally:
            with lock:
                under_way[0] -= 1

    with ScriptedModel(script) as model:
        assert failed(ask_often(session_of(model, clock=clock), 20)) == []
        assert model.calls == 21


@pytest.mark.parametrize(
    ("refusal", "second"),
    [
        (said.groq_too_large(6_000, 7_500), 4_000 - 1_500 - 16),
        (Reply("Payload too large", status=413), 1_000),
        (
            said.openai_error(
                "This model's maximum context length is 4096 tokens. However, you requested 5096"
                " tokens (1096 in the messages, 4000 in the completion). Please reduce the length"
                " of the messages or completion.",
                code="context_length_exceeded",
                param="messages",
            ),
            4_096 - 1_096 - 16,
        ),
        (
            said.openai_error(
                "max_tokens is too large: 4000. This model supports at most 2048 completion tokens,"
                " whereas you provided 4000.",
                code="invalid_value",
                param="max_tokens",
            ),
            2_048,
        ),
        (
            said.openai_error(
                "Invalid max_tokens value, the valid range of max_tokens is [1, 2048]"
            ),
            2_048,
        ),
        (
            said.openai_error(
                "'max_tokens' or 'max_completion_tokens' is too large: 4000. This model's maximum"
                " context length is 4096 tokens and your request has 1096 input tokens"
                " (4000 > 4096 - 1096)."
            ),
            4_096 - 1_096 - 16,
        ),
        (
            said.refusal(
                400,
                {
                    "error": {
                        "code": 400,
                        "message": "the request exceeds the available context size. try increasing"
                        " the context size or enable context shift",
                        "type": "exceed_context_size_error",
                        "n_prompt_tokens": 1096,
                        "n_ctx": 4096,
                    }
                },
            ),
            4_096 - 1_096 - 16,
        ),
        (
            said.refusal(
                400,
                {
                    "error": "Trying to keep the first 4171 tokens when context the overflows."
                    " However, the model is loaded with context length of only 4096 tokens,"
                    " which is not enough. Try to load the model with a larger context length"
                },
            ),
            1_000,
        ),
    ],
)
def test_a_request_that_is_too_large_asks_for_less_instead_of_the_same_again(
    refusal: Reply, second: int
):
    with ScriptedModel([refusal, label(), label()]) as model:
        session = session_of(model)
        assert [ask(session).spent.attempts for _ in range(2)] == [2, 1]
        assert [one["max_tokens"] for one in model.requests] == [4_000, second, second]


def test_a_prompt_that_never_fits_is_given_up_after_the_least_room():
    with ScriptedModel(lambda _: Reply("Request too large", status=413)) as model:
        with pytest.raises(LabelingError, match="request too large"):
            ask(session_of(model))
        assert [one["max_tokens"] for one in model.requests] == [4_000, 1_000, 256]


def test_a_setting_limits_the_answers_from_the_first_call():
    with ScriptedModel([label()]) as model:
        ask(session_of(model, max_tokens=700))
        assert model.requests[0]["max_tokens"] == 700


def refuses(*names: str) -> Script:
    """Refuse parameters one after the other, as OpenAI does."""

    def script(request: dict[str, Any]) -> Reply:
        sent = next((name for name in names if name in request), None)
        return label() if sent is None else said.unsupported(sent)

    return script


def refuses_format(*kinds: str) -> Script:
    def script(request: dict[str, Any]) -> Reply:
        kind = request.get("response_format", {}).get("type")
        if kind in kinds:
            return said.openai_error(
                f"Invalid parameter: 'response_format' of type '{kind}' is not supported with this"
                " model.",
                param="response_format",
            )
        return label()

    return script


@pytest.mark.parametrize(
    ("script", "calls", "last"),
    [
        (refuses("temperature"), 2, {"temperature": None, "seed": 0}),
        (refuses("seed"), 2, {"seed": None, "temperature": 0}),
        (refuses("max_tokens"), 2, {"max_tokens": None, "max_completion_tokens": 4_000}),
        (
            refuses("max_tokens", "max_completion_tokens"),
            3,
            {"max_tokens": None, "max_completion_tokens": None},
        ),
        (refuses("max_tokens", "temperature", "seed"), 4, {"temperature": None, "seed": None}),
        (refuses_format("json_schema"), 2, {"response_format": {"type": "json_object"}}),
        (refuses_format("json_schema", "json_object"), 3, {"response_format": None}),
        (refuses("response_format"), 3, {"response_format": None}),
    ],
    ids=[
        "temperature",
        "seed",
        "max_tokens",
        "any limit of tokens",
        "three at once",
        "schema",
        "schema and json_object",
        "response_format",
    ],
)
@pytest.mark.parametrize("style", ["write", "choose"])
def test_a_parameter_that_is_refused_is_dropped_once_for_the_run_and_logged(
    script: Script,
    calls: int,
    last: dict[str, Any],
    style: str,
    caplog: pytest.LogCaptureFixture,
):
    def answer(request: dict[str, Any]) -> Reply:
        reply = script(request)
        chosen = label(canonical_title="Export hangs", description="The export hangs at 90 %.")
        return reply if reply.body is not None else (chosen if style == "choose" else reply)

    with ScriptedModel(answer) as model, caplog.at_level(logging.WARNING):
        session = session_of(model, source="local", local_style=style)
        assert [ask(session).spent.attempts for _ in range(3)] == [calls, 1, 1]
        assert model.calls == calls + 2
        for name, value in last.items():
            if style == "choose" and name == "max_completion_tokens" and value:
                value = 500
            assert model.requests[-1].get(name) == value
        assert all("json" in str(one["messages"]).lower() for one in model.requests)
    lines = [one for one in caplog.messages if "from now on in this run" in one]
    assert len(lines) == calls - 1


def test_a_server_that_takes_a_schema_but_no_json_object_gets_a_schema(
    monkeypatch: pytest.MonkeyPatch,
):
    def script(request: dict[str, Any]) -> Reply:
        kind = request.get("response_format", {}).get("type", "text")
        return said.LM_STUDIO_WANTS_SCHEMA if kind == "json_object" else label()

    with ScriptedModel(script) as model:
        monkeypatch.setenv("OPENAI_BASE_URL", model.url)
        monkeypatch.setenv("OPENAI_API_BASE", model.url)
        # Without an address LiteLLM's own knowledge counts, and it knows nothing of the model.
        session = session_of(model, remote_base_url="")
        assert ask(session).spent.attempts == 2
        kinds = [one["response_format"]["type"] for one in model.requests]
        assert kinds == ["json_object", "json_schema"]


@pytest.mark.parametrize(
    ("refusal", "name", "path"),
    [
        (said.ANTHROPIC_NO_CREDIT, "anthropic/claude-sonnet-4-5", ""),
        (said.OPENAI_NO_QUOTA, "openai/gpt-4o", "/v1"),
        (said.OPENAI_DEACTIVATED, "openai/gpt-4o", "/v1"),
        (said.OPENAI_BILLING, "openai/gpt-4o", "/v1"),
        (said.DEEPSEEK_NO_BALANCE, "deepseek/deepseek-chat", ""),
        (said.OPENROUTER_NO_CREDIT, "openrouter/x/y", "/api/v1"),
        (said.gemini_limit(20, per="Day", value=250), "gemini/gemini-2.5-flash", "/v1beta"),
        (Reply("slow down", status=429, retry_after="3600"), "openai/gpt-4o", "/v1"),
    ],
)
def test_a_spent_account_costs_one_call_of_the_run(
    refusal: Reply, name: str, path: str, clock: FastClock
):
    with ScriptedModel(lambda _: refusal) as model:
        session = session_of(model, name, path=path, clock=clock)
        results = failed(ask_often(session, 8))
        assert len(results) == 8
        assert model.calls == 1
        assert sum("not asked again in this run" in one for one in results) >= 7


def test_one_failed_generation_is_an_invalid_answer_and_leaves_the_schema_on():
    with ScriptedModel([said.GROQ_BAD_GENERATION, label(), label()]) as model:
        session = session_of(model, "groq/openai/gpt-oss-120b", path="/openai/v1")
        assert [ask(session).spent.attempts for _ in range(2)] == [2, 1]
        assert model.calls == 3
        kinds = {one["response_format"]["type"] for one in model.requests}
        assert kinds == {"json_schema"}
        assert "no valid JSON" in model.requests[1]["messages"][-1]["content"]


def tool_call(arguments: str) -> dict[str, Any]:
    function = {"name": "issue_label", "arguments": arguments}
    return {"tool_calls": [{"id": "call_1", "type": "function", "function": function}]}


@pytest.mark.parametrize(
    "reply",
    [
        Reply("", message={"reasoning_content": f"I think this: {GOOD}"}),
        Reply(None, message={"reasoning": GOOD}),
        Reply(None, message=tool_call(GOOD), finish_reason="tool_calls"),
        Reply(json.dumps({"response": GOOD_LABEL})),
        Reply(json.dumps({"name": "issue_label", "parameters": GOOD_LABEL})),
        Reply(json.dumps({"name": "issue_label", "arguments": GOOD})),
        Reply(json.dumps({"type": "object", "properties": GOOD_LABEL})),
        Reply(json.dumps([GOOD_LABEL])),
        Reply(json.dumps(GOOD)),
        Reply(f"{GOOD}\n</think>"),
        Reply(f"<think>Let me see.\n{GOOD}"),
        Reply(f"{GOOD}\n{{}}"),
        Reply(f"{GOOD}\n{GOOD}"),
        Reply(f"<think>{DRAFT} No.</think>{GOOD}"),
        Reply(f"[THINK]{DRAFT}[/THINK]{GOOD}"),
        Reply(f"<seed:think>{DRAFT}</seed:think>{GOOD}"),
        Reply(f'<think duration="3">{DRAFT}</think>{GOOD}'),
        Reply(f"◁think▷{DRAFT}◁/think▷{GOOD}"),
        Reply(f"<|channel|>analysis<|message|>{DRAFT}<|end|><|start|>assistant"
              f"<|channel|>final<|message|>{GOOD}<|return|>"),
        Reply(f"analysisMaybe {DRAFT}? No.assistantfinal{GOOD}"),
        Reply(json.dumps({"result": {"label": GOOD_LABEL}})),
        Reply(json.dumps({"category": "devtools", "label": GOOD_LABEL})),
        Reply(json.dumps(json.dumps(GOOD))),
        Reply(f'"Export" is their theme.\n{GOOD}'),
        Reply(GOOD[:-1] + ",}"),
        Reply(None, message=tool_call(f"```json\n{GOOD}\n```"), finish_reason="tool_calls"),
        label(category=["devtools"]),
        label(is_problem="true"),
        Reply(f"```json\n{GOOD}\n```\nThis label says", finish_reason="length"),
        Reply(GOOD, finish_reason="length"),
        label(category="DevTools", impact_level="MEDIUM"),
        label(category=" dev-tools "),
        Reply(json.dumps({"CanonicalTitle" if k == "canonical_title" else k: v
                          for k, v in GOOD_LABEL.items()})),
    ],
)  # fmt: skip
def test_a_label_is_found_in_what_is_wrapped_around_it(reply: Reply):
    with ScriptedModel([reply]) as model:
        result = ask(session_of(model))
        assert model.calls == 1
    assert result.label == IssueLabel.model_validate(GOOD_LABEL)


@pytest.mark.parametrize(
    ("reply", "complaint"),
    [
        (Reply(f"{DRAFT}\n{GOOD}"), "got 2 different labels"),
        (Reply(f'{GOOD}\n{{"canonical_title": "No, this"}}'), "Field required"),
        (Reply("", message={"reasoning_content": f"{DRAFT} or {GOOD}"}), "expected"),
        (Reply("{}"), "canonical_title: Field required"),
    ],
)
def test_what_holds_no_single_label_is_sent_back(reply: Reply, complaint: str):
    with ScriptedModel([reply, label()]) as model:
        assert ask(session_of(model)).spent.attempts == 2
        assert complaint in str(model.requests[1]["messages"][-1])


@pytest.mark.parametrize(
    "reply",
    [
        Reply(f"<think>Maybe {DRAFT}? No, that is wrong, since", finish_reason="length"),
        Reply("", message={"reasoning_content": f"Maybe {DRAFT}? No"}, finish_reason="length"),
        Reply(f"◁think▷Maybe {DRAFT}? No", finish_reason="length"),
        Reply(f"Thinking... {DRAFT} No, that is wrong, since", finish_reason="length"),
        Reply(f'{DRAFT} {{"canonical_title": "Better', finish_reason="length"),
        Reply(GOOD[:40], finish_reason="length"),
        Reply("", finish_reason="length"),
    ],
    ids=[
        "an unclosed thought",
        "a thought apart",
        "another unclosed thought",
        "a thought without marks",
        "a second label begun",
        "half a label",
        "nothing",
    ],
)
def test_an_answer_that_was_cut_off_is_asked_for_once_more_with_more_room(reply: Reply):
    long = {"prompt_tokens": 100, "completion_tokens": 6_000, "total_tokens": 6_100}
    needed_it = replace(label(), usage=long)
    replies = [reply, label(), reply, needed_it, label()]
    with ScriptedModel(replies) as model:
        session = session_of(model)
        assert [ask(session).spent.attempts for _ in range(3)] == [2, 2, 1]
        room = [one["max_tokens"] for one in model.requests]
        # Once an answer has needed it, all get more room at once.
        assert room == [4_000, 16_000, 4_000, 16_000, 16_000]
        assert model.requests[0]["messages"] == model.requests[1]["messages"]
    with ScriptedModel(lambda _: reply) as model:
        with pytest.raises(LabelingError, match="cut off"):
            ask(session_of(model))
        assert model.calls == 2
    with ScriptedModel(lambda _: reply) as model:
        with pytest.raises(LabelingError, match="cut off"):
            ask(session_of(model, max_tokens=500))
        assert model.calls == 1  # there is no more room


@pytest.mark.parametrize(
    ("refusal", "source", "name", "path", "setting"),
    [
        (Reply(status=404, body="404 page not found"), "local", "ollama_chat/llama3.1", "/v1",
         "Check LLM_LOCAL_BASE_URL: ollama_chat speaks Ollama's own protocol, so it ends without"),
        (Reply(status=404, body="404 page not found"), "local", "openai/llama3.1", "",
         "Check LLM_LOCAL_BASE_URL: OpenAI-compatible servers usually want /v1"),
        (Reply("model 'x' not found", status=404), "local", "ollama_chat/x", "",
         "Check LLM_LOCAL_MODEL"),
        (Reply("The model `x` does not exist", status=404), "local", "openai/x", "/v1",
         "Check LLM_LOCAL_MODEL"),
        (Reply("Invalid API Key", status=401), "local", "openai/x", "/v1",
         "Check LLM_LOCAL_API_KEY"),
        (Reply("Invalid API Key", status=401), "remote", "openai/x", "/v1",
         "Check LLM_REMOTE_API_KEY"),
        (said.AZURE_NO_DEPLOYMENT, "remote", "azure/my-deployment", "",
         "Check LLM_REMOTE_MODEL"),
        (said.refusal(200, {"error": "Unexpected endpoint or method. (POST /chat/completions)"}),
         "local", "openai/x", "", "Check LLM_LOCAL_BASE_URL"),
        (said.refusal(200, "<!doctype html><title>Chat</title>"), "local", "openai/x", "",
         "Check LLM_LOCAL_BASE_URL"),
        (said.refusal(400, {"object": "error", "message": "Invalid model: x"}), "remote",
         "openai/x", "/v1", "Check LLM_REMOTE_MODEL"),
        (Reply(status=404, body="Not Found"), "remote", "openai/x", "",
         "Check LLM_REMOTE_BASE_URL"),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_named(refusal: Reply, source: str, name: str, path: str, setting: str):
    with ScriptedModel(lambda _: refusal) as model:
        with pytest.raises(LabelingError, match=r"refused|no model's reply") as caught:
            ask(session_of(model, name, path=path, source=source))
        assert setting in str(caught.value)
        assert model.calls == 1
        assert KEY not in str(caught.value)


def test_a_local_server_without_a_key_gets_none_that_is_another_servers(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with ScriptedModel([label()]) as model:
        ask(session_of(model, source="local", local_api_key=""))
        assert KEY not in str(model.headers)
