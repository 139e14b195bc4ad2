"""Which issues of different days are one problem."""

from datetime import date, timedelta

import numpy as np
import pytest

from issue_pipeline.problems import link_issues
from issue_pipeline.problems.identity import (
    MIN_SIMILARITY,
    QUIET_DAYS,
    QUIET_HANDICAP,
    Group,
    Link,
    Problem,
    link_day,
    similarities,
)
from issue_pipeline.utils.embeddings import Vectors

FIRST = date(2026, 3, 1)


def topic(number: int, posts: int = 5, *, spread: float = 0.8, seed: int = 0) -> Vectors:
    """Unit vectors of posts about one thing; the smaller the spread, the more alike they are."""
    middle = np.random.default_rng(number).normal(size=384)
    noise = np.random.default_rng([number, seed]).normal(size=(posts, 384))
    rows = middle + spread * noise
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def together(numbers: list[int]) -> set[frozenset[int]]:
    return {frozenset(i for i, n in enumerate(numbers) if n == one) for one in numbers}


def linked(*days: list[Vectors]) -> list[list[int]]:
    dated = [(FIRST + timedelta(days=place), issues) for place, issues in enumerate(days)]
    return [numbers.tolist() for numbers in link_issues(dated)]


def test_a_problem_keeps_its_number_over_the_days_and_new_ones_get_the_next():
    days = (
        [topic(1, seed=1), topic(2, seed=1)],
        [topic(3, seed=2), topic(2, seed=2)],
        [topic(1, seed=3), topic(3, seed=3), topic(4, seed=3)],
    )
    assert linked(*days) == [[0, 1], [2, 1], [0, 2, 3]]


def test_a_problem_is_found_again_after_days_without_it():
    assert linked([topic(1)], [topic(2)], [], [topic(1, seed=9)]) == [[0], [1], [], [0]]


def test_two_issues_of_the_first_day_that_are_one_problem_get_one_number():
    assert linked([topic(1, seed=1), topic(2), topic(1, seed=2)]) == [[0, 1, 0]]


def test_two_issues_of_a_day_join_the_same_earlier_problem():
    assert linked([topic(1)], [topic(1, seed=1), topic(1, seed=2)]) == [[0], [0, 0]]


def mixed(one: Vectors, other: Vectors, share: float) -> Vectors:
    """Posts between two subjects, with so much of the first."""
    rows = np.sqrt(share) * one + np.sqrt(1 - share) * other
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_two_issues_of_a_day_that_are_not_one_problem_do_not_join_the_same_one():
    """A cluster of yesterday mixed two subjects; today's clusters keep them apart."""
    both, nearer, other = (
        mixed(topic(1, seed=seed), topic(2, seed=seed), share)
        for seed, share in ((1, 0.5), (2, 0.9), (3, 0.1))
    )
    alike = similarities([Group.of(nearer), Group.of(other)], [Group.of(both)])[:, 0]
    assert (alike > MIN_SIMILARITY).all()
    assert linked([both], [nearer]) == [[0], [0]]
    assert linked([both], [other]) == [[0], [0]]
    assert linked([both], [nearer, other]) == [[0], [0, 1]]
    assert linked([both], [other, nearer]) == [[0], [1, 0]]


def test_of_two_problems_about_as_similar_the_one_of_the_last_days_is_continued():
    first, second = topic(1), mixed(topic(1, seed=1), topic(2), 0.5)
    issue = mixed(topic(1, seed=2), topic(2, seed=2), 0.89)
    groups = [Group.of(first), Group.of(second)]
    to_first, to_second = similarities([Group.of(issue)], groups)[0]
    assert to_second < to_first < to_second + QUIET_HANDICAP

    def continued(last_seen: date) -> int:
        problems = [Problem(0, last_seen, groups[:1]), Problem(1, FIRST, groups[1:])]
        (link,) = link_day(problems, FIRST + timedelta(days=1), [Group.of(issue)])
        return link.number

    assert continued(FIRST) == 0
    assert continued(FIRST - timedelta(days=QUIET_DAYS)) == 1


def test_posts_that_agree_little_within_an_issue_need_to_agree_little_across():
    """0.2 across is much for groups that reach 0.2 within, and little for those that reach 0.6."""
    loose = [topic(1, 40, spread=2.0, seed=seed) for seed in (1, 2)]
    assert similarities([Group.of(loose[0])], [Group.of(loose[1])])[0, 0] > 0.75
    cosine = float((loose[0] @ loose[1].T).mean())
    assert cosine < 0.25
    tight = topic(1, 40, spread=0.5), topic(2, 40, spread=0.5)
    near = cosine * tight[0][:1] + np.sqrt(1 - cosine**2) * tight[1]
    assert similarities([Group.of(tight[0])], [Group.of(near.astype(np.float32))])[0, 0] < 0.6


def test_of_two_single_posts_the_similarity_is_their_cosine():
    one, other = topic(1, 1), topic(1, 1, seed=5)
    expected = float(one[0] @ other[0])
    assert similarities([Group.of(one)], [Group.of(other)])[0, 0] == pytest.approx(
        expected, abs=1e-5
    )


def test_the_wording_of_a_problem_may_drift():
    """Compared with its latest issues, not with how it began."""
    begin, end = topic(1, 40), topic(2, 40)
    days = []
    for step in np.linspace(0, 1, 12):
        rows = (1 - step) * begin[: 5 + 1] + step * end[: 5 + 1]
        days.append([(rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)])
    assert linked(*days) == [[0]] * 12
    assert linked(days[0], days[-1]) == [[0], [1]]


def test_earlier_problems_stay_apart_whatever_comes_between_them():
    first, second = Group.of(topic(1)), Group.of(topic(2))
    between = Group(first.total + second.total, first.count + second.count)
    problems = [Problem(0, FIRST, [first]), Problem(1, FIRST, [second])]
    links = link_day(problems, FIRST, [between])
    assert len(links) == 1
    assert [problem.number for problem in problems] == [0, 1]


def test_the_order_of_a_days_issues_changes_no_group():
    issues = [topic(number, seed=seed) for number in range(6) for seed in (1, 2)]
    straight = linked([topic(3), topic(4)], issues)[1]
    backwards = linked([topic(3), topic(4)], issues[::-1])[1][::-1]
    groups = [
        {i for i, n in enumerate(row) if n == one} for row in (straight, backwards) for one in row
    ]
    assert groups[:12] == groups[12:]


def test_the_link_that_begins_a_problem_has_similarity_one():
    assert link_day([], FIRST, [Group.of(topic(1))]) == [Link(0, 1.0)]


def test_days_must_be_in_order():
    with pytest.raises(ValueError, match="in order"):
        link_issues([(FIRST, []), (FIRST, [])])


def test_no_days_and_days_without_issues_give_empty_results():
    assert link_issues([]) == []
    (numbers,) = link_issues([(FIRST, [])])
    assert (numbers.dtype, numbers.shape) == (np.int64, (0,))
