"""Writes one post: picks the words of a problem, a bot or a topic and dresses them."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from issue_pipeline.sandbox.world.channels import chatter_channel, report_channel
from issue_pipeline.sandbox.world.content import Bot, Problem, Topic
from issue_pipeline.sandbox.world.dressing import REMOVED, Draft, dress, dress_title
from issue_pipeline.sandbox.world.oddities import odd_sentences
from issue_pipeline.sandbox.world.slots import SlotFiller

ARTIFACT_SHARE = {"github": 0.7, "stackoverflow": 0.8, "reddit": 0.35, "hackernews": 0.15}
"""Share of the reports of a source that show a log or code."""

LINK_SHARE = {"github": 0.0, "stackoverflow": 0.0, "reddit": 0.08, "hackernews": 0.35}
"""Share of a source's chatter that is a link without a text."""

REMOVED_SHARE = 0.03
"""Share of Reddit's chatter whose text a moderator removed or whose author left it empty."""


@dataclass(frozen=True, slots=True)
class WrittenPost:
    """What the author of a post decides; fields as in ``SimulatedPost``."""

    channel: str
    title: str
    body: str | None
    link: str | None = None


def write_report(
    problem: Problem, told: Sequence[str], title: str, source: str, rng: random.Random
) -> WrittenPost:
    """Write one person's report of a problem.

    Args:
        problem: What it is about.
        told: What the person says about it, slots still open (see ``tell``).
        title: The title, its slots still open.
        source: Where it appears.
        rng: The post's own generator.
    """
    slots = SlotFiller(rng)
    channel = report_channel(source, problem.category, rng)
    title = dress_title(source, channel, slots.fill(title), True, rng)
    paragraphs = tuple(slots.fill(text) for text in told)
    artifact = problem.artifact if rng.random() < ARTIFACT_SHARE[source] else None
    draft = Draft(_with_oddities(paragraphs, rng), artifact, "report")
    return WrittenPost(channel, title, dress(source, draft, slots, rng))


def write_notice(bot: Bot, position: int, source: str, rng: random.Random) -> WrittenPost:
    """Write a bot's report; position 0, 1, ... goes through its titles in turn."""
    slots = SlotFiller(rng)
    channel = report_channel(source, bot.category, rng)
    title = bot.titles[position % len(bot.titles)]
    notice = slots.fill(rng.choice(bot.notices))
    artifact = bot.artifact if rng.random() < ARTIFACT_SHARE[source] else None
    draft = Draft((notice, "This message was sent by a bot."), artifact, "notice")
    return WrittenPost(channel, title, dress(source, draft, slots, rng))


def write_chatter(topic: Topic, title: str, source: str, rng: random.Random) -> WrittenPost:
    """Write a post about a topic; some are links without a text, some were removed."""
    slots = SlotFiller(rng)
    channel = chatter_channel(source, rng)
    title = dress_title(source, channel, slots.fill(title), False, rng)
    # Ask HN posts always have a text.
    if channel != "ask_hn" and rng.random() < LINK_SHARE[source]:
        link = f"https://{rng.choice(_SITES)}.example/{topic.id.removeprefix('chatter-')}"
        return WrittenPost(channel, title, None, f"{link}/{rng.randint(1, 9999)}")
    if source == "reddit" and rng.random() < REMOVED_SHARE:
        return WrittenPost(channel, title, rng.choice((REMOVED, "")))
    remarks = rng.sample(topic.remarks, rng.choice((1, 1, 2)))
    paragraphs = tuple(slots.fill(remark) for remark in remarks)
    draft = Draft(_with_oddities(paragraphs, rng), None, "chatter")
    return WrittenPost(channel, title, dress(source, draft, slots, rng))


_SITES = ("longread", "weeklynotes", "fieldjournal", "opendesk", "backporch", "thedispatch")


def _with_oddities(paragraphs: tuple[str, ...], rng: random.Random) -> tuple[str, ...]:
    odd = odd_sentences(rng)
    return (*paragraphs, " ".join(odd)) if odd else paragraphs
