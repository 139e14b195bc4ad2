"""The written content is checked when it is loaded, and complaints say where to look."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from issue_pipeline.sandbox.world.content import (
    CATEGORIES,
    IMPACTS,
    ContentError,
    load_content,
    shipped_content,
    title_key,
)
from issue_pipeline.sandbox.world.slots import SLOTS, slots_of

PROBLEM: dict[str, Any] = {
    "id": "finance-test",
    "would_pay": True,
    "impact": "low",
    "sources": ["reddit", "github"],
    "subjects": ["a till", "the register", "our checkout desk", "a cash drawer"],
    "failures": ["jams", "sticks", "locks up", "refuses coins", "eats notes"],
    "circumstances": ["at noon", "in {city}", "on Mondays", "since {month}", "again"],
    "questions": ["Till dead?", "Coins stuck", "Who repairs drawers?", "It jams", "Drawer woes"],
    "tellings": [
        f"Telling number {word}." for word in ("one", "two", "three", "four", "five", "six")
    ],
    "details": [
        f"Detail number {word}." for word in ("one", "two", "three", "four", "five", "six")
    ],
    "artifact": "E42 drawer",
}
BOT: dict[str, Any] = {
    "id": "bot-test",
    "category": "other",
    "would_pay": False,
    "impact": "low",
    "sources": ["github"],
    "author": "tester",
    "titles": ["First alert", "Second alert", "Third alert"],
    "notices": ["It failed {n} times.", "It is down.", "It is late."],
    "artifact": "exit 1",
}
TOPIC: dict[str, Any] = {
    "id": "chatter-test",
    "sources": ["reddit"],
    "titles": ["Kites", "My kite from {city}", "Wind today", "Knots"],
    "remarks": ["One remark.", "Two remarks.", "Three remarks.", "Four remarks.", "Five remarks."],
}


def write_content(
    folder: Path,
    problem: dict[str, Any] | None = None,
    bot: dict[str, Any] | None = None,
    topic: dict[str, Any] | None = None,
) -> Path:
    write_toml(folder / "problems" / "finance.toml", "problem", [PROBLEM | (problem or {})])
    write_toml(folder / "chatter" / "life.toml", "topic", [TOPIC | (topic or {})])
    write_toml(folder / "bots.toml", "bot", [BOT | (bot or {})])
    return folder


def write_toml(file: Path, key: str, tables: list[dict[str, Any]]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    lines: list[str] = []
    for table in tables:
        lines.append(f"[[{key}]]")
        lines += [f"{name} = {toml_value(value)}" for name, value in table.items()]
    file.write_text("\n".join(lines), encoding="utf-8")


def toml_value(value: Any) -> str:
    # For texts, lists of texts and booleans Python's and TOML's notations differ only in booleans.
    return str(value).lower() if isinstance(value, bool) else repr(value)


def test_valid_content_is_loaded_with_the_category_of_its_file(tmp_path: Path) -> None:
    content = load_content(write_content(tmp_path))

    (problem,) = content.problems
    assert problem.category == "finance"
    assert problem.subjects[1] == "the register"
    assert [topic.id for topic in content.topics] == ["chatter-test"]
    assert [bot.author for bot in content.bots] == ["tester"]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"impact": "huge"}, r"finance\.toml, finance-test, field 'impact'.*low, medium, high"),
        ({"would_pay": "yes"}, r"finance\.toml, finance-test, field 'would_pay'"),
        ({"sources": ["reddit", "usenet"]}, r"finance-test, field 'sources'.*usenet"),
        ({"sources": ["reddit"]}, r"finance-test, field 'sources'.*at least 2"),
        ({"failures": ["jams", "sticks"]}, r"finance-test, field 'failures'.*at least 5.*got 2"),
        ({"tellings": ["a", "A!", "b", "c", "d", "e"]}, r"field 'tellings'.*the same"),
        ({"details": ["{colour}"] + PROBLEM["details"]}, r"field 'details': item 1.*\{colour\}"),
        ({"details": ["x {} y"] + PROBLEM["details"]}, r"field 'details': item 1"),
        ({"artifact": "  "}, r"finance-test, field 'artifact'.*not empty"),
        ({"urgency": "low"}, r"finance-test, field 'urgency': unknown"),
        ({"id": "logistics-test"}, r"field 'id'.*finance-"),
        (
            {"subjects": ["a", "a b", "c", "d"], "failures": ["b c", "c", "e", "f", "g"]},
            r"field 'subjects'.*read the same",
        ),
    ],
)
def test_a_mistake_in_a_problem_is_reported_with_file_problem_and_field(
    tmp_path: Path, change: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(ContentError, match=complaint):
        load_content(write_content(tmp_path, problem=change))


def test_a_missing_field_is_reported(tmp_path: Path) -> None:
    write_content(tmp_path)
    without = {name: value for name, value in PROBLEM.items() if name != "questions"}
    write_toml(tmp_path / "problems" / "finance.toml", "problem", [without])

    with pytest.raises(ContentError, match=r"finance-test, field 'questions': missing"):
        load_content(tmp_path)


def test_a_bots_titles_are_fixed_and_at_most_five(tmp_path: Path) -> None:
    with pytest.raises(ContentError, match=r"bots\.toml, bot-test, field 'titles'.*\{n\}"):
        load_content(write_content(tmp_path, bot={"titles": ["A", "B", "C {n}"]}))
    with pytest.raises(ContentError, match=r"bot-test, field 'titles'.*at most 5"):
        load_content(write_content(tmp_path, bot={"titles": ["A", "B", "C", "D", "E", "F"]}))


def test_an_id_may_be_taken_only_once(tmp_path: Path) -> None:
    write_content(tmp_path)
    write_toml(tmp_path / "chatter" / "more.toml", "topic", [TOPIC])

    with pytest.raises(ContentError, match=r"chatter-test.*already taken"):
        load_content(tmp_path)


def test_broken_toml_is_reported_with_its_file(tmp_path: Path) -> None:
    write_content(tmp_path)
    (tmp_path / "problems" / "ai.toml").write_text("[[problem]\n", encoding="utf-8")

    with pytest.raises(ContentError, match=r"ai\.toml: not valid TOML"):
        load_content(tmp_path)


def test_a_folder_without_content_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ContentError, match="problems: expected a folder with at least one"):
        load_content(tmp_path)


def test_the_shipped_content_has_hundreds_of_problems_over_all_categories() -> None:
    problems = shipped_content().problems

    assert len(problems) >= 200
    for category in CATEGORIES:
        own = [problem for problem in problems if problem.category == category]
        assert len(own) >= 20, category
        assert {problem.impact for problem in own} == set(IMPACTS), category
        assert {problem.would_pay for problem in own} == {True, False}, category


def test_the_shipped_tellings_of_a_problem_are_different_texts() -> None:
    for problem in shipped_content().problems:
        words = [set(title_key(telling).split()) for telling in problem.tellings]
        for i, one in enumerate(words):
            for other in words[:i]:
                assert len(one & other) / len(one | other) < 0.5, problem.id


def test_no_shipped_text_has_an_unknown_slot() -> None:
    # The loader promises it; the artifacts, where braces are literal, must not be filled.
    topics = shipped_content().topics
    used = {slot for topic in topics for title in topic.titles for slot in slots_of(title)}
    assert used
    assert used <= SLOTS


def test_the_helper_of_these_tests_writes_what_toml_reads(tmp_path: Path) -> None:
    write_toml(tmp_path / "x.toml", "bot", [BOT])
    assert tomllib.loads((tmp_path / "x.toml").read_text(encoding="utf-8")) == {"bot": [BOT]}
