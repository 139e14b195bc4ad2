"""From the table of token formats to what finds them: an expression and a cheap check for each."""

import re
from dataclasses import dataclass
from functools import cache

from issue_pipeline.utils.cleaning.token_formats import (
    ALPHABETS,
    TOKEN_FORMATS,
    Run,
    TokenFormat,
)

# Characters of a token, after a prefix that no name has, from which on a cut one is hidden, too.
_LEAST_AFTER_CLEAR_PREFIX = 16
_MARKS = re.compile(r"[^A-Za-z0-9_-]")
_WITH_MARKS = frozenset({"b64", "crypt", "dot"})
_WITH_END = _WITH_MARKS | {"url"}  # of base64 ("=="), or Atlassian's checksum after "="
_RARELY_DIGITS = frozenset({"upper", "base32"})


@dataclass(frozen=True, slots=True)
class TokenPattern:
    """How one format is found.

    Attributes:
        hint: A literal that every token of the format holds.
        is_one_run: Whether a token is nothing but letters, digits, ``_`` and ``-``.
        longest_run: How many of those are in a row in every token; 0 if that is not known.
        expression: The token; group 1 is what follows the first literal.
        is_sure: Whether what fits is a token; else group 1 has to look random.
        may_be_words: Whether what fits may be a name all the same: group 1 must not be words.
    """

    hint: str
    is_one_run: bool
    longest_run: int
    expression: re.Pattern[str]
    is_sure: bool
    may_be_words: bool


@cache
def token_patterns() -> tuple[TokenPattern, ...]:
    """Return a pattern for each format; of two that fit, the one that says more comes first."""
    formats = sorted(TOKEN_FORMATS, key=lambda format_: -len(format_.hint))
    return tuple(map(_pattern_of, formats))


def _pattern_of(format_: TokenFormat) -> TokenPattern:
    first, last = format_.parts[0], format_.parts[-1]
    prefix = first if isinstance(first, str) else ""
    parts = format_.parts[1:] if prefix else format_.parts
    is_clear = format_.is_sure and (
        (len(prefix) >= 4 and not prefix[-1].isalnum()) or len(prefix) >= 6
    )
    body = "".join(
        re.escape(part) if isinstance(part, str) else _run(part, following, is_clear=is_clear)
        for part, following in zip(parts, [*parts[1:], None], strict=True)
    )
    alphabets = {part.alphabet for part in format_.parts if isinstance(part, Run)}
    literals = "".join(part for part in format_.parts if isinstance(part, str))
    has_marks = not alphabets.isdisjoint(_WITH_MARKS)
    end = "" if alphabets.isdisjoint(_WITH_END) else r"(?:={1,2}[A-Za-z0-9]{0,8}+)?"
    return TokenPattern(
        hint=format_.hint,
        is_one_run=not has_marks and not _MARKS.search(literals),
        longest_run=0 if has_marks else _longest_run(format_.parts, is_clear=is_clear),
        # Whatever is glued to a token goes with it: providers make their tokens longer.
        expression=re.compile(f"{_start(prefix)}({body}[A-Za-z0-9_-]*+{end})"),
        is_sure=format_.is_sure,
        may_be_words=is_clear and isinstance(last, Run) and last.alphabet not in _RARELY_DIGITS,
    )


def _start(prefix: str) -> str:
    if not prefix:
        return "(?<![A-Za-z0-9_-])"
    # A letter before it belongs to the same name, unless it is an escape's ("\nghp_", "%3Dghp_").
    # The prefix comes first because the engine can skip to a literal.
    mark, name = re.escape(prefix), "A-Za-z0-9" if len(prefix) > 3 else "A-Za-z0-9_-"
    return rf"{mark}(?:(?<![{name}]{mark})|(?<=\\[nrt]{mark})|(?<=%[0-9A-Fa-f]{{2}}{mark}))"


def _run(run: Run, following: str | Run | None, *, is_clear: bool) -> str:
    least = _least(run, is_clear=is_clear)
    characters = ALPHABETS[run.alphabet][1]
    # A dot at the end is the sentence's.
    unit = r"(?:[A-Za-z0-9_~-]|\.(?=\.?[A-Za-z0-9_~-]))" if run.alphabet == "dot" else None
    unit = unit or f"[{characters}]"
    if following is None:
        return f"{unit}{{{least},}}+"
    is_apart = isinstance(following, str) and not re.match(f"[{characters}]", following)
    return f"{unit}{{{least},{max(run.most, least)}}}" + ("+" if is_apart else "")


def _longest_run(parts: tuple[str | Run, ...], *, is_clear: bool) -> int:
    longest = current = 0
    for part in parts:
        if isinstance(part, Run):
            current += _least(part, is_clear=is_clear)
        else:
            first, *others = _MARKS.split(part)
            longest = max(longest, current + len(first))
            current = len(others[-1]) if others else current + len(first)
    return max(longest, current)


def _least(run: Run, *, is_clear: bool) -> int:
    return min(run.least, _LEAST_AFTER_CLEAR_PREFIX) if is_clear else run.least
