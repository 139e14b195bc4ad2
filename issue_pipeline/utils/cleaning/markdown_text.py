"""From GitHub's and Reddit's Markdown to lines of text: code, comments, tables and links go.

Expressions instead of a Markdown parser: half of what is not prose in real posts (logs, code,
tables without a fence) is a plain paragraph to a parser as well, and what is left here is one
pass over the text in the order in which the marks appear. Every step is linear.
"""

import html
import re

from issue_pipeline.utils.cleaning.lines import BULLET
from issue_pipeline.utils.cleaning.said_blocks import (
    is_said_in_details,
    is_said_in_fence,
    is_under_heading,
    said_in_row,
)

# Marks that hide what follows them, in the order in which they appear in the text.
_OPENING = re.compile(
    r"^[^\S\n]{0,12}(?P<fence>`{3,}+|~{3,}+)(?=[^`\n]*+(?:\n|\Z))"
    r"|(?P<ticks>`++)"
    r"|<(?P<tag>!--|(?:details|pre|code|script|style|svg|picture|table)\b)",
    re.MULTILINE | re.IGNORECASE,
)
_FENCE_END = {
    "`": re.compile(r"^[^\n]*?(`{3,}+)[^\S\n]*$", re.MULTILINE),
    "~": re.compile(r"^[^\S\n]*(~{3,}+)[^\S\n]*$", re.MULTILINE),
}
_MAX_INLINE_CODE_CHARS = 2000
_SECTION = re.compile(r"^ {0,3}#{2,6} \S", re.MULTILINE)
_MAX_UNFOLDED = 3  # nested ones would be read again for each that is around them
_BLANK_LINE = re.compile(r"\n[^\S\n]*+\n")

# Tabs are four spaces by now.
_INDENTED = re.compile(r" {4,}\S")
_DEEPLY_INDENTED = re.compile(r" {8,}\S")
_TABLE_ROW = re.compile(r"\s*\|[^|\n]*+\|")
_TABLE_RULE = re.compile(r"\s*\|?\s*:?-{2,}:?\s*(?:\|\s*:?-+:?\s*)+\|?\s*$|\s*\|\s*:?-+:?\s*\|\s*$")
_REFERENCE = re.compile(r"\s{0,3}\[[^\[\]\n]{1,200}\]:\s*<?\S+")

_IMAGE = re.compile(r"!\[[^\[\]\n]{0,300}+\](?:\([^()\n]{0,2000}+\)|\[[^\[\]\n]{0,100}+\])?")
_LINK = re.compile(
    r"\[((?:[^\[\]\n]|\[[^\[\]\n]{0,100}+\]){0,500}+)\]"
    r"(?:\(\s{0,2}(?:[^()\n]|\([^()\n]{0,300}+\)){0,2000}+\s?\)|\[[^\[\]\n]{0,100}+\])"
)
URL = re.compile(
    r"<?\b(?:(?:https?|ftp|file|chrome-extension|vscode)://|www\.)"
    r"[^\s<>\"'()\]\[]++(?:[(\[][^\s()<>\[\]]{0,100}+[)\]][^\s<>\"'()\]\[]*+)*+>?",
    re.IGNORECASE,
)
# A line that says no more than where to look: "See details at https://...", "Repository: https..."
_POINTER = re.compile(
    r"^[^\w\x00\n]{0,12}+(?:[\w'./&-]++ ?){1,4}+[:：][^\w\x00\n]{0,6}+\x00[^\w\n]*$|"
    r"^[^\S\n]*(?:[^\w\x00\n]{0,4}(?:and|also|at|by|cc|close[sd]?|code|data|demo|details?|docs?|fix(?:e[sd])?"
    r"|for|from|here|homepage|in|is|issues?|link(?:ed|s)?|more|on|original|paper|pr|refs?|references?"
    r"|related|repos?|repository|resolve[sd]?|screenshots?|see|source|the|this|to|url|via|video)\b)"
    r"{0,6}+[^\w\x00\n]{0,4}\x00[^\w\n]*$",
    re.IGNORECASE | re.MULTILINE,
)
_URL_PLACE = "\x00"  # cannot be in the text: control characters are gone by now
_TAG = re.compile(
    r"</?(?:a|abbr|article|b|big|blockquote|body|br|center|code|dd|del|details|div|dl|dt|em|figure"
    r"|font|h[1-6]|head|hr|html|i|iframe|img|input|ins|kbd|label|li|mark|ol|p|picture|pre|q|s|samp"
    r"|section|small|source|span|strike|strong|sub|summary|sup|table|tbody|td|tfoot|th|thead|tr|tt"
    r"|u|ul|var|video|wbr)\b(?:\s[^<>\n]{0,2000}+)?\s?/?>",
    re.IGNORECASE,
)
_BREAK_TAG = re.compile(r"<(?:/?(?:p|div|li|summary|tr|h[1-6])|br|hr)\b[^<>\n]{0,300}+>", re.I)
_EMPTY_BRACKETS = re.compile(r" ?(?:\[ {1,3}\]\( {0,3}\)|\( {1,3}\))")
_HEADING_TAG = re.compile(r"<h[1-6]\b[^<>\n]{0,300}+>", re.IGNORECASE)
# Tags that stand at the border of a line are marks of Markdown, for what reads lines later.
_ITALIC_START = re.compile(r"^(\s{0,8}(?:[-*+]\s)?)<(?:em|i)>(?=\S)", re.MULTILINE | re.IGNORECASE)
_ITALIC_END = re.compile(r"(?<=\S)</(?:em|i)>(?=[^\S\n]{0,8}$)", re.MULTILINE | re.IGNORECASE)
_MAX_SPACE = 12  # deep enough for any indentation that means something
_ONE_SPACE_TOO_MANY = " " * (_MAX_SPACE + 1)
_LONG_SPACE = re.compile(rf" {{{_MAX_SPACE + 1},}}+")
_EMPTY_LINES = re.compile(r"\n(?:[^\S\n]*+\n){2,}+")
_TICKS = re.compile(r"`+")


