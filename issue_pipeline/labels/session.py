"""Asking models for one label: whom, how often, and when to stop.

- The local model first, the other one if it fails; for large clusters the other way round.
- At most two calls to a model for one label: the second after an invalid answer, which it is told
  about, after a limit per minute, which is waited for, or after its schema was refused.
- A model that does not take the schema is asked for any JSON instead, in the second call and from
  then on.
- A model that refuses us (key, quota), hangs, or stays rate limited is given up for the run.
- No call is made beyond the run's budget.
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Collection, Generator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from pydantic import ValidationError

from issue_pipeline.errors import (
    FormatRefusedError,
    InvalidLabelError,
    LabelingError,
    ModelAccessError,
    ModelNotAskedError,
    ModelSilentError,
    RateLimitedError,
)
from issue_pipeline.labels.prompts import LabelRequest, Prompt, build_prompt, correction
from issue_pipeline.labels.schema import IssueLabel, copied_problem, masked_problem
from issue_pipeline.records import Spent
from issue_pipeline.resources.llm import LOCAL, REMOTE, Answer, LanguageModel, LLMResource, Messages
from issue_pipeline.utils.cluster_representatives import normalize_title
from issue_pipeline.utils.printable import printable

logger = logging.getLogger(__name__)

CALLS_PER_MODEL = 2
# A local server computes one answer after the other; remote ones are waited for together.
CALLS_AT_ONCE = {LOCAL: 1, REMOTE: 4}
# Of one model in a row, after which it is given up for the run.
MAX_SILENCES = 3
# Longest wait for a limit per minute to pass, and what is waited where the provider does not say.
MAX_WAIT_S = 60.0
DEFAULT_WAIT_S = 10.0
# How much of foreign text a message quotes, and of an answer is read.
_MAX_PLACE_CHARS = 60
_MAX_PROBLEM_CHARS = 500
_MAX_ANSWER_CHARS = 40_000


class LabelCheck(Protocol):
    """What a label must keep besides its form: rules that depend on the cluster."""

    def problem(self, label: IssueLabel, *, chosen: bool) -> str | None:
        """Say what is wrong with a label, or ``None``; called once for each valid answer."""
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


# Labels come out; what is wrong with the last one goes in.
CandidateLabels = Generator[LabelResult, str, None]


@dataclass(slots=True)
class _ModelState:
    """What a run knows of one model.

    Attributes:
        given_up: Why it is not asked again; ``""`` while it is.
        silences: Calls in a row to which nothing came back.
        paused_until: No call before this moment of the monotonic clock.
        takes_schema: Whether the answer's schema is sent along.
        slots: Lets in as many calls at once as the model takes.
    """

    given_up: str = ""
    silences: int = 0
    paused_until: float = 0.0
    takes_schema: bool = True
    slots: threading.Semaphore = field(default_factory=threading.Semaphore)


class LabelingSession:
    """One run's dealings with the models. Safe to use from several threads."""

    def __init__(
        self,
        models: Sequence[LanguageModel],
        *,
        remote_above: int,
        max_calls: int | None = None,
        max_cost_usd: float | None = None,
    ) -> None:
        self._models = list(models)
        self._remote_above = remote_above
        self._max_calls = max_calls
        self._max_cost_usd = max_cost_usd
        self._states = {
            model.source: _ModelState(slots=threading.Semaphore(CALLS_AT_ONCE[model.source]))
            for model in models
        }
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._calls = 0
        self._cost_usd = 0.0

    @property
    def calls(self) -> int:
        """Calls made so far, of all models."""
        return self._calls

    @property
    def labels_at_once(self) -> int:
        """How many labels can be worked on together."""
        return sum(CALLS_AT_ONCE[model.source] for model in self._models)

    def stop(self) -> None:
        """Make no further call, and wait for nothing."""
        self._stopped.set()

    def candidates(
        self, request: LabelRequest, check: LabelCheck, taken: Collection[str] = ()
    ) -> CandidateLabels:
        """Give valid labels for a cluster, the next one for what was wrong with the last.

        What is asked depends on nothing but the arguments, what models answer and what is sent.

        Args:
            request: What is asked.
            check: What valid labels must keep.
            taken: Normalised titles that are not worth offering.

        Raises:
            LabelingError: No model gave a (further) one; it says what each of them did and what
                that took.
        """
        order = list(self._models)
        if request.cluster_size > self._remote_above:
            order.reverse()
        spent, problems, unwanted = Spent(), [], set(taken)
        for model in order:
            corrections: Messages = []
            problem: LabelingError | None = None
            for _ in range(CALLS_PER_MODEL):
                try:
                    prompt = build_prompt(request, style=model.style, taken=unwanted)
                    messages = [*prompt.messages, *corrections]
                    answer, cost = self._call(model, Prompt(messages, prompt.schema))
                    spent += cost
                    label = _checked_label(answer.text, prompt, check)
                except ModelNotAskedError as error:
                    # What came of the first call says more than why there is no second.
                    problem = problem or error
                    break
                except InvalidLabelError as error:
                    problem = error
                    corrections = correction(answer.text, str(error))
                except (RateLimitedError, FormatRefusedError) as error:
                    spent += error.spent
                    problem = error
                except LabelingError as error:
                    spent += error.spent
                    problem = error
                    break
                else:
                    refusal = yield LabelResult(label, model.source, model.name, spent)
                    unwanted.add(normalize_title(label.canonical_title))
                    problem = InvalidLabelError(refusal)
                    corrections = correction(answer.text, refusal)
            else:
                if isinstance(problem, RateLimitedError):
                    self._count_silence(model, "it stays rate limited")
            problems.append(f"{model.name}: {problem}")
        raise LabelingError("; ".join(problems), spent)

    def _call(self, model: LanguageModel, prompt: Prompt) -> tuple[Answer, Spent]:
        """Make one call when it is the model's turn, and remember how it went."""
        state = self._states[model.source]
        with state.slots:
            # Somebody else's limit may make the pause longer meanwhile.
            while (wait_s := state.paused_until - time.monotonic()) > 0:
                if self._stopped.wait(wait_s):
                    break
            self._admit(model)
            started = time.monotonic()
            try:
                answer = model.complete(
                    prompt.messages, prompt.schema if state.takes_schema else None
                )
            except LabelingError as error:
                error.spent = Spent(attempts=1, seconds=time.monotonic() - started)
                self._note_failure(model, error)
                raise
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
        return answer, spent

    def _admit(self, model: LanguageModel) -> None:
        """Count a call, or say why it may not be made."""
        with self._lock:
            given_up = self._states[model.source].given_up
            if self._stopped.is_set():
                raise ModelNotAskedError("not asked: the run was stopped")
            if given_up:
                raise ModelNotAskedError(f"not asked again in this run: {given_up}")
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

    def _note_failure(self, model: LanguageModel, error: LabelingError) -> None:
        match error:
            case ModelAccessError():
                self._give_up(model, str(error))
            case ModelSilentError():
                self._count_silence(model, f"{MAX_SILENCES} calls in a row got no reply")
            case FormatRefusedError():
                self._states[model.source].takes_schema = False
            case RateLimitedError():
                wait_s = DEFAULT_WAIT_S if error.wait_s is None else error.wait_s
                if wait_s > MAX_WAIT_S:
                    self._give_up(model, f"it wants us to wait {wait_s:.0f} s. {error}")
                else:
                    with self._lock:
                        state = self._states[model.source]
                        state.paused_until = max(state.paused_until, time.monotonic() + wait_s)

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


