"""The state of a problem from its daily counts: new, growing, steady, fading, quiet or returned.

A problem's counts are measured against how much its sources brought on the same days. So a
weekend, on which everybody writes less, is no fall, and a day whose source is missing says nothing:
it brings neither posts of the problem nor volume. What is expected of the latest days follows from
the days before them, source by source; whether a count differs is judged by a negative binomial
distribution, which is the Poisson distribution of a rate that is known from a limited count
(Gelman et al., "Bayesian Data Analysis", section 2.6). docs/problems.md has the measurements.

A day without a post of a problem may have had some: fewer than make a cluster are noise. So such a
day counts as half of the smallest cluster wherever that speaks against a change.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

STATES = ("new", "growing", "steady", "fading", "quiet", "returned")
NEW, GROWING, STEADY, FADING, QUIET, RETURNED = range(len(STATES))

# Seen for the first time within so many days.
NEW_DAYS = 3
# Not seen for so many observed days.
QUIET_DAYS = 7
# Seen again within NEW_DAYS, after at least so many observed days without a post.
GAP_DAYS = 14


@dataclass(frozen=True, slots=True)
class Comparison:
    """Latest days that are compared with the ones before them.

    Attributes:
        recent: Days that are judged, at least 1.
        before: Days before them that tell what to expect.
        level: Least probability of so extreme a count that is still taken for chance.
    """

    recent: int
    before: int
    level: float


# A burst shows in a day or two; a slow rise in a week.
RISES = (Comparison(1, 14, 0.001), Comparison(2, 14, 0.003), Comparison(7, 21, 0.003))
FALLS = (Comparison(7, 21, 0.005),)
# Of the expected count: less is no change that anybody would call one.
LEAST_RISE, LEAST_FALL = 1.5, 0.6
# A rate is never known better than from so many posts: a problem's days differ by more than chance.
MAX_EVIDENCE = 16.0

Counts = NDArray[np.int64]
Flags = NDArray[np.bool_]


def states_by_day(counts: Counts, volumes: Counts) -> NDArray[np.int8]:
    """Return the state of every problem as of every day.

    Args:
        counts: int64 (p, d, s), at least 0: the posts of each problem, day and source. Days follow
            each other without a gap.
        volumes: int64 (d, s), at least 0: all posts of the day and source; 0 where none came in.

    Returns:
        int8 (p, d): indices into ``STATES``; -1 before a problem was first seen.

    Raises:
        ValueError: The shapes do not belong together.
    """
    if counts.ndim != 3 or counts.shape[1:] != volumes.shape:
        raise ValueError(f"Got counts {counts.shape} and volumes {volumes.shape}.")
    if not counts.size:
        return np.full(counts.shape[:2], -1, dtype=np.int8)
    totals = counts.sum(axis=2)
    seen = totals > 0
    days = np.arange(totals.shape[1])
    began = np.where(seen.any(axis=1), seen.argmax(axis=1), len(days))[:, None]
    # Days on which any source that a problem was ever told in brought something.
    own_sources = (counts.sum(axis=1) > 0).astype(np.int64)
    observed = np.cumsum((own_sources @ volumes.T) > 0, axis=1)
    at_last_seen = _last_value(observed, seen)
    silent = observed - at_last_seen
    gap = np.diff(at_last_seen, axis=1, prepend=at_last_seen[:, :1]) - 1
    came_back = seen & (days > began) & (gap >= GAP_DAYS)
    states = np.full(totals.shape, STEADY, dtype=np.int8)
    states[_any_of_last(came_back, NEW_DAYS)] = RETURNED
    states[days < began + NEW_DAYS] = NEW
    undecided = states == STEADY
    states[undecided & (silent >= QUIET_DAYS)] = QUIET
    undecided = states == STEADY
    unseen = _unseen_posts(totals, began, np.diff(observed, axis=1, prepend=0) > 0)
    # Before a problem was first seen nothing can be expected of it.
    volumes = volumes * (days >= began)[:, :, None]
    falls = [_is_unusual(counts, volumes, unseen, one, rise=False) for one in FALLS]
    states[undecided & np.logical_or.reduce(falls)] = FADING
    rises = [_is_unusual(counts, volumes, unseen, one, rise=True) for one in RISES]
    states[undecided & np.logical_or.reduce(rises)] = GROWING
    states[days < began] = -1
    return states


def _unseen_posts(totals: Counts, began: Counts, is_observed: Flags) -> Counts:
    """Return how many posts of a problem (p, d) may be hidden among the noise of each day."""
    smallest = totals[totals > 0].min(initial=np.iinfo(np.int64).max) if totals.any() else 0
    after_begin = np.arange(totals.shape[1]) >= began
    return np.where((totals == 0) & after_begin & is_observed, smallest // 2, 0)


def _is_unusual(
    counts: Counts, volumes: Counts, unseen: Counts, compared: Comparison, *, rise: bool
) -> Flags:
    """Return for every problem and day (p, d) whether its latest days differ from those before.

    Args:
        counts: (p, d, s).
        volumes: (p, d, s), of the days on which the problem could be seen.
        unseen: (p, d), of :func:`_unseen_posts`.
        compared: Which days.
        rise: Whether they should have more, otherwise less.
    """
    from scipy.stats import nbinom

    recent_volume = _sum_of_last(volumes, compared.recent, axis=1)
    volume = _shifted(_sum_of_last(volumes, compared.before, axis=1), compared.recent, axis=1)
    recent = _sum_of_last(counts, compared.recent, axis=1)
    before = _shifted(_sum_of_last(counts, compared.before, axis=1), compared.recent, axis=1)
    known = volume > 0  # of another source nothing is known that could be compared
    share = np.where(known, recent_volume / np.maximum(volume, 1), 0.0)
    found = (recent * known).sum(axis=2)
    evidence = (before * known).sum(axis=2)
    expected = (before * share).sum(axis=2)
    if rise:
        hidden = _shifted(_sum_of_last(unseen, compared.before, axis=1), compared.recent, axis=1)
        evidence = evidence + hidden
        expected = expected + hidden * share.mean(axis=2)
    else:
        found = found + _sum_of_last(unseen, compared.recent, axis=1)
    # Half a post more than was seen: a rate of which nothing was seen need not be none.
    expected = expected + 0.5 * share.mean(axis=2)
    shape = np.minimum(evidence + 0.5, MAX_EVIDENCE)
    chance = shape / (shape + np.maximum(expected, 1e-9))
    if rise:
        unlikely = nbinom.sf(found - 1, shape, chance) <= compared.level
        return np.asarray(unlikely & (found >= LEAST_RISE * expected))
    unlikely = nbinom.cdf(found, shape, chance) <= compared.level
    return np.asarray(unlikely & (found <= LEAST_FALL * expected))


def _sum_of_last(values: Counts, days: int, axis: int) -> Counts:
    """Return the sum of each day and the ones before it, ``days`` in all, as far as there are."""
    total = np.cumsum(values, axis=axis)
    return total - _shifted(total, days, axis)


def _shifted(values: Counts, days: int, axis: int) -> Counts:
    """Return what was there so many days before; 0 before the first day."""
    moved = np.zeros_like(values)
    length = values.shape[axis]
    if days < length:
        target = [slice(None)] * values.ndim
        origin = [slice(None)] * values.ndim
        target[axis], origin[axis] = slice(days, None), slice(0, length - days)
        moved[tuple(target)] = values[tuple(origin)]
    return moved


def _last_value(values: Counts, where: Flags) -> Counts:
    """Return each row's value at the latest place that is set, this one included; 0 before any."""
    places = np.where(where, np.arange(values.shape[1]), -1)
    latest = np.maximum.accumulate(places, axis=1)
    taken: Counts = np.take_along_axis(values, np.maximum(latest, 0), axis=1)
    return np.where(latest >= 0, taken, 0)


def _any_of_last(flags: Flags, days: int) -> Flags:
    return np.asarray(_sum_of_last(flags.astype(np.int64), days, axis=1) > 0)
