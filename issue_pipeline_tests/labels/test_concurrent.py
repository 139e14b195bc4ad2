"""The same answers give the same labels, however long each of them takes."""

import random
import time
from collections.abc import Callable
from threading import Event

import pytest

from issue_pipeline.errors import LabelingError, TitleTakenError
from issue_pipeline.labels.concurrent import LabelTask, Outcomes, label_concurrently
from issue_pipeline.labels.schema import IssueLabel
from issue_pipeline.labels.session import CandidateLabels, LabelResult
from issue_pipeline.labels.validation import DayTitles
from issue_pipeline.records import Spent
from issue_pipeline_tests.support.scripted_model import GOOD_LABEL

TITLES = ("It hangs", "It crashes", "It leaks", "It is slow")


def cluster(
    wanted: list[str], own: list[str], wait: Callable[[], object] = lambda: None
) -> LabelTask:
    """One whose model waits, then gives the next of these titles."""

    def begin() -> CandidateLabels:
        for calls, title in enumerate(wanted, start=1):
            wait()
            label = IssueLabel.model_validate({**GOOD_LABEL, "canonical_title": title})
            yield LabelResult(label, "remote", "openai/m", Spent(calls))
        raise LabelingError("no more titles", Spent(len(wanted)))

    return LabelTask(begin, own)


def in_the_end(seen: list[Outcomes]) -> dict[int, tuple[str, int]]:
    """Return each cluster's title and number of calls; what is taken back must come again."""
    ends: dict[int, tuple[str, int]] = {}
    asked_on: set[int] = set()
    for outcomes in seen:
        for place, result in outcomes.items():
            if isinstance(result, TitleTakenError):
                ends.pop(place, None)
                asked_on.add(place)
            else:
                assert place not in ends
                asked_on.discard(place)
                failed = isinstance(result, LabelingError)
                title = "" if failed else result.label.canonical_title
                ends[place] = (title, result.spent.attempts)
    assert not asked_on
    return ends


@pytest.mark.parametrize("seed", range(20))
def test_labels_and_calls_do_not_depend_on_which_answer_comes_first(seed: int):
    chance = random.Random(seed)
    wanted = [[chance.choice(TITLES) for _ in range(chance.randint(0, 4))] for _ in range(12)]
    own = [chance.sample(TITLES, chance.randint(1, 2)) for _ in wanted]
    known = [(TITLES[3], [TITLES[3]])] if seed % 2 else []
    results = []
    for at_once in (1, 4, 12):
        clusters = [
            cluster(*one, lambda: time.sleep(random.choice([0.0, 0.001, 0.004])))
            for one in zip(wanted, own, strict=True)
        ]
        results.append(in_the_end(list(label_concurrently(clusters, DayTitles(known), at_once))))
    assert results[0] == results[1] == results[2]
    assert set(results[0]) == set(range(12))
    assert {title for title, _ in results[0].values()} > {""}


def test_a_label_is_given_out_at_once_and_taken_back_when_one_before_it_wants_its_title():
    second_is_there = Event()
    clusters = [
        cluster(["It hangs"], [], lambda: second_is_there.wait(60)),
        cluster(["It hangs", "It crashes"], []),
    ]
    seen = []
    for outcomes in label_concurrently(clusters, DayTitles(), 2):
        seen.append(outcomes)
        second_is_there.set()
    kinds = [{place: type(result) for place, result in outcomes.items()} for outcomes in seen]
    assert kinds == [{1: LabelResult}, {1: TitleTakenError, 0: LabelResult}, {1: LabelResult}]
    assert in_the_end(seen) == {0: ("It hangs", 1), 1: ("It crashes", 2)}


def test_an_unforeseen_error_ends_it_all():
    def begin() -> CandidateLabels:
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        list(label_concurrently([LabelTask(begin, [])], DayTitles(), 2))
