"""Finds access tokens in text: those of the table of formats, and those that only look like one.

No token holds a space, so that only long words are looked at. Patterns begin with a literal or at
the start of a run and give back no more characters than a format's own range has: hostile text
costs linear time.
"""

import html
import re
from collections.abc import Sequence
from functools import partial

from issue_pipeline.utils.cleaning.random_runs import is_hex, is_random, is_words, may_be_random
from issue_pipeline.utils.cleaning.secret_values import SECRET_MARK
from issue_pipeline.utils.cleaning.token_patterns import TokenPattern, token_patterns

_MIN_WORD = 16  # every token is longer
_LONG_WORD = re.compile(rf"(?<!\S)\S{{{_MIN_WORD},}}+")
_ANY_RUN = re.compile(r"[A-Za-z0-9_-]{12,}+")

# A rule that outlives the table: a short prefix, then 30 characters that look random.
_MIN_RANDOM = 30
_RUN = re.compile(r"(?<![A-Za-z0-9_-])[A-Za-z0-9][A-Za-z0-9_-]{29,}+(={0,2})")
_PREFIX = re.compile(r"[A-Za-z][A-Za-z0-9]{0,14}[_-](?:[A-Za-z][A-Za-z0-9]{0,9}[_-]){0,2}")
_PREFIX_BEFORE = re.compile(r"(?:^|[^A-Za-z0-9])[A-Za-z][A-Za-z0-9]{0,14}[.:~$]$")
# After a prefix that speaks of a secret what looks like a hash is none.
_TELLS = re.compile(
    r"(?i)(?:^|[_-])(?:a?pi|access|auth|bearer|client|cred|key|live|pass|pat|prod|pw|rk|secret|sess"
    r"|sk|test|tok|token)(?=[_-])|(?:key|token|secret)[_-]"
)
# What is random and no secret: hashes with their name, public keys, addresses of money, names that
# a compiler made.
_PUBLIC = re.compile(
    r"(?i:sha\d|md5|blake|crc|etag|integrity|commit|rev|git|build|digest|hash|ipfs|cid)"
    r"[\w-]{0,8}[:_=-]"
    r"|AAAA[BCE]|MI[GI][A-Z]|[xyztuv]pub|(?:bc|tb|bcrt|ln\w{2,4})1?|Qm[1-9A-Z]|baf[ky]|_Z|__|0x"
    r"|[13mn2][1-9A-HJ-NP-Za-km-z]{25,34}(?![A-Za-z0-9])|phc_|age1|npub1|G[A-Z2-7]{55}(?![A-Z0-9])"
)
_FILE_END = re.compile(r"\.[A-Za-z]\w{0,9}\b|/|\\|\$|@@|\(|&#(?:x2F|47);")
_LINE_OF_BASE64 = frozenset({64, 76})
_LOOK_BACK = 300  # characters of a word in which a URL's or a path's mark is looked for
# An id of a key of AWS is followed by the key itself, which has no mark of its own.
_AWS_SECRET = re.compile(r"(?<![\w+/=-])[A-Za-z0-9+/]{40}(?![\w+/=-])")
_AWS_HINTS = ("AKIA", "ASIA")


def hide_tokens(text: str) -> str:
    """Replace every token of a known format, and what looks like a token, by ``[secret]``."""
    plain = _unescaped(text)
    runs = _ANY_RUN.findall(plain)
    longest = max(map(len, runs), default=0)
    joined = "\n".join(runs)
    long = "\n".join([word for word in plain.split() if len(word) >= _MIN_WORD])
    present = [
        pattern
        for pattern in token_patterns()
        if pattern.longest_run <= longest
        and pattern.hint in (joined if pattern.is_one_run else long)
    ]
    if present or longest >= _MIN_RANDOM:
        text = _LONG_WORD.sub(lambda word: _hide_in_word(word[0], present), text)
    if any(hint in joined for hint in _AWS_HINTS):
        text = _AWS_SECRET.sub(_hide_key, text)
    return text


def _unescaped(text: str) -> str:
    """Undo the escapes that editors of Markdown put into a token."""
    return text.replace("\\_", "_") if "\\_" in text else text


def _hide_in_word(word: str, present: Sequence[TokenPattern]) -> str:
    plain = hidden = _unescaped(word)
    for pattern in present:
        if pattern.hint in hidden:
            hidden = pattern.expression.sub(partial(_hide_token, pattern), hidden)
    if len(hidden) >= _MIN_RANDOM:
        hidden = _RUN.sub(_hide_run, hidden)
    return word if hidden == plain else hidden


def _hide_token(pattern: TokenPattern, token: re.Match[str]) -> str:
    if pattern.is_sure:
        is_token = not (pattern.may_be_words and is_words(token[1]))
    else:
        is_token = may_be_random(token[1]) and not is_hex(token[0])
    return SECRET_MARK if is_token else token[0]


def _hide_key(run: re.Match[str]) -> str:
    return SECRET_MARK if may_be_random(run[0]) and not is_hex(run[0]) else run[0]


def _hide_run(run: re.Match[str]) -> str:
    word, start = run.string, run.start()
    before = word[max(0, start - _LOOK_BACK) : start]
    if "&#" in before:
        before = html.unescape(before)
    is_address = "/" in before or "\\" in before or before.endswith(("@", "#", "+", "%"))
    if is_address or _FILE_END.match(word, run.end()) or "base64," in before:
        return run[0]
    prefix = _PREFIX.match(run[0])
    prefix_before = bool(_PREFIX_BEFORE.search(before))
    if before.endswith(".") and not prefix_before:
        return run[0]
    rest = run[0][prefix.end() :] if prefix else run[0]
    if any(map(_PUBLIC.match, (run[0], before, rest))):
        return run[0]
    if is_hex(rest):
        is_secret = bool(prefix and _TELLS.search(prefix[0]))
    elif prefix or prefix_before:
        is_secret = len(rest) >= _MIN_RANDOM and (bool(prefix) or _has_all_kinds(rest))
    else:
        # Without a prefix a line of base64 (a certificate, a signature, a picture) looks the same.
        is_base64 = bool(run[1]) or word.startswith("+", run.end()) or len(rest) in _LINE_OF_BASE64
        is_secret = _has_all_kinds(rest) and not is_base64
    return SECRET_MARK if is_secret and is_random(rest) else run[0]


def _has_all_kinds(run: str) -> bool:
    return not (run.islower() or run.isupper()) and any(map(str.isdigit, run))
