"""Finds secrets by the name that stands before them: settings, headers, options, connections."""

import re

from issue_pipeline.utils.cleaning.secret_values import (
    SECRET_MARK,
    has_letter_and_digit,
    is_key,
    is_mixed,
    is_mixed_or_long,
    is_reference,
)

# scheme://user:password@host, and a bare token in the user's place
_URL_PASSWORD = re.compile(
    r"(?<=://)(?:[\w.~%+!$&*-]{0,100}:[^\s/?#<>{}\\\"']{1,300}@|[\w.~%+-]{20,300}@)"
)
# What a signed address carries, and what curl takes
_SIGNED = re.compile(
    r"(?i)([?&](?:sig|signature|x-(?:amz|goog)-(?:signature|credential|security-token))=)"
    r"[\w%/+=~.-]{16,}+"
)
_WEBHOOK = re.compile(
    r"(?<=hooks\.slack\.com/)(?:services|workflows|triggers)/[\w/-]{10,}+"
    r"|(?<=/api/)webhooks/\d{6,}+/[\w-]{20,}+"
    r"|(?<=/webhookb2/)[\w@/-]{20,}+|(?<=office\.com/webhook/)[\w@/-]{20,}+"
    r"|(?<=hooks\.zapier\.com/hooks/catch/)[\w/]{10,}+|(?<=\.tines\.com/webhook/)[\w/]{20,}+"
    r"|(?<=/open-apis/bot/v2/hook/)[\w-]{20,}+|(?<=/incoming_webhook/)[\w-]{20,}+"
)
_WEBHOOK_HINTS = ("hooks.", "/webhook", "_webhook/", "/hook/")
_USER_OPTION = re.compile(
    r"((?<![\w-])(?:-u|--user)[ =][\"']?(?!\d)[^\s:@\"'=]{1,100}:)(?![\d/\\$])[^\s:\"']{3,200}+"
)
_FETCHES = re.compile(r"curl|wget|http", re.IGNORECASE)
_LINE_BREAK = re.compile(r"(?<!\\)\n")  # not where a shell's command goes on
_BEARER = re.compile(r"(?i)(\bbearer\s{1,3})([\w.~+/=-]{8,}+)")
_VALUE = r"(?:(\"[^\"\n]*+\"|'[^'\n]*+')|([^\s\"',;&<>]{4,}+))"
# "SECRET_KEY_BASE", "PASSWORD_2", "token_prod"
_SUFFIX = (
    r"(?:[_-](?:base(?:64)?|b64|hex|value|string|plain"
    r"|prod(?:uction)?|dev|live|test|staging|v?\d))?"
)
# password=..., "api_key": "...", **API key:** ..., <token>...</token>
# The first letter stands apart, as a plain class, because the engine can skip to that quickly.
_ASSIGNED = re.compile(
    r"([PSCATELKpscatelk](?i:(?:"
    r"(?<=p)(?:assword|asswd|assphrase|asswort|asscode|(?<!\$p)wd|rivate[ _-]?key)"
    r"|(?<=p)(?<!byp)(?<!comp)(?<!resp)(?<!surp)ass|(?<=p)(?<![a-z]p)w"
    r"|(?<=[_-]k)ey|(?<=(?-i:[a-z])k)(?-i:(?<=K))ey"
    r"|(?<=s)(?:(?:ecret|igning|hared)[ _-]?key|ecret|ess(?:ion)?[ _-]?id)"
    r"|(?<=c)(?:redentials?|onnection[ _-]?string)"
    r"|(?<=a)(?:uthorization|(?:pi|ccess|ccount)[ _-]?key)"
    rf"|(?<=t)oken|(?<=e)ncryption[ _-]?key|(?<=l)icense[ _-]?key){_SUFFIX}[\\\"'\]*_`]{{0,4}}"
    r"(?:[ \t]{0,3}(?::=|=>|=|:)[*_]{0,3}[ \t]{0,3}|>(?=[^\s<>]{4,200}</))"
    rf"(?:(?:bearer|basic|token)[ \t]{{1,3}})?\\?)){_VALUE}"
)
_OPTION_NAME = r"(?:password|passwd|passphrase|pass|pwd|pw|secret|token|key|credentials?)"
_OPTION = re.compile(
    rf"(?i)((?<!\S)--?(?:[a-z]{{1,20}}-){{0,3}}{_OPTION_NAME}[ \t]{{1,2}}){_VALUE}"
)
# "setPassword('...')", "define('DB_PASSWORD', '...')", "getenv('TOKEN', '...')"
_ARGUMENT = re.compile(
    r"([PSTApsta](?i:(?:(?<=p)assw(?:or)?d|(?<=p)assphrase|(?<=s)ecret|(?<=t)oken"
    r"|(?<=a)pi_?key))[\"']?(?:\(|,[ ]{0,3}))"
    r"(\"[^\"\n]{4,200}\"|'[^'\n]{4,200}')(?!\s{0,2}:)()"
)
# name="password" value="...", {"name": "API_KEY", "value": "..."}, - name: TOKEN\n  value: ...
_PAIR = re.compile(
    r"([PSTKCpstkc](?i:(?:(?<=p)ass(?:word|wd|phrase)?|(?<=p)wd|(?<=s)ecret|(?<=t)oken|(?<=k)ey"
    r"|(?<=c)redentials?)[\"']?,?\s{1,20}[\"']?"
    rf"(?:default)?value[\"']?[ \t]{{0,3}}[:=][ \t]{{0,3}})){_VALUE}"
)
# IDENTIFIED BY '...', PASSWORD '...'
_SQL_PASSWORD = re.compile(r"(?i)(\b(?:identified by|password)[ \t]{1,3})('[^'\n]{3,100}')()")
# The password of a tool's short option, with or without a space
_TOOL_OPTION = re.compile(
    r"((?:sshpass|(?:docker|podman|helm registry|oc|az|skopeo|buildah|crane)[ ]login)\b"
    r"[^\n|]{0,200}?\s-p[ =]?"
    r"|\b(?:mysql|mysqldump|mysqladmin|mariadb|mongo(?:sh|dump)?|7z)\b[^\n|]{0,200}?\s-p(?=[^\s=-])"
    r"|\bredis-cli\b[^\n|]{0,200}?\s-a[ ]|\b(?:sqlcmd|bcp|unzip|zip)\b[^\n|]{0,200}?\s-P[ ]?"
    r"|\bldap\w{3,9}\b[^\n|]{0,200}?\s-w[ ]?|\bpass(?:in|out)[ ]pass:"
    r"|\bfreerdp\b[^\n|]{0,200}?[ ]/p:)"
    r"([\"']?)(?![\d-]{1,6}(?:\s|$))([^\s\"'$<{`-][^\s\"'`]{2,100}+)"
)
_TOOLS = ("login", "sshpass", "mysql", "mariadb", "mongo", "7z", "redis-cli", "sqlcmd", "bcp",
          "zip", "ldap", "pass:", "freerdp")  # fmt: skip
