"""Takes out of a post what belongs to the conversation around it: quotes, edits, signatures."""

import re
from itertools import groupby

from issue_pipeline.utils.cleaning.lines import RULE

_LETTER = re.compile(r"[^\W\d_]")
_QUOTE = re.compile(r"\s{0,3}(?:>|&gt;)(?!!)[ ]?")
# GitHub's alerts are written as quotes: "> [!WARNING]", and, before there were such, "> **Note**"
_ALERT = re.compile(
    r"\s{0,3}>\s{0,3}(?:\[!\w{3,12}\]|(\*\*|__)(?:note|tip|important|warning|caution|info)[:!]?\1"
    r"|:\w{3,30}:|[\u2139\u26a0\u2757\u2755\u203c\U0001f4a1\U0001f4dd\U0001f6a8]\ufe0f?)[ :]*",
    re.IGNORECASE,
)
_SPOILER_START = re.compile(r"(?:(?<=[\s(\[*_\"'])|^)(?:>!)+\s?", re.MULTILINE)
# "Reference in new issue" of GitHub makes an issue of somebody's comment: a quote, and this line.
_QUOTED_WHOLE = re.compile(r"[\s_*]{0,6}Originally posted by @")
_SIGNATURE = re.compile(r"\s{0,3}(?:--|---|__|___|—|––)\s*$")
_SENT_FROM = re.compile(r"\s*(?:Sent from (?:my|Mail)\b|Get Outlook for\b).{0,60}$", re.IGNORECASE)
_MAX_SIGNATURE_LINES = 4
_MAX_SIGNATURE_LINE_CHARS = 60
# What reads like prose, where a signature has names: two words in a row that are no names.
_PROSE = re.compile(
    r"(?<!\S)(?![A-ZÀ-ÞА-Я])[^\W\d_]++,? (?![A-ZÀ-ÞА-Я])[^\W\d_]|\S \S++ .{0,60}[.!?]\s*$|[。！？]"
    r"|^\W*(?i:tl;? ?dr)\b"
)
_EDIT = re.compile(
    r"[\W_]{0,6}(?i:edit(?:ed|s)?)\s{0,2}[#(]?\d{0,4}[\W_]{0,4}:"  # "EDIT 2:"
    r"|\s*[\[(*_-]{1,4}\s?(?i:edit)\s?#?\d{0,3}[\])*_,-]{1,4}(?=\W|$)"  # "**edit**"
    r"|\s*(?i:edit)\s?\d{0,3}\s[-–—]\s"  # "Edit - "
    r"|[\W_]{0,6}(?i:edit)\s?#?\d{0,3}[\W_]*$"  # "## Edit 2"
    r"|\s*EDIT\b(?! (?:the|an?|my|your|any)\b)"  # nor "EDIT the file by hand"
)
_MAIL_HEADER = re.compile(
    r"\s*(?:From|Sent|To|Cc|Bcc|Subject|Date|Reply-To|Message-ID|In-Reply-To|Received|Return-Path"
    r"|X-[\w-]{1,40}|MIME-Version|Content-[\w-]{1,40})\s?: ?\S"
)
# "From: Berlin" above "To: Paris" may be anybody's.
_MAY_BE_SAID = re.compile(r"\s*(?:From|To)\s?:(?!.*(?:@|\[email\]))")
_MAIL_INTRODUCTION = re.compile(
    r"\s*On .{6,120}(?:wrote|schrieb|écrit)\s?:\s*$|-{3,}\s?(?:Original|Forwarded) "
)
_COURTESY = re.compile(
    r"(?:(?:hi|hiya|hello|hey|howdy|dear|greetings|good (?:morning|day|evening))"
    r"(?:(?:[ ,]+fellow)?[ ,]+[\w'-]+|(?:[ ,]+(?:all|everyone|everybody|every one|guys|girls|folks"
    r"|friends|people|there|team|community|devs|developers|maintainers|experts|redditors|reddit|fellow|and|again|y'all|the"
    r"|to|of|you|sir|madam|ladies|gentlemen|[@/][\w/-]+|[ru]/\w+|(?-i:[A-ZÀ-ÞА-Я])[\w'-]*)){0,4})"
    r"|(?:many |big )?(?:thanks|thank you|thx|ty|cheers|regards|(?:best|kind) (?:regards|wishes)"
    r"|thanks and regards|tia|sincerely)(?:[ ,]+(?:in advance|again|everyone|all|guys|you|so much"
    r"|very much|a lot|for (?:your|the|any) (?:help|time|answers?|reply|support)"
    r"|and|for|reading|much))*)"
    r"[\s!.,;:)(-]*$",
    re.IGNORECASE,
)


