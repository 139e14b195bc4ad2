"""The walk through the titles never meets itself on consecutive days."""

from dataclasses import replace

import pytest

from issue_pipeline.sandbox.world.content import shipped_content, title_key
from issue_pipeline.sandbox.world.titles import TitleWalk, problem_walk, topic_walk


@pytest.mark.parametrize(("patterns", "stride"), [(10, 5), (10, 4), (11, 5), (10, 9), (3, 20)])
def test_two_consecutive_days_share_no_title_however_many_they_need(
    patterns: int, stride: int
) -> None:
    walk = TitleWalk([f"pattern {i}" for i in range(patterns)], stride)
    for day in range(739_000, 739_040):
        titles = [walk.pattern(d, i) for d in (day, day + 1) for i in range(stride)]
        assert len(set(titles)) == 2 * stride


def test_patterns_are_left_plain_where_there_are_enough() -> None:
    walk = TitleWalk(["a", "b", "c", "d"], stride=2)
    assert {walk.pattern(d, i) for d in range(9) for i in range(2)} == {"a", "b", "c", "d"}


def test_a_day_may_not_use_more_places_than_it_owns() -> None:
    with pytest.raises(IndexError, match="2 places"):
        TitleWalk(["a", "b", "c", "d"], stride=2).pattern(1, 2)


def test_a_problem_has_a_hundred_and_more_different_titles() -> None:
    problem = shipped_content().problems[0]
    walk = problem_walk(7, problem, stride=48)
    titles = {title_key(walk.pattern(day, i)) for day in (3, 4) for i in range(48)}
    assert len(titles) == 96
    asked = [t for t in titles if any(title_key(q) in t for q in problem.questions)]
    assert 10 < len(asked) < 50


def test_a_statement_begins_with_a_capital_letter_whatever_its_subject() -> None:
    problem = replace(shipped_content().problems[0], subjects=("the till",))
    walk = problem_walk(7, problem, stride=20)
    titles = [walk.pattern(10, i) for i in range(20)]
    assert any(title.startswith("The till ") for title in titles)
    assert not any(title.startswith("the till ") for title in titles)


def test_another_seed_walks_in_another_order() -> None:
    topic = shipped_content().topics[0]
    one, other = topic_walk(1, topic, 5), topic_walk(2, topic, 5)
    assert [one.pattern(0, i) for i in range(5)] != [other.pattern(0, i) for i in range(5)]
