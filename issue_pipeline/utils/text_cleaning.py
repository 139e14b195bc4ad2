"""From a post's markup to what its author said: one cleaner per source.

Code, logs, quotes, templates and signatures say how a post is built, not what it is about, and
posts would be grouped by them. Every step is linear in the length of the text.
"""

import html
import re
from collections.abc import Callable

from issue_pipeline.utils.html_text import html_to_text
from issue_pipeline.utils.issue_templates import without_template
from issue_pipeline.utils.log_lines import without_machine_lines
from issue_pipeline.utils.markdown_text import (
    RULE,
    URL,
    plain_line,
    with_short_spaces,
    without_blocks,
    without_hidden,
    without_links,
)
from issue_pipeline.utils.printable import UNSEEN
from issue_pipeline.utils.redaction import redact

# Models and pages read the beginning; nobody needs the rest of a 10 MB log.
MAX_BODY_CHARS = 100_000
_MAX_WORD_CHARS = 1000
# Markup within markup shows only when the outer one is gone.
_MAX_PASSES = 3

_NEWLINE = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_REMOVED = frozenset({"[removed]", "[deleted]", "[removed by reddit]"})
_SPACES = re.compile(r"[^\S\n]+")
_LETTER = re.compile(r"[^\W\d_]")

_QUOTE = re.compile(r"\s{0,3}(?:>|&gt;)")
_SIGNATURE = re.compile(r"\s{0,3}(?:--|---|__|___|—|––)\s*$")
_SENT_FROM = re.compile(r"\s*(?:Sent from (?:my|Mail)\b|Get Outlook for\b).{0,60}$", re.IGNORECASE)
_MAX_SIGNATURE_LINES = 4
_MAX_SIGNATURE_LINE_CHARS = 60
_EDIT = re.compile(
    r"[\W_]{0,6}(?i:edit(?:ed|s)?|update|eta)\s{0,2}[#(]?\d{0,4}[\W_]{0,4}:"  # "EDIT 2:"
    r"|\s*[\[(*_-]{1,4}\s?(?i:edit|update)\s?#?\d{0,3}[\])*_,-]{1,4}(?=\W|$)"  # "**edit**"
    r"|\s*(?i:edit)\s?\d{0,3}(?:\s[-–—]\s|\s*$)"  # "Edit - "
    r"|\s*EDIT\b"
)
_MAIL_HEADER = re.compile(
    r"\s*(?:From|Sent|To|Cc|Bcc|Subject|Date|Reply-To|Message-ID|In-Reply-To|Received|Return-Path"
    r"|X-[\w-]{1,40}|MIME-Version|Content-[\w-]{1,40})\s?: ?\S"
)
_MAIL_INTRODUCTION = re.compile(
    r"\s*On .{6,120}(?:wrote|schrieb|écrit)\s?:\s*$|-{3,}\s?(?:Original|Forwarded) "
)
_COURTESY = re.compile(
    r"(?:(?:hi|hiya|hello|hey|howdy|dear|greetings|good (?:morning|day|evening))"
    r"(?:[ ,]+[\w/@'-]+){0,3}"
    r"|(?:many |big )?(?:thanks|thank you|thx|ty|cheers|regards|(?:best|kind) (?:regards|wishes)"
    r"|thanks and regards|tia|sincerely)(?:[ ,]+(?:in advance|again|everyone|all|guys|you|so much"
    r"|very much|a lot|for (?:your|the|any) (?:help|time|answers?|reply|support)"
    r"|and|for|reading|much))*)"
    r"[\s!.,;:)(-]*$",
    re.IGNORECASE,
)


def clean_body(source: str, body: str | None) -> str:
    """Reduce a post's body to its prose, on as few lines as it has paragraphs.

    GitHub (Markdown): without code, logs and stack traces, HTML comments, headings, checklists,
    images, tables, ``<details>``, environment blocks and what templates ask. Reddit (Markdown):
    without code, logs, tables, quotes, signatures and "edit:" trails. Hacker News (HTML): without
    code, quotes, signatures and "edit:" trails. Stack Overflow (HTML): without code, tables and
    quotes. From all of them go URLs, e-mail headers, greetings, and lines without a letter;
    everywhere e-mail addresses and credentials are redacted and control characters dropped.

    Args:
        source: ``github``, ``stackoverflow``, ``reddit`` or ``hackernews``; of any other source
            the text is only redacted and stripped of control characters and needless space.
        body: The body as bronze keeps it, of which the first 100,000 characters are read; ``None``
            counts as empty.

    Returns:
        Clean text, possibly ``""``. Never raises on any text.
    """
    if not body or body.strip().lower() in _REMOVED:
        return ""
    text = _without_controls(_beginning(body))
    # Redacted first, while a credential still stands next to the name that gives it away.
    return _squeeze(redact(_CLEANERS.get(source, _unchanged)(redact(text))))


