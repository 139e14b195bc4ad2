"""Takes e-mail addresses and credentials out of foreign text.

Every expression is anchored or bounded, so that hostile text costs linear time.
"""

import re

EMAIL_MARK = "[email]"
SECRET_MARK = "[secret]"  # noqa: S105  (what a secret is replaced with)

_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[^-]{0,10000}(?:-----END [A-Z ]{0,30}PRIVATE KEY-----)?"
)
# scheme://user:password@host
_URL_PASSWORD = re.compile(r"(?<=://)[^\s/@:]{1,100}:[^\s/@]{1,200}@")
_TOKEN = re.compile(
    r"(?<![A-Za-z0-9_-])(?:"
    r"gh[pousr]_[A-Za-z0-9]{16,255}"  # GitHub
    r"|github_pat_[A-Za-z0-9_]{20,255}"
    r"|glpat-[A-Za-z0-9_-]{16,255}"  # GitLab
    r"|(?:sk|pk|rk)[-_](?:[a-z]{2,10}[-_]){0,2}[A-Za-z0-9]{16,255}"  # OpenAI, Stripe and kin
    r"|hf_[A-Za-z0-9]{16,255}"
    r"|gsk_[A-Za-z0-9]{16,255}"
    r"|npm_[A-Za-z0-9]{16,255}"
    r"|(?:AKIA|ASIA)[A-Z0-9]{12,20}"  # AWS
    r"|AIza[A-Za-z0-9_-]{30,40}"  # Google
    r"|xox[abprs]-[A-Za-z0-9-]{10,255}"  # Slack
    r"|eyJ[A-Za-z0-9_-]{10,2000}\.[A-Za-z0-9_-]{4,2000}(?:\.[A-Za-z0-9_-]{0,2000})?"  # JWT
    r")"
)
# password=..., "api_key": "...", Authorization: Bearer ...
_ASSIGNED = re.compile(
    r"(?i)(?<![a-z])((?:[a-z]{1,20}[_-])?(?:password|passwd|pwd|secret|api[_-]?key|access[_-]?key"
    r"|auth[_-]?token|access[_-]?token|token|authorization)[\"']?\s{0,3}[:=]\s{0,3}"
    r"(?:bearer\s{1,3}|basic\s{1,3})?[\"']?)([^\s\"',;&<>]{6,500})"
)
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[A-Za-z]{2,24}\b")


def redact(text: str) -> str:
    """Replace e-mail addresses by ``[email]`` and credentials by ``[secret]``.

    Covers tokens of the usual providers, AWS and Google keys, JSON Web Tokens, private key blocks,
    passwords in URLs, and values assigned to names such as ``password`` or ``api_key``. Redacting
    twice changes nothing more.
    """
    text = _PRIVATE_KEY.sub(SECRET_MARK, text)
    text = _URL_PASSWORD.sub(f"{SECRET_MARK}@", text)
    text = _TOKEN.sub(SECRET_MARK, text)
    text = _ASSIGNED.sub(_hide_value, text)
    return _EMAIL.sub(EMAIL_MARK, text)


def _hide_value(match: re.Match[str]) -> str:
    name, value = match.groups()
    # "token: unexpected" is an error message; a secret has a digit or is a password.
    secret = any(char.isdigit() for char in value) or "pass" in name.lower() or "pwd" in name.lower()
    return f"{name}{SECRET_MARK}" if secret and value != SECRET_MARK else match.group()
