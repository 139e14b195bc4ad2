"""Ids and permalinks of simulated posts, as the APIs serve them.

Kept apart from the APIs so that an evaluation can find the post, and with it the truth, behind a
collected URL: ``permalink(post)`` is exactly the address that the API serves for the post.
"""

import re
import unicodedata
import zlib

from issue_pipeline.sandbox.world.posts import SimulatedPost

# Each source counts from a number like those of its newest real posts.
GITHUB_FIRST_ID = 3_000_000_000
STACKOVERFLOW_FIRST_ID = 80_000_000
REDDIT_FIRST_ID = int("1v00000", 36)
HACKERNEWS_FIRST_ID = 47_000_000

_BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"
_SLUG_LENGTH = 50


def permalink(post: SimulatedPost) -> str:
    """Return the post's own page, as the API of its source spells it.

    Args:
        post: A post of any of the four sources.

    Returns:
        An absolute https URL, different for every post.

    Raises:
        ValueError: If the source is none of the four.
    """
    match post.source:
        case "github":
            return f"https://github.com/{post.channel}/issues/{github_issue_number(post)}"
        case "stackoverflow":
            number = stackoverflow_id(post)
            return f"https://stackoverflow.com/questions/{number}/{slug(post.title, '-')}"
        case "reddit":
            return f"https://www.reddit.com{reddit_path(post)}"
        case "hackernews":
            return f"https://news.ycombinator.com/item?id={hackernews_id(post)}"
        case other:
            raise ValueError(
                f"no API serves posts of source {other!r}; "
                "expected github, stackoverflow, reddit or hackernews"
            )


def github_issue_number(post: SimulatedPost) -> int:
    """Return the issue's number in its repository; odd ones are left to pull requests."""
    return 2 * post.number


def stackoverflow_id(post: SimulatedPost) -> int:
    """Return the id of the question."""
    return STACKOVERFLOW_FIRST_ID + post.number


def hackernews_id(post: SimulatedPost) -> int:
    """Return the id of the item."""
    return HACKERNEWS_FIRST_ID + post.number


def reddit_id(post: SimulatedPost) -> str:
    """Return the id in base 36, without the ``t3_`` of the fullname."""
    return base36(REDDIT_FIRST_ID + post.number)


def reddit_path(post: SimulatedPost) -> str:
    """Return the permalink without the host, as the field ``permalink`` has it."""
    return f"/r/{post.channel}/comments/{reddit_id(post)}/{slug(post.title, '_')}/"


def base36(number: int) -> str:
    """Return a number of at least 0 in base 36, lower case."""
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _BASE36[digit] + digits
    return digits or "0"


def slug(title: str, separator: str) -> str:
    """Return the readable end of a URL: ASCII words in lower case, at most 50 characters."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    words = re.findall(r"[a-z0-9]+", plain.lower())
    return separator.join(words)[:_SLUG_LENGTH].strip(separator) or "post"


def stable_number(text: str) -> int:
    """Return a number of 32 bits for a text (a user, a repository), the same in every process."""
    return zlib.crc32(text.encode("utf-8", "surrogatepass"))
