"""Numbers that look drawn and are always the same for the same name."""

from hashlib import blake2b


def chance(name: str) -> float:
    """Return a number from 0 to below 1; those of two names have nothing to do with each other."""
    return int.from_bytes(blake2b(name.encode(), digest_size=6).digest()) / 2**48
