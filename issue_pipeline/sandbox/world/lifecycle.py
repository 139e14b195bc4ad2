"""How problems come, grow and go, and how many reports each gets on a day."""

import math
import random

from issue_pipeline.sandbox.world.seeded import seeded_random

CYCLE_DAYS = (30, 110)
"""A problem can break out once in so many days (drawn for each problem); that is how it recurs."""

OUTBREAK_SHARE = 0.9
"""In this share of its cycles it does break out."""

BIG_PROBLEMS = (20, 25)
"""On any day, so many problems are big."""

BIG_LARGEST, BIG_SMALLEST = 42 / 7, 14 / 7
"""Sizes of the largest and the smallest big problem, in units of the smallest cluster size.

With 1,500 posts (smallest cluster: 7) that is 42 and 14 reports; in between they follow a power
law of the rank.
"""

MIDDLE_SIZES = (12 / 7, 10 / 7, 8 / 7, 7 / 7, 7 / 7)
"""The few problems between the big and the small ones, in the same units."""

SMALL_SIZE = (1, 6)
"""Reports of a small problem, whatever the size of the day."""

SMALL_MEAN = 2.6
"""Their mean before they are cut to ``SMALL_SIZE``."""

_SIZE_NOISE = 0.08


def cluster_unit(posts_per_day: int) -> int:
    """Return the smallest cluster the pipeline looks for in so many posts."""
    return max(5, posts_per_day // 200)


def largest_size(unit: int) -> int:
    """Return the most reports that any problem can get on one day."""
    return math.ceil(BIG_LARGEST * unit * (1 + _SIZE_NOISE))


def attention(seed: int, problem: str, day: int) -> float:
    """Return how much a problem is talked about on a day.

    Time is cut into cycles of a length of the problem's own. In most cycles it breaks out once: it
    rises for some days, stays at a peak (heavy-tailed), and decays until nobody mentions it.

    Args:
        seed: The world's seed.
        problem: Id of the problem.
        day: Proleptic ordinal of the day.

    Returns:
        At least 0; only the order of the problems of a day matters.
    """
    traits = seeded_random(seed, "traits", problem)
    length = traits.randint(*CYCLE_DAYS)
    cycle, at = divmod(day + traits.randrange(length), length)
    outbreak = seeded_random(seed, "outbreak", problem, cycle)
    if outbreak.random() > OUTBREAK_SHARE:
        return 0.0
    birth = outbreak.uniform(0.0, 0.2) * length
    rise = outbreak.uniform(2.0, 6.0)
    plateau = outbreak.uniform(1.0, 10.0)
    decay = outbreak.uniform(0.3, 0.5) * length
    peak = outbreak.lognormvariate(0.0, 1.0)
    age = at - birth
    if age < 0:
        return 0.0
    if age < rise:
        level = (age + 1) / (rise + 1)
    elif age < rise + plateau:
        level = 1.0
    else:
        level = max(0.0, 1 - (age - rise - plateau) / decay) ** 2
    return peak * level * seeded_random(seed, "mood", problem, day).lognormvariate(0.0, 0.15)


def day_sizes(ranked: list[str], quota: int, unit: int, rng: random.Random) -> dict[str, int]:
    """Deal the reports of a day to its problems: few get many, many get few.

    Args:
        ranked: Ids of the problems somebody talks about, the most talked about first.
        quota: Reports to deal; fewer are dealt when the problems run out.
        unit: The smallest cluster size (see ``cluster_unit``).
        rng: The day's own generator.

    Returns:
        Reports per problem, each at least 1 and at most ``largest_size(unit)``.
    """
    sizes: dict[str, int] = {}
    left = quota
    for problem, size in zip(ranked, _profile(len(ranked), unit, rng), strict=True):
        if left == 0:
            break
        sizes[problem] = min(size, left)
        left -= sizes[problem]
    return sizes


def _profile(count: int, unit: int, rng: random.Random) -> list[int]:
    """Return ``count`` sizes for ranks 0, 1, ...; unit as in ``cluster_unit``."""
    big = rng.randint(*BIG_PROBLEMS)
    exponent = math.log(BIG_LARGEST / BIG_SMALLEST) / math.log(big)
    sizes: list[int] = []
    for rank in range(count):
        if rank < big:
            noise = rng.uniform(1 - _SIZE_NOISE, 1 + _SIZE_NOISE)
            exact = max(BIG_SMALLEST, BIG_LARGEST * (rank + 1) ** -exponent * noise) * unit
            sizes.append(round(exact))
        elif rank < big + len(MIDDLE_SIZES):
            sizes.append(round(MIDDLE_SIZES[rank - big] * unit))
        else:
            smallest, largest = SMALL_SIZE
            sizes.append(min(largest, smallest + int(rng.expovariate(1 / (SMALL_MEAN - smallest)))))
    return sizes
