"""Identity over time: which issues of different days are one problem.

An issue is given by the unit vectors of its representatives. How alike two groups of posts are,
the mean cosine across them tells without bias, whatever their sizes; but what mean cosine two
groups of one problem reach depends on how alike posts on that problem are at all. So the mean
cosine across is divided by what each group reaches within itself (the correction for attenuation
of Spearman, "The proof and measurement of association between two things", 1904): 1 where two
groups differ by no more than their own members do.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from issue_pipeline.utils.embeddings import Vectors

# Least similarity of one problem; docs/problems.md tells how it was chosen.
MIN_SIMILARITY = 0.74
# Of a problem, the latest issues that stand for it. Wording drifts, and they bound the work.
RECENT_ISSUES = 3
# Two issues of a day may be less similar to each other than one common subject explains by so much.
MAX_APART = 0.1
# A problem that was not seen for so many days yields to one that was, unless the issue is more
# similar to it by this much.
QUIET_DAYS = 7
QUIET_HANDICAP = 0.05
# A problem that was not seen for longer is not continued: that bounds the work, too. A year and a
# little, so that what comes once a year is known again.
MAX_GAP_DAYS = 400
# A group's posts are hardly alike; noise in so small a number must not make everything similar.
_MIN_WITHIN = 0.05
# Similarities are compared after rounding, so that the last bits of a sum decide nothing.
_DECIMALS = 6

Sums = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Group:
    """The representatives of one or more issues, added up.

    Attributes:
        total: float64 (d,), the sum of their unit vectors.
        count: How many there are, at least 1.
    """

    total: Sums
    count: int

    @classmethod
    def of(cls, vectors: Vectors) -> "Group":
        """Return the group of one issue: float32 (r, d), unit rows, r >= 1."""
        return cls(vectors.sum(axis=0, dtype=np.float64), len(vectors))

    def __add__(self, other: "Group") -> "Group":
        return Group(self.total + other.total, self.count + other.count)


@dataclass(slots=True)
class Problem:
    """A problem as far as later issues are compared with it.

    Attributes:
        number: In order of first appearance, from 0.
        last_seen: UTC day of its latest issue.
        recent: Its latest issues, oldest first, at most ``RECENT_ISSUES``.
    """

    number: int
    last_seen: date
    recent: list[Group] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Link:
    """Where one issue belongs.

    Attributes:
        number: Of its problem.
        similarity: To that problem as it was when the issue joined; 1.0 for the issue that
            began it.
    """

    number: int
    similarity: float


def similarities(groups: Sequence[Group], others: Sequence[Group]) -> NDArray[np.float64]:
    """Return the similarity of each group to each other one.

    It is the mean cosine across, divided by the geometric mean of what both reach within. Within
    counts every pair of different posts once and one pair of a post with itself, which is all that
    is known of a single post: of two single posts the similarity is their cosine.

    Returns:
        float64 (len(groups), len(others)), mostly in [0, 1.2], rounded to 1e-6; small negative
        numbers are possible.
    """
    if not groups or not others:
        return np.zeros((len(groups), len(others)))
    first, others_ = _stacked(groups), _stacked(others)
    across = (first[0] @ others_[0].T) / np.outer(first[1], others_[1])
    scale = np.sqrt(np.outer(_within(*first), _within(*others_)))
    rounded: NDArray[np.float64] = np.round(across / scale, _DECIMALS)
    return rounded


def link_day(problems: Sequence[Problem], day: date, issues: Sequence[Group]) -> list[Link]:
    """Return every issue of one day its problem: an earlier one, or a new one.

    Each issue joins the earlier problem that it is most similar to, if their similarity is at least
    ``MIN_SIMILARITY`` and it was seen in the ``MAX_GAP_DAYS`` before; :func:`nearest_problems` says
    what two issues of a day need to join the same one. Of the others, those that are
    one problem are put together, the most similar pair first, again as long as their similarity is
    at least that. Earlier problems never become one: what was published stays apart.

    Args:
        problems: Those of the days before, by number; they are not changed.
        day: UTC day of the issues.
        issues: The day's, in a fixed order; of equally similar pairs the first one counts.

    Returns:
        One link an issue. New problems are numbered on from ``len(problems)``, in the order of
        their first issue.
    """
    links = {
        place: link for place, link in enumerate(nearest_problems(problems, day, issues)) if link
    }
    new = [place for place in range(len(issues)) if place not in links]
    for number, group in enumerate(_merged([issues[place] for place in new]), len(problems)):
        links |= {new[place]: Link(number, 1.0) for place in group}
    return [links[place] for place in range(len(issues))]


def nearest_problems(
    problems: Sequence[Problem], day: date, issues: Sequence[Group]
) -> list[Link | None]:
    """Return the earlier problem that each issue of a day continues; ``None`` for none.

    The most similar pair of an issue and a problem comes first. The clustering of a day has told
    its issues apart, so two of them join the same problem only if that problem alone explains how
    similar they are: if each differs from it in ways of its own, their similarity is the product of
    both similarities to it (the one-factor model of Spearman, "General intelligence, objectively
    determined and measured", 1904). Two subjects that an earlier cluster mixed are less similar
    than that. An issue that may not join tries its next problem.

    Args:
        problems: Those of the days before.
        day: UTC day of the issues.
        issues: The day's.
    """
    oldest = day - timedelta(days=MAX_GAP_DAYS)
    known = [problem for problem in problems if problem.last_seen >= oldest]
    links: list[Link | None] = [None] * len(issues)
    table = similarities(issues, [sum_of(problem.recent) for problem in known])
    quiet = np.array([(day - problem.last_seen).days > QUIET_DAYS for problem in known], dtype=bool)
    rows, columns = np.nonzero(table >= MIN_SIMILARITY)
    ranks = table[rows, columns] - QUIET_HANDICAP * quiet[columns]
    order = np.lexsort((columns, rows, -ranks))
    among = similarities(issues, issues)

    def is_one(row: int, other: int, column: int) -> bool:
        expected = table[row, column] * table[other, column] - MAX_APART
        return bool(among[row, other] >= min(expected, MIN_SIMILARITY))

    joined: dict[int, list[int]] = defaultdict(list)
    for row, column in zip(rows[order].tolist(), columns[order].tolist(), strict=True):
        if links[row] is None and all(is_one(row, other, column) for other in joined[column]):
            links[row] = Link(known[column].number, float(table[row, column]))
            joined[column].append(row)
    return links


def advance(
    problems: list[Problem], day: date, issues: Sequence[Group], links: Sequence[Link]
) -> None:
    """Bring problems up to date with the issues of a day that were linked to them."""
    for issue, link in zip(issues, links, strict=True):
        if link.number == len(problems):
            problems.append(Problem(link.number, day))
        problem = problems[link.number]
        problem.last_seen = day
        problem.recent.append(issue)
        del problem.recent[:-RECENT_ISSUES]


def link_issues(
    days: Sequence[tuple[date, Sequence[Vectors]]],
) -> list[NDArray[np.int64]]:
    """Link the issues of many days in one pass.

    Args:
        days: In date order: the date, and of each of its issues float32 (r, d), r >= 1: the unit
            vectors of its representatives.

    Returns:
        One array a day, int64 (number of issues,): the number of each issue's problem, from 0 in
        the order of first appearance.

    Raises:
        ValueError: The days are not in order, or an issue has no representative.
    """
    problems: list[Problem] = []
    numbers: list[NDArray[np.int64]] = []
    previous: date | None = None
    for day, issues in days:
        if previous is not None and day <= previous:
            raise ValueError(f"Days must be in order, each once; got {day} after {previous}.")
        previous = day
        groups = [Group.of(vectors) for vectors in issues]
        links = link_day(problems, day, groups)
        advance(problems, day, groups, links)
        numbers.append(np.array([link.number for link in links], dtype=np.int64))
    return numbers


def sum_of(groups: Sequence[Group]) -> Group:
    """Return the union of at least one group."""
    first, *others = groups
    for other in others:
        first = first + other
    return first


def _merged(issues: Sequence[Group]) -> list[list[int]]:
    """Return which issues are one problem: lists of their places, by their first one."""
    places = [[place] for place in range(len(issues))]
    groups = list(issues)
    while len(groups) > 1:
        alike = similarities(groups, groups)
        alike[np.tril_indices(len(groups))] = -np.inf
        first, second = divmod(int(alike.argmax()), len(groups))
        if alike[first, second] < MIN_SIMILARITY:
            break
        groups[first] = groups[first] + groups.pop(second)
        places[first] += places.pop(second)
    return sorted(sorted(group) for group in places)


def _stacked(groups: Sequence[Group]) -> tuple[Sums, Sums]:
    totals = np.array([group.total for group in groups])
    return totals, np.array([group.count for group in groups], dtype=np.float64)


def _within(totals: Sums, counts: Sums) -> Sums:
    """Return the mean cosine within each group, over its pairs and one pair of equal posts."""
    pairs = counts * (counts - 1) / 2
    cosines = (np.square(totals).sum(axis=1) - counts) / 2
    mean: Sums = np.maximum((cosines + 1) / (pairs + 1), _MIN_WITHIN)
    return mean
