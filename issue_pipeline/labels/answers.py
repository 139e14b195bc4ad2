"""Reading a label out of a model's answer, whatever is wrapped around it.

Models think aloud, fence their JSON, put it into a string, into ``{"response": ...}`` or into the
arguments of a tool that nobody offered, and write "DevTools" for "devtools". The label is taken if
exactly one valid one is in the answer; which of several is meant nobody can know.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, get_args, get_origin

from pydantic import ValidationError

from issue_pipeline.errors import CutOffError, InvalidLabelError
from issue_pipeline.labels.prompts import Prompt
from issue_pipeline.labels.schema import IssueLabel, copied_problem, masked_problem
from issue_pipeline.resources.llm import Answer
from issue_pipeline.utils.printable import printable

# How much of foreign text a message quotes, and of an answer is read.
_MAX_PLACE_CHARS = 60
_MAX_PROBLEM_CHARS = 500
_MAX_ANSWER_CHARS = 40_000
# Wrappers within wrappers that are looked into, and values in all.
_MAX_DEPTH = 6
_MAX_VALUES = 2_000
# Braces at which no object begins: each costs the time to reach it.
_MAX_TRIES = 500
_TAG = r"(?:\w{1,20}:)?(?:think|thinking|thought|thoughts|reasoning|reflection|scratchpad|analysis)"
_OPENED = re.compile(
    rf"<{_TAG}(?:\s[^<>]{{0,100}})?>|\[THINK\]|◁think▷|<\|channel\|>(?:analysis|thought)"
    # As gpt-oss where its own marks are left out.
    r"|<\|START_THINKING\|>|\A\s*(?-i:analysis(?=[A-Z{]))",
    re.IGNORECASE,
)
_CLOSED = re.compile(
    rf"</{_TAG}>|\[/THINK\]|◁/think▷|<\|channel\|>final|<\|END_THINKING\|>|assistantfinal",
    re.IGNORECASE,
)
# What may stand around an answer that is nothing but JSON.
_WRAPPING = re.compile(r"```\w*|<[^<>]{0,40}>")
_TRAILING_COMMA = re.compile(r",(?=\s*[}\]])")
_FIELDS = frozenset(IssueLabel.model_fields)


def parse_label(answer: Answer | str, prompt: Prompt) -> IssueLabel:
    """Return the one valid label of an answer.

    Looked for in the answer itself, then in the arguments of tools, then in what the model thought,
    unless it was cut off while it did: a draft is no answer.

    Args:
        answer: What the model said.
        prompt: What it was asked.

    Raises:
        CutOffError: There is none, and the answer ends in the middle.
        InvalidLabelError: There is none, or several; the one there is breaks a rule of
            :class:`IssueLabel`, repeats the instructions or shows a mask, or it was to be chosen
            and was not.
    """
    if isinstance(answer, str):
        answer = Answer(answer, 0, 0, 0.0)
    problem: InvalidLabelError | None = None
    for part in _parts(answer):
        try:
            return _label_in(part, prompt)
        except InvalidLabelError as error:
            # What is wrong with the answer itself says most, if it is anything like one.
            problem = problem or error
    if answer.is_cut:
        raise CutOffError(
            "the answer was cut off at the most tokens that it may take (LLM_MAX_TOKENS)"
        )
    raise problem or InvalidLabelError("expected a JSON object, got none")


def _parts(answer: Answer) -> Iterator[Sequence[str]]:
    """Yield texts that may hold the label, those that are most of an answer first."""
    said, thought = _without_thoughts(answer.text)
    if not (answer.is_cut and _is_in_midst(said)):
        yield [said]
    if answer.arguments:
        yield answer.arguments
    if not answer.is_cut:
        if thought:
            yield [thought]
        if answer.thoughts:
            yield [answer.thoughts]


def _without_thoughts(text: str) -> tuple[str, str]:
    """Divide a text into what was said and what was thought, which comes before or is unclosed."""
    closed = [match.end() for match in _CLOSED.finditer(text)]
    opened = [match.start() for match in _OPENED.finditer(text)]
    if closed and (not opened or opened[-1] < closed[-1]):
        return text[closed[-1] :], text[: closed[-1]]
    if opened:
        return text[: opened[-1]], text[opened[-1] :]
    return text, ""


def _is_in_midst(text: str) -> bool:
    """Whether words come before and after the JSON of a text, or more of it was begun."""
    start, end = text.find("{"), text.rfind("}") + 1
    if not 0 <= start < end:
        return False
    before, after = (_WRAPPING.sub("", one) for one in (text[:start], text[end:]))
    has_words = re.compile(r"\w").search
    return "{" in after or bool(has_words(before) and has_words(after))


def _label_in(texts: Sequence[str], prompt: Prompt) -> IssueLabel:
    texts = [text[-_MAX_ANSWER_CHARS:] for text in texts]
    found = [one for text in texts for one in _objects(text)]
    if not found:  # as people and small models write it
        mended = [_TRAILING_COMMA.sub("", text) for text in texts]
        found = [one for text in mended if text not in texts for one in _objects(text)]
    likely = [one for value in found for one in _label_like(value)]
    if not likely:
        if not found:
            raise InvalidLabelError(_no_object(texts))
        likely = [found[-1]]
    labels: dict[str, IssueLabel] = {}
    problem: InvalidLabelError | None = None
    for one in likely:
        try:
            label = _valid_label(one, prompt)
            labels[label.model_dump_json()] = label
            problem = None
        except InvalidLabelError as error:
            problem = error
    # A last one that is invalid takes back what was drafted before it.
    if problem is not None:
        raise problem
    if len(labels) > 1:
        raise InvalidLabelError(f"expected one JSON object, got {len(labels)} different labels")
    return next(iter(labels.values()))


def _valid_label(fields: Mapping[str, Any], prompt: Prompt) -> IssueLabel:
    try:
        label = IssueLabel.model_validate_json(json.dumps(_folded(fields)))
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
        description = prompt.descriptions.get(label.canonical_title, label.description)
        label = label.model_copy(update={**prompt.decided, "description": description})
    elif problem := copied_problem(label, prompt.instructions) or masked_problem(label):
        raise InvalidLabelError(problem)
    return label


def _objects(text: str) -> Iterator[Any]:
    """Yield the whole JSON values of a text: objects, and strings or lists that may hold one."""
    # Line feeds within strings are let through: the label's own rules say what is wrong with them.
    decode = json.JSONDecoder(strict=False).raw_decode
    stripped = text.strip()
    if stripped[:1] in ('"', "["):
        try:
            value, end = decode(stripped)
        except (ValueError, RecursionError):
            value, end = None, 0
        if isinstance(value, str) and end == len(stripped):
            yield from _objects_in_string(value)
            return
    start, tries = text.find("{"), 0
    while start >= 0 and tries < _MAX_TRIES:
        try:
            value, end = decode(text, start)
            yield value
        except (ValueError, RecursionError):
            end, tries = start + 1, tries + 1
        start = text.find("{", end)


def _objects_in_string(text: str) -> Iterator[Any]:
    """Yield the objects of a string within JSON, decoded once more."""
    if "{" in text:
        yield from _objects(text)


def _label_like(value: Any, depth: int = 0) -> Iterator[Mapping[str, Any]]:  # noqa: ANN401
    """Yield the objects in a value that have a field of a label, and are no schema of one."""
    if depth > _MAX_DEPTH:
        return
    if isinstance(value, Mapping):
        own = {_plain(str(name)) for name in value} & {_plain(name) for name in _FIELDS}
        values = list(value.values())
        inner = [one for one in values if isinstance(one, Mapping)]
        # One that repeats a field or two beside the whole label is a wrapper, too.
        if own and not any(_has_all_fields(one) for one in inner) and len(inner) < len(values):
            yield value
            return
    elif isinstance(value, list):
        values = value
    elif isinstance(value, str):
        values = list(_objects_in_string(value)) if "{" in value else []
    else:
        return
    for one in values[:_MAX_VALUES]:
        yield from _label_like(one, depth + 1)


def _has_all_fields(value: Mapping[str, Any]) -> bool:
    return {_plain(name) for name in _FIELDS} <= {_plain(str(name)) for name in value}


def _folded(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Spell names of fields and values of enumerations as the schema does."""
    names = {_plain(name): name for name in _FIELDS}
    folded = {}
    for name, value in fields.items():
        known = names.get(_plain(str(name)), str(name))
        choices = _choices(known)
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        if isinstance(value, str) and value not in choices:
            value = choices.get(_plain(value), value)
        folded[known if known not in folded else str(name)] = value
    return folded


def _choices(field: str) -> dict[str, str]:
    """Return the values of an enumeration, by themselves and by their plain spelling."""
    annotation = IssueLabel.model_fields[field].annotation if field in _FIELDS else None
    values = get_args(annotation) if get_origin(annotation) is Literal else ()
    return {spelling: value for value in values for spelling in (_plain(value), value)}


def _plain(text: str) -> str:
    return re.sub(r"[\W_]+", "", text.casefold()) if len(text) <= _MAX_PLACE_CHARS else text


def _no_object(texts: Sequence[str]) -> str:
    """Return what was wrong with texts that hold no whole object."""
    text = "\n".join(texts)[-_MAX_ANSWER_CHARS:]
    start, end = text.find("{"), text.rfind("}")
    if start < 0 or end < start:
        return "expected a JSON object, got none"
    try:
        IssueLabel.model_validate_json(text[start : end + 1])
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]["msg"]
        return printable(f"answer: {problem}", _MAX_PROBLEM_CHARS)
    return "expected a JSON object, got none"
