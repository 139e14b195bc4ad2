"""What only ``make soak`` runs, or runs in its full size."""

import os

import pytest

SOAK = bool(os.environ.get("SOAK"))


def soak(why: str) -> pytest.MarkDecorator:
    """Leave a test to the soak, saying why, such as "takes an hour"."""
    return pytest.mark.skipif(not SOAK, reason=f"{why}: make soak")
