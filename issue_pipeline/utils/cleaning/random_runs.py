"""Tells a run of random characters from words, names, hashes and addresses.

A generator draws every character anew, so that lower case, upper case and digits alternate all the
time; whoever writes a name keeps to one kind for the length of a word or a number.
"""

import re
from dataclasses import dataclass

_PIECES = re.compile(r"[^A-Za-z0-9]+")
_WORD = re.compile(r"[A-Z]?[a-z]{0,19}|[A-Z]{1,19}|\d{1,4}|[A-Za-z][a-z]{0,15}\d{1,2}")
# One character of another kind than the one before it.
_CHANGE = re.compile(r"(?<=[a-z])[A-Z0-9]|(?<=[A-Z])[a-z0-9]|(?<=[0-9])[A-Za-z]")
_HEX = re.compile(r"[0-9a-f]+|[0-9A-F]+")
_DIGITS = re.compile(r"[0-9]+")
_LOWER_RUN = re.compile(r"[a-z]{4}")
_MIN_CHARS = 16
_MAX_CHARS = 400  # of a run that are looked at


@dataclass(frozen=True, slots=True)
class _Least:
    """How often the kind changes at least, per character of a run.

    Of random letters and digits 0.62 is the mean, of names in camel case 0.2 to 0.3; of digits and
    letters of one case 0.40 and 0.1.
    """

    all_kinds: float
    all_kinds_in_short_runs: float  # three groups of digits, or no four small letters in a row
    cases: float
    digits: float
    digit_count: int  # of a run in one case; two fewer of one in all kinds
    piece: int  # characters in a row of a run without one of the kinds: it has no marks either


_SURE = _Least(0.42, 0.30, cases=0.46, digits=0.22, digit_count=4, piece=24)
_LIKELY = _Least(0.28, 0.25, cases=0.30, digits=0.05, digit_count=1, piece=16)


def is_words(run: str) -> bool:
    """Return whether a run is words, parted by marks, with a short number among three at most."""
    pieces = _PIECES.split(run[:_MAX_CHARS])
    numbers = sum(map(str.isdigit, pieces))
    return 3 * numbers <= len(pieces) and all(map(_WORD.fullmatch, pieces))


def is_hex(run: str) -> bool:
    """Return whether a run is hexadecimal digits and no more, as a hash is."""
    return bool(_HEX.fullmatch(run))


def is_random(run: str) -> bool:
    """Return whether a run of 16 characters or more was surely drawn by a generator.

    Args:
        run: ASCII letters and digits; marks between them do not count.
    """
    return _changes_as(run, _SURE)


def may_be_random(run: str) -> bool:
    """Return whether a run that follows a token's prefix was probably drawn by a generator.

    Args:
        run: As of :func:`is_random`.
    """
    return _changes_as(run, _LIKELY)


def _changes_as(run: str, least: _Least) -> bool:
    pieces = _PIECES.split(run[:_MAX_CHARS])
    plain = "".join(pieces)
    if len(plain) < _MIN_CHARS:
        return False
    groups = _DIGITS.findall(plain)
    digits = sum(map(len, groups))
    has_lower, has_upper = not plain.isupper(), not plain.islower()
    if digits == len(plain):
        return False
    changes = len(_CHANGE.findall(plain)) / (len(plain) - 1)
    if digits and has_lower and has_upper:
        has_short_runs = len(groups) >= 3 or not _LOWER_RUN.search(plain)
        wanted = least.all_kinds_in_short_runs if has_short_runs else least.all_kinds
        return digits >= least.digit_count - 2 and changes >= wanted
    if max(map(len, pieces)) < least.piece:
        return False
    if not digits:
        return has_lower and has_upper and changes >= least.cases
    if is_hex(plain):
        return 6 * digits >= len(plain)
    return digits >= least.digit_count and changes >= least.digits