# "AWS_SECRET_ACCESS_KEY wJal..."
_AFTER_VARIABLE = re.compile(
    r"((?:_KEY|_TOKEN|_SECRET|_PASSWORD)[ \t]{1,3}[\"'`]?)([\w+/=-]{20,}+)"
)
_COOKIE = re.compile(r"(?i)\bcookie: ?[^\n]++")
_COOKIE_VALUE = re.compile(r"=([^\s=;,\"']{8,}+)")
_SESSION = re.compile(
    r"([SsXxCc](?i:(?:(?<=s)ess(?:ion)?(?:_?id)?|(?<=[._]s)id|(?<=x)srf|(?<=c)srf))"
    r"[\"']?[ ]?=[ ]?[\"']?)(?:s%3A)?([\w%.+/-]{16,}+)(?!\()"
)
_FOREIGN_NAMES = (
    "mot de passe",
    "contraseña",
    "senha",
    "kennwort",
    "wachtwoord",
    "hasło",
    "lösenord",
    "пароль",
    "密码",
    "密碼",
    "パスワード",
    "비밀번호",
)
_FOREIGN_PASSWORD = re.compile(
    rf"(?i)((?:{'|'.join(_FOREIGN_NAMES)})[ \t]{{0,3}}[:：=][ \t]{{0,3}}[\"']?)"
    r"([^\s\"',;&<>]{4,}+)"
)
_PIN = re.compile(r"((?<!\w)P(?:IN|in)(?: code)?[*_]{0,3} {0,3}[:=][*_]{0,3} {0,3})\d{4,8}\b")
_NAME_HINTS = (
    "pass",
    "pw",
    "key",
    "secret",
    "sess",
    "credential",
    "connection",
    "authorization",
    "token",
    "identified by",
)
_PASSWORD_NAME = re.compile(r"(?i)pass(?!age)|pw|identified by")
_SHORT_NAME = re.compile(r"(?i)p(?:ass[\"'*_`]*+[ \t]{0,3}:|w(?!d))")  # may be a sentence's label
_ANY_KEY_NAME = re.compile(r"(?i)(?:-{1,2}(?:[a-z]{1,20}-){0,3})?key")
# Keys that are no secret: "cache_key", "primary_key", "ssh_public_key"
_PUBLIC_KEY = re.compile(
    r"(?i)(?:public|pub|cache|primary|foreign|partition|sort|object|s3|file|host|index|hash|shard"
    r"|row|lookup|idempotency|publishable|site|map|group|routing|commit|i18n|registry|react|unique)"
    r"[ _-]?$"
)
_ABOUT_PASSWORDS = re.compile(r"(?i)(?:forgot(?:ten)?|reset|change|wrong|invalid) $")
_SCHEME = re.compile(r"(?i)(?:bearer|basic|token)\s+$")