def is_courtesy(line: str) -> bool:
    """Return whether a line is no more than a greeting or thanks."""
    return bool(_COURTESY.match(line))


def with_alerts(lines: list[str]) -> list[str]:
    """Remove the quote marks of GitHub's alerts ("> [!WARNING]") and of issues that are quotes."""
    if any(map(_QUOTED_WHOLE.match, lines)):
        return unquoted([line for line in lines if not _QUOTED_WHOLE.match(line)])
    opened: list[str] = []
    in_alert = False
    for line in lines:
        alert = _ALERT.match(line)
        in_alert = bool(alert) or (in_alert and bool(_QUOTE.match(line)))
        if alert:
            opened.append(line[alert.end() :])
        else:
            opened.append(_QUOTE.sub("", line, count=1) if in_alert else line)
    return opened


def unquoted(lines: list[str]) -> list[str]:
    """Remove the quote marks of a post that is nothing but a quote."""
    return [_QUOTE.sub("", line, count=1) if _QUOTE.match(line) else line for line in lines]


def has_quotes(lines: list[str]) -> bool:
    """Return whether a line is a quote."""
    return any(map(_QUOTE.match, lines))


def without_spoiler_marks(lines: list[str]) -> list[str]:
    """Remove the marks of spoilers (``>!the butler!<``), which are an author's own words."""
    text = "\n".join(lines)
    if ">!" not in text:
        return lines
    return _SPOILER_START.sub("", text).replace("!<", "").split("\n")


def without_quotes(lines: list[str]) -> list[str]:
    """Drop the lines that repeat somebody else."""
    return [line for line in lines if not _QUOTE.match(line)]


def without_conversation(lines: list[str]) -> list[str]:
    """Drop quotes, "edit:" paragraphs, e-mail headers and whatever follows a signature mark."""
    kept: list[str] = []
    in_edit = edit_said = False
    for number, line in enumerate(lines):
        if _SIGNATURE.match(line) and _is_signature(lines, number + 1):
            break
        marker = _EDIT.match(line)
        if marker:
            in_edit, edit_said = True, bool(_LETTER.search(line[marker.end() :]))
        elif not line.strip():
            # A marker on a line of its own belongs to the paragraph after it.
            in_edit = in_edit and not edit_said
        else:
            edit_said = True
        if not (in_edit or RULE.match(line) or _SENT_FROM.match(line)):
            kept.append(line)
    return without_mail_headers(without_quotes(kept))


def _is_signature(lines: list[str], start: int) -> bool:
    """Return whether what follows is short enough to be a name and a contact, and no more."""
    said = 0
    for number in range(start, len(lines)):
        line = lines[number]
        if not line.strip():
            continue
        said += 1
        too_long = said > _MAX_SIGNATURE_LINES or len(line) > _MAX_SIGNATURE_LINE_CHARS
        if too_long or "?" in line or _PROSE.search(line):
            return False
    return True


def without_mail_headers(lines: list[str]) -> list[str]:
    """Drop "On ..., somebody wrote:" and header lines that come in pairs at least."""
    kept: list[str] = []
    for is_header, group in groupby(lines, lambda line: bool(_MAIL_HEADER.match(line))):
        run = list(group)
        if not is_header:
            kept += [line for line in run if not _MAIL_INTRODUCTION.match(line)]
        elif len(run) == 1 or all(map(_MAY_BE_SAID.match, run)):
            kept += run
    return kept
