"""Ids of records, derived from what makes a record unique."""

import base64
import hashlib

# PocketBase ids are 15 characters of [a-z0-9].
ID_CHARS = 15


def derive_id(*parts: str) -> str:
    """Return an id derived from what makes a record unique: 15 of ``[0-9a-v]``, 75 bits."""
    digest = hashlib.sha256("/".join(parts).encode()).digest()
    return base64.b32hexencode(digest).decode().lower()[:ID_CHARS]
