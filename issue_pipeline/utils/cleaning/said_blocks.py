"""Tells an author's prose in a block that is meant for code (a fence, a table, ``<details>``)."""

import re

from issue_pipeline.utils.cleaning.log_lines import is_machine_line, is_sentence, speaks

# A form's field with ``render: bash`` puts a fence around whatever somebody writes into it.
_HEADING_ABOVE = re.compile(r"(?:\A|\n) {0,3}#{1,6} [^\n]*\n\s*\Z")
_MAX_HEADING_CHARS = 300
_MAX_CHARS = 4000
_MIN_WORDS = 5
# A comment, data, a frame of a stack, an address
_NOT_SAID = re.compile(
    r"\s*(?:[#;%{\[<\"\'|]|//|--|/?\*|>>>|at \S{1,200} \(|\S*://)|[^\n]{0,200}\w==?\w"
)
_FENCED = re.compile(r"(`{3,}|~{3,}).*?(?:\1|\Z)", re.DOTALL)
_TAG = re.compile(r"<summary\b.*?</summary>|<[^<>]{0,300}>", re.DOTALL | re.IGNORECASE)


def is_under_heading(text: str, position: int) -> bool:
    """Return whether the last line above a position that is not empty is a heading."""
    return bool(_HEADING_ABOVE.search(text[max(0, position - _MAX_HEADING_CHARS) : position]))


def is_said_in_fence(block: str, *, is_answer: bool) -> bool:
    """Return whether a fenced block holds prose: half its lines are sentences, hardly any a log's.

    Args:
        block: What stands within the fence.
        is_answer: Whether it answers a form's question; if not, it has to say I or my, too.
    """
    if len(block) > _MAX_CHARS or not (is_answer or speaks(block)):
        return False
    lines = [line for line in block.split("\n") if line.strip()]
    if sum(len(line.split()) for line in lines) < _MIN_WORDS:
        return False
    by_machine = sum(map(_is_machines, lines))
    sentences = sum(not _is_machines(line) and is_sentence(line) for line in lines)
    return 4 * by_machine <= len(lines) and 2 * sentences >= len(lines)


def is_said_in_details(folded: str) -> bool:
    """Return whether a ``<details>`` holds more than code and logs: sentences that say I or my."""
    if len(folded) > _MAX_CHARS or not speaks(folded):
        return False
    return is_said_in_fence(_TAG.sub("\n", _FENCED.sub("", folded)), is_answer=False)


def said_in_row(row: str) -> list[str]:
    """Return the cells of a table's row that are sentences."""
    cells = [cell.strip() for cell in row.split("|")] if " " in row else []
    return [cell for cell in cells if cell.count(" ") >= _MIN_WORDS - 1 and _is_said(cell)]


def _is_said(cell: str) -> bool:
    return not cell.endswith(")") and is_sentence(cell) and not _is_machines(cell)


def _is_machines(line: str) -> bool:
    return bool(_NOT_SAID.match(line)) or is_machine_line(line)
