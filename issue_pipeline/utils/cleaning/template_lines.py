"""Tells a template's line (a label, a prompt, an answer that says nothing) from a person's.

A prompt speaks to its reader, asks for details or stands as a label with an example in brackets;
these are shapes that templates of all repositories share, not sentences of some of them.
"""

import re
from functools import lru_cache

from issue_pipeline.utils.cleaning.lines import RULE, plain_line
from issue_pipeline.utils.cleaning.log_lines import speaks

_QUOTE = re.compile(r"\s{0,3}>")
_EXAMPLE = (
    r"(?:e\.?\s?g\b|i\.?e\b|if |for example|optional|as |use |choose|select|check one|please|pls"
    r"|yes\s?/\s?no"
    r"|required|such as|like |including|include|or |and version)"
)
# "**Describe the bug**: text", "- **Paper:** text", "**OS** (e.g. Linux): text", "**What?** text":
# the label goes, the text stays.
_BOLD_LABEL = re.compile(
    r"\s*(?:[-*+]\s+|\d{1,3}[.)]\s+)?(\*\*|__)(?:"
    r"[^*_\n:]{1,100}\1\s*[(\[](?:[^()\[\]\n]{1,300}[)\]]\s*:"
    rf"|{_EXAMPLE}[^()\[\]\n]{{0,300}}[)\]]\s*$)"
    r"|[^*_\n()]{1,60}\([^*()\n]{1,200}\)[^*_\n]{0,60}(?::\s*\1|\1\s*:|\?\s*\1)"
    r"|[^*_\n:]{1,60}:\s*\1|[^*_\n:]{1,120}\?\s*\1:?|[^*_\n:]{1,60}\1\s*:)\s*"
)
# "Method [e.g. snap, setup]", "Build command (if compiling from source): make"
_LABEL_WITH_EXAMPLE = re.compile(
    rf"(?:[\w'/.#+-]+ ){{0,9}}[\w'/.#+-]+\s?(?:\[{_EXAMPLE}[^\[\]\n]{{0,200}}\]\s*(?:$|[:：]\s*)"
    rf"|\({_EXAMPLE}[^()\n]{{0,200}}\)\s*[:：?]\s*"
    r"|\((?:choose|check one|please|yes\s?/\s?no|optional|required|include"
    r"|if (?:any|applicable|needed"
    r"|available|possible))\b[^()\n]{0,200}\)\s*$)",
    re.IGNORECASE,
)
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
# "Version: 1.2", "- OS: Windows 11", "Python version (if any) => 3.9"; three plain words or more
# that open in lower case ("Build: fails on ARM") are somebody's own.
_ENVIRONMENT_LINE = re.compile(
    rf"(?:{_ENVIRONMENT_NAME})\s*(?:\([^()\n]{{0,120}}\))?\s?(?:=>|[:=：])\s*+"
    r"(?!(?-i:[a-z]++)(?: [^\W\d_]++){2,}+[.!]?$)(?:\S++\s*+){0,12}+$",
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
    r"|which versions? of .{0,100}\baffected\b.*"
    r"|.{5,150}\?\W{0,3}(?:yes|no|not sure|unknown|n/a|true|false)(?:\W{1,3}(?:yes|no))?\W*$",
    re.IGNORECASE,
)
# "Version: 1.2 (stable)", "Extensions: none", "User agent: Mozilla/5.0 (...)"
_SHORT_ANSWER = re.compile(
    r"(?:[\w.+#/'-]+ ){0,6}[\w.+#/'-]+\s?(?:\([^()\n]{0,120}\)\s?)?(?:[:：]|=>)\s?"
    r"(?:v?\d[\w.:+~-]*|no(?:ne|t (?:applicable|sure))?|n/?a|yes|unknown|latest|always|sometimes"
    r"|often"
    r"|didn't try|every time)\s*(?:\([^()\n]{0,120}\))?[\W]*$"
    r"|(?:[\w.-]+ ){0,4}(?:[\w.-]+:\s?)?Mozilla/\d\.\d \(",
    re.IGNORECASE,
)
# "Ubuntu 22.04", "React Native 0.59.3": a name, a version, nothing about them
_NAMED_VERSION = re.compile(
    r"(?!(?:Install|Use|Run|Open|Up|Down|Build|Try)\w*\b)"
    r"(?:[A-Z][\w.+-]*,? (?:version )?){1,4}v?\d+\.\w\S*$"
)
# "Fixes #12", "cc @somebody", "/kind bug"
_REFERENCE = re.compile(
    r"(?:[\w'/.:(-]+ ){0,3}(?:[\w./-]{0,80}+#\d++[\s,;.)&]*+(?:and )?)++$"
    r"|(?:/?cc|ping|fyi|thanks)?[^\w@]*+(?:@[\w/-]++[^\w@]*+(?:and )?)++$"
    r"|/[a-z][\w-]{1,20}(?: [\w./-]{1,40}){0,4}$",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(
    r"\W*(?:your|add|insert|paste|put|write|type|enter|replace|describe)\b(?: \S{1,30}){1,8}?"
    r" (?:here|below)\W*$|link to (?:\S{1,30} ?){1,5}$",
    re.IGNORECASE,
)
# What an instruction is about, and a request for the program hardly ever
_OF_ISSUES = (
    r"(?:issues?|bugs?|questions?|template|forms?|reports?|below|logs?|screenshots?|steps"
    r"|versions?|details?|information|output|stack ?trace|traceback|reproduc\w+|descri\w+"
    r"|search\w*|guidelines|contributing|policy|forums?|stack ?overflow)\b"
)
_INSTRUCTION = re.compile(
    r"(?:a clear and concise description\b|if applicable, add screenshots"
    r"|add any other context\b(?! \w+ \w+$)"
    r"|a picture tells a thousand words|screenshots? if applicable"
    r"|steps to reproduce the behaviou?r\W*$|\d*\W*(?:go to|click on|scroll down to) '\W*'"
    r"|(?:briefly )?(?:describe|specify) (?:your|what|how|any|here|briefly"
    r"|the (?:\w+ )?(?:issue|problem|bug|feature|steps|behaviou?r|solution|error|version))\b"
    r"|(?:please )?(?:copy[- ]and[- ]paste|copy & paste|paste) (?:the|your|any|here|output)\b"
    r"|please (?:make sure (?:that )?(?:this|you|to)\b|fill (?:in|out)\b|search (?:for )?existing"
    r"|describe\b|specify\b|delete (?:this|the)\b|go to stack ?overflow|read (?:our|the) "
    r"(?=[\w ]{0,60}(?:guid|docs|documentation|faq|policy|readme|rules|instructions|issue))"
    r"|check (?:that|if|whether) (?:this|the issue|your|you)|do not (?:delete|remove) this"
    r"|provide (?:a|the|as much|any|all) [\w ,/]{0,60}"
    r"(?:details?|information|code|example|steps)\b)"
    r"|(?:please )?(?:include|attach|provide|paste|describe|specify|tell us|fill (?:in|out)"
    r"|use the search|review existing)\b (?:any|your|all|as much|us"
    r"|what|how|which|whether|relevant|below|here|(?:the|this|these) (?:(?:full|exact|complete) )?"
    r"(?:following|issue|errors?|logs?|stack ?trace|traceback|problem|bug|steps?|outputs?"
    r"|versions?|expected|actual|template|form|commands?|questions?"
    r"|feature|details)|tool|issues|a (?:clear|short|brief|concise|detailed|minimal|link|code))\b"
    r"|the (?:form|template) (?:above|below)\b|please note (?:that )?we\b.{0,300}\byour?\b"
    r"|(?:to help us|before (?:submitting|opening|filing|posting|you))\b"
    rf"(?=.{{0,300}}\b{_OF_ISSUES})"
    r".{0,100}(?:\bplease|, (?:check|confirm|ensure|fill|include|look|make|provide|read|search"
    r"|try|use|verify))\b.{0,100}[:!.]$"
    r"|please (?=.{0,200}\b(?:you|your|this (?:issue|template|form)|below"
    rf"|relevant (?:logs?|links?))\b)(?=.{{0,300}}\b{_OF_ISSUES})"
    r"(?:provide|include|attach|add|use|check|read|search|answer"
    r"|consider|follow|always|confirm|ensure"
    r"|fill|note|tell|keep|run|only)\b"
    r"|(?:instructions|guidelines|documentation|more (?:details|information)) .{0,80}"
    r"\b(?:found|available|see) .{0,20}\b(?:here|at)\W*$"
    r"|\((?:or |if |choose|check|please|optional|as |e\.g)[^()\n]{0,300}\)[.:]?(?: \S+){0,4}$"
    r"|(?:or|and) (?:fill out|complete|answer)\b"
    r"|you can (?:get|find|obtain|collect|run)\b.{0,100}\b(?:with|using .{0,60}|here|it):?\W*$"
    rf"|(?=.{{0,300}}\b{_OF_ISSUES})if (?:you|this|the|it|possible)\b[^.]{{0,80}}, please "
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
    r"|(?:[\w'&/-]++ ?){1,3}+[:：]|i'm submitting an?"
    r"|what (?:i|you|did|happened|is|was|went)(?: \w+){0,5}"
    r"|(?:other|additional) (?:\w+ ){0,2}(?:information|details))"
    r"(?:\s?\([^()\n]{0,300}+\)|\s?\.{2,}+)*+\W*$",
    re.IGNORECASE,
)
_YES_OR_NO = re.compile(
    r"\W*(?:yes|no|n/a|not sure)\b(?:\W{0,3}(?:yes|no|@[\w-]+))?\W*$", re.IGNORECASE
)
_ITALIC = re.compile(
    r"\W{0,4}(?<![*_])([*_])(?![\s*_])(?P<inner>[^\n]{1,600}?)(?<![\s*_])\1[\W]{0,2}$"
)
_ADDRESSED = re.compile(r"\b(?:please|you|your|you're|you've|you'd)\b", re.IGNORECASE)
_ASKS_ITSELF = re.compile(r"(?:have|am|did|do|can|what|i'm submitting)\b", re.IGNORECASE)
_MAX_TEMPLATE_CHARS = 300  # of one line that a template wrote
_MAX_LABEL_ANSWER_WORDS = 8


def without_label(line: str) -> str:
    """Take a bold label off a line; one with an example in brackets goes with its short answer."""
    bold = _BOLD_LABEL.match(line)
    if bold:
        return line[bold.end() :]
    label = _LABEL_WITH_EXAMPLE.match(plain_line(line)) if "(" in line or "[" in line else None
    if label:
        answer = label.string[label.end() :].rstrip()
        is_prose = answer.endswith((".", "!", "?")) or len(answer.split()) > _MAX_LABEL_ANSWER_WORDS
        return line if is_prose else ""
    return line


@lru_cache(maxsize=512)  # templates repeat themselves, and a second pass asks again
def is_template_line(line: str) -> bool:
    """Return whether a template wrote this line, or the shortest possible answer to it."""
    if _QUOTE.match(line) or RULE.match(line):
        return True
    if len(line) > 2 * _MAX_TEMPLATE_CHARS:
        return False
    plain = plain_line(line)
    return len(plain) <= _MAX_TEMPLATE_CHARS and bool(
        _EMPTY_ANSWER.match(plain)
        or is_environment_line(plain)
        or _QUESTION.match(plain)
        or (_INSTRUCTION.match(plain) and not speaks(plain))
        or _PLACEHOLDER.match(plain)
        or _LABEL.match(plain)
        or _REFERENCE.match(plain)
        or is_italic_prompt(line)
    )


def is_environment_line(plain: str) -> bool:
    """Return whether a line without markup states a version or a system, and no more."""
    return bool(
        _SHORT_ANSWER.match(plain)
        or _NAMED_VERSION.match(plain)
        or (_ENVIRONMENT_LINE.match(plain) and not speaks(plain))
    )


def is_italic_prompt(line: str) -> bool:
    """Return whether a line or paragraph in italics is a form's hint ("_Please describe ..._")."""
    italic = _ITALIC.match(line)
    if not italic or re.search(rf"{re.escape(italic[1])}(?!\w)", italic["inner"]):
        return False
    inner = italic["inner"]
    if speaks(inner):
        return False
    return bool(_ADDRESSED.search(inner)) or not inner.endswith((".", "!", "?"))


def is_yes_or_no(line: str) -> bool:
    """Return whether a line answers yes or no."""
    return bool(_YES_OR_NO.match(line))


def is_said(heading: str) -> bool:
    """Return whether a heading, without its marks, is the author's sentence and no form's label."""
    words = len(heading.split())
    if words < 6 or _ADDRESSED.search(heading) or is_template_line(heading):
        return False
    if speaks(heading):
        return not _ASKS_ITSELF.match(heading)
    return words >= 10 or heading.endswith((".", "!"))
