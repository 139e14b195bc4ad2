"""Bring the links of issues to problems to what one pass over the days in date order gives.

Every linked day has a digest of its input and, chained to the day before, of all input up to it. As
long as the chain agrees, nothing need be computed; the first day on which it does not is linked
again with the days after it. Vectors are computed on the way and never stored.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256

from issue_pipeline.problems.identity import (
    MAX_APART,
    MAX_GAP_DAYS,
    MIN_SIMILARITY,
    QUIET_DAYS,
    QUIET_HANDICAP,
    RECENT_ISSUES,
    Group,
    Problem,
    advance,
    link_day,
)
from issue_pipeline.records import LinkedDay, ProblemIssue
from issue_pipeline.sql.problems import IssuePosts
from issue_pipeline.utils.cluster_representatives import REPRESENTATIVES, distinct_titles
from issue_pipeline.utils.embeddings import TextEncoder, embed_texts
from issue_pipeline.utils.short_ids import derive_id

Issue = tuple[date, int]
# In every chain: links that another rule made are made again.
_RULE = (
    f"2 {MIN_SIMILARITY} {MAX_APART} {QUIET_DAYS} {QUIET_HANDICAP} {RECENT_ISSUES}"
    f" {MAX_GAP_DAYS} {REPRESENTATIVES}"
)


@dataclass(frozen=True, slots=True)
class Agenda:
    """What has to be linked.

    Attributes:
        days: Every day that will be linked, in order, with the digests that it will have.
        first: The first day whose links have to be made; ``None`` if all links stand.
    """

    days: Sequence[LinkedDay]
    first: date | None

    @property
    def to_link(self) -> list[date]:
        """The days whose links have to be made, in order."""
        return (
            []
            if self.first is None
            else [day.issue_date for day in self.days if day.issue_date >= self.first]
        )


def agenda(
    linked: Sequence[LinkedDay], inputs: Mapping[date, str], days: Iterable[date], model: str
) -> Agenda:
    """Compare what is linked with what there is to link.

    Args:
        linked: The days that are linked, in order.
        inputs: Digest of each day's problem issues; days without any lack one.
        days: Every day that should be linked.
        model: Name of the embedding model: another one sees other likenesses.
    """
    chain = f"{_RULE} {model}"
    wanted = []
    for day in sorted(set(days)):
        digest = inputs.get(day, "")
        chain = sha256(f"{chain} {day} {digest}".encode()).hexdigest()
        wanted.append(LinkedDay(day, digest, chain))
    known = {day.issue_date: day.chain_digest for day in linked}
    first = next((d.issue_date for d in wanted if known.get(d.issue_date) != d.chain_digest), None)
    return Agenda(wanted, first)


def recent_issues(links: Sequence[ProblemIssue], before: date) -> dict[str, list[Issue]]:
    """Return the issues that stand for each problem before a day, by problem id.

    Args:
        links: In order of day and cluster.
        before: UTC day.

    Returns:
        Of each problem that later issues may continue the latest ``RECENT_ISSUES`` issues, the
        oldest first. Problems come in the order of their first issue.
    """
    issues: dict[str, list[Issue]] = {}
    for link in links:
        if link.issue_date < before:
            issues.setdefault(link.problem_id, []).append((link.issue_date, link.cluster_id))
    return {
        problem: own[-RECENT_ISSUES:]
        for problem, own in issues.items()
        if (before - own[-1][0]).days <= MAX_GAP_DAYS
    }


def representative_texts(posts: IssuePosts) -> list[str]:
    """Return the texts that stand for an issue: of its nearest posts, title and snippet."""
    rows = distinct_titles(posts.titles)
    return [f"{posts.titles[row]}\n{posts.snippets[row]}".strip() for row in rows]


def embed_issues(issues: Sequence[IssuePosts], model: TextEncoder) -> dict[Issue, Group]:
    """Embed the representatives of issues; each has at least one."""
    texts = [representative_texts(posts) for posts in issues]
    vectors = embed_texts([text for own in texts for text in own], model)
    groups, start = {}, 0
    for posts, own in zip(issues, texts, strict=True):
        end = start + len(own)
        groups[posts.issue_date, posts.cluster_id] = Group.of(vectors[start:end])
        start = end
    return groups


def known_problems(
    recent: Mapping[str, Sequence[Issue]], groups: Mapping[Issue, Group]
) -> list[Problem]:
    """Return the problems that later issues may continue, numbered in the order given.

    Args:
        recent: Of :func:`recent_issues`.
        groups: Of all these issues.
    """
    return [
        Problem(number, own[-1][0], [groups[issue] for issue in own])
        for number, own in enumerate(recent.values())
    ]


def link_days(
    days: Sequence[date],
    posts: Sequence[IssuePosts],
    recent: Mapping[str, Sequence[Issue]],
    groups: Mapping[Issue, Group],
) -> list[ProblemIssue]:
    """Link the issues of days, which follow what is linked already.

    Args:
        days: In order.
        posts: Of every problem issue of these days, by day and cluster.
        recent: The problems before the first of them, of :func:`recent_issues`.
        groups: The vectors of all issues that either names.

    Returns:
        One link an issue, in the same order.
    """
    problems, ids = known_problems(recent, groups), list(recent)
    by_day: dict[date, list[IssuePosts]] = defaultdict(list)
    for one in posts:
        by_day[one.issue_date].append(one)
    made = []
    for day in days:
        issues = by_day[day]
        vectors = [groups[day, one.cluster_id] for one in issues]
        links = link_day(problems, day, vectors)
        advance(problems, day, vectors, links)
        for number in range(len(ids), len(problems)):
            first = min(
                min(one.url_hashes)
                for one, link in zip(issues, links, strict=True)
                if link.number == number
            )
            ids.append(derive_id("problem", day.isoformat(), first))
        made += [
            ProblemIssue(
                day, one.cluster_id, ids[link.number], link.similarity, sorted(one.url_hashes)
            )
            for one, link in zip(issues, links, strict=True)
        ]
    return made
