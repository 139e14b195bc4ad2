"""Masking: a word that only one post uses is no part of a common problem and reaches no model.

A word counts as shared when two posts of one group use it, in any group of the day, or when one
post uses an inflected form of a word that another post of its group uses. All others are masked in
what a model gets to see: names, typing errors, identifiers, and whatever a single post would like
to have in a label.

A word is an inflected form of another post's if the two begin alike for at least four letters and
two thirds of the word, and the rest of it is a letter or two, or an ending that other posts of the
day use as well: in Turkish ``faturalar`` beside ``faturamı`` where somebody else writes
``kargolar``. So neither the stem nor a longer ending is ever one post's own. Letters are compared
in their decomposed form, so that a Korean particle counts as an ending.
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
# Scripts in which joiners of no width belong to the spelling of a word.
_JOINING = (
    "\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\u0900-\u0dff\u1800-\u18af\ufb50-\ufdff\ufe70-\ufefc"
)
_JOINER = rf"(?<=[{_JOINING}])[\u200c\u200d]"
_LETTER = rf"(?:[^{_BETWEEN}{_UNSPACED}]|{_JOINER})"
# "Z O R B", "z.o.r.b", "06 12 34 56": single characters or numbers in a row are one word.
_PIECE = rf"(?:\d++|{_LETTER})(?!{_LETTER})"
_SPELT = rf"{_PIECE}(?:[{_BETWEEN}]{{1,3}}{_PIECE}){{2,}}"
_WORD = re.compile(rf"[{_UNSPACED}]|{_SPELT}|{_LETTER}+")
_PUNCTUATION = re.compile(f"[{_BETWEEN}]")
# Inflected forms: least length of a stem in decomposed letters and its least share of the word; the
# longest ending that needs no other post, the least share of posts that have a longer one; the
# longest word that is looked at, and how many with the same beginning are in a group.
_MIN_STEM = 4
_MIN_STEM_SHARE = 0.66
_FREE_ENDING = 2
_MIN_ENDING_SHARE = 0.02
_MAX_WORD = 40
_MAX_WORDS_OF_A_STEM = 50
_MASKS = re.compile(rf"{re.escape(MASK)}(?:[{_BETWEEN}_]*{re.escape(MASK)})+")


def shared_words(groups: Iterable[Sequence[str]]) -> frozenset[str]:
    """Return the words that two texts of one group use, as they are or inflected.

    Args:
        groups: The texts of each group; only their first 4,000 characters count.

    Returns:
        Words with case and Unicode form folded.
    """
    shared: set[str] = set()
    alone: list[tuple[str, _Words]] = []
    endings: Counter[str] = Counter()
    post_count = 0
    for texts in groups:
        post_count += len(texts)
        posts = [{_folded(word) for word in _WORD.findall(text[:MAX_TEXT_CHARS])} for text in texts]
        counts = Counter(word for words in posts for word in words)
        shared.update(word for word, count in counts.items() if count > 1)
        forms = [sorted(map(_letters, filter(_is_inflectable, words))) for words in posts]
        for own in forms:
            endings.update({form[start:] for form in own for start in _ending_starts(form)})
        by_stem = _words_by_stem(forms)
        alone += [(word, by_stem) for word, count in counts.items() if count == 1]
    least = max(2.0, _MIN_ENDING_SHARE * post_count)
    common = frozenset(ending for ending, count in endings.items() if count >= least)
    shared.update(
        word
        for word, by_stem in alone
        if word not in shared and _is_inflected(word, by_stem, common)
    )
    return frozenset(shared)


# By their first letters: words of a group, each with the post that uses it (-1: several do).
_Words = dict[str, dict[str, int]]


def _words_by_stem(posts: Sequence[Sequence[str]]) -> _Words:
    by_stem: _Words = {}
    for number, forms in enumerate(posts):
        for form in forms:
            words = by_stem.setdefault(form[:_MIN_STEM], {})
            if form in words:
                words[form] = -1
            elif len(words) < _MAX_WORDS_OF_A_STEM:
                words[form] = number
    return by_stem


def _is_inflected(word: str, by_stem: _Words, endings: frozenset[str]) -> bool:
    """Return whether another post has the stem of one post's word, and others its ending."""
    if not _is_inflectable(word):
        return False
    form = _letters(word)
    others = by_stem.get(form[:_MIN_STEM], {})
    own = others.get(form)

    def is_ending(ending: str, stem: int) -> bool:
        is_free = len(ending) <= (_FREE_ENDING if stem > _MIN_STEM else 1)
        return is_free or ending in endings

    for other, post in others.items():
        stem = _common_length(form, other)
        if (
            other != form
            and (post != own or post == -1)
            and stem >= _MIN_STEM_SHARE * len(form)
            and is_ending(form[stem:], stem)
        ):
            return True
    return False


def _is_inflectable(word: str) -> bool:
    """Return whether a folded word is of letters only, long enough for a stem, and not too long."""
    return len(word) <= _MAX_WORD and all(
        unicodedata.category(character)[0] in "LM" for character in word
    )


def _common_length(first: str, second: str) -> int:
    """Return how many letters two words begin with alike."""
    length = 0
    for one, other in zip(first, second, strict=False):
        if one != other:
            break
        length += 1
    return length


def _letters(word: str) -> str:
    return unicodedata.normalize("NFD", word)


def _ending_starts(form: str) -> range:
    """Return where endings of a word may begin: after something as long as a stem."""
    return range(_MIN_STEM - 1, len(form))


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
