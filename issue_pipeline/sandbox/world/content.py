"""Loads and checks the written content of the synthetic world (the TOML files beside this module).

The content is data that people write by hand, so every mistake in it is reported with the file,
the entry and the field, and nothing is skipped silently.
"""

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

from issue_pipeline.sandbox.world.slots import SLOTS, slots_of

SOURCES = ("github", "stackoverflow", "reddit", "hackernews")
CATEGORIES = (
    "ai", "finance", "compliance", "logistics", "healthtech", "devtools", "ecommerce", "other",
)  # fmt: skip
IMPACTS = ("low", "medium", "high")

CONTENT_FOLDER = Path(__file__).parent
_NOT_WORD = re.compile(r"[\W_]+")


class ContentError(ValueError):
    """Content that cannot be used; the message names the file, the entry and the field."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A recurring problem and the words in which people report it.

    Attributes:
        id: ``<category>-<kebab words>``, unique.
        category: One of ``CATEGORIES``.
        would_pay: Whether its tellers say that they would pay for a fix.
        impact: One of ``IMPACTS``.
        sources: Where it is reported, likeliest first.
        subjects: Noun phrases; with failures and circumstances they make titles.
        failures: Verb phrases.
        circumstances: Adverbial phrases.
        questions: Complete titles in other words.
        tellings: Passages of two or three sentences, each another person's.
        details: Single sentences.
        artifact: A log, a stack trace, code; no slots in it.
    """

    id: str
    category: str
    would_pay: bool
    impact: str
    sources: tuple[str, ...]
    subjects: tuple[str, ...]
    failures: tuple[str, ...]
    circumstances: tuple[str, ...]
    questions: tuple[str, ...]
    tellings: tuple[str, ...]
    details: tuple[str, ...]
    artifact: str


@dataclass(frozen=True, slots=True)
class Bot:
    """An automated reporter: its titles are fixed and repeat exactly, day after day.

    Attributes:
        id: ``bot-<kebab words>``, unique.
        category: One of ``CATEGORIES``.
        would_pay: Whether its reports say that somebody would pay for a fix.
        impact: One of ``IMPACTS``.
        sources: Where it posts, likeliest first.
        author: The login under which it posts.
        titles: Three to five titles, without slots.
        notices: Texts of the reports, with slots.
        artifact: A log; no slots in it.
    """

    id: str
    category: str
    would_pay: bool
    impact: str
    sources: tuple[str, ...]
    author: str
    titles: tuple[str, ...]
    notices: tuple[str, ...]
    artifact: str


