"""Takes e-mail addresses and credentials out of foreign text.

Every expression starts at a fixed mark or at the start of a run and never gives characters back
(possessive quantifiers), so that hostile text costs linear time.
"""

import re

EMAIL_MARK = "[email]"
SECRET_MARK = "[secret]"  # noqa: S105  (what a secret is replaced with)

# A block with its END mark goes whole; without one, as far as it looks like base64, in HTML, too.
_KEY_BEGIN = r"-{4,5} ?BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)? ?-{4,5}"
_KEY_END = r"-{4,5} ?END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)? ?-{4,5}"
_PRIVATE_KEY = re.compile(
    rf"{_KEY_BEGIN}(?:[^-]*+(?:-(?!---)[^-]*+)*+{_KEY_END}"
    r"|(?:\s*+[A-Za-z-]{1,30}: [^\n]*+\n)*+"
    r"(?:(?:[\s>|]|<(?:br|/?p)[ /]{0,2})*+[\w+/=\\&#;]{16,}+)*+)"
)
# scheme://user:password@host, and a bare token in the user's place
_URL_PASSWORD = re.compile(
    r"(?<=://)(?:[\w.~%+!$&*-]{0,100}:[^\s/?#<>{}\\\"']{1,300}@|[\w.~%+-]{20,300}@)"
)
# What a signed address carries, and what curl takes
_SIGNED = re.compile(
    r"(?i)([?&](?:sig|signature|x-amz-(?:signature|credential|security-token))=)[\w%/+=~.-]{16,}+"
)
_USER_OPTION = re.compile(
    r"((?<![\w-])(?:-u|--user)[ =][\"']?(?!\d)[^\s:@\"'=]{1,100}:)(?![\d/\\$])[^\s:\"']{3,200}+"
)
_FETCHES = re.compile(r"curl|wget|http", re.IGNORECASE)
_LINE_BREAK = re.compile(r"(?<!\\)\n")  # not where a shell's command goes on
_TOKEN = re.compile(
    r"(?<![A-Za-z0-9_-])(?:"
    r"gh[pousr]_[A-Za-z0-9]{16,}+|github_pat_\w{20,}+"
    r"|gl(?:pat|dt|rt|cbt|ptt|oas)-[\w-]{16,}+"  # GitLab
    r"|sk-(?!learn)(?=[\w-]{0,80}\d)[\w-]{20,}+"  # OpenAI
    r"|(?:sk|pk|rk)_(?:live|test)_\w{10,}+"  # Stripe
    r"|pk-(?=[\w-]{0,80}\d)[\w-]{20,}+|whsec_\w{20,}+"
    r"|(?:hf|gsk|npm|dop_v1|doo_v1|shp(?:at|ca|pa|ss)|r8|xai|glsa|ntn|lin_api)_[A-Za-z0-9]{16,}+"
    r"|dckr_pat_[\w-]{20,}+|pypi-[\w-]{30,}+|pplx-\w{20,}+|dapi[0-9a-f]{32}+|hvs\.[\w-]{20,}+"
    r"|(?:PMAK|NRAK|AGE-SECRET-KEY)-[\w-]{20,}+|key-[0-9a-f]{32}+|sq0[a-z]{3}-[\w-]{20,}+"
    r"|(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{12,}+"  # AWS
    r"|AIza[\w-]{30,}+|ya29\.[\w-]{20,}+|GOCSPX-[\w-]{20,}+"  # Google
    r"|xox[a-z]-[\w-]{10,}+|xapp-[\w-]{10,}+"  # Slack
    r"|tskey-[a-z]{2,12}-[\w-]{10,}+|ATATT3x[\w=-]{16,}+"  # Tailscale, Atlassian
    r"|SG\.[\w-]{16,}+\.[\w-]{16,}+"  # SendGrid
    r"|(?:bot)?\d{8,10}:AA[\w-]{30,}+"  # Telegram
    r"|[MNO][A-Za-z0-9]{22,27}\.[\w-]{6}\.[\w-]{27,}+"  # Discord
    r"|eyJ[\w-]{10,}+\.[\w-]{4,}+(?:\.[\w-]*+)*+"  # JSON Web Token
    r")",
    re.ASCII,  # \w means what the look-behind does, or a run of other letters is read again
)
# One of these is in every token: looking for them costs a tenth of looking for tokens.
_TOKEN_HINTS = (
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "_pat_",
    "glpat-",
    "gldt-",
    "glrt-",
    "glcbt-",
    "glptt-",
    "gloas-",
    "sk-",
    "pk-",
    "sk_",
    "pk_",
    "rk_",
    "whsec_",
    "hf_",
    "gsk_",
    "npm_",
    "dop_v1_",
    "doo_v1_",
    "shpat_",
    "shpca_",
    "shppa_",
    "shpss_",
    "r8_",
    "xai_",
    "glsa_",
    "ntn_",
    "lin_api_",
    "pypi-",
    "pplx-",
    "dapi",
    "hvs.",
    "PMAK-",
    "NRAK-",
    "AGE-SECRET",
    "key-",
    "sq0",
    "AKIA",
    "ASIA",
    "ABIA",
    "ACCA",
    "AIza",
    "ya29.",
    "GOCSPX-",
    "xox",
    "xapp-",
    "tskey-",
    "ATATT3x",
    "SG.",
    ":AA",
    "eyJ",
)
_DISCORD_HINT = re.compile(r"\.[\w-]{6}\.[\w-]{27}")
_WEBHOOK = re.compile(
    r"(?<=hooks\.slack\.com/)(?:services|workflows)/[\w/-]{10,}+"
    r"|(?<=/api/)webhooks/\d{6,}+/[\w-]{20,}+"
)
_BEARER = re.compile(r"(?i)(\bbearer\s{1,3})([\w.~+/=-]{8,}+)")
# password=..., "api_key": "...", **API key:** ..., <token>...</token>, --token ...
# The first letter stands apart, as a plain class, because the engine can skip to that quickly.
_ASSIGNED = re.compile(
    r"([PSCATELKpscatelk](?i:(?:"
    r"(?<=p)(?:assword|asswd|assphrase|asswort|asscode|wd|rivate[ _-]?key)"
    r"|(?<=p)(?<!byp)(?<!comp)(?<!resp)(?<!surp)ass|(?<=p)(?<![a-z]p)w|(?<=[_-]k)ey"
    r"|(?<=s)(?:(?:ecret|igning)[ _-]?key|ecret|ession[ _-]?id)"
    r"|(?<=c)(?:redentials?|onnection[ _-]?string)"
    r"|(?<=a)(?:uthorization|(?:pi|ccess|ccount)[ _-]?key)"
    r"|(?<=t)oken|(?<=e)ncryption[ _-]?key|(?<=l)icense[ _-]?key)[\\\"'\]*_`]{0,4}"
    r"(?:[ \t]{0,3}(?::=|=>|=|:)[*_]{0,3}[ \t]{0,3}|>(?=[^\s<>]{4,200}</)"
    r"|(?<=--password)[ \t]|(?<=--token)[ \t]|(?<=[a-z]-key)[ \t])"
    r"(?:(?:bearer|basic|token)[ \t]{1,3})?\\?))"
    r"(?:(\"[^\"\n]*+\"|'[^'\n]*+')|([^\s\"',;&<>]{4,}+))"
)
# "AWS_SECRET_ACCESS_KEY wJal..."
_AFTER_VARIABLE = re.compile(r"((?:_KEY|_TOKEN|_SECRET|_PASSWORD)[ \t]{1,3})([\w+/=-]{20,}+)")
_COOKIE = re.compile(r"(?i)\bcookie: ?[^\n]++")
_COOKIE_VALUE = re.compile(r"=([^\s=;,\"']{8,}+)")
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
    "session",
    "credential",
    "connection",
    "authorization",
    "token",
)
# The run before the @ is tried once, from its start.
# A file's ending or a decorator after a single name is no domain (".py" is: "example.com.py").
# Escapes of Markdown and the end of an emphasis may stand within.
_EMAIL = re.compile(
    r"(?<![\w.+%-])(?!git@)[\w.+%-]++(?:\\[_.+-][\w.+%-]*+)*+(</\w{1,10}>|[*]{1,3})?\\?@"
    r"(?!v?\d+\.\d|\d+x\.|pytest\.|functools\.|[\w-]{1,63}\."
    r"(?:py|jsx?|tsx?|cpp|java|json|ya?ml|html?|css|txt|png|jpe?g|gif|svg|setter|getter|deleter)"
    r"\b(?!\.\w))(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}\b"
)
_SPELT_AT = re.compile(r"[\[({]\s?(?:[aA][tT]|@)\s?[\])}]")
_SPELT_EMAIL = re.compile(
    r"(?i)(?<![\w.+-])[\w.+-]{1,64}\s?[\[({]\s?(?:at|@)\s?[\])}]\s?[\w-]{1,63}"
    r"(?:(?:\s?[\[({]\s?dot\s?[\])}]\s?|\.|\sdot\s)[\w-]{1,63}){1,4}"
    r"|(?<![\w.+-])[\w.+-]{1,64}(?-i: AT )[\w-]{1,63}(?:(?-i: DOT )[\w-]{1,63}){1,4}"
)

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
_PASSWORD_NAME = re.compile(r"(?i)pass(?!age)|pw")
_SHORT_NAME = re.compile(r"(?i)p(?:ass[\"'*_`]*+[ \t]{0,3}:|w(?!d))")  # may be a sentence's label
_ANY_KEY_NAME = re.compile(r"(?i)key")
_ABOUT_PASSWORDS = re.compile(r"(?i)(?:forgot(?:ten)?|reset|change|wrong|invalid) $")
_SCHEME = re.compile(r"(?i)(?:bearer|basic|token)\s+$")
_LETTER_AND_DIGIT = re.compile(r"(?=.*[A-Za-z])(?=.*\d)")
_MIXED_CASE = re.compile(r"[a-z][A-Z].*[a-z]|=$")
_MANY_LETTERS = re.compile(r"(?:[a-z]{16,}+|[A-Z]{16,}+)$")  # hardly any word is as long
_SURELY_RANDOM = re.compile(r"(?=.*\d)(?=.*[a-z])(?=.*[A-Z])[\w+/=-]{20,}+$")


