import json
from collections.abc import Sequence
from typing import Any

import pytest

from issue_pipeline.errors import ConfigurationError, LabelingError
from issue_pipeline.labels import IssueLabel, label_schema
from issue_pipeline.prompts import LabelRequest, Representative
from issue_pipeline.resources.llm import LabelingSession, LLMResource
from issue_pipeline_tests.scripted_model import (
    COMPLETION_TOKENS,
    GOOD_LABEL,
    HANG,
    PROMPT_TOKENS,
    Reply,
    Script,
    ScriptedModel,
    label,
)

KEY = "sk-remote-4f9a1c7e2b8d6a03"
POSTS = [
    Representative("Export hangs", "The export hangs at 90 %."),
    Representative("CSV fails", ""),
]
SMALL = LabelRequest(POSTS, cluster_size=12, likely_category="devtools")
LARGE = LabelRequest(POSTS, cluster_size=51, likely_category="devtools")
BROKEN = Reply("it broke", status=500)
WRONG = label(category="games")


@pytest.fixture
def point_remote_at(monkeypatch: pytest.MonkeyPatch):
    """Makes ``openai/...`` without a base URL, as remote models are named, answer here."""

    def point(model: ScriptedModel) -> None:
        monkeypatch.setenv("OPENAI_BASE_URL", model.url)
        monkeypatch.setenv("OPENAI_API_BASE", model.url)

    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    return point


def local_session(model: ScriptedModel, **settings: Any) -> LabelingSession:
    return LLMResource(
        local_model="openai/small", local_base_url=model.url, **settings
    ).start_session()


def both(local: ScriptedModel, **settings: Any) -> LabelingSession:
    return local_session(local, remote_model="openai/gpt-4o", remote_api_key=KEY, **settings)


def last_message(model: ScriptedModel) -> str:
    return str(model.requests[-1]["messages"][-1]["content"])


@pytest.mark.parametrize(
    "answer",
    [
        json.dumps(GOOD_LABEL),
        f"```json\n{json.dumps(GOOD_LABEL, indent=2)}\n```",
        f"Here is the label you asked for:\n\n{json.dumps(GOOD_LABEL)}\n\nI hope this helps!",
    ],
    ids=["bare", "fenced", "within prose"],
)
def test_a_valid_answer_is_taken_at_once(answer: str):
    with ScriptedModel([Reply(answer)]) as model:
        result = local_session(model).label(SMALL)
        assert model.calls == 1
    assert result.label == IssueLabel.model_validate(GOOD_LABEL)
    assert (result.source, result.model, result.cost_usd) == ("local", "openai/small", 0.0)
    assert (result.prompt_tokens, result.completion_tokens) == (PROMPT_TOKENS, COMPLETION_TOKENS)


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (WRONG, "category: Input should be 'ai'"),
        (label(canonical_title="x" * 500), "canonical_title: String should have at most 120"),
        (label(description=...), "description: Field required"),
        (label(confidence=1), "confidence: Extra inputs are not permitted"),
        (label(description="See https://evil.example"), "contains a URL"),
        (Reply(""), "expected a JSON object, got none"),
        (Reply(None), "expected a JSON object, got none"),
        (Reply("I cannot help with that."), "expected a JSON object, got none"),
        (Reply("}{"), "expected a JSON object, got none"),
        (Reply('{"category": '), "expected a JSON object, got none"),
        (Reply('{"category": }'), "answer: Invalid JSON"),
        (Reply("[" * 9 + "{}" + "]" * 9), "canonical_title: Field required"),
    ],
)
def test_an_invalid_answer_is_sent_back_once_with_what_was_wrong(answer: Reply, complaint: str):
    with ScriptedModel([answer, label()]) as model:
        result = local_session(model).label(SMALL)
        assert model.calls == 2
        assert complaint in last_message(model)
    assert result.label == IssueLabel.model_validate(GOOD_LABEL)
    assert result.prompt_tokens == 2 * PROMPT_TOKENS
    assert result.completion_tokens == 2 * COMPLETION_TOKENS


def test_a_model_that_is_wrong_twice_is_not_asked_a_third_time():
    with ScriptedModel([label(impact_level=...), label(impact_level=...), label()]) as model:
        with pytest.raises(LabelingError, match=r"openai/small: impact_level: Field required"):
            local_session(model).label(SMALL)
        assert model.calls == 2


def test_the_model_is_bound_to_the_schema_and_to_one_reproducible_answer():
    with ScriptedModel([label()]) as model:
        local_session(model).label(SMALL)
    [request] = model.requests
    assert request["model"] == "small"
    assert request["response_format"]["json_schema"]["schema"] == label_schema()
    assert (request["temperature"], request["seed"]) == (0, 0)
    assert [message["role"] for message in request["messages"]] == ["system", "user"]


