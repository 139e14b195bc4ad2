"""Takes out of an issue what its repository's template asked, and answers that say nothing."""

import re

from issue_pipeline.utils.cleaning.lines import BULLET, RULE, plain_line
from issue_pipeline.utils.cleaning.log_lines import is_sentence, paragraphs, speaks
from issue_pipeline.utils.cleaning.shared_headings import Headings, heading_key, is_heading
from issue_pipeline.utils.cleaning.template_lines import (
    is_environment_line,
    is_italic_prompt,
    is_said,
    is_template_line,
    is_yes_or_no,
    without_label,
)

_OPEN_BOLD = re.compile(r"\s{0,3}(?:[-*+]\s{1,3})?\*\*(?!\*)[^*\n]{1,300}+$")
_LABELLED = re.compile(r"(?:[\w.+#/()'-]+ ){0,5}[\w.+#/()'-]+\s?[:：]\s*(?:\S+\s*){0,5}+$")
_MIN_BLOCK_LINES = 3
# What stands above a form's first rule and tells how to write issues.
_PREAMBLE = re.compile(
    r"(?=.*\bissues?\b)(?=.*\b(?:please|policy|template|guidelines?|contributing"
    r"|before (?:you|opening|filing|submitting|posting))\b)",
    re.IGNORECASE | re.DOTALL,
)
_MAX_PREAMBLE_LINES = 40
_MAX_PREAMBLE_CHARS = 10_000
_CHECKBOX = re.compile(r"\s*(?:[-*+]\s{1,4}|\d{1,3}[.)]\s{1,4})?\[\s?[xX✓]?\s?\]\s*(?![(\[:])\S")
_ENVIRONMENT_HEADING = re.compile(
    r"\b(?:versions?|environment|env|system info\w*|platform|os|operating system|browsers?|devices?"
    r"|hardware|gpu|cuda|dependencies|packages?|configuration|specs?|setup)\b|\(automated\)",
    re.IGNORECASE,
)
# Under these a form offers a choice.
_CHOICE_HEADING = re.compile(
    r"\b(?:types?|kind|category|areas?|components?|modules?|source|priority|severity|impact"
    r"|frequency|how often|language|architecture|model|method|channel|branch|commit|release"
    r"|regression|compiler|installed|installation|custom code|distribution|willing|terms|search"
    r"|checklist|code of conduct|mobile device|affected)\b"
    r"|^\W*(?:are|is|have|has|do|does|did|can|could|would|will|were|was)"
    r" (?:this|you|it|there|the|i)\b",
    re.IGNORECASE,
)
_MAX_CHOICE_WORDS = 3
# "# The app crashes when saving" is a post, not a heading without a section.
_MAX_BARE_LINES = 3
_MIN_BARE_WORDS = 4
_MIN_FOREIGN_CHARS = 10


def without_template(lines: list[str], headings: Headings = frozenset()) -> list[str]:
    """Drop headings, checklists, quotes, environment blocks, instructions and empty answers.

    A heading is a line of ``#``, one underlined with ``=`` or one that is bold from end to end,
    unless it is a sentence of the author's; one of ``headings`` is a form's in any case. Of a
    section on versions and systems only whole sentences stay; of one that offers a choice, no
    answer of up to three words.
    """
    lines = _with_whole_labels(_without_preamble(lines))
    kept: list[str] = []
    heading, section = "", list[str]()
    for number, line in enumerate(lines):
        if is_heading(lines, number):
            kept += _said_under(heading, section)
            plain = plain_line(line)
            is_own = is_said(plain) and heading_key(plain) not in headings
            heading, section = ("", [plain]) if is_own else (line, [])
        else:
            section.append(line)
    return kept + _said_under(heading, section)


def too_short_for_a_form(lines: list[str], headings: Headings = frozenset()) -> list[str]:
    """Return what looked like a template and cannot be one: up to three lines, those of four words.

    Args:
        lines: A text of which :func:`without_template` left nothing.
        headings: The day's shared headings, which are a form's.

    Returns:
        The lines without their marks; none if there are more.
    """
    plain = [line for line in map(plain_line, lines) if line and heading_key(line) not in headings]
    if len(plain) > _MAX_BARE_LINES:
        return []
    return [line for line in plain if len(line.split()) >= _MIN_BARE_WORDS or _is_foreign(line)]


def _is_foreign(line: str) -> bool:
    """Return whether a line may be a sentence of a script without spaces."""
    return len(line) >= _MIN_FOREIGN_CHARS and not line.isascii()


def _without_preamble(lines: list[str]) -> list[str]:
    for number, line in enumerate(lines[:_MAX_PREAMBLE_LINES]):
        if len(line.strip()) >= 3 and RULE.match(line):
            above = "\n".join(lines[:number])[:_MAX_PREAMBLE_CHARS]
            return lines[number + 1 :] if _PREAMBLE.match(above) and not speaks(above) else lines
    return lines


def _with_whole_labels(lines: list[str]) -> list[str]:
    """Join a bold label that an editor wrapped."""
    joined: list[str] = []
    for line in lines:
        if joined and "**" in line and _OPEN_BOLD.match(joined[-1]):
            joined[-1] = f"{joined[-1].rstrip()} {line.strip()}"
        else:
            joined.append(line)
    return joined


def _said_under(heading: str, section: list[str]) -> list[str]:
    lines = _without_checklists(section)
    lines = [line for part in paragraphs(lines) for line in [*_said_in(part), ""]]
    if not heading:
        return lines
    if _ENVIRONMENT_HEADING.search(heading):
        return [line for line in lines if not line.strip() or is_sentence(plain_line(line))]
    is_choice = len(" ".join(lines).split()) <= _MAX_CHOICE_WORDS
    return [] if is_choice and _CHOICE_HEADING.search(heading) else lines


def _said_in(paragraph: list[str]) -> list[str]:
    if len(paragraph) > 1 and is_italic_prompt(" ".join(line.strip() for line in paragraph)):
        return []
    by_template = [is_template_line(line) for line in paragraph]
    if len(paragraph) >= _MIN_BLOCK_LINES:
        by_template = _with_whole_block(paragraph, by_template)
    kept: list[str] = []
    for number, line in enumerate(paragraph):
        answered = number + 1 < len(paragraph) and is_yes_or_no(paragraph[number + 1])
        if by_template[number] or (answered and line.rstrip().endswith("?")):
            continue
        said = without_label(line)
        if said is line or not is_template_line(said):
            kept.append(said)
    return kept


def _with_whole_block(paragraph: list[str], by_template: list[bool]) -> list[bool]:
    """Where half of the lines or more state versions, the other short "label: value" lines do."""
    plain = [plain_line(line) for line in paragraph]
    labelled = [bool(_LABELLED.match(line)) for line in plain]
    environment = sum(is_environment_line(line) for line in plain)
    if 2 * environment < len(paragraph):
        return by_template
    return [first or second for first, second in zip(by_template, labelled, strict=True)]


def _without_checklists(lines: list[str]) -> list[str]:
    """Drop each item with a box up to the next item or the end of the paragraph."""
    kept: list[str] = []
    in_item = False
    for line in lines:
        if _CHECKBOX.match(line):
            in_item = True
        elif not line.strip() or BULLET.match(line):
            in_item = False
        if not in_item:
            kept.append(line)
    return kept