def clean_title(source: str, title: str | None) -> str:
    """Reduce a title to one line of plain, redacted text.

    Stack Overflow's titles come HTML-escaped and are unescaped; the others are left as written.
    """
    text = _beginning(title or "")
    if source == "stackoverflow":
        text = html.unescape(text)
    return " ".join(redact(_without_controls(text)).split())


def snippet(text: str, max_chars: int = 200) -> str:
    """Cut clean text to one line of at most ``max_chars`` characters, at a word if possible."""
    line = " ".join(text.split())
    if len(line) <= max_chars:
        return line
    cut = line[: max_chars - 1]
    return (cut.rsplit(" ", 1)[0] if " " in cut[max_chars // 2 :] else cut).rstrip() + "…"


def _beginning(text: str) -> str:
    """The part that is read; cut at a space, so that no half of a credential escapes redaction."""
    if len(text) <= MAX_BODY_CHARS:
        return text
    cut = max(
        text.rfind(space, MAX_BODY_CHARS - _MAX_WORD_CHARS, MAX_BODY_CHARS) for space in " \n"
    )
    return text[: cut if cut >= 0 else MAX_BODY_CHARS]


def _without_controls(text: str) -> str:
    return with_short_spaces(UNSEEN.sub("", _NEWLINE.sub("\n", text)))


def _unchanged(text: str) -> str:
    return text


def _github(text: str) -> str:
    return _markdown(text, _github_lines)


def _github_lines(lines: list[str]) -> list[str]:
    return without_machine_lines(without_template(_without_mail_headers(lines)))


def _reddit(text: str) -> str:
    return _markdown(text, _reddit_lines)


def _reddit_lines(lines: list[str]) -> list[str]:
    return without_machine_lines(_conversation(lines))


def _hackernews(text: str) -> str:
    return _prose(_conversation(_html_lines(text)))


def _stackoverflow(text: str) -> str:
    return _prose(_html_lines(text))


_CLEANERS: dict[str, Callable[[str], str]] = {
    "github": _github,
    "stackoverflow": _stackoverflow,
    "reddit": _reddit,
    "hackernews": _hackernews,
}


def _markdown(text: str, select: Callable[[list[str]], list[str]]) -> str:
    for _ in range(_MAX_PASSES):
        before = text
        lines = without_blocks(without_hidden(text).split("\n"))
        text = _without_controls(without_links("\n".join(lines)))
        text = _prose([plain_line(line) for line in select(text.split("\n"))])
        if text == before:
            break
    return text


def _html_lines(text: str) -> list[str]:
    return URL.sub(" ", _without_controls(html_to_text(text))).split("\n")


def _prose(lines: list[str]) -> str:
    """Join the lines that have a letter and are more than a greeting."""
    squeezed = (_SPACES.sub(" ", line).strip() for line in lines)
    return "\n".join(
        line for line in squeezed if _LETTER.search(line) and not _COURTESY.match(line)
    )


def _conversation(lines: list[str]) -> list[str]:
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
        if not (in_edit or _QUOTE.match(line) or RULE.match(line) or _SENT_FROM.match(line)):
            kept.append(line)
    return _without_mail_headers(kept)


def _is_signature(lines: list[str], start: int) -> bool:
    """Whether what follows is short enough to be a name and a contact, not the post's next part."""
    said = 0
    for number in range(start, len(lines)):
        line = lines[number]
        if not line.strip():
            continue
        said += 1
        if said > _MAX_SIGNATURE_LINES or len(line) > _MAX_SIGNATURE_LINE_CHARS or "?" in line:
            return False
    return True


def _without_mail_headers(lines: list[str]) -> list[str]:
    """Drop "On ..., somebody wrote:" and header lines that come in pairs at least."""
    header = [bool(_MAIL_HEADER.match(line)) for line in lines]
    return [
        line
        for number, line in enumerate(lines)
        if not (
            _MAIL_INTRODUCTION.match(line)
            or (header[number] and sum(header[max(0, number - 1) : number + 2]) > 1)
        )
    ]


def _squeeze(text: str) -> str:
    lines = (_SPACES.sub(" ", line).strip() for line in text.split("\n"))
    return "\n".join(line for line in lines if line)