def test_a_choosing_model_is_held_to_the_titles_it_was_given():
    chosen = label(canonical_title="CSV fails")
    with ScriptedModel([label(canonical_title="My own idea"), chosen]) as model:
        result = local_session(model, local_style="choose").label(SMALL)
        assert "canonical_title: expected one of the titles given" in last_message(model)
    assert result.label.canonical_title == "CSV fails"
    schema = model.requests[0]["response_format"]["json_schema"]["schema"]
    assert schema["properties"]["canonical_title"]["enum"] == ["Export hangs", "CSV fails"]


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (BROKEN, "no answer"),
        (Reply("unknown model", status=404), "no answer"),
        (Reply("slow down", status=429), "rate limited"),
        (Reply("You exceeded your current quota, see your plan", status=429), "quota spent"),
        (Reply("bad key", status=401), r"refused .* Check LLM_LOCAL_MODEL"),
        (Reply("no money", status=402), "refused"),
        (Reply("not yours", status=403), "refused"),
        (Reply(body="<html>Bad gateway</html>"), "no answer"),
        (Reply(body='{"choices": []}'), "no answer"),
        (Reply(body="null"), "no answer"),
        (HANG, "no answer .*Timeout"),
    ],
    ids=lambda value: str(getattr(value, "status", ""))[:3],
)
def test_a_failing_model_is_asked_once_and_says_why(reply: Reply, said: str):
    with ScriptedModel(lambda _: reply) as model:
        with pytest.raises(LabelingError, match=rf"openai/small: {said}"):
            local_session(model, timeout_s=0.3 if reply is HANG else 30).label(SMALL)
        assert model.calls == 1


def test_a_model_that_is_not_running_says_so():
    with ScriptedModel([]) as model:
        session = local_session(model)
    with pytest.raises(LabelingError, match="openai/small: no answer"):
        session.label(SMALL)


def test_the_local_model_is_asked_first(point_remote_at: Any):
    with ScriptedModel([label()]) as local, ScriptedModel([]) as remote:
        point_remote_at(remote)
        assert both(local).label(SMALL).source == "local"
        assert (local.calls, remote.calls) == (1, 0)


@pytest.mark.parametrize(
    ("script", "calls"), [([WRONG, WRONG], 2), ([BROKEN], 1), ([Reply("no", status=401)], 1)]
)
def test_the_remote_model_answers_where_the_local_one_fails(
    script: Sequence[Reply], calls: int, point_remote_at: Any
):
    with ScriptedModel(script) as local, ScriptedModel([label()]) as remote:
        point_remote_at(remote)
        result = both(local).label(SMALL)
        assert (local.calls, remote.calls) == (calls, 1)
    assert (result.source, result.model) == ("remote", "openai/gpt-4o")
    assert remote.headers[0]["authorization"] == f"Bearer {KEY}"


