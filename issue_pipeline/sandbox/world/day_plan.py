"""Decides what is talked about on one day, how often and where; the words come later."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from issue_pipeline.sandbox.world.content import SOURCES, Bot, Content, Problem, Topic
from issue_pipeline.sandbox.world.lifecycle import attention, cluster_unit, day_sizes
from issue_pipeline.sandbox.world.seeded import seeded_random

MAX_REPEATED_TITLE_SHARE = 0.1
"""At most this share of a day's reports has a title that another report of the same or of the
previous day has, too. Only bots repeat titles, so it is their share of the reports."""

REPORT_SHARES = (0.46, 0.49)
"""Bounds of the share of the posts that are reports; the rest, more than half, is chatter."""

SOURCE_SHARES = {"github": 0.26, "stackoverflow": 0.22, "reddit": 0.28, "hackernews": 0.24}
"""What each source's share of a day aims at."""

CHATTER_PER_TOPIC = 3
"""Posts that a topic of the chatter gets at most on one day (more in worlds of more posts)."""

_BOT_MARGIN = 2


@dataclass(frozen=True, slots=True)
class PlannedPost:
    """One post to be written.

    Attributes:
        about: What it is about.
        position: 0, 1, ... among the day's posts about the same.
        source: Where it appears.
    """

    about: Problem | Bot | Topic
    position: int
    source: str


def topic_capacity(content: Content, posts_per_day: int) -> int:
    """Return the most posts that one topic of the chatter can ever get on one day."""
    return max(CHATTER_PER_TOPIC, -(-posts_per_day // len(content.topics)))


def plan_day(content: Content, seed: int, posts_per_day: int, day: int) -> list[PlannedPost]:
    """Return what is posted on a day (an ordinal): exactly ``posts_per_day`` posts, shuffled.

    The plan depends on its arguments only, never on other days' plans.
    """
    rng = seeded_random(seed, "plan", day)
    unit = cluster_unit(posts_per_day)
    quota = round(posts_per_day * rng.uniform(*REPORT_SHARES) * (1 - MAX_REPEATED_TITLE_SHARE))
    problems = day_sizes(_ranked(content.problems, seed, day), quota, unit, rng)
    bots = _bot_sizes(content.bots, sum(problems.values()), unit, seed, rng)
    chatter = posts_per_day - sum(problems.values()) - sum(bots.values())
    topics = _topic_sizes(content.topics, chatter, rng)
    reports = [*_numbered(content.problems, problems), *_numbered(content.bots, bots)]
    rng.shuffle(reports)
    talk = _numbered(content.topics, topics)
    rng.shuffle(talk)
    return _with_sources([*reports, *talk], rng)


def _ranked(problems: Sequence[Problem], seed: int, day: int) -> list[str]:
    """Return the ids of the problems somebody talks about, the most talked about first."""
    levels = {problem.id: attention(seed, problem.id, day) for problem in problems}
    return sorted((id for id in levels if levels[id] > 0), key=lambda id: (-levels[id], id))


def _bot_sizes(
    bots: Sequence[Bot], problem_reports: int, unit: int, seed: int, rng: random.Random
) -> dict[str, int]:
    """Assign bots as many reports as ``MAX_REPEATED_TITLE_SHARE`` allows beside the problems'.

    Each bot that posts at all posts enough to be a cluster and to use each of its titles; when
    there is no room for all of them, the same ones stay silent every day.
    """
    share = MAX_REPEATED_TITLE_SHARE
    budget = int(problem_reports * share / (1 - share) + 1e-9)
    order = [bot.id for bot in bots]
    seeded_random(seed, "bots").shuffle(order)
    smallest = max(unit, *(len(bot.titles) for bot in bots)) + _BOT_MARGIN
    active = order[: budget // smallest]
    sizes = dict.fromkeys(active, smallest)
    for _ in range(min(budget - smallest * len(active), 2 * len(active))):
        sizes[rng.choice(active)] += 1
    return sizes


def _topic_sizes(topics: Sequence[Topic], posts: int, rng: random.Random) -> dict[str, int]:
    """Deal the chatter to the topics at random and thinly."""
    capacity = max(CHATTER_PER_TOPIC, -(-posts // len(topics)))
    seats = [topic.id for topic in topics for _ in range(capacity)]
    sizes: dict[str, int] = {}
    for topic in rng.sample(seats, posts):
        sizes[topic] = sizes.get(topic, 0) + 1
    return sizes


def _numbered(
    entries: Sequence[Problem] | Sequence[Bot] | Sequence[Topic], sizes: dict[str, int]
) -> list[tuple[Problem | Bot | Topic, int]]:
    return [(entry, i) for entry in entries for i in range(sizes.get(entry.id, 0))]


def _with_sources(
    posts: list[tuple[Problem | Bot | Topic, int]], rng: random.Random
) -> list[PlannedPost]:
    """Choose a source for each post: one its subject appears in, preferring those still short."""
    wanted = {source: SOURCE_SHARES[source] * len(posts) for source in SOURCES}
    left = dict(wanted)
    planned: list[PlannedPost] = []
    for about, position in posts:
        weights = [
            max(left[source] / wanted[source], 0.01) ** 2 / (place + 1)
            for place, source in enumerate(about.sources)
        ]
        source = rng.choices(about.sources, weights)[0]
        left[source] -= 1
        planned.append(PlannedPost(about, position, source))
    rng.shuffle(planned)  # the order becomes the time of day
    return planned
