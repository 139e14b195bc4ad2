"""Permalinks: one spelling for each post, and a key made of it."""

import hashlib
import re
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from w3lib.url import canonicalize_url

# Parameters that say where a reader came from, not what is read.
_TRACKING = re.compile(
    r"^(utm_\w+|fbclid|gclid|dclid|msclkid|mc_[ce]id|igshid|ref_src|ref_source|share_id|rdt)$",
    re.IGNORECASE,
)
# Hosts that serve the same page under several names.
_SAME_SITE_PREFIX = re.compile(r"^(?:(?:www|old|new|np|m|amp)\.)+(?=[^.]+\.)")

_USER_INFO = re.compile(r"(?<=://)[^\s/?#]*@")

# What the live store takes; no source has a permalink of a tenth of it.
MAX_URL_CHARS = 5_000

# Stack Overflow's slug follows the title, which may be edited; the number is the permalink.
_QUESTION = re.compile(r"^(/questions/\d+)/[^/]+$")


def normalize_url(url: str) -> str:
    """Return the one spelling of a permalink.

    https for http; host in lower case without ``www.``, ``old.`` and the like; no default port,
    fragment, user info or tracking parameter; query sorted; dots resolved; no trailing slash; a
    Stack Overflow question without the slug of its title.

    Args:
        url: An http(s) URL, absolute.

    Returns:
        The normalised URL. Normalising it again changes nothing.

    Raises:
        ValueError: The text is not an absolute http(s) URL.
    """
    # Twice: a slash or dots taken off the end can lay bare what is then written another way.
    return _spell(_spell(url))


def _spell(url: str) -> str:
    canonical: str = canonicalize_url(url.strip(), encoding="utf-8")
    parts = urlsplit(canonical)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"Expected an absolute http(s) URL, got {url[:200]!r}.")
    host = _SAME_SITE_PREFIX.sub("", parts.hostname.lower())
    if ":" in host:
        host = f"[{host}]"  # an IPv6 address
    if parts.port not in (None, 80, 443):
        host = f"{host}:{parts.port}"
    path = parts.path.rstrip("/")
    if host == "stackoverflow.com":
        path = _QUESTION.sub(r"\1", path)
    query = urlencode(
        [
            pair
            for pair in parse_qsl(parts.query, keep_blank_values=True)
            if not _TRACKING.match(pair[0])
        ]
    )
    return urlunsplit(("https", host, path, query, ""))


def url_hash(url: str) -> str:
    """Return the SHA-256 hex digest (64 characters) of the normalised URL.

    Raises:
        ValueError: The text is not an absolute http(s) URL.
    """
    return hashlib.sha256(normalize_url(url).encode()).hexdigest()


def is_web_address(url: str) -> bool:
    """Return whether a text is a permalink that can be stored and linked to: http(s), absolute."""
    if not url.startswith(("https://", "http://")) or len(url) > MAX_URL_CHARS:
        return False
    try:
        normalize_url(url)
    except ValueError:
        return False
    return True


def without_user_info(text: str) -> str:
    """Take ``user:password@`` out of every URL in a text, which may be one URL."""
    return _USER_INFO.sub("", text)
