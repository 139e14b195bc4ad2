"""Thirty days of the synthetic world, clustered and followed: ``make eval PARTS=followed``.

The clusters are the pipeline's own, those that report a problem by their score and tell mostly one
of the world's. A problem's state is compared with the outbreaks that the world plants: it should be
called new, growing or returned within two days of the first day on which it could be a cluster, and
otherwise only while the world talks more and more of it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.problem_identity import b_cubed, nearest_centroids
from issue_pipeline.labels.problem_scoring import MIN_PROBLEM_SCORE, ProblemScorer
from issue_pipeline.local.model_weights import all_minilm_folder
from issue_pipeline.problems.identity import Group, Problem, advance, link_day
from issue_pipeline.problems.trend import LEAST_RISE, STATES, states_by_day
from issue_pipeline.resources.embedding import EmbeddingResource
from issue_pipeline.sandbox.world.content import SOURCES
from issue_pipeline.sandbox.world.lifecycle import attention, cluster_unit
from issue_pipeline.sandbox.world.synthetic import SyntheticWorld
from issue_pipeline.utils.cluster_representatives import select_representatives
from issue_pipeline.utils.clustering import cluster_posts
from issue_pipeline.utils.embeddings import (
    CleanText,
    TextEncoder,
    Vectors,
    clean_day,
    embed_texts,
)
from issue_pipeline.utils.text_cleaning import snippet

FIRST_DAY = date(2026, 3, 1)
DAYS = 30
POSTS_PER_DAY = 700
WORLD_SEED = 7
# Of its posts, so many must tell one problem for a cluster to be that problem's.
LEAST_SHARE = 0.5
WITHIN_DAYS = 2
RISING = [STATES.index(state) for state in ("new", "growing", "returned")]


@dataclass(frozen=True, slots=True)
class FollowedIssue:
    """One cluster of a day that reports a problem."""

    truth: str
    size: int
    sources: Counter[str]
    representatives: Vectors


def followed_world() -> Iterator[dict[str, Any]]:
    """Yield the figures of identity, of trend, and of the calls that labels by meaning save."""
    world = SyntheticWorld(WORLD_SEED, POSTS_PER_DAY)
    days, volumes, told = [], [], []
    for number in range(DAYS):
        issues, volume, reports = _day(world, FIRST_DAY + timedelta(days=number))
        days.append([issue for issue in issues if issue.truth])
        volumes.append(volume)
        told.append(reports)
    yield from _identity(days)
    yield _trend(days, np.array(volumes), told)


def _day(world: SyntheticWorld, day: date) -> tuple[list[FollowedIssue], list[int], Counter[str]]:
    model = EmbeddingResource(embedding_model=str(all_minilm_folder())).get_model()
    posts = [post for source in SOURCES for post in world.posts(source, day)]
    clean = clean_day(posts)
    vectors = embed_texts([one.text for one in clean], model)
    labels = cluster_posts([one.text for one in clean], vectors).labels
    scorer = ProblemScorer(model)
    issues = []
    for cluster in range(int(labels.max(initial=-1)) + 1):
        rows = np.flatnonzero(labels == cluster)
        truths = Counter(truth.problem for row in rows if (truth := posts[row].truth))
        score = scorer.score([clean[row].text for row in rows], vectors[rows])
        if score < MIN_PROBLEM_SCORE:
            continue
        truth, share = truths.most_common(1)[0] if truths else ("", 0)
        issues.append(
            FollowedIssue(
                truth if share >= LEAST_SHARE * len(rows) else "",
                len(rows),
                Counter(posts[row].source for row in rows),
                _representatives([clean[row] for row in rows], vectors[rows], model),
            )
        )
    volume = [sum(post.source == source for post in posts) for source in SOURCES]
    return issues, volume, Counter(post.truth.problem for post in posts if post.truth)


def _representatives(texts: list[CleanText], vectors: Vectors, model: TextEncoder) -> Vectors:
    rows = select_representatives([text.title for text in texts], vectors)
    return embed_texts([f"{texts[row].title}\n{snippet(texts[row].body)}" for row in rows], model)


def _identity(days: list[list[FollowedIssue]]) -> Iterator[dict[str, Any]]:
    problems: list[Problem] = []
    numbers: list[int] = []
    continued = 0
    for place, issues in enumerate(days):
        day = FIRST_DAY + timedelta(days=place)
        groups = [Group.of(issue.representatives) for issue in issues]
        links = link_day(problems, day, groups)
        continued += sum(link.number < len(problems) for link in links)
        advance(problems, day, groups, links)
        numbers += [link.number for link in links]
    truth = [issue.truth for issues in days for issue in issues]
    stream = [[(issue.truth, issue.representatives) for issue in issues] for issues in days]
    for name, found in (("rule", np.array(numbers)), ("last centroid", nearest_centroids(stream))):
        precision, recall, score = b_cubed(truth, found)
        same = found[:, None] == found[None, :]
        pairs = set(zip(truth, found.tolist(), strict=True))
        apart = np.array(truth)[:, None] != np.array(truth)[None, :]
        yield {
            "followed by": name,
            "issues": len(truth),
            "problems": len(set(truth)),
            "precision": round(precision, 3),
            "recall": round(recall, 3),
            "F1": round(score, 3),
            "ids a problem": round(len(pairs) / len(set(truth)), 3),
            "pairs wrongly joined": round(float((same & apart).sum() / max(1, same.sum())), 4),
            "labels by meaning": round(continued / len(truth), 3) if name == "rule" else None,
        }


def _trend(
    days: list[list[FollowedIssue]], volumes: NDArray[np.int64], told: list[Counter[str]]
) -> dict[str, Any]:
    names = sorted({issue.truth for issues in days for issue in issues})
    row = {name: place for place, name in enumerate(names)}
    counts = np.zeros((len(names), len(days), len(SOURCES)), dtype=np.int64)
    for place, issues in enumerate(days):
        for issue in issues:
            for source, posts in issue.sources.items():
                counts[row[issue.truth], place, SOURCES.index(source)] += posts
    states = states_by_day(counts, volumes)
    rising = np.isin(states, RISING)
    least = cluster_unit(POSTS_PER_DAY)
    reports: dict[str, list[int]] = defaultdict(lambda: [0] * len(days))
    for place, of_day in enumerate(told):
        for name, posts in of_day.items():
            reports[name][place] = posts
    found = planted = 0
    good = alarms = 0
    for name, own in reports.items():
        if name not in row:
            continue
        # An outbreak begins where there was no cluster's worth of reports for two weeks.
        begins = [
            place
            for place in range(7, len(days) - WITHIN_DAYS)
            if own[place] >= least and max(own[max(0, place - 14) : place], default=0) < least
        ]
        planted += len(begins)
        found += sum(rising[row[name], at : at + WITHIN_DAYS + 1].any() for at in begins)
    for name in names:
        flags = rising[row[name]]
        for place in range(7, len(days)):
            if flags[place] and not flags[place - 1]:
                alarms += 1
                good += _is_talked_about_more(name, FIRST_DAY + timedelta(days=place))
    return {
        "outbreaks planted": planted,
        "found within two days": round(float(found / max(1, planted)), 3),
        "called rising": alarms,
        "of these rising in truth": round(good / max(1, alarms), 3),
    }


def _is_talked_about_more(problem: str, day: date) -> bool:
    """Return whether the world talks half as much again of it as before, or began a week ago."""
    talk = [attention(WORLD_SEED, problem, day.toordinal() - back) for back in range(15)]
    return min(talk[:8]) <= 0 or max(talk[:4]) >= LEAST_RISE * max(talk[4:])
