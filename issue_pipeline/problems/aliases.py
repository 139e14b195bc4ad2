"""What became of problems whose ids are gone, so that old links still lead to them."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from issue_pipeline.records import ProblemAlias, ProblemIssue

RENAMED, JOINED = "renamed", "joined"


def aliases_after(
    before: Sequence[ProblemIssue],
    after: Sequence[ProblemIssue],
    known: Iterable[ProblemAlias],
    today: date,
) -> list[ProblemAlias]:
    """Return all aliases after links were replaced.

    A problem that is gone lives on in the one that holds most of its posts, of equals the one with
    the smallest id. One of which no post is in any problem leaves no alias.

    Args:
        before: All links as they were.
        after: All links as they are.
        known: The aliases so far. Those to a problem that is gone follow it; one that is the id of
            a problem again is none any more.
        today: UTC day, for new aliases.

    Returns:
        Aliases by their former id; each leads to a problem that is there.
    """
    old_posts, posts = _posts_by_problem(before), _posts_by_problem(after)
    problem_of = {post: problem for problem, hashes in posts.items() for post in hashes}
    heirs: dict[str, str] = {}
    for gone in old_posts.keys() - posts.keys():
        shared = Counter(problem_of[post] for post in old_posts[gone] if post in problem_of)
        if shared:
            heirs[gone] = min(shared, key=lambda problem: (-shared[problem], problem))
    found = {
        gone: ProblemAlias(gone, heir, JOINED if heir in old_posts else RENAMED, today)
        for gone, heir in heirs.items()
    }
    for alias in known:
        problem = heirs.get(alias.problem_id, alias.problem_id)
        if alias.alias not in posts and problem in posts:
            found.setdefault(alias.alias, replace(alias, problem_id=problem))
    return [found[alias] for alias in sorted(found)]


def _posts_by_problem(links: Sequence[ProblemIssue]) -> Mapping[str, set[str]]:
    posts: dict[str, set[str]] = defaultdict(set)
    for link in links:
        posts[link.problem_id].update(link.url_hashes)
    return posts
