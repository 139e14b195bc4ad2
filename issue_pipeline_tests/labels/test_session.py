import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import Any

import pytest

from issue_pipeline.errors import LabelingError
from issue_pipeline.labels import session as labelling_session
from issue_pipeline.labels.choices import Choices
from issue_pipeline.labels.prompts import LabelRequest, Representative
from issue_pipeline.labels.schema import IssueLabel, label_schema
from issue_pipeline.labels.session import LabelingSession, LabelResult, start_session
from issue_pipeline.resources.llm import LLMResource, client
from issue_pipeline_tests.support.runaway import stopped_if_it_runs_away
from issue_pipeline_tests.support.scripted_model import (
    COMPLETION_TOKENS,
    GOOD_LABEL,
    HANG,
    PROMPT_TOKENS,
    Reply,
    Script,
    ScriptedModel,
    first_offered,
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


class NoCheck:
    """Takes every label but those whose title is told to be wrong."""

    def __init__(self, *wrong: str) -> None:
        self.wrong = wrong

    def problem(self, label: IssueLabel, *, chosen: bool) -> str | None:
        return "is not about these posts" if label.canonical_title in self.wrong else None


def ask(session: LabelingSession, request: LabelRequest, *wrong: str) -> LabelResult:
    return next(session.candidates(request, NoCheck(*wrong)))


@pytest.fixture(autouse=True)
def _no_time_to_wait(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(labelling_session, "DEFAULT_WAIT_S", 0.0)


@pytest.fixture
def point_remote_at(monkeypatch: pytest.MonkeyPatch):
    """Makes ``openai/...`` without a base URL, as remote models are named, answer here."""

    def point(model: ScriptedModel) -> None:
        monkeypatch.setenv("OPENAI_BASE_URL", model.url)
        monkeypatch.setenv("OPENAI_API_BASE", model.url)

    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    return point


def local_session(model: ScriptedModel, **settings: Any) -> LabelingSession:
    return start_session(
        LLMResource(local_model="openai/small", local_base_url=model.url, **settings)
    )


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
        result = ask(local_session(model), SMALL)
        assert model.calls == 1
    assert result.label == IssueLabel.model_validate(GOOD_LABEL)
    assert (result.source, result.model, result.spent.cost_usd) == ("local", "openai/small", 0.0)
    assert (result.spent.prompt_tokens, result.spent.completion_tokens) == (
        PROMPT_TOKENS,
        COMPLETION_TOKENS,
    )


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
        result = ask(local_session(model), SMALL)
        assert model.calls == 2
        assert complaint in last_message(model)
    assert result.label == IssueLabel.model_validate(GOOD_LABEL)
    assert result.spent.prompt_tokens == 2 * PROMPT_TOKENS
    assert result.spent.completion_tokens == 2 * COMPLETION_TOKENS


def test_a_model_that_is_wrong_twice_is_not_asked_a_third_time():
    with ScriptedModel([label(impact_level=...), label(impact_level=...), label()]) as model:
        with pytest.raises(LabelingError, match=r"openai/small: impact_level: Field required"):
            ask(local_session(model), SMALL)
        assert model.calls == 2


def test_the_model_is_bound_to_the_schema_and_to_one_reproducible_answer():
    with ScriptedModel([label()]) as model:
        ask(local_session(model), SMALL)
    [request] = model.requests
    assert request["model"] == "small"
    assert request["response_format"]["json_schema"]["schema"] == label_schema()
    assert (request["temperature"], request["seed"]) == (0, 0)
    assert [message["role"] for message in request["messages"]] == ["system", "user"]


def test_a_choosing_model_is_held_to_the_titles_it_was_given():
    chosen = label(canonical_title="CSV fails")
    told = replace(POSTS[0], snippet="Every export of a large workspace hangs at ninety percent.")
    request = replace(SMALL, representatives=[told, *POSTS[1:]])
    with ScriptedModel([label(canonical_title="My own idea"), chosen]) as model:
        result = ask(local_session(model, local_style="choose"), request)
        assert "canonical_title: expected one of the titles given" in last_message(model)
    assert result.label.canonical_title == "CSV fails"
    schema = model.requests[0]["response_format"]["json_schema"]["schema"]
    assert schema["properties"]["canonical_title"]["enum"] == ["Export hangs", "CSV fails"]


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (BROKEN, "no answer"),
        (Reply("no such prompt", status=400), "no answer"),
        (Reply("unknown model", status=404), r"refused .* Check LLM_LOCAL_MODEL"),
        (Reply("slow down", status=429, retry_after="3600"), "rate limited"),
        (Reply("You exceeded your current quota, see your plan", status=429), "quota spent"),
        (Reply("bad key", status=401), r"refused .* Check LLM_LOCAL_API_KEY"),
        (Reply("no money", status=402), "refused"),
        (Reply("not yours", status=403), "refused"),
        (Reply(body="<html>Bad gateway</html>"), "no answer"),
        (Reply(body='{"choices": []}'), "no answer"),
        (Reply(body="null"), "no answer"),
        (Reply(body='{"choices": [{"mess', cut=True), "no answer"),
        (HANG, "no answer .*Timeout"),
    ],
    ids=lambda value: str(getattr(value, "status", ""))[:3],
)
def test_a_failing_model_is_asked_once_and_says_why(reply: Reply, said: str):
    with ScriptedModel(lambda _: reply) as model:
        with pytest.raises(LabelingError, match=rf"openai/small: {said}"):
            ask(local_session(model, timeout_s=0.3 if reply is HANG else 30), SMALL)
        assert model.calls_after(1) == 1