@dataclass(frozen=True, slots=True)
class Topic:
    """Something people talk about without reporting a problem.

    Attributes:
        id: ``chatter-<kebab words>``, unique.
        sources: Where it is talked about, likeliest first.
        titles: Quite different titles.
        remarks: Passages of one to three sentences.
    """

    id: str
    sources: tuple[str, ...]
    titles: tuple[str, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Content:
    """Everything the synthetic world can say, each part sorted by id."""

    problems: tuple[Problem, ...]
    bots: tuple[Bot, ...]
    topics: tuple[Topic, ...]


@cache
def shipped_content() -> Content:
    """Return the content that ships with the package, loaded once for the process."""
    return load_content(CONTENT_FOLDER)


def load_content(folder: Path) -> Content:
    """Load ``problems/*.toml``, ``chatter/*.toml`` and ``bots.toml`` of a folder.

    Raises:
        ContentError: A file is missing or not TOML, a field is missing, unknown or of the wrong
            kind, a list is too short, a slot is unknown, or two ids or two titles are the same.
    """
    problems = [
        _problem(entry)
        for file in _files(folder / "problems")
        for entry in _entries(file, "problem")
    ]
    topics = [
        _topic(entry) for file in _files(folder / "chatter") for entry in _entries(file, "topic")
    ]
    bots = [_bot(entry) for entry in _entries(folder / "bots.toml", "bot")]
    _require_unique_ids([*problems, *bots, *topics])
    _require_distinct_questions(problems)
    return Content(
        problems=tuple(sorted(problems, key=lambda problem: problem.id)),
        bots=tuple(sorted(bots, key=lambda bot: bot.id)),
        topics=tuple(sorted(topics, key=lambda topic: topic.id)),
    )


def title_key(title: str) -> str:
    """Return the title without case and punctuation: titles with equal keys are "the same"."""
    return _NOT_WORD.sub(" ", title.casefold()).strip()


class _Entry:
    """One table of a content file, read field by field; knows how to complain."""

    def __init__(self, file: Path, position: int, table: Mapping[str, Any]) -> None:
        self._table = table
        self._where = f"{file.name}, {table.get('id') or f'entry {position}'}"

    def error(self, field: str, complaint: str) -> ContentError:
        return ContentError(f"{self._where}, field {field!r}: {complaint}")

    def require_fields_of(self, kind: type[Problem] | type[Bot] | type[Topic]) -> None:
        expected = {field.name for field in fields(kind)}
        for name in sorted(self._table.keys() - expected):
            raise self.error(name, f"unknown; expected only {', '.join(sorted(expected))}")

    def text(self, field: str) -> str:
        value = self._get(field)
        if not isinstance(value, str) or not value.strip():
            raise self.error(field, f"expected a text that is not empty, got {value!r}")
        return value

    def flag(self, field: str) -> bool:
        value = self._get(field)
        if not isinstance(value, bool):
            raise self.error(field, f"expected true or false, got {value!r}")
        return value

    def choice(self, field: str, allowed: Iterable[str]) -> str:
        value = self._get(field)
        if value not in tuple(allowed):
            raise self.error(field, f"expected one of {', '.join(allowed)}, got {value!r}")
        return str(value)

    def texts(self, field: str, at_least: int, slots: Iterable[str] = SLOTS) -> tuple[str, ...]:
        """Return a list of distinct texts in which only the given slots occur."""
        value = self._get(field)
        if not isinstance(value, list):
            raise self.error(field, f"expected a list of texts, got {value!r}")
        texts: list[str] = []
        for position, item in enumerate(value, start=1):
            if not isinstance(item, str) or not item.strip():
                raise self.error(field, f"item {position} is not a text or is empty: {item!r}")
            for slot in sorted(slots_of(item) - set(slots)):
                raise self.error(field, f"item {position} has {{{slot}}}, which nothing fills here")
            texts.append(item.strip())
        if len(texts) < at_least:
            raise self.error(field, f"expected at least {at_least} texts, got {len(texts)}")
        if len({title_key(text) for text in texts}) < len(texts):
            raise self.error(field, "two of its texts are the same but for case and punctuation")
        return tuple(texts)

    def sources(self, at_least: int) -> tuple[str, ...]:
        sources = self.texts("sources", at_least)
        for source in sources:
            if source not in SOURCES:
                raise self.error("sources", f"expected {', '.join(SOURCES)}, got {source!r}")
        return sources

    def _get(self, field: str) -> object:
        if field not in self._table:
            raise self.error(field, "missing")
        return self._table[field]


def _problem(entry: _Entry) -> Problem:
    entry.require_fields_of(Problem)
    problem = Problem(
        id=entry.text("id"),
        category=entry.choice("category", CATEGORIES),
        would_pay=entry.flag("would_pay"),
        impact=entry.choice("impact", IMPACTS),
        sources=entry.sources(at_least=2),
        subjects=entry.texts("subjects", at_least=4),
        failures=entry.texts("failures", at_least=5),
        circumstances=entry.texts("circumstances", at_least=5),
        questions=entry.texts("questions", at_least=5),
        tellings=entry.texts("tellings", at_least=6),
        details=entry.texts("details", at_least=6),
        artifact=entry.text("artifact").strip("\n"),
    )
    if not problem.id.startswith(f"{problem.category}-"):
        raise entry.error("id", f"expected it to begin with the file's name, {problem.category}-")
    titles = [
        " ".join(parts)
        for parts in product(problem.subjects, problem.failures, problem.circumstances)
    ]
    if len({title_key(title) for title in titles}) < len(titles):
        raise entry.error(
            "subjects", "two combinations with failures and circumstances read the same"
        )
    return problem


def _bot(entry: _Entry) -> Bot:
    entry.require_fields_of(Bot)
    bot = Bot(
        id=entry.text("id"),
        category=entry.choice("category", CATEGORIES),
        would_pay=entry.flag("would_pay"),
        impact=entry.choice("impact", IMPACTS),
        sources=entry.sources(at_least=1),
        author=entry.text("author"),
        titles=entry.texts("titles", at_least=3, slots=()),
        notices=entry.texts("notices", at_least=3),
        artifact=entry.text("artifact").strip("\n"),
    )
    if not bot.id.startswith("bot-"):
        raise entry.error("id", "expected it to begin with bot-")
    if len(bot.titles) > 5:
        raise entry.error("titles", f"expected at most 5, got {len(bot.titles)}")
    return bot


def _topic(entry: _Entry) -> Topic:
    entry.require_fields_of(Topic)
    topic = Topic(
        id=entry.text("id"),
        sources=entry.sources(at_least=1),
        titles=entry.texts("titles", at_least=4),
        remarks=entry.texts("remarks", at_least=5),
    )
    if not topic.id.startswith("chatter-"):
        raise entry.error("id", "expected it to begin with chatter-")
    return topic


def _files(folder: Path) -> list[Path]:
    files = sorted(folder.glob("*.toml"))
    if not files:
        raise ContentError(f"{folder}: expected a folder with at least one .toml file, found none")
    return files


def _entries(file: Path, key: str) -> list[_Entry]:
    """Return the tables ``[[key]]`` of a file; a problem's category is the name of its file."""
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ContentError(f"{file}: the file is missing") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ContentError(f"{file.name}: not valid TOML in UTF-8: {error}") from error
    tables = document.get(key)
    if set(document) != {key} or not isinstance(tables, list) or not tables:
        raise ContentError(f"{file.name}: expected only [[{key}]] tables, got {sorted(document)}")
    category = {"category": file.stem} if key == "problem" else {}
    return [_Entry(file, i, {**category, **table}) for i, table in enumerate(tables, start=1)]


def _require_unique_ids(entries: Iterable[Problem | Bot | Topic]) -> None:
    _require_distinct(((entry.id, entry.id) for entry in entries), "the id", lambda text: text)


def _require_distinct_questions(problems: Iterable[Problem]) -> None:
    pairs = ((problem.id, question) for problem in problems for question in problem.questions)
    _require_distinct(pairs, "field 'questions': the title", title_key)


def _require_distinct(
    pairs: Iterable[tuple[str, str]], what: str, key: Callable[[str], str]
) -> None:
    seen: dict[str, str] = {}
    for owner, text in pairs:
        if key(text) in seen:
            raise ContentError(f"{owner}, {what} {text!r} is already taken by {seen[key(text)]}")
        seen[key(text)] = owner
