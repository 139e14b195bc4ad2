"""Concurrent labelling with deterministic conflict resolution.

Of several labels with one title, the first cluster in the order of the day keeps it.
The same answers result in the same labels, in whatever order they arrive: what is sent for a
cluster depends on no other cluster, except that it may not have a title which one before it wants.
A label is yielded as soon as it is there all the same. If a cluster before it claims its title
later, the label is withdrawn and its candidate labels go on, with the same words and as many calls
as if it had come second. Where they are used up, what sets the cluster apart is added to the title.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from itertools import islice

from issue_pipeline.errors import LabelingError, TitleTakenError
from issue_pipeline.labels.distinction import qualified_labels
from issue_pipeline.labels.schema import IssueLabel
from issue_pipeline.labels.session import CandidateLabels, LabelResult
from issue_pipeline.labels.validation import DayTitles

TITLE_TAKEN = (
    "canonical_title: is the title of another problem of the day; expected what sets this one apart"
)


@dataclass(frozen=True, slots=True)
class LabelTask:
    """One cluster to label.

    Attributes:
        begin: Returns its candidate labels; called in a thread of its own.
        titles: Its representatives' titles.
        apart: What sets it apart from the other clusters of the day, the most telling first.
        problem: Returns what is wrong with a label for it, or ``None``.
    """

    begin: Callable[[], CandidateLabels]
    titles: Collection[str]
    apart: Sequence[str] = ()
    problem: Callable[[IssueLabel], str | None] = lambda _: None


# By place in the order of the day: a cluster's label, or why it has none.
Outcomes = dict[int, LabelResult | LabelingError]


def label_concurrently(
    clusters: Sequence[LabelTask], titles: DayTitles, at_once: int
) -> Iterator[Outcomes]:
    """Label every cluster, several at once.

    Args:
        clusters: In the order of the day: of two that want a title the first has it.
        titles: The titles that are taken for good.
        at_once: How many are worked on at the same time, at least 1.

    Yields:
        Outcomes as they come, with a ``TitleTakenError`` for each label that is withdrawn and for
        whose cluster another outcome comes. No more is begun until the next is asked for: whoever
        stores each first loses no more labels than calls are under way.
    """
    candidates: dict[int, Iterator[LabelResult]] = {}
    labels: dict[int, LabelResult] = {}
    running: dict[Future[LabelResult], int] = {}
    left = iter(range(len(clusters)))

    def begin(place: int) -> LabelResult:
        candidates[place] = _with_titles_apart(clusters[place])
        return next(candidates[place])

    def go_on(place: int) -> LabelResult:
        return next(candidates[place])

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


def _with_titles_apart(cluster: LabelTask) -> Iterator[LabelResult]:
    """Yield a cluster's candidate labels; then the last one, with what sets the cluster apart.

    Each is yielded because the title of the one before belongs to another cluster.

    Raises:
        LabelingError: There is no further one.
    """
    reason = TITLE_TAKEN
    if cluster.apart:
        reason += f", such as: {'; '.join(cluster.apart)}"
    candidates = cluster.begin()
    last: LabelResult | None = None
    try:
        last = next(candidates)
        while True:
            yield last
            last = candidates.send(reason)
    except LabelingError as error:
        if last is not None:
            for label in qualified_labels(last.label, cluster.apart):
                if cluster.problem(label) is None:
                    yield replace(last, label=label, spent=error.spent)
        raise
