"""Takes e-mail addresses and credentials out of foreign text.

Every expression starts at a fixed mark or at the start of a run and never gives characters back
(possessive quantifiers), so that hostile text costs linear time.
"""

import re

EMAIL_MARK = "[email]"
SECRET_MARK = "[secret]"  # noqa: S105  (what a secret is replaced with)

# A block with its END mark goes whole; without one, as far as it looks like base64.
_KEY_BEGIN = r"-{4,5} ?BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)? ?-{4,5}"
_KEY_END = r"-{4,5} ?END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)? ?-{4,5}"
_PRIVATE_KEY = re.compile(
    rf"{_KEY_BEGIN}(?:[^-]*+(?:-(?!---)[^-]*+)*+{_KEY_END}"
    r"|(?:\s*+[A-Za-z-]{1,30}: [^\n]*+\n)*+(?:[\s>|]*+[\w+/=\\]{16,}+)*+)"
)
# scheme://user:password@host, and a bare token in the user's place
_URL_PASSWORD = re.compile(
    r"(?<=://)(?:[^\s/@:?#]{0,100}:[^\s/?#<>\"']{1,300}@|[^\s/@:?#<>]{20,300}@)"
)
_TOKEN = re.compile(
    r"(?<![A-Za-z0-9_-])(?:"
    r"gh[pousr]_[A-Za-z0-9]{16,}+|github_pat_\w{20,}+"
    r"|gl(?:pat|dt|rt|cbt|ptt|oas)-[\w-]{16,}+"  # GitLab
    r"|(?:sk|pk|rk)[-_](?=[\w-]{0,80}\d)[\w-]{20,}+"  # OpenAI, Anthropic, Stripe
    r"|whsec_\w{20,}+"
    r"|(?:hf|gsk|npm|dop_v1|doo_v1|shp(?:at|ca|pa|ss)|r8|xai)_[A-Za-z0-9]{16,}+"
    r"|pypi-[\w-]{30,}+"
    r"|(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{12,}+"  # AWS
    r"|AIza[\w-]{30,}+|ya29\.[\w-]{20,}+|GOCSPX-[\w-]{20,}+"  # Google
    r"|xox[a-z]-[\w-]{10,}+|xapp-[\w-]{10,}+"  # Slack
    r"|SG\.[\w-]{16,}+\.[\w-]{16,}+"  # SendGrid
    r"|\d{8,10}:AA[\w-]{30,}+"  # Telegram
    r"|[MNO][A-Za-z0-9]{22,27}\.[\w-]{6}\.[\w-]{27,}+"  # Discord
    r"|eyJ[\w-]{10,}+\.[\w-]{4,}+(?:\.[\w-]*+)*+"  # JSON Web Token
    r")"
)
_WEBHOOK = re.compile(
    r"(?<=hooks\.slack\.com/)(?:services|workflows)/[\w/-]{10,}+"
    r"|(?<=/api/)webhooks/\d{6,}+/[\w-]{20,}+"
)
_BEARER = re.compile(r"(?i)(\bbearer\s{1,3})([\w.~+/=-]{8,}+)")
# password=..., "api_key": "...", --token ..., Authorization: Basic ...
# The first letter stands apart, as a plain class, because the engine can skip to that quickly.
_ASSIGNED = re.compile(
    r"([PSCATELpscatel](?i:(?:"
    r"(?<=p)(?:assword|asswd|assphrase|asswort|ass(?==)|wd|rivate[_-]?key)"
    r"|(?<=s)(?:ecret|ession[_-]?id|(?:ecret|igning)[_-]?key)"
    r"|(?<=c)(?:redentials?|onnection[_-]?string)"
    r"|(?<=a)(?:uthorization|(?:pi|ccess|ccount)[_-]?key)"
    r"|(?<=t)oken|(?<=e)ncryption[_-]?key|(?<=l)icense[_-]?key)[\\\"'\]]{0,3}"
    r"(?:[ \t]{0,3}(?::=|=>|=|:)[ \t]{0,3}"
    r"|(?<=--password)[ \t]|(?<=--token)[ \t]|(?<=[a-z]-key)[ \t])"
    r"(?:(?:bearer|basic|token)[ \t]{1,3})?\\?))"
    r"(?:(\"[^\"\n]*+\"|'[^'\n]*+')|([^\s\"',;&<>]{4,}+))"
)
# The run before the @ is tried once, from its start.
_EMAIL = re.compile(
    r"(?<![\w.+%-])[\w.+%-]++@(?!v?\d+\.\d|\d+x\.)(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}\b"
)
_SPELT_AT = re.compile(r"[\[({]\s?[aA][tT]\s?[\])}]")
_SPELT_EMAIL = re.compile(
    r"(?i)(?<![\w.+-])[\w.+-]{1,64}\s?[\[({]\s?at\s?[\])}]\s?[\w-]{1,63}"
    r"(?:(?:\s?[\[({]\s?dot\s?[\])}]\s?|\.|\sdot\s)[\w-]{1,63}){1,4}"
)

