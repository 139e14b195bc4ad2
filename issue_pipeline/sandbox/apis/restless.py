"""Posts that appear late or vanish while a client reads its pages; both are called restless.

A late post is not served to the first requests about its source, a vanishing one not after some.
Which posts, and after how many requests, follows from the seed and the post's number alone.
"""

import zlib
from collections import Counter
from collections.abc import Iterable

from issue_pipeline.sandbox.apis.faults import FaultProfile
from issue_pipeline.sandbox.world.posts import SimulatedPost


class Restlessness:
    """Decides which posts are served, by the requests that there have been so far.

    Args:
        profile: How many posts are restless.
    """

    def __init__(self, profile: FaultProfile) -> None:
        self._profile = profile
        self._requests: Counter[str] = Counter()

    def note_request(self, source: str) -> None:
        """Count a request to an API of the source."""
        self._requests[source] += 1

    def is_visible(self, post: SimulatedPost) -> bool:
        """Return whether the present request finds the post."""
        if not _is_restless(self._profile, post):
            return True
        turned = self._requests[post.source] > _turning_point(self._profile, post)
        return turned != vanishes(self._profile, post)


def restless_posts(profile: FaultProfile, posts: Iterable[SimulatedPost]) -> list[SimulatedPost]:
    """Return the posts that are not served all the time."""
    return [post for post in posts if _is_restless(profile, post)]


def vanishes(profile: FaultProfile, post: SimulatedPost) -> bool:
    """Return whether the post goes for good; the other restless ones are served from then on."""
    return _chance(profile, post) < profile.restless_share / 2


def _is_restless(profile: FaultProfile, post: SimulatedPost) -> bool:
    return _chance(profile, post) < profile.restless_share


def _turning_point(profile: FaultProfile, post: SimulatedPost) -> int:
    """Return the last request before the post appears or vanishes, at least 1."""
    return 1 + _hash(f"when/{_name(profile, post)}") % profile.restless_requests


def _chance(profile: FaultProfile, post: SimulatedPost) -> float:
    """Draw a number from 0 to below 1, always the same for the same post."""
    return _hash(_name(profile, post)) / 2**32


def _name(profile: FaultProfile, post: SimulatedPost) -> str:
    return f"{profile.seed}/{post.source}/{post.number}"


def _hash(text: str) -> int:
    return zlib.crc32(text.encode())
