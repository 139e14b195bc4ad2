"""Finds passwords that a sentence gives away: "my password is ...", "logged in as admin / ..."."""

import re

from issue_pipeline.utils.cleaning.secret_values import (
    SECRET_MARK,
    is_reference,
    is_spoken_secret,
    is_strong,
)

_SAID_HINTS = ("token ", "secret ", " key ", "-key ", "pin ", "creds ", "credentials ")
_PAIR_HINTS = ("login", "log in", "logon", "logged ", "logged-", "logging in", "sign in",
               "signed in", "signing in", "cred", "user", "u/p", "admin", "root", "guest",
               "account")  # fmt: skip
_OPEN = r"[\"'`“‘*]{0,3}"
_WORD = r"([^\s\"'`”’,;<>|*]{4,100}+)"
_PASSWORD = r"pass(?:word|phrase|code|wd)?|pwd|pw"  # noqa: S105  (what it is called)
# "the password for ann is hunter2", "token was set to ...", "use the password hunter2"
_SAID = re.compile(
    r"([PTSALCptsalc](?i:(?<![\w$].)(?:(?<=p)(?:ass(?:word|phrase|code|wd)?|wd|w|in)|(?<=t)oken"
    r"|(?<=s)ecret(?:[ -]key)?|(?<=a)(?:pi|ccess)[ -]key|(?<=l)icense[ -]key|(?<=c)red(?:ential)?s)"
    r"(?: (?:for|of|on|to) [\w@.'-]{1,40}(?: [\w@.'-]{1,40})?)?"
    r" (?:is|was|are|=|equals|set to|is set to|was set to|changed to|to|being|like|namely|:)"
    rf"(?: (?:just|still|now|simply|currently|always|set to|called|literally))? {_OPEN})){_WORD}"
)
_NAMED = re.compile(
    r"([Pp](?i:(?<!forgot .)(?<!forgotten .)(?<!reset .)(?<!change .)(?<!wrong .)(?<!invalid .)"
    rf"(?<![\w$].)(?:assword|assphrase|asscode|asswd|wd|w)[ :]{{1,2}}{_OPEN})){_WORD}"
)
_LOGIN = (
    r"(?<![\w/.$].)(?:(?<=l)og(?:ged|ging)?[ -]?[io]n|(?<=s)ign(?:ed|ing)?[ -]?in"
    r"|(?<=c)red(?:ential)?s?"
    r"|(?<=u)/p|(?<=u)ser(?:name)?(?:/pass(?:word)?)?"
    r"|(?<=a)dmin(?:istrator)?|(?<=r)oot|(?<=g)uest|(?<=a)ccounts?)\b"
)
# "logged in as admin / Winter2026!", "credentials: demo:Demo123", "login ann@x.example | ..."
_PAIR = re.compile(
    rf"([LSCUARGlscuarg](?i:{_LOGIN}(?: (?:as|with|using|via|are|is|to|the|my|a|our|user"
    rf"|test|demo|default|account"
    rf"|credentials?|creds|it)\b){{0,5}}[ :=-]{{0,3}}{_OPEN}(?:[\w.@+\\\[\]-]{{1,60}}{_OPEN})?"
    rf"(?: ?[/|] ?|:| and (?:{_PASSWORD}) ){_OPEN})){_WORD}"
)
# "user: a pass: b", "login=a, password=b", "username a password b"
_USER_AND_PASSWORD = re.compile(
    r"([ULEMAulema](?i:(?<!\w.)(?:(?<=u)(?:ser(?:[ _-]?name)?|id)|(?<=l)ogin|(?<=e)-?mail|(?<=m)ail"
    r"|(?<=a)ccount)\b[ \t]{0,2}[:=]?[ \t]{0,2}"
    rf"{_OPEN}[^\s\"'`]{{1,60}}{_OPEN}[ \t,;/|]{{1,3}}(?:and )?(?:{_PASSWORD})\b"
    rf"([ \t]{{0,2}}[:=][ \t]{{0,2}}|[ \t]{{1,2}}){_OPEN}))([^\s\"'`,;<>]{{1,100}}+)"
)
_SAYS_SO = re.compile(r"(?i)\b(?:as|with|using|are|is|creds?|credentials?|u/p)\b|:")
_SEED = re.compile(
    r"(?i)(\b(?:(?:seed|recovery|secret|backup)[ -](?:phrase|words)|mnemonic)"
    r"(?: (?:is|was))?[ :\"'`=]{1,4})"
    r"((?:[a-z]{3,8}[ ,]{1,2}){11,23}[a-z]{3,8}\b)"
)


def hide_spoken_secrets(text: str) -> str:
    """Replace passwords that stand in a sentence by ``[secret]``.

    A word is hidden only if it has a letter beside a digit or a sign: "the password is wrong" and
    "the token is sha256" are prose. After "user: ... pass:" any value is hidden; after "seed
    phrase" 12 to 24 words.
    """
    lower = text.lower()
    has_password = "pass" in lower or "pw" in lower
    if " phrase" in lower or "mnemonic" in lower or " words" in lower:
        text = _SEED.sub(rf"\1{SECRET_MARK}", text)
    if has_password:
        text = _NAMED.sub(_hide, _USER_AND_PASSWORD.sub(_hide_password, text))
    if has_password or any(name in lower for name in _SAID_HINTS):
        text = _SAID.sub(_hide, text)
    if any(name in lower for name in _PAIR_HINTS):
        text = _PAIR.sub(_hide_of_pair, text)
    return text


def _hide(match: re.Match[str]) -> str:
    before, value = match.groups()
    if not is_spoken_secret(value):
        return match.group()
    return f"{before}{SECRET_MARK}{value[len(value.rstrip('.,;:)?')) :]}"


def _hide_of_pair(match: re.Match[str]) -> str:
    before, value = match.groups()
    # "the user/project2 repository": without a word that says so, it has to be a good password.
    is_path = "/" in before and not _SAYS_SO.search(before)
    return match.group() if is_path and not is_strong(value) else _hide(match)


def _hide_password(match: re.Match[str]) -> str:
    before, sign, value = match.groups()
    is_secret = not is_reference(value) if sign.strip() else is_spoken_secret(value)
    return f"{before}{SECRET_MARK}" if is_secret else match.group()