def test_a_model_that_is_not_running_says_so():
    with ScriptedModel([]) as model:
        session = local_session(model)
    with pytest.raises(LabelingError, match="openai/small: no answer"):
        ask(session, SMALL)


def test_the_local_model_is_asked_first(point_remote_at: Any):
    with ScriptedModel([label()]) as local, ScriptedModel([]) as remote:
        point_remote_at(remote)
        assert ask(both(local), SMALL).source == "local"
        assert (local.calls, remote.calls) == (1, 0)


@pytest.mark.parametrize(
    ("script", "calls"), [([WRONG, WRONG], 2), ([BROKEN], 1), ([Reply("no", status=401)], 1)]
)
def test_the_remote_model_answers_where_the_local_one_fails(
    script: Sequence[Reply], calls: int, point_remote_at: Any
):
    with ScriptedModel(script) as local, ScriptedModel([label()]) as remote:
        point_remote_at(remote)
        result = ask(both(local), SMALL)
        assert (local.calls, remote.calls) == (calls, 1)
    assert (result.source, result.model) == ("remote", "openai/gpt-4o")
    assert remote.headers[0]["authorization"] == f"Bearer {KEY}"


def test_the_key_of_the_remote_model_never_reaches_the_local_one(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with ScriptedModel([label()]) as local:
        ask(both(local), SMALL)
    assert KEY not in str(local.headers)


def test_a_large_cluster_goes_to_the_remote_model_first(point_remote_at: Any):
    with ScriptedModel([]) as local, ScriptedModel([label()]) as remote:
        point_remote_at(remote)
        assert ask(both(local), LARGE).source == "remote"
        assert (local.calls, remote.calls) == (0, 1)


def test_the_limit_itself_is_not_yet_a_large_cluster(point_remote_at: Any):
    with ScriptedModel([label()]) as local, ScriptedModel([]) as remote:
        point_remote_at(remote)
        assert ask(both(local, remote_above=51), LARGE).source == "local"
        assert (local.calls, remote.calls) == (1, 0)


def test_a_large_cluster_is_left_to_the_local_model_where_the_remote_one_fails(
    point_remote_at: Any,
):
    with ScriptedModel([label()]) as local, ScriptedModel([BROKEN]) as remote:
        point_remote_at(remote)
        assert ask(both(local), LARGE).source == "local"
        assert (local.calls, remote.calls) == (1, 1)


@pytest.mark.parametrize("request_", [SMALL, LARGE], ids=["small", "large"])
def test_at_most_four_calls_are_made_for_a_cluster(request_: LabelRequest, point_remote_at: Any):
    with ScriptedModel(lambda _: WRONG) as local, ScriptedModel(lambda _: WRONG) as remote:
        point_remote_at(remote)
        with pytest.raises(LabelingError) as caught:
            ask(both(local), request_)
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
        assert [ask(session, LARGE).source for _ in range(3)] == ["local"] * 3
        assert (local.calls, remote.calls) == (3, 1)
        ask(both(local), LARGE)  # another run tries again
        assert remote.calls == 2


def test_a_run_whose_only_model_refuses_fails_without_further_calls():
    with ScriptedModel(lambda _: Reply("bad key", status=401)) as model:
        session = local_session(model)
        for said in ("refused", "not asked again in this run"):
            with pytest.raises(LabelingError, match=said):
                ask(session, SMALL)
        assert model.calls == 1


def test_a_refusing_model_does_not_silence_another_of_the_same_name(point_remote_at: Any):
    with ScriptedModel([Reply("no", status=401)]) as local, ScriptedModel([label()]) as remote:
        point_remote_at(remote)
        session = local_session(local, remote_model="openai/small", remote_api_key=KEY)
        assert ask(session, SMALL).source == "remote"


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
def test_a_limit_per_minute_is_waited_for_and_the_call_made_again(message: str):
    with ScriptedModel([Reply(message, status=429), label()]) as model:
        assert ask(local_session(model), SMALL).source == "local"
        assert model.calls == 2
        assert model.requests[0]["messages"] == model.requests[1]["messages"]


def test_the_wait_is_as_long_as_the_provider_asks_for():
    limited = Reply("slow down", status=429, retry_after="0.4")
    with ScriptedModel([limited, label(), label()]) as model:
        session = local_session(model)
        assert ask(session, SMALL).spent.attempts == 2
        assert session.waited_s >= 0.39


def test_a_model_that_stays_limited_gets_four_calls_for_a_label_and_is_given_up_in_the_end():
    with ScriptedModel(lambda _: Reply("slow down", status=429)) as model:
        session = local_session(model)
        for number in range(1, labelling_session.MAX_SILENCES + 1):
            with pytest.raises(LabelingError, match="rate limited"):
                ask(session, SMALL)
            assert model.calls == 4 * number
        with pytest.raises(LabelingError, match="not asked again in this run: it stays rate"):
            ask(session, SMALL)
        assert model.calls == 4 * labelling_session.MAX_SILENCES


def test_of_two_models_each_gets_two_calls_however_limited(point_remote_at: Any):
    limited = Reply("slow down", status=429)
    with ScriptedModel(lambda _: limited) as local, ScriptedModel(lambda _: limited) as remote:
        point_remote_at(remote)
        with pytest.raises(LabelingError, match="rate limited"):
            ask(both(local), SMALL)
        assert (local.calls, remote.calls) == (2, 2)


def test_nobody_waits_an_hour_and_the_model_is_given_up_for_the_run(point_remote_at: Any):
    limited = Reply("slow down", status=429, retry_after="3600")
    with ScriptedModel(lambda _: label()) as local, ScriptedModel(lambda _: limited) as remote:
        point_remote_at(remote)
        session = both(local)
        assert [ask(session, LARGE).source for _ in range(3)] == ["local"] * 3
        assert remote.calls == 1


def test_a_limit_takes_no_answer_away_from_a_label():
    with ScriptedModel([Reply("slow down", status=429), WRONG, label()]) as model:
        assert ask(local_session(model), SMALL).spent.attempts == 3
    with ScriptedModel([Reply("slow down", status=429), WRONG, WRONG, label()]) as model:
        with pytest.raises(LabelingError, match="category"):
            ask(local_session(model), SMALL)
        assert model.calls == 3


def test_a_model_that_hangs_is_given_up_for_the_run_after_three_calls_in_a_row():
    with ScriptedModel(lambda _: HANG) as model:
        session = local_session(model, timeout_s=0.2)
        for said in ["Timeout"] * labelling_session.MAX_SILENCES + [
            "not asked again in this run"
        ] * 5:
            with pytest.raises(LabelingError, match=said) as caught:
                ask(session, SMALL)
        assert model.calls_after(labelling_session.MAX_SILENCES) == labelling_session.MAX_SILENCES
    assert caught.value.spent.attempts == 0


def test_a_model_that_hangs_now_and_then_is_asked_on():
    replies = [HANG, HANG, label(), HANG, HANG, label()]
    with ScriptedModel(replies) as model:
        session = local_session(model)
        (patient,) = session._models
        for reply in replies:
            # An answer may take its time on a busy machine; silence need not be waited out.
            session._models[0] = replace(patient, timeout_s=0.3) if reply is HANG else patient
            if reply is HANG:
                with pytest.raises(LabelingError, match="Timeout"):
                    ask(session, SMALL)
            else:
                assert ask(session, SMALL).source == "local"


def test_no_call_is_made_beyond_the_runs_budget(point_remote_at: Any):
    with ScriptedModel(lambda _: WRONG) as local, ScriptedModel(lambda _: WRONG) as remote:
        point_remote_at(remote)
        session = both(local, max_calls=7)
        spent = []
        for _ in range(4):
            with pytest.raises(LabelingError) as caught:
                ask(session, SMALL)
            spent.append(caught.value.spent.attempts)
        assert spent == [4, 3, 0, 0]
        assert (local.calls, remote.calls, session.calls) == (4, 3, 7)
    assert "the run's 7 calls (LLM_MAX_CALLS) are spent" in str(caught.value)


def test_a_spent_amount_ends_the_remote_calls_only(point_remote_at: Any):
    # A label of gpt-4o costs 0.00045 dollars here.
    with ScriptedModel(lambda _: label()) as local, ScriptedModel(lambda _: label()) as remote:
        point_remote_at(remote)
        session = both(local, max_cost_usd=0.0008)
        assert [ask(session, LARGE).source for _ in range(3)] == ["remote", "remote", "local"]
        assert remote.calls == 2
        only_remote = LLMResource(
            remote_model="openai/gpt-4o", remote_api_key=KEY, max_cost_usd=0.0
        )
        with pytest.raises(LabelingError, match="LLM_MAX_COST_USD") as caught:
            ask(start_session(only_remote), SMALL)
        assert (remote.calls, caught.value.spent.attempts) == (2, 0)


def test_remote_calls_are_made_concurrently_and_local_ones_one_by_one(point_remote_at: Any):
    together = Barrier(4, timeout=30)

    def once_four_wait(_: dict[str, Any]) -> Reply:
        together.wait()
        return label()

    with ScriptedModel(once_four_wait) as remote:
        point_remote_at(remote)
        session = start_session(LLMResource(remote_model="openai/gpt-4o", remote_api_key=KEY))
        assert session.labels_at_once == 4
        with ThreadPoolExecutor(4) as pool:
            assert len(list(pool.map(lambda _: ask(session, SMALL), range(4)))) == 4
    entered: list[int] = []

    def alone(_: dict[str, Any]) -> Reply:
        entered.append(1)
        assert len(entered) == 1
        entered.pop()
        return label()

    with ScriptedModel(alone) as local, ThreadPoolExecutor(4) as pool:
        session = local_session(local)
        assert session.labels_at_once == 1
        assert len(list(pool.map(lambda _: ask(session, SMALL), range(8)))) == 8


def test_a_stopped_session_makes_no_call_and_waits_for_nothing():
    limited = Reply("slow down", status=429, retry_after="50")
    with ScriptedModel([limited]) as model:
        session = local_session(model)
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(ask, session, SMALL)
            session.stop()
            with pytest.raises(LabelingError):
                asked.result(timeout=20)
        with pytest.raises(LabelingError, match="the run was stopped"):
            ask(session, SMALL)
        assert model.calls <= 1


@pytest.mark.parametrize(
    "answer",
    [
        f"<think>A {{label}} like {{}}? Let me see.</think>\n{json.dumps(GOOD_LABEL)}",
        f"The schema {{}} wants this: {json.dumps(GOOD_LABEL)}",
        f'For example {{"category": "ai"}}. Mine: {json.dumps(GOOD_LABEL)} Is {{this}} good?',
        "x" * 90_000 + json.dumps(GOOD_LABEL),
    ],
    ids=["thoughts", "braces", "an example first", "a long way round"],
)
def test_thoughts_before_the_answer_do_no_harm(answer: str):
    with ScriptedModel([Reply(answer)]) as model:
        assert ask(local_session(model), SMALL).label == IssueLabel.model_validate(GOOD_LABEL)
        assert model.requests[0]["max_tokens"] == 4_000


@pytest.mark.parametrize("unit", ["{", '{"a":', "[", '{"', "</think>{", "{}"])
def test_an_endless_answer_is_read_in_linear_work(unit: str):
    with (
        ScriptedModel(lambda _: Reply(unit * 200_000)) as model,
        pytest.raises(LabelingError),
        stopped_if_it_runs_away(),
    ):
        ask(local_session(model), SMALL)


def test_a_label_that_fails_a_check_is_sent_back_and_then_refused(point_remote_at: Any):
    title = str(GOOD_LABEL["canonical_title"])
    with ScriptedModel(lambda _: label()) as local, ScriptedModel([label(), label()]) as remote:
        point_remote_at(remote)
        with pytest.raises(LabelingError, match="openai/gpt-4o: is not about these posts"):
            ask(both(local), SMALL, title)
        assert (local.calls, remote.calls) == (2, 2)
        assert "is not about these posts" in last_message(local)


def test_a_copy_of_the_instructions_is_no_label():
    copy = label(canonical_title="The chatbot invents order numbers")
    with ScriptedModel([copy, label()]) as model:
        ask(local_session(model), SMALL)
        assert "copied from the instructions" in last_message(model)


def test_a_failed_call_does_not_keep_a_model_from_being_asked_again():
    with ScriptedModel([BROKEN, label()]) as model:
        session = local_session(model)
        with pytest.raises(LabelingError):
            ask(session, SMALL)
        assert ask(session, SMALL).source == "local"


def test_a_key_that_the_provider_repeats_does_not_get_into_the_error(point_remote_at: Any):
    echo = Reply(f"Incorrect API key provided: {KEY}", status=401)
    with ScriptedModel([BROKEN]) as local, ScriptedModel([echo]) as remote:
        point_remote_at(remote)
        with pytest.raises(LabelingError, match="Check LLM_REMOTE_API_KEY") as caught:
            ask(both(local), SMALL)
    assert KEY not in str(caught.value)


def test_remote_tokens_are_paid_for_at_the_models_price(point_remote_at: Any):
    # Per million tokens, gpt-4o costs 2.50 dollars read and 10 dollars written.
    with ScriptedModel([BROKEN]) as local, ScriptedModel([WRONG, label()]) as remote:
        point_remote_at(remote)
        result = ask(both(local), SMALL)
    assert result.spent.cost_usd == pytest.approx(2 * (100 * 2.5e-6 + 20 * 10e-6))
    assert result.spent.prompt_tokens == 200


def test_a_local_model_costs_nothing_even_under_the_name_of_a_paid_one():
    answer = label().content
    with ScriptedModel([Reply(answer, model="gpt-4o")]) as model:
        assert ask(local_session(model), SMALL).spent.cost_usd == 0.0


def test_a_script_that_runs_out_says_so():
    script: Script = []
    with ScriptedModel(script) as model, pytest.raises(LabelingError, match="reply number 1"):
        ask(local_session(model), SMALL)


def test_a_label_that_failed_tells_what_it_took(point_remote_at: Any):
    with ScriptedModel(lambda _: WRONG) as local, ScriptedModel(lambda _: WRONG) as remote:
        point_remote_at(remote)
        with pytest.raises(LabelingError) as caught:
            ask(both(local), SMALL)
    assert caught.value.spent.prompt_tokens == 4 * PROMPT_TOKENS
    assert caught.value.spent.completion_tokens == 4 * COMPLETION_TOKENS
    assert caught.value.spent.cost_usd == pytest.approx(2 * (100 * 2.5e-6 + 20 * 10e-6))


def test_a_key_that_the_model_made_up_cannot_forge_a_log_line_or_drown_the_rest():
    forged = label(**{"x\nERROR \x1b[2J\u202e" + "y" * 900: 1}, impact_level="dire")
    with ScriptedModel(lambda _: forged) as model, pytest.raises(LabelingError) as caught:
        ask(local_session(model), SMALL)
    told = str(caught.value)
    assert told.isprintable()
    assert "impact_level: Input should be" in told
    assert len(told) < 600


def test_a_servers_words_come_without_controls_and_user_info():
    echo = Reply("\x1b]0;owned\x07 see http://joe:hush@shop.example/", status=500)
    with ScriptedModel([echo]) as model, pytest.raises(LabelingError) as caught:
        ask(local_session(model), SMALL)
    assert "shop.example" in str(caught.value)
    assert str(caught.value).isprintable()
    assert "hush" not in str(caught.value)


def refuses_schemas(request: dict[str, Any]) -> Reply:
    if request["response_format"]["type"] == "json_schema":
        return Reply("Invalid schema for response_format 'issue_label': ...", status=400)
    return label()


def test_a_model_that_refuses_the_schema_is_asked_for_any_json_from_then_on():
    with ScriptedModel(refuses_schemas) as model:
        session = local_session(model)
        assert [ask(session, SMALL).spent.attempts for _ in range(3)] == [2, 1, 1]
        assert model.calls == 4
        assert model.requests[-1]["response_format"] == {"type": "json_object"}
        assert model.requests[0]["messages"] == model.requests[1]["messages"]


def test_a_request_refused_for_another_reason_is_not_made_again():
    with ScriptedModel(lambda _: Reply("the posts are indecent", status=400)) as model:
        with pytest.raises(LabelingError, match="posts are indecent"):
            ask(local_session(model), SMALL)
        assert model.calls == 1


def test_an_ollama_model_is_bound_to_the_schema(monkeypatch: pytest.MonkeyPatch):
    with ScriptedModel([BROKEN, BROKEN]) as model:
        monkeypatch.setenv("OLLAMA_API_BASE", model.url)
        session = start_session(LLMResource(local_model="ollama_chat/llama3.1"))
        with pytest.raises(LabelingError):
            ask(session, SMALL)
        assert model.requests[-1]["format"] == label_schema()


def test_a_missing_key_is_told_at_once_and_by_its_setting(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    session = start_session(LLMResource(remote_model="openai/gpt-4o"))
    for said in ("Set LLM_REMOTE_API_KEY", "not asked again in this run: no key"):
        with pytest.raises(LabelingError, match=said):
            ask(session, SMALL)
    assert session.calls == 1


def test_half_a_character_in_an_answer_is_an_invalid_answer_like_any_other():
    with ScriptedModel(
        [label(canonical_title="half a \ud800 pair", category="x"), label()]
    ) as model:
        raw = Reply('{"canonical_title": "half a \ud800 pair"}')
        assert ask(local_session(model), SMALL).spent.attempts == 2
    with ScriptedModel([raw, label()]) as model:
        assert ask(local_session(model), SMALL).spent.attempts == 2
        assert "half a \ufffd pair" in model.requests[1]["messages"][-2]["content"]


def test_absurd_numbers_of_tokens_fit_into_the_store():
    told = [10**30, -(10**30)]
    usages = [
        {"prompt_tokens": number, "completion_tokens": number, "total_tokens": number}
        for number in told
    ]
    answers = [Reply(label().content, usage=usage) for usage in usages]
    with ScriptedModel(answers) as model:
        session = local_session(model)
        spent = [ask(session, SMALL).spent for _ in told]
    assert [one.prompt_tokens for one in spent] == [2**31, 0]
    assert [one.completion_tokens for one in spent] == [2**31, 0]


def test_a_server_that_drips_is_waited_for_no_longer_than_one_that_hangs(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(client, "OVERHEAD_S", 0.3)
    with (
        ScriptedModel(lambda _: Reply(drip=True)) as model,
        pytest.raises(LabelingError, match="Timeout"),
    ):
        ask(local_session(model, timeout_s=0.2), SMALL)


def test_a_servers_words_are_redacted():
    echo = Reply("no mail to joe@shop.example, password=hunter2hunter2", status=500)
    with ScriptedModel([echo]) as model, pytest.raises(LabelingError) as caught:
        ask(local_session(model), SMALL)
    assert "no mail to [email]" in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("mask", ["[…]", "[...]", "[ … ]"])
@pytest.mark.parametrize("field", ["canonical_title", "description"])
def test_a_mask_in_a_written_label_is_sent_back(field: str, mask: str):
    with ScriptedModel([label(**{field: f"Exports of {mask} hang"}), label()]) as model:
        assert ask(local_session(model), SMALL).spent.attempts == 2
        assert f"{field}: contains […]" in last_message(model)


def test_the_chosen_sentence_comes_after_the_matter_in_other_words():
    offered = Choices(
        ["Export hangs", "Exports stop"],
        ["It hangs at 90 %."],
        restatements={"Export hangs": ["Exports stop"]},
    )
    with ScriptedModel(first_offered) as model:
        session = local_session(model, local_style="choose")
        result = ask(session, replace(SMALL, choices=lambda: offered))
    assert result.label.canonical_title == "Export hangs"
    assert result.label.description == "Exports stop. It hangs at 90 %."


def test_no_call_is_made_where_others_have_every_title():
    with ScriptedModel([]) as model:
        session = local_session(model, local_style="choose")
        with pytest.raises(LabelingError, match="have all of its titles"):
            next(session.candidates(SMALL, NoCheck(), {"export hangs", "csv fails"}))
        assert model.calls == 0


def test_a_title_that_another_cluster_has_is_not_offered_again():
    with ScriptedModel(first_offered) as model:
        candidates = local_session(model, local_style="choose").candidates(SMALL, NoCheck())
        assert next(candidates).label.canonical_title == "Export hangs"
        second = candidates.send("is another's")
        assert second.label.canonical_title == "CSV fails"
        assert (second.spent.attempts, model.calls) == (2, 2)
        with pytest.raises(LabelingError, match="is another's, too"):
            candidates.send("is another's, too")
        assert model.calls == 2


def test_a_good_label_that_is_not_taken_is_sent_back_within_the_calls_of_a_cluster(
    point_remote_at: Any,
):
    titles = iter(f"Exports of kind {number} time out" for number in range(9))
    script = lambda _: label(canonical_title=next(titles))  # noqa: E731
    with ScriptedModel(script) as local, ScriptedModel(script) as remote:
        point_remote_at(remote)
        candidates = both(local).candidates(SMALL, NoCheck())
        results = [next(candidates), *(candidates.send("is another's") for _ in range(3))]
        with pytest.raises(LabelingError, match=r"small: is another's; openai/gpt-4o: is another"):
            candidates.send("is another's")
        assert (local.calls, remote.calls) == (2, 2)
        assert "is another's" in last_message(local)
        assert "kind 0" in local.requests[1]["messages"][-2]["content"]
    assert [one.source for one in results] == ["local", "local", "remote", "remote"]
    assert [one.spent.attempts for one in results] == [1, 2, 3, 4]
