"""Finds access tokens in text: those of the table of formats, and those that only look like one.

No token holds a space, so that only long words are looked at, each once. Patterns begin with a
literal or at the start of a run and give no characters back beyond a format's own range: hostile
text costs linear time.
"""

import html
import re
from dataclasses import dataclass
from functools import cache

from issue_pipeline.utils.cleaning.random_runs import is_hex, is_random, is_words, may_be_random
from issue_pipeline.utils.cleaning.secret_values import SECRET_MARK
from issue_pipeline.utils.cleaning.token_formats import (
    ALPHABETS,
    TOKEN_FORMATS,
    Run,
    TokenFormat,
)

# Of a token whose prefix no name has, a cut one is hidden, too.
_LEAST_AFTER_CLEAR_PREFIX = 16
_LONG_WORD = re.compile(r"(?<!\S)\S{16,}+")
_SHORTEST_WORD = 16

# A rule that outlives the table: a short prefix, then 30 characters that look random.
_MIN_RANDOM = 30
_RUN = re.compile(r"(?<![A-Za-z0-9_-])[A-Za-z0-9][A-Za-z0-9_-]{29,}+(={0,2})")
_PREFIX = re.compile(r"[A-Za-z][A-Za-z0-9]{0,14}[_-](?:[A-Za-z][A-Za-z0-9]{0,9}[_-]){0,2}")
_PREFIX_BEFORE = re.compile(r"(?:^|[^A-Za-z0-9])[A-Za-z][A-Za-z0-9]{0,14}[.:~$]$")
# A prefix that speaks of a secret: then a hash is none.
_TELLS = re.compile(
    r"(?i)(?:^|[_-])(?:a?pi|access|auth|bearer|client|cred|key|live|pass|pat|prod|pw|rk|secret|sess"
    r"|sk|test|tok|token)(?=[_-])|(?:key|token|secret)[_-]"
)
# What is random and no secret: hashes with their name, public keys, addresses of money, names that
# a compiler made.
_PUBLIC = re.compile(
    r"(?i:sha\d|md5|blake|crc|etag|integrity|commit|rev|git|build|digest|hash|ipfs|cid)[\w-]{0,8}[:_=-]"
    r"|AAAA[BCE]|MI[GI][A-Z]|[xyztuv]pub|(?:bc|tb|bcrt|ln\w{2,4})1?|Qm[1-9A-Z]|baf[ky]|_Z|__|0x"
    r"|[13mn2][1-9A-HJ-NP-Za-km-z]{25,34}(?![A-Za-z0-9])|phc_|age1|npub1|G[A-Z2-7]{55}(?![A-Z0-9])"
)
_FILE_END = re.compile(r"\.[A-Za-z]\w{0,9}\b|/|\\|\$|@@|\(|&#(?:x2F|47);")
_LOOK_BACK = 300  # characters of a word in which a URL's or a path's mark is looked for
# An id of a key of AWS is followed by the key itself, which has no mark of its own.
_AWS_SECRET = re.compile(r"(?<![\w+/=-])[A-Za-z0-9+/]{40}(?![\w+/=-])")
_AWS_HINTS = ("AKIA", "ASIA")


@dataclass(frozen=True, slots=True)
class _Pattern:
    hint: str
    expression: re.Pattern[str]
    is_sure: bool
    may_be_words: bool


def hide_tokens(text: str) -> str:
    """Replace every token of a known format, and what looks like a token, by ``[secret]``."""
    long = "\n".join(word for word in text.split() if len(word) >= _SHORTEST_WORD)
    if not long:
        return text
    if "\\_" in long:
        long = long.replace("\\_", "_")
    present = [pattern for pattern in _patterns() if pattern.hint in long]
    has_aws = any(hint in long for hint in _AWS_HINTS)
    text = _LONG_WORD.sub(lambda word: _hide_in_word(word[0], present), text)
    if has_aws:
        text = _AWS_SECRET.sub(_hide_key, text)
    return text


def _hide_in_word(word: str, present: list[_Pattern]) -> str:
    if "\\_" in word:  # editors of Markdown escape the marks of a token
        plain = word.replace("\\_", "_")
        hidden = _hide_in_word(plain, present)
        return word if hidden == plain else hidden
    for pattern in present:
        if pattern.hint in word:
            word = pattern.expression.sub(
                lambda token, pattern=pattern: _hide_token(token, pattern), word
            )
    return _RUN.sub(_hide_run, word) if len(word) >= _MIN_RANDOM else word


