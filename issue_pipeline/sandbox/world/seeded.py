"""Random generators that depend on names, not on the order in which they are asked for."""

import hashlib
import random


def seeded_random(*parts: object) -> random.Random:
    """Return a generator that is the same for equal parts, in every process and on every day.

    Python's own ``hash()`` is salted per process, so the parts are hashed with BLAKE2b instead.

    Args:
        parts: Anything whose ``str()`` is stable: seeds, dates, ids, counters.
    """
    return random.Random(stable_hash(*parts))


def stable_hash(*parts: object) -> int:
    """Return a whole number in ``[0, 2**64)`` that is the same for equal parts everywhere."""
    text = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
