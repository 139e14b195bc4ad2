"""The state of a problem follows from its daily counts, whatever weekends and gaps do to them."""

from datetime import date, timedelta

import numpy as np
import pytest

from issue_pipeline.problems.tables import problem_rows
from issue_pipeline.problems.trend import GAP_DAYS, NEW_DAYS, QUIET_DAYS, STATES, states_by_day
from issue_pipeline.sql.problems import DailyCount, ProblemLabel

DAYS = 60
SOURCES = 4
VOLUMES = np.array([400, 350, 420, 360])
WEEKEND = np.where(np.arange(DAYS) % 7 >= 5, 0.5, 1.0)


def states(counts, volumes=None):
    """The state of one problem on each day, told in one source."""
    table = np.zeros((1, len(counts), SOURCES), dtype=np.int64)
    table[0, :, 0] = counts
    if volumes is None:
        volumes = np.tile(VOLUMES, (len(counts), 1))
    return [STATES[one] if one >= 0 else "" for one in states_by_day(table, volumes)[0]]


def steady(rate=12):
    return np.full(DAYS, rate)


@pytest.mark.parametrize(
    ("change", "state"),
    [
        (lambda counts: counts, "steady"),
        (lambda counts: np.r_[counts[:-1], 40], "growing"),
        (lambda counts: np.r_[counts[:-2], 30, 30], "growing"),
        (lambda counts: np.r_[counts[:-7], np.full(7, 26)], "growing"),
        (lambda counts: np.r_[counts[:-7], np.full(7, 3)], "fading"),
        (lambda counts: np.r_[counts[:-QUIET_DAYS], np.zeros(QUIET_DAYS)], "quiet"),
        (lambda counts: np.r_[np.zeros(DAYS - NEW_DAYS), np.full(NEW_DAYS, 12)], "new"),
        (lambda counts: np.r_[counts[:20], np.zeros(DAYS - 21), 12], "returned"),
        # Fewer than make a cluster are noise: a problem near that size comes and goes.
        (lambda counts: np.where(np.arange(DAYS) % 2, 7, 0), "steady"),
        (lambda counts: np.r_[counts[:-3], 0, 12, 12], "steady"),
    ],
    ids=[
        "the same every day", "triple on the last day", "two and a half times for two days",
        "twice for a week", "a quarter for a week", "a week without a post",
        "first seen lately", "back after weeks", "in and out of noise", "one day without a post",
    ],
)  # fmt: skip
def test_a_state_is_what_the_counts_say(change, state):
    assert states(change(steady()).astype(np.int64))[-1] == state


def test_a_weekend_on_which_everybody_writes_less_is_no_fall_and_a_monday_no_rise():
    counts = np.round(14 * WEEKEND).astype(np.int64)
    volumes = np.round(VOLUMES * WEEKEND[:, None]).astype(np.int64)
    assert set(states(counts, volumes)[NEW_DAYS:]) == {"steady"}


@pytest.mark.parametrize("missing_days", [1, 3, 7, 12])
def test_days_whose_source_is_missing_are_no_fall_and_no_return(missing_days):
    gap = slice(30, 30 + missing_days)
    counts, volumes = steady(), np.tile(VOLUMES, (DAYS, 1))
    counts[gap] = 0
    volumes[gap, 0] = 0
    assert set(states(counts, volumes)[NEW_DAYS:]) == {"steady"}


def test_another_source_that_is_missing_makes_no_rise():
    volumes = np.tile(VOLUMES, (DAYS, 1))
    volumes[50:, 1:] = 0
    assert set(states(steady(), volumes)[NEW_DAYS:]) == {"steady"}


def test_a_problem_has_no_state_before_it_was_seen():
    counts = np.r_[np.zeros(DAYS - 10), np.full(10, 9)].astype(np.int64)
    assert states(counts)[: DAYS - 10] == [""] * (DAYS - 10)


def test_a_problem_that_is_back_is_called_so_for_some_days():
    counts = np.r_[np.full(10, 9), np.zeros(GAP_DAYS), np.full(DAYS - 10 - GAP_DAYS, 9)]
    told = states(counts.astype(np.int64))
    assert told[10 + GAP_DAYS : 10 + GAP_DAYS + NEW_DAYS] == ["returned"] * NEW_DAYS
    assert told[-1] == "steady"


@pytest.mark.parametrize("shape", [(0, 5, 4), (0, 5, 0), (0, 0, 0)])
def test_nothing_has_no_state(shape):
    counts = np.zeros(shape, dtype=np.int64)
    assert states_by_day(counts, np.zeros(shape[1:], dtype=np.int64)).shape == shape[:2]


def test_counts_and_volumes_must_belong_together():
    with pytest.raises(ValueError, match="volumes"):
        states_by_day(np.zeros((1, 3, 4), dtype=np.int64), np.zeros((2, 4), dtype=np.int64))


@pytest.mark.parametrize("cut", [0, 7], ids=["all posts seen", "small days are noise"])
@pytest.mark.parametrize("seed", [11, 12])
def test_planted_bursts_are_found_within_two_days_and_little_else_is(seed, cut):
    dice = np.random.default_rng(seed)
    length, problems = 120, 200
    week = np.array([1, 1, 1, 1, 1, 0.55, 0.5])[np.arange(length) % 7]
    brought = dice.poisson(VOLUMES * week[:, None] * dice.lognormal(0, 0.08, (length, SOURCES)))
    missing = dice.random((length, SOURCES)) < 0.04
    brought[missing] = 0
    rates = dice.lognormal(2.3, 0.6, problems)
    shares = dice.dirichlet(np.full(SOURCES, 0.7), problems)
    times, bursts = np.ones((problems, length)), []
    for problem in range(problems):
        start, days = int(dice.integers(30, length - 12)), int(dice.integers(3, 9))
        times[problem, start : start + days] = dice.choice([3, 4, 5])
        bursts.append((problem, start, days))
    mood = dice.lognormal(0, 0.15, (problems, length))
    counts = dice.poisson(
        rates[:, None, None] * (times * mood * week)[:, :, None] * shares[:, None, :]
    )
    counts[:, missing] = 0
    counts[counts.sum(axis=2) < cut] = 0
    growing = states_by_day(counts, brought) == STATES.index("growing")
    found = sum(growing[problem, at : at + 3].any() for problem, at, _ in bursts)
    begins = growing & ~np.pad(growing, ((0, 0), (1, 0)))[:, :-1]
    in_burst = np.zeros_like(growing)
    for problem, at, days in bursts:
        in_burst[problem, at : at + days + 7] = True
    told = begins[:, 28:]
    assert found / len(bursts) >= 0.9
    assert (told & in_burst[:, 28:]).sum() / told.sum() >= 0.9


def test_a_row_says_since_when_its_problem_is_in_its_state():
    first = date(2026, 3, 1)
    counts = [
        DailyCount("p", first + timedelta(days=day), "github", 12 if day < 28 else 45)
        for day in range(31)
    ]
    volumes = {(first + timedelta(days=day), "github"): 400 for day in range(31)}
    label = ProblemLabel("p", "Exports fail", "devtools", "They do.", "high", False, 9)
    (row,) = problem_rows([label], counts, volumes, first + timedelta(days=30))
    assert (row.state, row.state_since) == ("growing", first + timedelta(days=28))
    assert (row.first_seen, row.last_seen, row.days_seen) == (first, first + timedelta(days=30), 31)
    assert (row.posts, row.reach) == (28 * 12 + 3 * 45, 9)