def hide_named_secrets(text: str) -> str:
    """Replace what is assigned to a telling name by ``[secret]``, unless it reads like prose.

    Covers passwords and signatures in URLs, webhooks, ``Authorization`` and ``Cookie`` headers,
    settings of any notation (``KEY=value``, YAML, JSON, TOML, XML), options of commands, arguments
    of calls and PINs.
    """
    if "@" in text and "://" in text:
        text = _URL_PASSWORD.sub(f"{SECRET_MARK}@", text)
    if "?" in text:
        text = _SIGNED.sub(rf"\1{SECRET_MARK}", text)
    if "hook" in text and any(hint in text for hint in _WEBHOOK_HINTS):
        text = _WEBHOOK.sub(SECRET_MARK, text)
    if "earer" in text or "EARER" in text:
        text = _BEARER.sub(_hide_bearer, text)
    if " -u" in text or "--user" in text:
        text = "\n".join(
            _USER_OPTION.sub(rf"\1{SECRET_MARK}", line) if _FETCHES.search(line) else line
            for line in _LINE_BREAK.split(text)
        )
    lower = text.lower()
    if any(hint in lower for hint in _NAME_HINTS):
        text = _hide_assigned(text, lower)
    if "PIN" in text or "Pin" in text:
        text = _PIN.sub(rf"\1{SECRET_MARK}", text)
    if "cookie:" in lower:
        text = _COOKIE.sub(_hide_cookie, text)
    if any(name in lower for name in _FOREIGN_NAMES):
        text = _FOREIGN_PASSWORD.sub(_hide_password, text)
    if any(tool in lower for tool in _TOOLS):
        text = _TOOL_OPTION.sub(_hide_tool_option, text)
    return text


def _hide_assigned(text: str, lower: str) -> str:
    text = _AFTER_VARIABLE.sub(_hide_key, _ASSIGNED.sub(_hide_value, text))
    if "-" in text:
        text = _OPTION.sub(_hide_value, text)
    if "value" in lower:
        text = _PAIR.sub(_hide_value, text)
    if "'" in text or '"' in text:
        text = _ARGUMENT.sub(_hide_value, text)
    if "identified by" in lower or "password '" in lower:
        text = _SQL_PASSWORD.sub(_hide_value, text)
    if "=" in text and ("sess" in lower or "sid" in lower or "srf" in lower):
        text = _SESSION.sub(_hide_key, text)
    return text


def _hide_bearer(match: re.Match[str]) -> str:
    scheme, value = match.groups()
    return f"{scheme}{SECRET_MARK}" if is_mixed(value) else match.group()


def _hide_key(match: re.Match[str]) -> str:
    name, value = match.groups()
    return f"{name}{SECRET_MARK}" if is_key(value) else match.group()


def _hide_password(match: re.Match[str]) -> str:
    name, value = match.groups()
    return f"{name}{SECRET_MARK}" if has_letter_and_digit(value) else match.group()


def _hide_tool_option(match: re.Match[str]) -> str:
    command, quote, value = match.groups()
    is_secret = not is_reference(value) and not value.isdigit()
    return f"{command}{quote}{SECRET_MARK}" if is_secret else match.group()


def _hide_cookie(match: re.Match[str]) -> str:
    return _COOKIE_VALUE.sub(
        lambda value: f"={SECRET_MARK}" if has_letter_and_digit(value[1]) else value[0],
        match.group(),
    )


def _hide_value(match: re.Match[str]) -> str:
    name, quoted, plain = match.groups()
    value = quoted[1:-1] if quoted else plain
    if is_reference(value) or not _is_secret(match, name, value, is_plain=bool(plain)):
        return match.group()
    return f"{name}{quoted[0]}{SECRET_MARK}{quoted[0]}" if quoted else f"{name}{SECRET_MARK}"


def _is_secret(match: re.Match[str], name: str, value: str, *, is_plain: bool) -> bool:
    is_password = bool(_PASSWORD_NAME.search(name))
    if " " in value:
        return is_password and "=" in name
    before = match.string[max(0, match.start() - 12) : match.start()]
    if is_password:
        # "password: please enter it again" is prose: a word, and more words after it.
        more = match.string[match.end() : match.end() + 1] in {" ", "\t"}
        is_word = value.isalpha() or bool(_ABOUT_PASSWORDS.search(before))
        if _SHORT_NAME.match(name) and not has_letter_and_digit(value):
            return False
        return len(value) >= 4 and not (is_plain and more and "=" not in name and is_word)
    if _ANY_KEY_NAME.match(name):
        return is_key(value) and not _PUBLIC_KEY.search(before)
    # Without a scheme, letters alone may be an identifier of a program.
    mixed = is_mixed(value) if _SCHEME.search(name) else is_mixed_or_long(value)
    return len(value) >= 8 and mixed