def redact(text: str) -> str:
    """Replace e-mail addresses by ``[email]`` and credentials by ``[secret]``.

    Covers private key blocks, passwords in URLs, tokens and webhooks of the usual providers, JSON
    Web Tokens, ``Authorization`` headers, and values assigned to names such as ``password`` or
    ``api_key`` as long as they do not read like prose ("token: unexpected token"). Linear in the
    length of the text; redacting twice changes nothing more.
    """
    if "PRIVATE KEY" in text:
        text = _PRIVATE_KEY.sub(SECRET_MARK, text)
    if "@" in text and "://" in text:
        text = _URL_PASSWORD.sub(f"{SECRET_MARK}@", text)
    if "?" in text:
        text = _SIGNED.sub(rf"\1{SECRET_MARK}", text)
    if any(hint in text for hint in _TOKEN_HINTS) or _DISCORD_HINT.search(text):
        text = _TOKEN.sub(SECRET_MARK, text)
    if "hooks" in text:
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
        text = _AFTER_VARIABLE.sub(_hide_random, _ASSIGNED.sub(_hide_value, text))
    if "PIN" in text or "Pin" in text:
        text = _PIN.sub(rf"\1{SECRET_MARK}", text)
    if "cookie:" in lower:
        text = _COOKIE.sub(_hide_cookie, text)
    if any(name in lower for name in _FOREIGN_NAMES):
        text = _FOREIGN_PASSWORD.sub(_hide_password, text)
    if "@" in text:
        text = "\n".join(
            _EMAIL.sub(rf"{EMAIL_MARK}\1", line) if "@" in line else line
            for line in text.split("\n")
        )
    if " AT " in text or _SPELT_AT.search(text):
        text = _SPELT_EMAIL.sub(EMAIL_MARK, text)
    return text


