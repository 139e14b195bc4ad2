"""What only one post says is no part of a common problem, and does not reach a model.

A word counts as shared when two posts of one group use it, in any group of the day. All others are
masked in what a model gets to see: names, typing errors, identifiers, and whatever a single post
would like to have in a label.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence

MASK = "[…]"
# Shorter words say too little to be worth hiding.
_MIN_CHARS = 3
# Of each text; enough for what a post says, and bounds the work on a hostile megabyte.
MAX_TEXT_CHARS = 4_000
# Scripts that put no spaces between words are read a character at a time.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_UNSPACED_WORD = re.compile(f"[{_UNSPACED}]")
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+")
_MASKS = re.compile(rf"{re.escape(MASK)}(?:[\W_]*{re.escape(MASK)})+")


def shared_words(groups: Iterable[Sequence[str]]) -> frozenset[str]:
    """Collect the words that at least two texts of one group use.

    Args:
        groups: The texts of each group; only their first 4,000 characters count.

    Returns:
        Words with case and Unicode form folded.
    """
    shared: set[str] = set()
    for texts in groups:
        counts: Counter[str] = Counter()
        for text in texts:
            counts.update({_folded(word) for word in _WORD.findall(text[:MAX_TEXT_CHARS])})
        shared.update(word for word, count in counts.items() if count > 1)
    return frozenset(shared)


def mask_lone_words(text: str, shared: frozenset[str]) -> str:
    """Put ``[…]`` in the place of every word that is not shared.

    Args:
        text: Any text.
        shared: As of :func:`shared_words`.

    Returns:
        The text with words of one or two letters, punctuation and spacing as they were;
        neighbouring masks are one.
    """

    def kept(match: re.Match[str]) -> str:
        word = match[0]
        is_short = len(word) < _MIN_CHARS and not _UNSPACED_WORD.match(word)
        return word if is_short or _folded(word) in shared else MASK

    return _MASKS.sub(MASK, _WORD.sub(kept, text))


def _folded(word: str) -> str:
    return unicodedata.normalize("NFKC", word).casefold()
