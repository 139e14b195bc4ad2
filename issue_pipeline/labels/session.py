"""A labelling session: one run's calls to its models, and the candidate labels that come of them.

- The local model first, the remote one if it fails; for large clusters the other way round.
- At most four calls for a cluster, shared equally by the models: two each, or all four for one.
  Of a model's calls at most two may bring answers that do not do; the others are for calls that
  brought no answer and are worth repeating: after a limit or an overload, which is waited for, and
  after a refusal that taught what the model does not take.
- What is waited for before a call costs no call; a call that was sent counts, whatever came back.
- A model that refuses us (key, quota), hangs, or stays rate limited is given up for the run.
- No call is made beyond the run's budget.
"""

import logging
import threading
import time
from collections.abc import Collection, Generator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from issue_pipeline.errors import (
    CutOffError,
    FailedGenerationError,
    InvalidLabelError,
    LabelingError,
    ModelAccessError,
    ModelNotAskedError,
    ModelSilentError,
    ParameterRefusedError,
    RateLimitedError,
    RequestTooLargeError,
)
from issue_pipeline.labels.answers import parse_label
from issue_pipeline.labels.prompts import LabelRequest, Prompt, build_prompt, correction
from issue_pipeline.labels.schema import IssueLabel
from issue_pipeline.records import Spent
from issue_pipeline.resources.llm import LOCAL, REMOTE, Answer, LanguageModel, LLMResource, Messages
from issue_pipeline.resources.llm.parameters import CallParameters, ModelParameters
from issue_pipeline.resources.llm.rate_limiter import (
    MAX_WAIT_S,
    Clock,
    Permit,
    RateLimiter,
    WaitTooLongError,
)
from issue_pipeline.utils.cluster_representatives import normalize_title

logger = logging.getLogger(__name__)

CALLS_PER_LABEL = 4
# Of one model for one label, valid ones that are not taken included.
ANSWERS_PER_MODEL = 2
# A local server computes one answer after the other; remote ones are waited for together.
CALLS_AT_ONCE = {LOCAL: 1, REMOTE: 4}
# Of one model in a row, after which it is given up for the run.
MAX_SILENCES = 3
# The first wait where the provider does not say; further ones in a row are longer.
DEFAULT_WAIT_S = 5.0
# Bytes of a prompt per token before any reply has reported: few tokenizers make less of English.
_LEAST_BYTES_PER_TOKEN = 3.0
# Servers that count fewer are not believed: they do not limit by what they report.
_MOST_BYTES_PER_TOKEN = 4.0


class LabelCheck(Protocol):
    """What a label must keep besides its form: rules that depend on the cluster."""

    def problem(self, label: IssueLabel, *, chosen: bool) -> str | None:
        """Return what is wrong with a label, or ``None``; called once for each valid answer."""
        ...


@dataclass(frozen=True, slots=True)
class LabelResult:
    """A valid label and what it took to get it, earlier candidates included.

    Attributes:
        source: ``local`` or ``remote``.
        model: LiteLLM's name of the model.
    """

    label: IssueLabel
    source: str
    model: str
    spent: Spent


# Yields labels; ``send(reason)`` rejects the last one.
CandidateLabels = Generator[LabelResult, str, None]


@dataclass(slots=True)
class _ModelState:
    """What a run knows of one model.

    Attributes:
        parameters: What it takes.
        limiter: Lets its calls through.
        given_up: Why it is not called again; ``""`` while it is.
        silences: Calls in a row to which nothing came back.
        bytes_per_token: Of prompts, the fewest seen.
    """

    parameters: ModelParameters
    limiter: RateLimiter
    given_up: str = ""
    silences: int = 0
    bytes_per_token: float = 0.0