def test_the_key_of_the_remote_model_never_reaches_the_local_one(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with ScriptedModel([label()]) as local:
        both(local).label(SMALL)
    assert KEY not in str(local.headers)


def test_a_large_cluster_goes_to_the_remote_model_first(point_remote_at: Any):
    with ScriptedModel([]) as local, ScriptedModel([label()]) as remote:
        point_remote_at(remote)
        assert both(local).label(LARGE).source == "remote"
        assert (local.calls, remote.calls) == (0, 1)


def test_the_limit_itself_is_not_yet_a_large_cluster(point_remote_at: Any):
    with ScriptedModel([label()]) as local, ScriptedModel([]) as remote:
        point_remote_at(remote)
        assert both(local, remote_above=51).label(LARGE).source == "local"
        assert (local.calls, remote.calls) == (1, 0)


def test_a_large_cluster_is_left_to_the_local_model_where_the_remote_one_fails(
    point_remote_at: Any,
):
    with ScriptedModel([label()]) as local, ScriptedModel([BROKEN]) as remote:
        point_remote_at(remote)
        assert both(local).label(LARGE).source == "local"
        assert (local.calls, remote.calls) == (1, 1)


@pytest.mark.parametrize("request_", [SMALL, LARGE], ids=["small", "large"])
def test_at_most_four_calls_are_made_for_a_cluster(request_: LabelRequest, point_remote_at: Any):
    with ScriptedModel(lambda _: WRONG) as local, ScriptedModel(lambda _: WRONG) as remote:
        point_remote_at(remote)
        with pytest.raises(LabelingError) as caught:
            both(local).label(request_)
        assert (local.calls, remote.calls) == (2, 2)
    for name in ("openai/small", "openai/gpt-4o"):
        assert f"{name}: category: Input should be" in str(caught.value)


@pytest.mark.parametrize(
    "refusal",
    [
        Reply("bad key", status=401),
        Reply("no money", status=402),
        Reply("not yours", status=403),
        Reply("You exceeded your current quota.", status=429),
    ],
    ids=lambda reply: str(reply.status),
)
def test_a_model_that_refuses_us_is_not_asked_again_in_the_run(
    refusal: Reply, point_remote_at: Any
):
    with ScriptedModel(lambda _: label()) as local, ScriptedModel(lambda _: refusal) as remote:
        point_remote_at(remote)
        session = both(local)
        assert [session.label(LARGE).source for _ in range(3)] == ["local"] * 3
        assert (local.calls, remote.calls) == (3, 1)
        both(local).label(LARGE)  # another run tries again
        assert remote.calls == 2


def test_a_run_whose_only_model_refuses_fails_without_further_calls():
    with ScriptedModel(lambda _: Reply("bad key", status=401)) as model:
        session = local_session(model)
        for said in ("refused", "not asked again in this run"):
            with pytest.raises(LabelingError, match=said):
                session.label(SMALL)
        assert model.calls == 1


def test_a_refusing_model_does_not_silence_another_of_the_same_name(point_remote_at: Any):
    with ScriptedModel([Reply("no", status=401)]) as local, ScriptedModel([label()]) as remote:
        point_remote_at(remote)
        session = local_session(local, remote_model="openai/small", remote_api_key=KEY)
        assert session.label(SMALL).source == "remote"


@pytest.mark.parametrize(
    "message",
    [
        "Rate limit reached on tokens per minute (TPM): Limit 6000. Please try again in 4.7s. Need"
        " more? Upgrade today at https://console.example/settings/billing",
        "Rate limit reached on requests per min (RPM): Limit 3. Add a payment method to your"
        " account to increase it.",
        "Quota exceeded for quota metric GenerateRequestsPerMinutePerProject, limit: 15",
        "Too many requests. See https://api.example/docs/quota",
    ],
)
def test_a_limit_per_minute_does_not_end_the_models_run(message: str):
    with ScriptedModel([Reply(message, status=429), label()]) as model:
        session = local_session(model)
        with pytest.raises(LabelingError, match="rate limited"):
            session.label(SMALL)
        assert session.label(SMALL).source == "local"


def test_a_failed_call_does_not_keep_a_model_from_being_asked_again():
    with ScriptedModel([BROKEN, label()]) as model:
        session = local_session(model)
        with pytest.raises(LabelingError):
            session.label(SMALL)
        assert session.label(SMALL).source == "local"


def test_a_key_that_the_provider_repeats_does_not_get_into_the_error(point_remote_at: Any):
    echo = Reply(f"Incorrect API key provided: {KEY}", status=401)
    with ScriptedModel([BROKEN]) as local, ScriptedModel([echo]) as remote:
        point_remote_at(remote)
        with pytest.raises(LabelingError, match="Check LLM_REMOTE_API_KEY") as caught:
            both(local).label(SMALL)
    assert KEY not in str(caught.value)


def test_remote_tokens_are_paid_for_at_the_models_price(point_remote_at: Any):
    # Per million tokens, gpt-4o costs 2.50 dollars read and 10 dollars written.
    with ScriptedModel([BROKEN]) as local, ScriptedModel([WRONG, label()]) as remote:
        point_remote_at(remote)
        result = both(local).label(SMALL)
    assert result.cost_usd == pytest.approx(2 * (100 * 2.5e-6 + 20 * 10e-6))
    assert result.prompt_tokens == 200


def test_a_local_model_costs_nothing_even_under_the_name_of_a_paid_one():
    answer = label().content
    with ScriptedModel([Reply(answer, model="gpt-4o")]) as model:
        assert local_session(model).label(SMALL).cost_usd == 0.0


def test_without_any_model_there_is_nothing_to_start():
    with pytest.raises(ConfigurationError, match="Set LLM_LOCAL_MODEL"):
        LLMResource().start_session()


def test_a_script_that_runs_out_says_so():
    script: Script = []
    with ScriptedModel(script) as model, pytest.raises(LabelingError, match="reply number 1"):
        local_session(model).label(SMALL)


def test_a_label_that_failed_tells_what_it_took(point_remote_at: Any):
    with ScriptedModel(lambda _: WRONG) as local, ScriptedModel(lambda _: WRONG) as remote:
        point_remote_at(remote)
        with pytest.raises(LabelingError) as caught:
            both(local).label(SMALL)
    assert caught.value.prompt_tokens == 4 * PROMPT_TOKENS
    assert caught.value.completion_tokens == 4 * COMPLETION_TOKENS
    assert caught.value.cost_usd == pytest.approx(2 * (100 * 2.5e-6 + 20 * 10e-6))


def test_a_key_that_the_model_made_up_cannot_forge_a_log_line_or_drown_the_rest():
    forged = label(**{"x\nERROR \x1b[2J\u202e" + "y" * 900: 1}, impact_level="dire")
    with ScriptedModel(lambda _: forged) as model, pytest.raises(LabelingError) as caught:
        local_session(model).label(SMALL)
    told = str(caught.value)
    assert told.isprintable()
    assert "impact_level: Input should be" in told
    assert len(told) < 600


def test_a_servers_words_come_without_controls_and_user_info():
    echo = Reply("\x1b]0;owned\x07 see http://joe:hush@shop.example/", status=500)
    with ScriptedModel([echo]) as model, pytest.raises(LabelingError) as caught:
        local_session(model).label(SMALL)
    assert "shop.example" in str(caught.value)
    assert str(caught.value).isprintable()
    assert "hush" not in str(caught.value)


def test_the_key_does_not_show_when_the_resource_is_printed():
    assert KEY not in repr(LLMResource(remote_model="openai/gpt-4o", remote_api_key=KEY))
