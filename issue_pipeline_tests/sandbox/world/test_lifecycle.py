"""Problems come, grow, go and come again; a day's sizes are heavy-tailed."""

import random
from itertools import pairwise

from issue_pipeline.sandbox.world.lifecycle import (
    attention,
    cluster_unit,
    day_sizes,
    largest_size,
)

FIRST_DAY = 739_000


def history(problem: str, days: int = 1_000) -> list[float]:
    return [attention(7, problem, FIRST_DAY + i) for i in range(days)]


def test_a_problem_is_silent_on_some_days_and_returns_later() -> None:
    for problem in ("finance-a", "ai-b", "other-c"):
        levels = history(problem)
        outbreaks = sum(a == 0 and b > 0 for a, b in pairwise(levels))
        assert levels.count(0) > 100, problem
        assert outbreaks >= 3, problem


def test_a_problem_rises_before_it_peaks_and_then_decays() -> None:
    levels = history("finance-a")
    first = next(i for i, level in enumerate(levels) if level == 0)
    birth = next(i for i in range(first, len(levels)) if levels[i] > 0)
    end = next(i for i in range(birth, len(levels)) if levels[i] == 0)
    outbreak = levels[birth:end]
    peak = outbreak.index(max(outbreak))
    assert outbreak[0] < max(outbreak) / 2
    assert 0 < peak < len(outbreak) - 1
    assert outbreak[-1] < max(outbreak) / 4


def test_another_seed_is_another_history() -> None:
    assert history("finance-a", 50) != [attention(8, "finance-a", FIRST_DAY + i) for i in range(50)]


def test_sizes_are_heavy_tailed_and_use_the_quota() -> None:
    ranked = [f"p{i}" for i in range(160)]
    for seed in range(20):
        sizes = day_sizes(ranked, 640, 7, random.Random(seed))
        big = [size for size in sizes.values() if size >= 14]
        small = [size for size in sizes.values() if size <= 6]
        assert sum(sizes.values()) == 640
        assert 18 <= len(big) <= 26
        assert len(small) > len(big)
        assert max(sizes.values()) <= largest_size(7) < 50


def test_the_most_talked_about_problem_gets_the_most_reports() -> None:
    sizes = day_sizes([f"p{i}" for i in range(120)], 640, 7, random.Random(1))
    assert sizes["p0"] == max(sizes.values())
    assert "p119" not in sizes


def test_fewer_are_dealt_when_nobody_talks_about_anything() -> None:
    assert day_sizes([], 640, 7, random.Random(1)) == {}
    assert sum(day_sizes(["p0"], 640, 7, random.Random(1)).values()) <= largest_size(7)


def test_the_unit_is_the_smallest_cluster_of_the_pipeline() -> None:
    assert [cluster_unit(n) for n in (100, 1_000, 1_500, 8_000)] == [5, 5, 7, 40]
