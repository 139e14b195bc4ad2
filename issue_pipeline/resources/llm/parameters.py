"""What is sent along with a prompt, and what a refusal teaches about it for the rest of a run.

LiteLLM knows much of this (``get_supported_openai_params``, ``supports_response_schema``) and
leaves out what it knows a model not to take (``drop_params``); it drops a schema in the same
silence, so that is looked up first and logged. What it does not know the server says: a parameter
that is refused is dropped or replaced once, for the run.
"""

import logging
import threading
from collections.abc import Collection
from dataclasses import dataclass, replace

logger = logging.getLogger(__name__)

# How an answer is bound: to the schema, to any JSON object, or by the prompt's words alone.
SCHEMA = "json_schema"
OBJECT = "json_object"
PLAIN = ""
# Names of parameters, as providers refuse them.
TEMPERATURE = "temperature"
SEED = "seed"
MAX_TOKENS = "max_tokens"
MAX_COMPLETION_TOKENS = "max_completion_tokens"
RESPONSE_FORMAT = "response_format"
# An answer that is cut off gets so many times the room, and at most so many times the usual one.
_MORE_ROOM = 4
# A request that is too large asks for so many times less, unless the server says how much fits.
_LESS_ROOM = 4
# With less no label is whole.
LEAST_TOKENS = 256
# Where tokens a minute are limited, a call should not take more than this share of them; labels
# need some hundred tokens, reasoning models more, which is found when one is cut off.
_SHARE_OF_LIMIT = 1 / 6
_LEAST_USUAL_TOKENS = 1_000


@dataclass(frozen=True, slots=True)
class CallParameters:
    """What one call sends besides its messages.

    Attributes:
        response_format: ``json_schema``, ``json_object``, or ``""`` for none.
        max_tokens: Most tokens of the answer, thoughts included.
        tokens_name: The parameter that says so; ``""`` for none.
        temperature: Whether it is set, to 0.
        seed: The same.
    """

    response_format: str
    max_tokens: int
    tokens_name: str = MAX_TOKENS
    temperature: bool = True
    seed: bool = True


class ModelParameters:
    """What one model takes, as far as a run knows. Safe to use from several threads.

    Args:
        name: Name of the model, for the log.
        first_format: How an answer is bound at first.
        max_tokens: Most tokens of an answer at first.
        most_tokens: Most tokens of an answer that was cut off before.
    """

    def __init__(self, name: str, first_format: str, max_tokens: int, most_tokens: int) -> None:
        self._name = name
        self._usual = max_tokens
        self._most = max(max_tokens, most_tokens)
        self._needs_room = False
        self._refused_formats: set[str] = set()
        self._parameters = CallParameters(first_format, max_tokens)
        self._lock = threading.Lock()

    def for_call(
        self,
        *,
        prompt_tokens: int = 0,
        tokens_per_window: float | None = None,
        room: int | None = None,
    ) -> CallParameters:
        """Return what the next call sends.

        Args:
            prompt_tokens: Of its messages, estimated.
            tokens_per_window: The server's limit of prompt and answer together, if any is known.
            room: Most tokens of this answer, after one that was cut off; ``None`` for the usual.
        """
        with self._lock:
            most = min(room or self._usual, self._most)
            if tokens_per_window is not None:
                if room is None and not self._needs_room:
                    share = int(tokens_per_window * _SHARE_OF_LIMIT) - prompt_tokens
                    most = min(most, max(share, _LEAST_USUAL_TOKENS))
                most = min(most, max(int(tokens_per_window) - prompt_tokens, LEAST_TOKENS))
            return replace(self._parameters, max_tokens=most)

    def more_room(self, sent: CallParameters) -> int | None:
        """Return the room for the next call after an answer that was cut off; ``None``: no more."""
        with self._lock:
            room = min(sent.max_tokens * _MORE_ROOM, self._most)
            return room if room > sent.max_tokens and sent.tokens_name else None

    def used(self, completion_tokens: int, sent: CallParameters) -> None:
        """Note the length of a whole answer: one that needed more room makes that the usual."""
        with self._lock:
            if sent.max_tokens > self._usual and completion_tokens > self._usual:
                self._usual = sent.max_tokens
                self._log(
                    f"answers may take {sent.max_tokens} tokens: one took {completion_tokens}"
                )
            if completion_tokens > _LEAST_USUAL_TOKENS:
                self._needs_room = True

    def less_room(self, sent: CallParameters, fits: int | None) -> bool:
        """Note that a request was too large for the model's context or for its limits.

        Args:
            sent: What was sent.
            fits: What the server says would fit; ``None`` if it does not say.

        Returns:
            Whether the next call asks for less.
        """
        if fits is None or not LEAST_TOKENS <= fits < sent.max_tokens:
            fits = max(LEAST_TOKENS, sent.max_tokens // _LESS_ROOM)
        with self._lock:
            if fits < self._most:
                self._most = fits
                self._log(
                    f"answers may take {fits} tokens only, as {sent.max_tokens} with the prompt"
                    " were too many"
                )
            return self._most < sent.max_tokens

    def without(self, refused: Collection[str], sent: CallParameters, text: str) -> bool:
        """Drop or replace parameters that were refused, for the rest of the run.

        Args:
            refused: Names of the parameters.
            sent: What was sent.
            text: The refusal's words.

        Returns:
            Whether the next call differs from this one.
        """
        with self._lock:
            before = self._parameters
            if RESPONSE_FORMAT in refused and before.response_format == sent.response_format:
                self._refused_formats.add(sent.response_format)
                self._parameters = replace(before, response_format=self._next_format(text))
            elif TEMPERATURE in refused and sent.temperature:
                self._parameters = replace(before, temperature=False)
            elif SEED in refused and sent.seed:
                self._parameters = replace(before, seed=False)
            elif MAX_COMPLETION_TOKENS in refused and sent.tokens_name == MAX_COMPLETION_TOKENS:
                self._parameters = replace(before, tokens_name="")
            elif MAX_TOKENS in refused and sent.tokens_name == MAX_TOKENS:
                self._parameters = replace(before, tokens_name=MAX_COMPLETION_TOKENS)
            if self._parameters != before:
                self._log(_difference(before, self._parameters))
            return replace(self._parameters, max_tokens=sent.max_tokens) != sent

    def _next_format(self, text: str) -> str:
        wanted = [SCHEMA] if SCHEMA in text and "text" in text else []  # as LM Studio words it
        for one in (*wanted, OBJECT):
            if one not in self._refused_formats:
                return one
        return PLAIN

    def _log(self, what: str) -> None:
        logger.warning("%s: from now on in this run, %s", self._name, what)


def _difference(before: CallParameters, after: CallParameters) -> str:
    if before.response_format != after.response_format:
        return (
            f"response_format is {after.response_format or 'left out'} instead of"
            f" {before.response_format}, which was refused"
        )
    if before.tokens_name != after.tokens_name:
        return f"{after.tokens_name or 'no limit'} is sent instead of {before.tokens_name}"
    dropped = TEMPERATURE if before.temperature != after.temperature else SEED
    return f"{dropped} is left out, which was refused"