def without_hidden(text: str) -> str:
    """Drop code (fenced, inline, ``<pre>``), HTML comments, ``<details>``, HTML tables, drawings.

    A fence or ``<details>`` that holds an author's prose is opened instead.

    The first mark in the text wins, as in a Markdown parser: a comment's mark within code is code.
    A fence or comment that is never closed hides the rest of the text. A ``<details>`` with
    sections of its own is a whole form, folded: what is in it counts.
    """
    kept: list[str] = []
    position = 0
    unfolded = 0  # how many <details> were looked into
    unclosed: set[str] = set()  # marks known to have no closing one further on
    while mark := _OPENING.search(text, position):
        start, after = mark.span()
        end: int | None
        if fence := mark["fence"]:
            end, block = _end_of_fence(text, after, fence)
            if is_said_in_fence(block, is_answer=is_under_heading(text, start)):
                kept += [text[position:start], f"\n{block}\n"]
                position = end
                continue
        elif ticks := mark["ticks"]:
            end = _end_of_inline_code(text, after, ticks)
        else:
            tag = mark["tag"].lower()
            end = None if tag in unclosed else _end_of_tag(text, start, tag)
            if end is None:
                unclosed.add(tag)
            elif tag == "details" and unfolded < _MAX_UNFOLDED and _is_read(text[start:end]):
                unfolded += 1
                end = None
        kept.append(text[position:start])
        # Without an end the mark is dropped on its own; a tag is left to the removal of tags.
        position = after if end is None else end
        kept.append(text[start:after] if end is None and mark["tag"] else " ")
    kept.append(text[position:])
    return with_short_spaces("".join(kept))


def _is_read(folded: str) -> bool:
    return len(_SECTION.findall(folded)) > 1 or is_said_in_details(folded)


def _end_of_fence(text: str, position: int, fence: str) -> tuple[int, str]:
    """Return where a fenced block ends, and what is in it; of one without an end, nothing."""
    start = text.find("\n", position) + 1 or len(text)
    for closing in _FENCE_END[fence[0]].finditer(text, start):
        if len(closing[1]) >= len(fence):
            return closing.end(), text[start : closing.start(1)]
    return len(text), ""


def _end_of_inline_code(text: str, position: int, ticks: str) -> int | None:
    end = min(len(text), position + _MAX_INLINE_CODE_CHARS)
    blank = _BLANK_LINE.search(text, position, end)
    for closing in _TICKS.finditer(text, position, blank.start() if blank else end):
        if len(closing[0]) == len(ticks):
            return closing.end()
    return None


def _end_of_tag(text: str, start: int, tag: str) -> int | None:
    if tag == "!--":
        end = text.find("-->", start + 2)
        return len(text) if end < 0 else end + 3
    depth = 0
    for mark in re.compile(rf"<(/?){tag}\b[^<>]*+>", re.IGNORECASE).finditer(text, start):
        depth += -1 if mark[1] else 1
        if depth <= 0:
            return mark.end()
    return None


def without_blocks(lines: list[str]) -> list[str]:
    """Drop indented code, tables and link definitions, but keep the sentences of an author's."""
    kept: list[str] = []
    code: list[str] = []
    after_blank, in_code, in_list, in_table = True, False, False, False
    for line in lines:
        blank = not line.strip()
        bullet = bool(BULLET.match(line))
        in_list = bullet or (in_list and (blank or line[0].isspace()))
        indented = bool((_DEEPLY_INDENTED if in_list else _INDENTED).match(line)) and not bullet
        in_code = (indented and (in_code or after_blank)) or (in_code and blank)
        after_blank = blank
        if _TABLE_RULE.match(line):
            in_table = True
            if kept and "|" in kept[-1]:
                kept.pop()
        else:
            in_table = in_table and "|" in line
        if in_code and not blank:
            code.append(line.strip())
            continue
        if code and not blank:
            kept += _said(code)
            code = []
        if in_table or _TABLE_ROW.match(line):
            kept += [cell for said in said_in_row(line) for cell in ("", said, "")]
        elif not _REFERENCE.match(line):
            kept.append(line)
    return kept + _said(code)


def _said(code: list[str]) -> list[str]:
    """An indented block, if somebody only indented a paragraph; with empty lines around it."""
    return ["", *code, ""] if is_said_in_fence("\n".join(code), is_answer=False) else []


def without_links(text: str) -> str:
    """Drop images and URLs, keep the text of links, decode entities, drop HTML tags."""
    text = without_urls(_LINK.sub(r"\1", _IMAGE.sub(" ", html.unescape(text))))
    if "<" in text:
        text = _ITALIC_END.sub("_", _ITALIC_START.sub(r"\1_", _HEADING_TAG.sub("\n# ", text)))
        text = _TAG.sub(" ", _BREAK_TAG.sub("\n", text))
    return with_short_spaces(text)


def without_urls(text: str) -> str:
    """Drop URLs, the brackets around them, and lines that say no more than where to look."""
    text = URL.sub(_URL_PLACE, text)
    if _URL_PLACE in text:
        text = _POINTER.sub("", text).replace(_URL_PLACE, " ")
        text = _EMPTY_BRACKETS.sub("", text)
    return text


def with_short_spaces(text: str) -> str:
    """Bound every run of spaces, so that no expression that skips space is slow on it."""
    if _ONE_SPACE_TOO_MANY in text:
        text = _LONG_SPACE.sub(" " * _MAX_SPACE, text)
    return _EMPTY_LINES.sub("\n\n", text)