def _hide_bearer(match: re.Match[str]) -> str:
    scheme, value = match.groups()
    return f"{scheme}{SECRET_MARK}" if _looks_random(value) else match.group()


def _hide_random(match: re.Match[str]) -> str:
    name, value = match.groups()
    return f"{name}{SECRET_MARK}" if _SURELY_RANDOM.match(value) else match.group()


def _hide_password(match: re.Match[str]) -> str:
    name, value = match.groups()
    return f"{name}{SECRET_MARK}" if _LETTER_AND_DIGIT.match(value) else match.group()


def _hide_cookie(match: re.Match[str]) -> str:
    return _COOKIE_VALUE.sub(
        lambda value: f"={SECRET_MARK}" if _LETTER_AND_DIGIT.match(value[1]) else value[0],
        match.group(),
    )


def _hide_value(match: re.Match[str]) -> str:
    name, quoted, plain = match.groups()
    value = quoted[1:-1] if quoted else plain
    if (
        (" " in value and not (_PASSWORD_NAME.search(name) and "=" in name))
        or SECRET_MARK in value
        or _NOT_A_VALUE.match(value)
        or _NAME_OF_VALUE.match(value)
    ):
        return match.group()
    if _PASSWORD_NAME.search(name):
        # "password: please enter it again" is prose: a word, and more words after it.
        more = match.string[match.end() : match.end() + 1] in {" ", "\t"}
        before = match.string[max(0, match.start() - 12) : match.start()]
        is_word = value.isalpha() or bool(_ABOUT_PASSWORDS.search(before))
        secret = len(value) >= 4 and not (plain and more and "=" not in name and is_word)
        if _SHORT_NAME.match(name):
            secret = secret and bool(_LETTER_AND_DIGIT.match(value))
    elif _ANY_KEY_NAME.match(name):
        secret = bool(_SURELY_RANDOM.match(value))
    else:
        # Without a scheme, letters alone may be an identifier of a program.
        random = (
            _looks_random(value)
            if _SCHEME.search(name)
            else (_LETTER_AND_DIGIT.match(value) or _MANY_LETTERS.match(value))
        )
        secret = len(value) >= 8 and bool(random)
    if not secret:
        return match.group()
    return f"{name}{quoted[0]}{SECRET_MARK}{quoted[0]}" if quoted else f"{name}{SECRET_MARK}"


def _looks_random(value: str) -> bool:
    return bool(
        _LETTER_AND_DIGIT.match(value) or _MIXED_CASE.search(value) or _MANY_LETTERS.match(value)
    )
