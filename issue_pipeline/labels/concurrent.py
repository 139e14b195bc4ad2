"""Several clusters asked about at once, and which of them has a title that several want.

The same answers give the same labels, in whatever order they come: what a cluster is asked depends
on no other cluster, but that it may not have a title which one before it wants. A label is given
out as soon as it is there all the same. Should one before it come for its title later, it is taken
back, and its cluster is asked on, with the same words and as often as if it had come second.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from itertools import islice

from issue_pipeline.errors import LabelingError, TitleTakenError
from issue_pipeline.labels.session import CandidateLabels, LabelResult
from issue_pipeline.labels.validation import DayTitles

TITLE_TAKEN = (
    "canonical_title: is the title of another problem of the day; expected what sets this one apart"
)


@dataclass(frozen=True, slots=True)
class LabelTask:
    """One cluster that models are asked about.

    Attributes:
        begin: Starts to ask; called in a thread of its own.
        titles: Its representatives' titles.
    """

    begin: Callable[[], CandidateLabels]
    titles: Collection[str]


# By place in the order of the day: a cluster's label, or why it has none.
Outcomes = dict[int, LabelResult | LabelingError]


def label_concurrently(
    clusters: Sequence[LabelTask], titles: DayTitles, at_once: int
) -> Iterator[Outcomes]:
    """Ask about every cluster, several at once.

    Args:
        clusters: In the order of the day: of two that want a title the first has it.
        titles: The titles that are taken for good.
        at_once: How many are asked about at the same time, at least 1.

    Yields:
        Outcomes as they come, with a ``TitleTakenError`` for each label that is taken back and for
        whose cluster another outcome comes. No more is begun until the next is asked for: whoever
        stores each first loses no more labels than calls are under way.
    """
    candidates: dict[int, CandidateLabels] = {}
    labels: dict[int, LabelResult] = {}
    running: dict[Future[LabelResult], int] = {}
    left = iter(range(len(clusters)))

    def begin(place: int) -> LabelResult:
        candidates[place] = clusters[place].begin()
        return next(candidates[place])

    def go_on(place: int) -> LabelResult:
        return candidates[place].send(TITLE_TAKEN)

    pool = ThreadPoolExecutor(at_once, thread_name_prefix="label")
    try:
        while True:
            free = max(0, at_once - len(running))
            running.update((pool.submit(begin, place), place) for place in islice(left, free))
            if not running:
                return
            future = next(as_completed(running))
            place = running.pop(future)
            outcomes: Outcomes = {}
            losers: list[int] = []
            try:
                labels[place] = label = future.result()
            except LabelingError as error:
                outcomes[place] = error
            else:
                losers = titles.claim(label.label.canonical_title, place, clusters[place].titles)
                lost = {loser: labels.pop(loser) for loser in losers}
                outcomes |= {one: TitleTakenError(TITLE_TAKEN, lost[one].spent) for one in losers}
                if place not in losers:
                    outcomes[place] = label
            yield outcomes
            running.update((pool.submit(go_on, loser), loser) for loser in losers)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
