"""A line of Markdown: its marks, and what is left without them."""

import re

BULLET = re.compile(r"\s*(?:(?:[-*+•·‣▪●]|\d{1,3}[.)])(?:\s+|$))+")
RULE = re.compile(r"\s*(?:([-*_=~#+])\s*)(?:\1\s*){2,}$")
_HEADING_LINE = re.compile(r"\s{0,3}#{1,6}\s+(.*)$")
_EMPHASIS = re.compile(
    r"(?<!\w)(?:[*_]|~(?=~)|(?<=~)~)++(?=\S)|(?<=[^\s_])(?:[*_]|~(?=~)|(?<=~)~)++(?!\w)"
)
_ESCAPE = re.compile(r"\\([*_#>\[\]()~`+.!|-])")
_MARK = re.compile(r"[*_~\\]")


def plain_line(line: str) -> str:
    """Strip a line of a heading's mark, bullets, emphasis, escapes and outer space."""
    if "#" in line and (heading := _HEADING_LINE.match(line)):
        line = heading[1].rstrip(" #")
    if _MARK.search(line):
        line = _EMPHASIS.sub("", _ESCAPE.sub(r"\1", line))
    bullet = BULLET.match(line)
    return (line[bullet.end() :] if bullet else line).strip()
