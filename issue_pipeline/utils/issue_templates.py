"""Takes out of an issue what its repository's template asked, and answers that say nothing."""

import re

from issue_pipeline.utils.log_lines import is_sentence
from issue_pipeline.utils.markdown_text import BULLET, RULE, plain_line

_HEADING = re.compile(r"\s{0,3}(?:#{1,6}\s|#{2,6}\S)")
_UNDERLINE = re.compile(r"\s{0,3}={3,}\s*$")
_BOLD_LINE = re.compile(r"\s{0,3}(\*\*|__)(?!\1)(?:(?!\1).){1,200}+\1\s*[:：]?\s*$")
# "**Describe the bug**: text" and "- **Paper:** text": the label goes, the text stays.
_BOLD_LABEL = re.compile(
    r"\s*(?:[-*+]\s+)?(\*\*|__)(?:[^*_\n:]{1,60}:\s*\1|[^*_\n:]{1,60}\1\s*:)\s*"
)
_CHECKBOX = re.compile(r"\s*(?:[-*+]\s{1,4}|\d{1,3}[.)]\s{1,4})?\[\s?[xX✓]?\s?\]\s*(?![(\[:])\S")
_QUOTE = re.compile(r"\s{0,3}>")

_ENVIRONMENT_NAME = (
    r"(?:(?:host|target|operating|client|server|guest)[ -])?(?:os|system)(?: platform)?"
    r"(?: and (?:distribution|version))?|platform|browsers?|devices?|(?:mobile )?device[^:=]{0,60}"
    r"|versions?|node(?:\.?js)?|npm|yarn|python|java|jdk|ruby|php|go|rust|gpus?"
    r"|gpu model(?: and memory)?"
    r"|cpus?|ram|memory|arch(?:itecture)?|kernel|environment|commit|build|locale|hardware|distro"
    r"|distribution|compilers?|cuda(?:\s?/\s?cudnn)?|gcc|shell|terminal|bazel|issue type|type|url"
    r"|screen reader|modes|remote os|(?:[\w.+#/()-]+ ){1,5}versions?|tensorflow installed from"
    r"|have i written custom code|operating system\s?/\s?platform|opencv|compiler"
)
# "Version: 1.2", "- OS: Windows 11", "Python version (if any) => 3.9"
_ENVIRONMENT_LINE = re.compile(
    rf"(?:{_ENVIRONMENT_NAME})\s*(?:\([^()\n]{{0,120}}\))?\s?(?:=>|[:=：])\s*(?:\S++\s*+){{0,12}}+$",
    re.IGNORECASE,
)
_ENVIRONMENT_HEADING = re.compile(
    r"\b(?:versions?|environment|env|system info\w*|platform|os|operating system|browsers?|devices?"
    r"|hardware|gpu|cuda|dependencies|packages?|configuration|specs?|setup)\b|\(automated\)",
    re.IGNORECASE,
)
_EMPTY_ANSWER = re.compile(
    r"(?:no response|n/?a|not applicable|none|nothing|null|nil|yes|no|y|n|yep|nope|tbd|todo|unknown"
    r"|always|every time|sometimes|same as above|see above|as above|bug|feature(?: request)?"
    r"|question)\W*$",
    re.IGNORECASE,
)
_QUESTION = re.compile(
    r".{0,120}(?:[(\[]?yes\s?/\s?no[)\]]?|\by/n\b).{0,20}$"
    r"|do you want to request a feature or report a bug\b.{0,40}$"
    r"|(?:what is|what's) the (?:current|expected|actual) behaviou?r\??$"
    r"|if the current behaviou?r is a bug\b.*|has this worked before\b.{0,40}$"
    r"|does this (?:issue|problem|bug) occur when\b.{0,80}$"
    r"|which versions? of .{0,100}\baffected\b.*",
    re.IGNORECASE,
)
_INSTRUCTION = re.compile(
    r"(?:a clear and concise description\b|if applicable, add screenshots|add any other context\b"
    r"|a picture tells a thousand words|screenshots? if applicable"
    r"|steps to reproduce the behaviou?r\W*$|\d*\W*(?:go to|click on|scroll down to) '\W*'"
    r"|(?:briefly )?(?:describe|specify) (?:the|your|what|how|any|here|briefly)\b"
    r"|(?:please )?(?:copy[- ]and[- ]paste|copy & paste|paste) (?:the|your|any|here|output)\b"
    r"|please (?:make sure (?:that )?(?:this|you|to)\b|fill (?:in|out)\b|search (?:for )?existing"
    r"|describe\b|specify\b|delete (?:this|the)\b|go to stack ?overflow|read (?:our|the) \w+"
    r"|check (?:that|if|whether) (?:this|the issue|your|you)|do not (?:delete|remove) this"
    r"|provide (?:a|the|as much|any|all) [\w ,/]{0,60}"
    r"(?:details?|information|code|example|steps)\b)"
    r"|if (?:you|this|the|it|possible)\b[^.]{0,80}, please "
    r"(?:provide|include|describe|attach|add|fill|use|check)\b"
    r"|(?:sample|test case|example|link to (?:the|your)\b).{0,40}\bif (?:available|possible)\W*$"
    r"|this (?:template|issue) (?:is|was) (?:for|generated)\b|if you open a github issue, here is"
    r"|as per our github policy|link: link to\b|(?:data|paper): link to\b)",
    re.IGNORECASE,
)
# "Steps to reproduce:", "Expected", "See:": a label without a text of its own
_LABEL = re.compile(
    r"(?:steps?(?: to (?:reproduce|replicate))?|reproduc\w+(?: steps)?|how to reproduce"
    r"|(?:the )?(?:actual|expected|current|observed|desired)(?: \w+)?|describe the \w+|description"
    r"|summary|overview|motivation|background|additional (?:context|information|info|notes)|context"
    r"|screenshots?|relevant logs?(?: output)?|logs?|other info(?: / logs)?|stack ?trace|traceback"
    r"|error(?: message)?|environment(?: info)?|system info(?:rmation)?"
    r"|(?:possible|proposed) (?:fix|solution)|feature request|bug report|feature|bug|request|issue"
    r"|(?:[\w'&/-]++ ?){1,3}+[:：])\W*$",
    re.IGNORECASE,
)
_MAX_FORM_ANSWER_WORDS = 3
_MAX_TEMPLATE_CHARS = 300  # of one line that a template wrote


