"""Tells a password or key from what else may stand in its place: a word, a reference, a message."""

import re

from issue_pipeline.utils.cleaning.random_runs import may_be_random

SECRET_MARK = "[secret]"  # noqa: S105  (what a secret is replaced with)

# What stands where a secret would: a reference to it, a placeholder, an error message.
_NOT_A_VALUE = re.compile(
    r"(?i)\$[a-z_{(]|%[a-z_]+%|\{|<|/[\w.-]+/|[*.]{3}|process\.env|os\.|env\b|[a-z_][\w.]*[(\[]|x{3,}"
    r"|your(?![a-z]*\d)"
    r"|%\(|[^\w]+$"
    r"|(?:null|none|nil|undefined|true|false|yes|no|required|optional|incorrect|invalid|wrong|missing"
    r"|expired|empty|string|str|secret|password|passwd|pwd|pass|token|hidden|redacted|removed|unexpected|change|reset"
    r"|error|failed|unknown|not|please|forgot)\W*$"
)
# "_passwordController.text", "DB_PASSWORD": a name of a program that speaks of the secret
_NAME_OF_VALUE = re.compile(
    r"(?i)(?=[a-z_.]*+$)(?=\w*[._]|[a-z]+(?-i:[A-Z]))[\w.]*?(?:pass|pwd|secret|token|key|cred)"
)
_LETTER_AND_DIGIT = re.compile(r"(?=.*[A-Za-z])(?=.*\d)")
_MIXED_CASE = re.compile(r"[a-z][A-Z].*[a-z]|=$")
_MANY_LETTERS = re.compile(r"(?:[a-z]{16,}+|[A-Z]{16,}+)$")  # hardly any word is as long
_SCHEME = re.compile(r"(?:base64|hex|plain|raw|enc|aws|pbkdf2|v\d):(?=.)", re.IGNORECASE)
_KEY_CHARACTERS = re.compile(r"[\w+/=.~-]{16,}+$", re.ASCII)
_HEX_KEY = re.compile(r"(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{16,}$", re.IGNORECASE)
# "sha256", "8-character", "OAuth2", "v2.1": said of a password, and none
_SAID_OF_IT = re.compile(
    r"(?:sha|md|base|utf|oauth|b?crypt|argon|pbkdf|scrypt|aes|rsa|ed|hs|rs|es|http|ipv|x|v|tls|saml|ntlm"
    r"|latin|iso|windows|win|python|php|java)-?v?\d[\w.-]*$"
    r"|\d{1,5}(?:[-.,x]\w+|[a-z]{1,6})?$|https?:|www\.|[\w-]+\.(?:\w+\.)*[a-z]{2,4}$"
    r"|.*[(\[{]|[\w.-]+==?(?:\w|$)|.*&#|.*\w/\w|\w+-(?:\w+-)*\d$",
    re.IGNORECASE,
)
_SIGN = re.compile(r"[!@#$%^&*?+=~]")
_MIN_SPOKEN = 5


def is_reference(value: str) -> bool:
    """Return whether a value is hidden already, refers to a secret, or says something about one."""
    return SECRET_MARK in value or bool(_NOT_A_VALUE.match(value) or _NAME_OF_VALUE.match(value))


def has_letter_and_digit(value: str) -> bool:
    """Return whether a value mixes letters with digits."""
    return bool(_LETTER_AND_DIGIT.match(value))


def is_key(value: str) -> bool:
    """Return whether a value reads like a key: 16 or more characters, random or hexadecimal."""
    scheme = _SCHEME.match(value)
    plain = value[scheme.end() :] if scheme else value
    return bool(_KEY_CHARACTERS.match(plain)) and (
        bool(_HEX_KEY.match(plain)) or may_be_random(plain)
    )


def is_mixed(value: str) -> bool:
    """Return whether a value is letters and digits, or letters that no word is made of."""
    return bool(
        _LETTER_AND_DIGIT.match(value) or _MIXED_CASE.search(value) or _MANY_LETTERS.match(value)
    )


def is_mixed_or_long(value: str) -> bool:
    """Return whether a value is letters and digits, or more letters in a row than words have."""
    return bool(_LETTER_AND_DIGIT.match(value) or _MANY_LETTERS.match(value))


def is_spoken_secret(value: str) -> bool:
    """Return whether a word in a sentence about a password can only be the password.

    It has a letter beside a digit or a sign, and is no algorithm, length, version or address.
    """
    bare = value.rstrip(".,;:)?")
    if len(bare) < _MIN_SPOKEN or is_reference(value) or _SAID_OF_IT.match(bare):
        return False
    inner = bare[1:-1]
    has_sign = bool(_SIGN.search(inner)) or (bare[-1] in "!$#%&" and any(map(str.isdigit, bare)))
    return any(map(str.isalpha, bare)) and (any(map(str.isdigit, bare)) or has_sign)


def is_strong(value: str) -> bool:
    """Return whether a value has a sign within, or small and capital letters and digits."""
    has_digit = any(map(str.isdigit, value))
    mixed = has_digit and not value.islower() and not value.isupper()
    return mixed or bool(_SIGN.search(value[1:]))
