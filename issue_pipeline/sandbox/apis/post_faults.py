"""Faults that belong to a post, not to a reply: drawn by the seed and the post's number alone.

Hidden issues: GitHub withholds what suspended accounts wrote, and its search may still count it.
Growing issues: a search for ``comments:>=3`` finds more and more while it is read, for comments
keep coming in. Their number here goes by requests, so that it is the same however fast they come.
"""

from collections.abc import Iterable
from dataclasses import replace

from issue_pipeline.sandbox.apis.chance import chance
from issue_pipeline.sandbox.apis.faults import CROSSPOST, GALLERY, POLL, FaultProfile
from issue_pipeline.sandbox.world.posts import SimulatedPost

COMMENTS_AT_FIRST = 2
TEXT = "text"
_FORMS = (CROSSPOST, POLL, GALLERY)


def hidden_posts(profile: FaultProfile, posts: Iterable[SimulatedPost]) -> list[SimulatedPost]:
    """Return those of GitHub that are counted by its search and never shown."""
    return [post for post in posts if is_hidden(profile, post)]


def growing_posts(profile: FaultProfile, posts: Iterable[SimulatedPost]) -> list[SimulatedPost]:
    """Return those of GitHub whose comments are still to come when the simulator starts."""
    return [post for post in posts if is_growing(profile, post)]


def is_hidden(profile: FaultProfile, post: SimulatedPost) -> bool:
    """Return whether nobody is shown this issue."""
    if not profile.hidden_share or post.source != "github":
        return False
    return _chance(profile, "hidden", post) < profile.hidden_share


def is_growing(profile: FaultProfile, post: SimulatedPost) -> bool:
    """Return whether this issue has only two comments at first."""
    if not profile.growing_share or post.source != "github":
        return False
    is_commented = post.comment_count > COMMENTS_AT_FIRST
    return is_commented and _chance(profile, "growing", post) < profile.growing_share


def as_commented(profile: FaultProfile, post: SimulatedPost, requests: int) -> SimulatedPost:
    """Return the issue with the comments that it has by then.

    Args:
        profile: Of the simulator.
        post: As it will be in the end.
        requests: About GitHub that there have been so far.
    """
    if not is_growing(profile, post):
        return post
    grown_at = 1 + int(_chance(profile, "grown", post) * profile.growing_requests)
    return post if requests > grown_at else replace(post, comment_count=COMMENTS_AT_FIRST)


def form_of(profile: FaultProfile, post: SimulatedPost) -> str:
    """Return how a post of Reddit comes: ``text``, ``crosspost``, ``poll`` or ``gallery``.

    Links, and posts without text, come as ever: as ``text``.
    """
    if not profile.reshaped_share or post.link is not None or not (post.body or "").strip():
        return TEXT
    drawn = _chance(profile, "form", post)
    if drawn >= profile.reshaped_share:
        return TEXT
    return _FORMS[int(drawn / profile.reshaped_share * len(_FORMS))]


def _chance(profile: FaultProfile, purpose: str, post: SimulatedPost) -> float:
    """Draw a number from 0 to below 1, always the same for the same post and purpose."""
    return chance(f"{purpose}/{profile.seed}/{post.source}/{post.number}")