def without_template(lines: list[str]) -> list[str]:
    """Drop headings, checklists, quotes, environment blocks, instructions and empty answers.

    A heading is a line of ``#``, one underlined with ``=`` or one that is bold from end to end. Of
    a section on versions and systems only whole sentences stay; a section that is answered in at
    most three words (a form's choice) goes.
    """
    kept: list[str] = []
    heading, section = "", list[str]()
    for number, line in enumerate(lines):
        underlined = number + 1 < len(lines) and bool(_UNDERLINE.match(lines[number + 1]))
        if line.strip() and (underlined or _HEADING.match(line) or _BOLD_LINE.match(line)):
            kept += _said_under(heading, section)
            heading, section = line, []
        else:
            section.append(line)
    return kept + _said_under(heading, section)


def _said_under(heading: str, section: list[str]) -> list[str]:
    lines = [
        _BOLD_LABEL.sub("", line) for line in _without_checklists(section) if not _is_template(line)
    ]
    if not heading:
        return lines
    if _ENVIRONMENT_HEADING.search(heading):
        return [line for line in lines if not line.strip() or is_sentence(plain_line(line))]
    words = " ".join(lines).split()
    return lines if len(words) > _MAX_FORM_ANSWER_WORDS else []


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


def _is_template(line: str) -> bool:
    if _QUOTE.match(line) or RULE.match(line):
        return True
    plain = plain_line(line)
    return len(plain) <= _MAX_TEMPLATE_CHARS and bool(
        _EMPTY_ANSWER.match(plain)
        or _ENVIRONMENT_LINE.match(plain)
        or _QUESTION.match(plain)
        or _INSTRUCTION.match(plain)
        or _LABEL.match(plain)
    )
