"""From Stack Overflow's and Hacker News' HTML to lines of text.

Both sites emit a handful of well-formed tags, so one pass over the tags is enough. HTML parsers
build a tree, which costs them quadratic time on deeply nested input.
"""

import html
import re

_TAG = re.compile(r"<!--.*?(?:-->|\Z)|<(/?)([a-zA-Z][a-zA-Z0-9]*)(?:[\s/][^<>]*+)?>", re.DOTALL)
# What is inside these is not what the author says in own words.
_HIDDEN = frozenset({"pre", "code", "script", "style", "template", "blockquote", "table"})
_PARAGRAPH = frozenset({"p", "div", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "hr", "pre"})
_LINE = frozenset({"br", "li", "dt", "dd", "tr"})


def html_to_text(text: str) -> str:
    """Drop tags, code, block quotes and tables, and decode entities.

    Paragraphs end up apart by an empty line. A tag that is never closed hides the rest, as in a
    browser; a ``<`` that opens no tag is text.
    """
    kept: list[str] = []
    position = 0
    hidden, depth = "", 0  # the outermost hidden element, and how often it is open
    for mark in _TAG.finditer(text):
        if not hidden:
            kept.append(text[position : mark.start()])
        position = mark.end()
        closing, name = mark[1], (mark[2] or "").lower()
        if hidden:
            if name == hidden:
                depth += -1 if closing else 1
            if not depth:
                hidden = ""
        elif name in _HIDDEN and not closing and "spoiler" not in mark[0]:
            hidden, depth = name, 1
        if not hidden or depth == 1:
            kept.append("\n\n" if name in _PARAGRAPH else "\n" if name in _LINE else _gap(name))
    if not hidden:
        kept.append(text[position:])
    return html.unescape("".join(kept))


def _gap(name: str) -> str:
    """Emphasis may end within a word; other tags stand for something between words."""
    return "" if name in {"i", "b", "em", "strong", "a", "sub", "sup", "u", "s"} else " "