class LabelingSession:
    """One run's calls to its models. Safe to use from several threads.

    Args:
        models: In the order in which they are called for small clusters.
        remote_above: Cluster size above which the order is reversed.
        max_calls: Most calls in all; ``None`` for no limit.
        max_cost_usd: No remote call is begun beyond; ``None`` for no limit.
        clock: The time in which rate limits are counted.
    """

    def __init__(
        self,
        models: Sequence[LanguageModel],
        *,
        remote_above: int,
        max_calls: int | None = None,
        max_cost_usd: float | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._models = list(models)
        self._remote_above = remote_above
        self._max_calls = max_calls
        self._max_cost_usd = max_cost_usd
        self._states = {
            model.source: _ModelState(
                model.parameters(), RateLimiter(CALLS_AT_ONCE[model.source], clock)
            )
            for model in models
        }
        self._lock = threading.Lock()
        self._is_stopped = False
        self._calls = 0
        self._cost_usd = 0.0

    @property
    def calls(self) -> int:
        """Calls made so far, of all models."""
        return self._calls

    @property
    def waited_s(self) -> float:
        """Seconds in which the next call waited for rate limits so far, of each model."""
        return sum(state.limiter.waited_s for state in self._states.values())

    @property
    def labels_at_once(self) -> int:
        """How many labels can be worked on together."""
        return sum(CALLS_AT_ONCE[model.source] for model in self._models)

    def stop(self) -> None:
        """Make no further call, and wait for nothing."""
        self._is_stopped = True
        for state in self._states.values():
            state.limiter.stop()

    def candidates(
        self, request: LabelRequest, check: LabelCheck, taken: Collection[str] = ()
    ) -> CandidateLabels:
        """Yield valid labels for a cluster; ``send(reason)`` rejects the last one.

        What is sent depends on nothing but the arguments, what models answer and what is rejected.

        Args:
            request: The cluster's representatives and hints.
            check: What valid labels must keep.
            taken: Normalised titles that are not worth offering.

        Raises:
            LabelingError: No model gave a (further) one; it says what each of them did and what
                that took.
        """
        order = list(self._models)
        if request.cluster_size > self._remote_above:
            order.reverse()
        calls_per_model = CALLS_PER_LABEL // max(1, len(order))
        spent, problems, unwanted = Spent(), [], set(taken)
        problem: LabelingError | None
        for model in order:
            state = self._states[model.source]
            problem = None
            corrections: Messages = []
            calls = answers = 0
            may_go_on = True
            room: int | None = None
            while may_go_on and calls < calls_per_model and answers < ANSWERS_PER_MODEL:
                try:
                    prompt = build_prompt(request, style=model.style, taken=unwanted)
                    messages = [*prompt.messages, *corrections]
                    call = self._call(
                        model, Prompt(messages, prompt.schema), room=room, calls=calls
                    )
                except ModelNotAskedError as error:
                    # What came of the first call says more than why there is no second.
                    problem = problem or error
                    break
                calls += 1
                spent += call.spent
                if call.answer is None:
                    problem, may_go_on = call.error, call.may_be_repeated
                    if isinstance(problem, FailedGenerationError):
                        answers += 1
                        corrections = correction("", str(problem))
                    continue
                answers += 1
                try:
                    label = _checked_label(call.answer, prompt, check)
                except CutOffError as error:
                    # With more room the same question does; without it comes the same answer.
                    problem, room = error, state.parameters.more_room(call.sent)
                    may_go_on = room is not None
                except InvalidLabelError as error:
                    problem = error
                    corrections = correction(call.answer.text, str(error))
                else:
                    refusal = yield LabelResult(label, model.source, model.name, spent)
                    unwanted.add(normalize_title(label.canonical_title))
                    problem = InvalidLabelError(refusal)
                    corrections = correction(call.answer.text, refusal)
            if may_go_on and isinstance(problem, RateLimitedError):
                self._count_silence(model, "it stays rate limited")
            problems.append(f"{model.name}: {problem}")
        raise LabelingError("; ".join(problems), spent)

    def _call(
        self, model: LanguageModel, prompt: Prompt, *, room: int | None, calls: int
    ) -> "_Call":
        """Make one call when the rate limiter admits it, and record how it went.

        Raises:
            ModelNotAskedError: No call was made.
        """
        state = self._states[model.source]
        size = sum(len(one["content"].encode()) for one in prompt.messages)
        prompt_tokens = int(size / (state.bytes_per_token or _LEAST_BYTES_PER_TOKEN)) + 1
        self._require(model)

        def current() -> CallParameters:
            return state.parameters.for_call(
                prompt_tokens=prompt_tokens,
                tokens_per_window=state.limiter.tokens_per_window,
                room=room,
            )

        try:
            permit = state.limiter.acquire(
                prompt_tokens, lambda: current().max_tokens, before=calls
            )
        except WaitTooLongError as error:
            self._give_up(model, str(error))
            raise ModelNotAskedError(f"not asked again in this run: {error}") from None
        try:
            self._admit(model)
        except ModelNotAskedError:
            state.limiter.failed(permit)
            raise
        # Others may have learnt meanwhile what the model does not take.
        sent = current()
        sent = replace(sent, max_tokens=min(sent.max_tokens, permit.max_tokens))
        started = time.monotonic()
        try:
            answer = model.complete(prompt.messages, prompt.schema, sent)
        except LabelingError as error:
            spent = Spent(attempts=1, seconds=time.monotonic() - started)
            return _Call(None, error, sent, spent, self._learn(model, error, sent, permit))
        except BaseException:
            state.limiter.failed(permit)
            raise
        state.limiter.answered(permit, answer.allowances)
        if not answer.is_cut:
            state.parameters.used(answer.completion_tokens, sent)
        spent = Spent(
            1,
            answer.prompt_tokens,
            answer.completion_tokens,
            answer.cost_usd,
            time.monotonic() - started,
        )
        with self._lock:
            state.silences = 0
            self._cost_usd += spent.cost_usd
            if answer.prompt_tokens:
                seen = min(size / answer.prompt_tokens, _MOST_BYTES_PER_TOKEN)
                state.bytes_per_token = min(state.bytes_per_token or seen, seen)
        return _Call(answer, None, sent, spent, may_be_repeated=False)

    def _learn(
        self, model: LanguageModel, error: LabelingError, sent: CallParameters, permit: Permit
    ) -> bool:
        """Record what a failed call shows; return whether another one may do better."""
        state = self._states[model.source]
        match error:
            case RateLimitedError():
                state.limiter.refused(
                    permit, error.wait_s, error.allowances, default_wait_s=DEFAULT_WAIT_S
                )
                if error.wait_s is not None and error.wait_s > MAX_WAIT_S:
                    self._give_up(model, f"it wants us to wait {error.wait_s:.0f} s. {error}")
                    return False
                return True
            case FailedGenerationError():
                state.limiter.answered(permit)
                return True
        state.limiter.failed(permit)
        match error:
            case ParameterRefusedError():
                return state.parameters.without(error.names, sent, str(error))
            case RequestTooLargeError():
                return state.parameters.less_room(sent, error.fits)
            case ModelAccessError():
                self._give_up(model, str(error))
            case ModelSilentError():
                self._count_silence(model, f"{MAX_SILENCES} calls in a row got no reply")
        return False

    def _require(self, model: LanguageModel) -> None:
        """Raise why a model may not be called, if it may not."""
        if self._is_stopped:
            raise ModelNotAskedError("not asked: the run was stopped")
        if given_up := self._states[model.source].given_up:
            raise ModelNotAskedError(f"not asked again in this run: {given_up}")

    def _admit(self, model: LanguageModel) -> None:
        """Count a call, or raise why it may not be made."""
        with self._lock:
            self._require(model)
            if self._max_calls is not None and self._calls >= self._max_calls:
                raise ModelNotAskedError(
                    f"not asked: the run's {self._max_calls} calls (LLM_MAX_CALLS) are spent"
                )
            if (
                self._max_cost_usd is not None
                and model.source == REMOTE
                and self._cost_usd >= self._max_cost_usd
            ):
                raise ModelNotAskedError(
                    f"not asked: the run's {self._max_cost_usd} dollars (LLM_MAX_COST_USD) are"
                    " spent"
                )
            self._calls += 1

    def _count_silence(self, model: LanguageModel, reason: str) -> None:
        with self._lock:
            state = self._states[model.source]
            state.silences += 1
            silences = state.silences
        if silences >= MAX_SILENCES:
            self._give_up(model, reason)

    def _give_up(self, model: LanguageModel, reason: str) -> None:
        with self._lock:
            state = self._states[model.source]
            first, state.given_up = not state.given_up, state.given_up or reason
        if first:
            logger.warning("%s is not asked again in this run: %s", model.name, reason)
            state.limiter.stop()  # nobody need wait for it


@dataclass(frozen=True, slots=True)
class _Call:
    """What came of one call.

    Attributes:
        may_be_repeated: Whether another one may do better, although no answer came.
    """

    answer: Answer | None
    error: LabelingError | None
    sent: CallParameters
    spent: Spent
    may_be_repeated: bool


def start_session(resource: LLMResource) -> LabelingSession:
    """Return a labelling session with the configured models.

    Raises:
        ConfigurationError: As of ``LLMResource.models``.
    """
    return LabelingSession(
        resource.models(),
        remote_above=resource.remote_above,
        max_calls=resource.max_calls,
        max_cost_usd=resource.max_cost_usd,
    )


def _checked_label(answer: Answer, prompt: Prompt, check: LabelCheck) -> IssueLabel:
    label = parse_label(answer, prompt)
    if (problem := check.problem(label, chosen=bool(prompt.titles))) is not None:
        raise InvalidLabelError(problem)
    return label