# What stands where a secret would: a reference to it, a placeholder, an error message.
_NOT_A_VALUE = re.compile(
    r"(?i)\$[a-z_{(]|%[a-z_]+%|\{|<|/[\w.-]+/|[*.]{3}|process\.env|os\.|env\b|[a-z_][\w.]*[(\[]|x{3,}|your"
    r"|(?:null|none|nil|undefined|true|false|yes|no|required|optional|incorrect|invalid|wrong|missing"
    r"|expired|empty|string|str|secret|password|token|hidden|redacted|removed|unexpected|change|reset"
    r"|error|failed|unknown|not|please|forgot)\W*$"
)
_PASSWORD_NAME = re.compile(r"(?i)pass(?!age)|pwd")
_SCHEME = re.compile(r"(?i)(?:bearer|basic|token)\s+$")
_LETTER_AND_DIGIT = re.compile(r"(?=.*[A-Za-z])(?=.*\d)")
_MIXED_CASE = re.compile(r"[a-z]+[A-Z].*[a-z]|=$")


def redact(text: str) -> str:
    """Replace e-mail addresses by ``[email]`` and credentials by ``[secret]``.

    Covers private key blocks, passwords in URLs, tokens and webhooks of the usual providers, JSON
    Web Tokens, ``Authorization`` headers, and values assigned to names such as ``password`` or
    ``api_key`` as long as they do not read like prose ("token: unexpected token"). Linear in the
    length of the text; redacting twice changes nothing more.
    """
    text = _PRIVATE_KEY.sub(SECRET_MARK, text)
    if "@" in text and "://" in text:
        text = _URL_PASSWORD.sub(f"{SECRET_MARK}@", text)
    text = _WEBHOOK.sub(SECRET_MARK, _TOKEN.sub(SECRET_MARK, text))
    text = _BEARER.sub(_hide_bearer, text)
    text = _ASSIGNED.sub(_hide_value, text)
    if "@" in text:
        text = _EMAIL.sub(EMAIL_MARK, text)
    if _SPELT_AT.search(text):
        text = _SPELT_EMAIL.sub(EMAIL_MARK, text)
    return text


def _hide_bearer(match: re.Match[str]) -> str:
    scheme, value = match.groups()
    return f"{scheme}{SECRET_MARK}" if _looks_random(value) else match.group()


def _hide_value(match: re.Match[str]) -> str:
    name, quoted, plain = match.groups()
    value = quoted[1:-1] if quoted else plain
    if " " in value or SECRET_MARK in value or _NOT_A_VALUE.match(value):
        return match.group()
    if _PASSWORD_NAME.search(name):
        # "password: please enter it again" is prose: a word, and more words after it.
        more = match.string[match.end() : match.end() + 1] in {" ", "\t"}
        secret = len(value) >= 4 and not (plain and more and "=" not in name and value.isalpha())
    else:
        # Without a scheme, letters alone may be an identifier of a program.
        random = _looks_random(value) if _SCHEME.search(name) else _LETTER_AND_DIGIT.match(value)
        secret = len(value) >= 8 and bool(random)
    if not secret:
        return match.group()
    return f"{name}{quoted[0]}{SECRET_MARK}{quoted[0]}" if quoted else f"{name}{SECRET_MARK}"


def _looks_random(value: str) -> bool:
    return bool(_LETTER_AND_DIGIT.match(value) or _MIXED_CASE.search(value))
