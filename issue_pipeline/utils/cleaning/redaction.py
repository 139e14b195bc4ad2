"""Takes e-mail addresses and credentials out of foreign text.

Every expression starts at a fixed mark or at the start of a run and never gives back more than a
fixed number of characters, so that hostile text costs linear time.
"""

import re

from issue_pipeline.utils.cleaning.addresses import EMAIL_MARK, hide_addresses
from issue_pipeline.utils.cleaning.named_secrets import hide_named_secrets
from issue_pipeline.utils.cleaning.secret_values import SECRET_MARK
from issue_pipeline.utils.cleaning.spoken_secrets import hide_spoken_secrets
from issue_pipeline.utils.cleaning.tokens import hide_tokens

__all__ = ["EMAIL_MARK", "SECRET_MARK", "redact"]

# A block with its END mark goes whole; without one, as far as it looks like base64, in HTML, too.
_KEY_BEGIN = r"-{4,5} ?BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)? ?-{4,5}"
_KEY_END = r"-{4,5} ?END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)? ?-{4,5}"
_PRIVATE_KEY = re.compile(
    rf"{_KEY_BEGIN}(?:[^-]*+(?:-(?!---)[^-]*+)*+{_KEY_END}"
    r"|(?:\s*+[A-Za-z-]{1,30}: [^\n]*+\n)*+"
    r"(?:(?:[\s>|]|<(?:br|/?p)[ /]{0,2})*+[\w+/=\\&#;]{16,}+)*+)"
)


def without_marks(text: str) -> str:
    """Remove what redaction has put in."""
    return text.replace(EMAIL_MARK, "").replace(SECRET_MARK, "")


def redact(text: str) -> str:
    """Replace e-mail addresses by ``[email]`` and credentials by ``[secret]``.

    Covers private key blocks; tokens of the formats in ``token_formats.py`` and what has the shape
    of one; values that a name gives away (settings, headers, options, passwords in URLs) as long as
    they do not read like prose ("token: unexpected token"); passwords in sentences. Linear in the
    length of the text; redacting twice changes nothing more.
    """
    if "PRIVATE KEY" in text:
        text = _PRIVATE_KEY.sub(SECRET_MARK, text)
    text = hide_named_secrets(hide_tokens(text))
    return hide_addresses(hide_spoken_secrets(text))
