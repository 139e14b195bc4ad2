"""Finds the questions of forms: headings that many posts of a day share word for word.

One post does not show whether "What did you try before you opened this issue?" is its author's
heading or a form's; twenty posts of the day that have it do.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from issue_pipeline.utils.cleaning.lines import plain_line

# The headings that posts of a day share, as :func:`heading_key` writes them.
Headings = frozenset[str]

# So many posts of a day make a heading a form's. People who report the same problem word it
# differently; five who word a line of six words the same way filled in the same form, on a day of
# one repository, too.
MIN_POSTS = 5
_MIN_WORDS = 6  # shorter ones go without this
_MAX_CHARS = 400
_READ_CHARS = 100_000

_HEADING = re.compile(r"\s{0,3}(?:#{1,6}\s|#{2,6}\S)")
_UNDERLINE = re.compile(r"\s{0,3}={3,}\s*$")
_BOLD_LINE = re.compile(
    r"\s{0,3}(?:[-*+]\s{1,3})?(\*\*|__)(?!\1)(?:(?!\1).){1,400}+\1\s*[:：]?\s*$"
)
_MAY_HAVE = re.compile(r"#|\*\*|__|===")
_NUMBER = re.compile(r"\d+")


def shared_headings(bodies: Iterable[str | None], min_posts: int = MIN_POSTS) -> Headings:
    """Return the headings of six words or more that many different posts have.

    Args:
        bodies: The Markdown of a day's posts, in any order. Posts of the same text count once: a
            text that was posted again is no form.
        min_posts: How many posts have to share a heading.

    Returns:
        The headings in the form of :func:`heading_key`; none for fewer posts than ``min_posts``.
    """
    counts = Counter(key for body in {body for body in bodies if body} for key in _keys(body))
    return frozenset(key for key, count in counts.items() if count >= min_posts)


def heading_key(heading: str) -> str:
    """Return a heading without marks, numbers, letter case and outer space, to compare it by."""
    return _NUMBER.sub("0", " ".join(plain_line(heading).split()).casefold()).strip(" :*_#")


def is_heading(lines: Sequence[str], number: int) -> bool:
    """Return whether a line is a heading of Markdown, underlined with ``=``, or all bold."""
    line = lines[number]
    if not line.strip():
        return False
    if number + 1 < len(lines) and _UNDERLINE.match(lines[number + 1]):
        return True
    return bool(_HEADING.match(line) or _BOLD_LINE.match(line))


def _keys(body: str) -> set[str]:
    if not _MAY_HAVE.search(body):
        return set()
    lines = body[:_READ_CHARS].splitlines()
    headings = (
        line
        for number, line in enumerate(lines)
        if len(line) <= _MAX_CHARS
        and line.count(" ") >= _MIN_WORDS - 1
        and is_heading(lines, number)
    )
    return {key for key in map(heading_key, headings) if key.count(" ") >= _MIN_WORDS - 1}
