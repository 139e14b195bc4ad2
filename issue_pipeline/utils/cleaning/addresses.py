"""Takes e-mail addresses out of foreign text."""

import re

EMAIL_MARK = "[email]"

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


def hide_addresses(text: str) -> str:
    """Replace e-mail addresses, also spelt out (``ann [at] example.org``), by ``[email]``."""
    if "@" in text:
        text = "\n".join(
            _EMAIL.sub(rf"{EMAIL_MARK}\1", line) if "@" in line else line
            for line in text.split("\n")
        )
    if " AT " in text or _SPELT_AT.search(text):
        text = _SPELT_EMAIL.sub(EMAIL_MARK, text)
    return text