def _hide_token(token: re.Match[str], pattern: _Pattern) -> str:
    if pattern.is_sure:
        return token[0] if pattern.may_be_words and is_words(token[1]) else SECRET_MARK
    return SECRET_MARK if may_be_random(token[1]) and not is_hex(token[0]) else token[0]


def _hide_key(run: re.Match[str]) -> str:
    return SECRET_MARK if may_be_random(run[0]) and not is_hex(run[0]) else run[0]


def _hide_run(run: re.Match[str]) -> str:
    word, start = run.string, run.start()
    before = word[max(0, start - _LOOK_BACK) : start]
    if "&#" in before:
        before = html.unescape(before)
    if (
        _PUBLIC.match(run[0])
        or _FILE_END.match(word, run.end())
        or "/" in before
        or "\\" in before
        or before.endswith(("@", "#", ".", "+", "%"))
        or "base64," in before
        or _PUBLIC.match(before)
    ):
        return run[0]
    prefix = _PREFIX.match(run[0])
    rest = run[0][prefix.end() :] if prefix else run[0]
    if prefix and _PUBLIC.match(rest):
        return run[0]
    if is_hex(rest):
        is_secret = bool(prefix and _TELLS.search(prefix[0]))
    elif prefix or _PREFIX_BEFORE.search(before):
        is_secret = len(rest) >= _MIN_RANDOM
    else:
        # Without a prefix a line of base64 (a certificate, a signature, a picture) looks the same.
        is_base64 = bool(run[1]) or word[run.end() : run.end() + 1] == "+" or len(rest) in {64, 76}
        is_secret = _has_all_kinds(rest) and not is_base64
    return SECRET_MARK if is_secret and is_random(rest) else run[0]


def _has_all_kinds(run: str) -> bool:
    return not (run.islower() or run.isupper()) and any(map(str.isdigit, run))


@cache
def _patterns() -> tuple[_Pattern, ...]:
    # Longer literals first: of two formats that fit, the one that says more takes the token.
    formats = sorted(TOKEN_FORMATS, key=lambda format_: -len(format_.hint))
    return tuple(map(_pattern_of, formats))


def _pattern_of(format_: TokenFormat) -> _Pattern:
    first, last = format_.parts[0], format_.parts[-1]
    literal = first if isinstance(first, str) else ""
    is_clear = format_.is_sure and (
        (len(literal) >= 4 and not literal[-1].isalnum()) or len(literal) >= 6
    )
    # A letter before it belongs to the same name, unless it is part of an escape: "\nghp_", "%3Dghp_"
    start = "(?<![A-Za-z0-9_-])"
    if literal:
        mark, name = re.escape(literal), "A-Za-z0-9" if len(literal) > 3 else "A-Za-z0-9_-"
        start = rf"{mark}(?:(?<![{name}]{mark})|(?<=\\[nrt]{mark})|(?<=%[0-9A-Fa-f]{{2}}{mark}))"
    body = [
        re.escape(part) if isinstance(part, str) else _run(part, following, is_clear=is_clear)
        for part, following in zip(
            format_.parts[1:] if literal else format_.parts,
            [*format_.parts[2:], None] if literal else [*format_.parts[1:], None],
            strict=True,
        )
    ]
    wide = {part.alphabet for part in format_.parts if isinstance(part, Run)} & {
        "url",
        "b64",
        "dot",
    }
    tail = r"[A-Za-z0-9_-]*+" + (r"(?:={1,2}[A-Za-z0-9]{0,8}+)?" if wide else "")
    return _Pattern(
        hint=format_.hint,
        expression=re.compile(f"{start}({''.join(body)}{tail})"),
        is_sure=format_.is_sure,
        may_be_words=is_clear
        and isinstance(last, Run)
        and last.alphabet not in {"upper", "base32"},
    )


def _run(run: Run, following: str | Run | None, *, is_clear: bool) -> str:
    least = min(run.least, _LEAST_AFTER_CLEAR_PREFIX) if is_clear else run.least
    characters = ALPHABETS[run.alphabet][1]
    if run.alphabet == "dot":
        unit = r"(?:[A-Za-z0-9_~-]|\.(?=\.?[A-Za-z0-9_~-]))"
    else:
        unit = f"[{characters}]"
    if following is None:
        return f"{unit}{{{least},}}+"
    apart = isinstance(following, str) and not re.match(f"[{characters}]", following)
    return f"{unit}{{{least},{max(run.most, least)}}}" + ("+" if apart else "")
