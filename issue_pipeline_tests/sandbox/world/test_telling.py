"""A problem is told in ever other words, as far as its stock of sentences goes."""

import random

from issue_pipeline.sandbox.world.asides import BRIDGES, CONTEXTS
from issue_pipeline.sandbox.world.content import Problem, shipped_content
from issue_pipeline.sandbox.world.slots import SLOTS, slots_of
from issue_pipeline.sandbox.world.telling import tell


def told(problem: Problem, count: int, day: int = 1, others: tuple[Problem, ...] = ()) -> list[str]:
    return [
        " ".join(tell(problem, others, (7, day), i, random.Random(f"{day} {i}")))
        for i in range(count)
    ]


def test_no_two_reports_of_a_day_read_the_same() -> None:
    for problem in shipped_content().problems[::5]:  # a fifth of them, of all categories
        texts = told(problem, 45)
        assert len(set(texts)) >= 43, problem.id


def test_the_first_reports_of_a_day_share_no_piece_of_a_telling() -> None:
    for problem in shipped_content().problems:
        texts = told(problem, 6)
        for telling in problem.tellings:
            assert sum(telling in text for text in texts) <= 1, problem.id


def test_every_report_tells_something_of_its_problem() -> None:
    for problem in shipped_content().problems:
        words = [telling.split() for telling in problem.tellings]
        runs = {" ".join(w[i : i + 4]) for w in words for i in range(len(w) - 3)}
        for text in told(problem, 12):
            assert any(run in text for run in runs), (problem.id, text)


def test_another_day_deals_another_deck() -> None:
    problem = shipped_content().problems[0]
    assert told(problem, 10, day=1) != told(problem, 10, day=2)


def test_some_reports_mention_another_problem_in_passing() -> None:
    one, other, *_ = shipped_content().problems
    beginnings = tuple(detail[:40].split("{")[0] for detail in other.details)
    mentions = sum(any(b in text for b in beginnings) for text in told(one, 300, others=(other,)))
    assert 30 < mentions < 90


def test_asides_use_known_slots_only() -> None:
    for text in (*CONTEXTS, *(bridge.format(aside="") for bridge in BRIDGES)):
        assert slots_of(text) <= SLOTS, text