def start_session(resource: LLMResource) -> LabelingSession:
    """Begin a run of labelling with the configured models.

    Raises:
        ConfigurationError: As of ``LLMResource.models``.
    """
    return LabelingSession(
        resource.models(),
        remote_above=resource.remote_above,
        max_calls=resource.max_calls,
        max_cost_usd=resource.max_cost_usd,
    )


def _checked_label(answer: str, prompt: Prompt, check: LabelCheck) -> IssueLabel:
    label = parse_label(answer, prompt)
    if (problem := check.problem(label, chosen=bool(prompt.titles))) is not None:
        raise InvalidLabelError(problem)
    return label


def parse_label(answer: str, prompt: Prompt) -> IssueLabel:
    """Read a model's answer: a JSON object, maybe with thoughts, a fence or prose around it.

    Raises:
        InvalidLabelError: There is none, it breaks a rule of :class:`IssueLabel`, it repeats the
            instructions or shows a mask, or it was to be chosen and was not.
    """
    try:
        label = IssueLabel.model_validate_json(_last_object(answer[-_MAX_ANSWER_CHARS:]))
    except ValidationError as error:
        problems = "; ".join(
            # The place may be a key that the model made up.
            f"{'.'.join(map(str, problem['loc']))[:_MAX_PLACE_CHARS] or 'answer'}: {problem['msg']}"
            for problem in error.errors(include_url=False, include_input=False)
        )
        raise InvalidLabelError(printable(problems, _MAX_PROBLEM_CHARS)) from error
    if prompt.titles:
        if label.canonical_title not in prompt.titles:
            raise InvalidLabelError("canonical_title: expected one of the titles given")
        label = label.model_copy(update=dict(prompt.decided))
    elif problem := copied_problem(label, prompt.instructions) or masked_problem(label):
        raise InvalidLabelError(problem)
    return label


def _last_object(answer: str) -> str:
    """Find the last whole JSON object; models think aloud, and may quote one, before they answer.

    Raises:
        InvalidLabelError: There is nothing like an object.
    """
    answer = answer.rpartition("</think>")[2]
    decode: Callable[[str, int], tuple[object, int]] = json.JSONDecoder().raw_decode
    found, start = "", answer.find("{")
    while start >= 0:
        try:
            _, end = decode(answer, start)
            found = answer[start:end]
        except (ValueError, RecursionError):
            end = start + 1
        start = answer.find("{", end)
    if found:
        return found
    # Nothing whole: what is there tells the model what was wrong with it.
    start, end = answer.find("{"), answer.rfind("}")
    if start < 0 or end < start:
        raise InvalidLabelError("expected a JSON object, got none")
    return answer[start : end + 1]
