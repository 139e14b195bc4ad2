"""Foreign text made fit for a terminal, a log line, an error message, or to be encoded at all."""

import re

# What is no text but steers it: C0 and C1 controls (ESC among them), marks of no width or of
# writing direction, line and paragraph separators, half surrogate pairs, and tag characters, which
# spell words that only a machine reads. A tab and a line feed are ordinary white space.
UNSEEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    r"\ufff9-\ufffc\ud800-\udfff\U000e0000-\U000e007f]"
)
_REPLACEMENT = "\ufffd"


def printable(text: str, max_chars: int) -> str:
    """Make foreign text safe to print: one line, nothing that a terminal obeys, not too long.

    Args:
        text: Anything, of any length.
        max_chars: At least 1.

    Returns:
        At most ``max_chars`` characters; white space is collapsed, each unseen character replaced
        by U+FFFD, and an ellipsis stands for what was cut off.
    """
    line = UNSEEN.sub(_REPLACEMENT, " ".join(text.split()))
    return line if len(line) <= max_chars else line[: max_chars - 1] + "…"


def repair_surrogates(text: str) -> str:
    """Return text that can be encoded: U+FFFD for half surrogate pairs; whole ones are joined."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
