"""Two hundred clusters against a server that does everything at once that providers do."""

import json
import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from issue_pipeline.labels.prompts import LabelRequest, Representative
from issue_pipeline.labels.schema import IssueLabel
from issue_pipeline.labels.session import LabelingSession, LabelResult
from issue_pipeline.resources.llm import LLMResource, rate_limiter
from issue_pipeline_tests.support import provider_replies as said
from issue_pipeline_tests.support.rate_limited import (
    FastClock,
    TokenBucket,
    tokens_asked,
    with_headers,
)
from issue_pipeline_tests.support.scripted_model import (
    GOOD_LABEL,
    Reply,
    ScriptedModel,
    label,
    posts_shown,
)

CLUSTERS = 200
TOKENS_A_MINUTE = 60_000
REQUESTS_A_MINUTE = 120
GOOD = json.dumps(GOOD_LABEL)
# Of an answer that does not do, or of a call without one, at most one a cluster each; what is
# wrapped is a label.
WRAPPED = [
    Reply(f"<think>Is it {{this}}?</think>{GOOD}"),
    Reply(json.dumps({"response": GOOD_LABEL})),
    Reply(json.dumps(GOOD)),
    Reply(f"{GOOD}\n{{}}"),
    Reply("", message={"reasoning_content": GOOD}),
    label(category="DevTools"),
    label(),
    label(),
]
INVALID = [
    label(category="games"),
    Reply("I cannot help with that."),
    Reply(""),
    said.GROQ_BAD_GENERATION,
    Reply(f"<think>Maybe {GOOD}", finish_reason="length"),
]
REFUSED = [
    Reply("busy", status=529),
    Reply("busy", status=503, retry_after="3"),
    Reply("bad gateway", status=502, retry_after="2"),
    said.gemini_limit(4.0),
    said.azure_limit(2.5),
]
WAITS_S = {0: 5.0, 1: 3.0, 2: 2.0, 3: 4.0, 4: 2.5}


class MixedServer:
    """Limits calls and tokens, refuses parameters, is too busy at times, and wraps its answers."""

    def __init__(self, seed: int, clock: FastClock) -> None:
        self._chance = random.Random(seed)
        self._lock = threading.Lock()
        self._clock = clock
        self.tokens = TokenBucket(TOKENS_A_MINUTE, clock)
        self.requests = TokenBucket(REQUESTS_A_MINUTE, clock)
        self.calls: Counter[str] = Counter()
        self.faults: Counter[tuple[str, str]] = Counter()
        self.directed_s = 0.0
        self.too_large = 0

    def __call__(self, request: dict[str, Any]) -> Reply:
        with self._lock:
            return self._reply(request, posts_shown(request)[0]["title"])

    def _reply(self, request: dict[str, Any], cluster: str) -> Reply:
        self.calls[cluster] += 1
        kind = self._chance.random()
        # Nobody could bear more than four: the first one is taught three times.
        may_fail = is_taught(request) and self.calls[cluster] < 4
        if may_fail and kind < 0.1 and not self.faults[cluster, "refused"]:
            # By a gateway, before anything is counted.
            self.faults[cluster, "refused"] += 1
            number = self._chance.randrange(len(REFUSED))
            self.directed_s += WAITS_S[number]
            return REFUSED[number]
        cost = tokens_asked(request)
        if self.requests.take(1) is not None or (wait_s := self.tokens.take(cost)) is not None:
            return said.groq_tokens_limit(TOKENS_A_MINUTE, 0, cost, wait_s or 1)
        if "temperature" in request:
            return said.unsupported("temperature")
        if "max_tokens" in request:
            return said.unsupported("max_tokens")
        if not is_taught(request):
            return said.openai_error("response_format json_schema is not supported")
        if not may_fail:
            return self._with_limits(self._chance.choice(WRAPPED))
        if kind < 0.25 and not self.faults[cluster, "invalid"]:
            self.faults[cluster, "invalid"] += 1
            return self._with_limits(self._chance.choice(INVALID))
        return self._with_limits(self._chance.choice(WRAPPED))

    def _with_limits(self, reply: Reply) -> Reply:
        headers = {**self.tokens.headers("tokens"), **self.requests.headers("requests")}
        return with_headers(reply, headers)

    @property
    def dictated_s(self) -> float:
        """What its limits and refusals dictate, at least: the slower limit, and every pause."""
        by_tokens = (self.tokens.spent - TOKENS_A_MINUTE) * 60 / TOKENS_A_MINUTE
        by_requests = (self.requests.spent - REQUESTS_A_MINUTE) * 60 / REQUESTS_A_MINUTE
        return max(by_tokens, by_requests, 0.0) + self.directed_s


def is_taught(request: dict[str, Any]) -> bool:
    """Return whether a request leaves out what the server does not take."""
    style = request.get("response_format", {}).get("type")
    return not {"temperature", "max_tokens"} & request.keys() and style != "json_schema"


class NoCheck:
    def problem(self, label: IssueLabel, *, chosen: bool) -> str | None:
        return None


def test_every_cluster_is_labelled_within_four_calls_and_the_servers_limits(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(rate_limiter, "FIRST_REPLY_S", 1e9)  # time runs fast here
    clock = FastClock(60)
    server = MixedServer(1, clock)

    def ask(number: int) -> LabelResult:
        posts = [Representative(f"Export {number} hangs", "It hangs at 90 %.")]
        return next(session.candidates(LabelRequest(posts, 12, "devtools"), NoCheck()))

    with ScriptedModel(server) as model:
        resource = LLMResource(
            remote_model="openai/gpt-oss", remote_base_url=model.url, remote_api_key="k"
        )
        session = LabelingSession(resource.models(), remote_above=50, clock=clock)
        with ThreadPoolExecutor(session.labels_at_once) as pool:
            results = list(pool.map(ask, range(CLUSTERS)))
    assert len(results) == CLUSTERS
    assert all(one.label == IssueLabel.model_validate(GOOD_LABEL) for one in results)
    assert max(server.calls.values()) <= 4
    assert sum(server.calls.values()) == sum(one.spent.attempts for one in results)
    assert server.tokens.refused == server.requests.refused == 0
    assert len(server.faults) > 40
    assert session.waited_s <= 1.5 * server.dictated_s
