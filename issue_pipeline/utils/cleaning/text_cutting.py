"""Cuts off what a model would never read."""

import re
from itertools import islice

# A run of anything but white space, from its first ASCII letter or digit on. Only white space that
# every tokeniser takes for such: some drop the rarer kinds and join what they parted.
_WORD = re.compile(r"[A-Za-z0-9][^ \t\r\n]*+")


def cut_to_words(text: str, words: int) -> str:
    """Cut a text after so many words that hold an ASCII letter or digit.

    Each such word is at least one token, and no token reaches beyond it. So a model that reads
    ``words`` tokens reads the same of the cut text as of the whole one, whatever it holds. Text
    that has no such words (another script, a megabyte of spaces) stays as it is.

    Args:
        text: Any text.
        words: At least 1.
    """
    last = next(islice(_WORD.finditer(text), words - 1, None), None)
    return text if last is None else text[: last.end()]
