"""Texts as a search compares them: without case and accents."""

import unicodedata

# What the live store takes of a text.
MAX_SEARCH_CHARS = 5_000


def folded(text: str) -> str:
    """Return a text without case and accents: "Café" becomes "cafe".

    The live page folds the words that somebody types in the same way (``folded_text.js``).
    """
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(one for one in decomposed if unicodedata.category(one)[0] != "M").lower()


def search_text(*texts: str) -> str:
    """Return what a search needs beside the texts themselves.

    SQLite compares ASCII letters without their case, and all others as they are. So a text of ASCII
    alone needs nothing else, and any other its folded form.

    Returns:
        ``""`` for ASCII, else the folded texts, cut to ``MAX_SEARCH_CHARS``.
    """
    whole = " ".join(texts)
    return "" if whole.isascii() else folded(whole)[:MAX_SEARCH_CHARS].strip()
