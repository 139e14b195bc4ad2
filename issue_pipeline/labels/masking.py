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
# Of each text; enough for what a post says, and bounds the work on a hostile megabyte.
MAX_TEXT_CHARS = 4_000
# Scripts that put no spaces between words are read a character at a time.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
# Told by what they are not: letters of all scripts with their marks, digits, and signs that look
# like letters are words; white space, punctuation, arrows and lines are not.
_BETWEEN = (
    r"\s!-/:-@\[-^`{-\x9f\xa0-\xa9\xab-\xb4\xb6-\xb8\xbb\xbf\xd7\xf7\u0589\u05be\u060c\u061b\u061f\u06d4"
    r"\u0964\u0965\u2000-\u206f\u20a0-\u20cf\u2190-\u23ff\u2500-\u257f\u3000-\u3004\u3008-\u3020"
    r"\u30fb\ufe30-\ufe6f\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65\ufffd"
)
_LETTER = f"[^{_BETWEEN}{_UNSPACED}]"
# "Z O R B", "z.o.r.b", "06 12 34 56": single characters or numbers in a row are one word.
_PIECE = rf"(?:\d++|{_LETTER})(?!{_LETTER})"
_SPELT = rf"{_PIECE}(?:[{_BETWEEN}]{{1,3}}{_PIECE}){{2,}}"
_WORD = re.compile(rf"[{_UNSPACED}]|{_SPELT}|{_LETTER}+")
_PUNCTUATION = re.compile(f"[{_BETWEEN}]")
_MASKS = re.compile(rf"{re.escape(MASK)}(?:[{_BETWEEN}_]*{re.escape(MASK)})+")


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


def mask_unshared_words(text: str, shared: frozenset[str]) -> str:
    """Put ``[…]`` in the place of every word that is not shared.

    Args:
        text: Any text.
        shared: As of :func:`shared_words`.

    Returns:
        The text with punctuation and spacing as they were; neighbouring masks are one.
    """

    def kept(match: re.Match[str]) -> str:
        return match[0] if _folded(match[0]) in shared else MASK

    return _MASKS.sub(MASK, _WORD.sub(kept, text))


def _folded(word: str) -> str:
    letters = _PUNCTUATION.sub("", word)
    return unicodedata.normalize("NFKC", letters).casefold()
