"""The rows of ``gold.problems``, made of the links, the labels and the evidence."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import numpy as np

from issue_pipeline.problems.trend import STATES, states_by_day
from issue_pipeline.records import ProblemRow
from issue_pipeline.sql.problems import DailyCount, ProblemLabel

# Days before the latest one over which states are followed back.
TREND_DAYS = 120


def problem_rows(
    labels: Sequence[ProblemLabel],
    counts: Sequence[DailyCount],
    volumes: Mapping[tuple[date, str], int],
    latest: date,
) -> list[ProblemRow]:
    """Return the row of every problem.

    Args:
        labels: One for each problem.
        counts: The posts of each problem by day and source.
        volumes: All posts by day and source.
        latest: The latest linked day, as of which the states are.
    """
    days: dict[str, dict[date, int]] = defaultdict(dict)
    for one in counts:
        own = days[one.problem_id]
        own[one.issue_date] = own.get(one.issue_date, 0) + one.posts
    states = _states([label.problem_id for label in labels], counts, volumes, latest)
    rows = []
    for label, (state, since) in zip(labels, states, strict=True):
        own = days[label.problem_id]
        rows.append(
            ProblemRow(
                problem_id=label.problem_id,
                canonical_title=label.canonical_title,
                category=label.category,
                description=label.description,
                impact_level=label.impact_level,
                would_pay_signal=label.would_pay_signal,
                first_seen=min(own),
                last_seen=max(own),
                days_seen=len(own),
                posts=sum(own.values()),
                reach=label.reach,
                state=state,
                state_since=since,
            )
        )
    return rows


def _states(
    problems: Sequence[str],
    counts: Sequence[DailyCount],
    volumes: Mapping[tuple[date, str], int],
    latest: date,
) -> list[tuple[str, date]]:
    """Return the state of each problem and the day since which it has been in it."""
    first = min((one.issue_date for one in counts), default=latest)
    length = (latest - first).days + 1
    sources = sorted({source for _, source in volumes} | {one.source for one in counts})
    place = {source: number for number, source in enumerate(sources)}
    row = {problem: number for number, problem in enumerate(problems)}
    table = np.zeros((len(problems), length, len(sources)), dtype=np.int64)
    for one in counts:
        table[row[one.problem_id], (one.issue_date - first).days, place[one.source]] = one.posts
    brought = np.zeros((length, len(sources)), dtype=np.int64)
    for (day, source), posts in volumes.items():
        if first <= day <= latest:
            brought[(day - first).days, place[source]] = posts
    states = states_by_day(table, brought)[:, -TREND_DAYS:]
    # The first day of the unbroken run of equal states that ends with the latest day.
    changed = states != states[:, -1:]
    last_change = np.where(
        changed.any(axis=1), states.shape[1] - 1 - changed[:, ::-1].argmax(axis=1), -1
    )
    begin = latest - timedelta(days=states.shape[1] - 1)
    return [
        (STATES[state], begin + timedelta(days=int(at) + 1))
        for state, at in zip(states[:, -1].tolist(), last_change.tolist(), strict=True)
    ]
