"""From a post's markup to what its author said: one cleaner per source.

Code, logs, quotes, templates and signatures say how a post is built, not what it is about, and
posts would be grouped by them. Every step is linear in the length of the text.
"""

import html
import re
from collections.abc import Callable

from selectolax.lexbor import LexborHTMLParser

from issue_pipeline.utils.redaction import redact

# Models and pages read the beginning; nobody needs the rest of a 10 MB log.
MAX_BODY_CHARS = 100_000

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
_NEWLINE = re.compile(r"\r\n?|[\u2028\u2029]")
_REMOVED = frozenset({"[removed]", "[deleted]"})

# Markdown, line by line.
_FENCE = re.compile(r"\s{0,12}(`{3,}|~{3,})")
_INDENTED_CODE = re.compile(r"(?: {4}|\t)\s*\S")
_LIST_ITEM = re.compile(r"\s*(?:[-*+]|\d{1,3}[.)])\s")
_HEADING = re.compile(r"\s{0,3}#{1,6}\s")
_BOLD_HEADING = re.compile(r"\s{0,3}(\*\*|__)[^*_\n]{1,80}\1:?\s*$")
_CHECKBOX = re.compile(r"\s*(?:[-*+]\s{1,4}|\d{1,3}[.)]\s{1,4})?\[[ xX]?\]\s")
_TABLE_ROW = re.compile(r"\s*\|.*\|\s*$")
_RULE = re.compile(r"\s*([-*_=~])(?:\s*\1){2,}\s*$")
_QUOTE = re.compile(r"\s{0,3}(?:>|&gt;)")
_SIGNATURE = re.compile(r"(?:--|---|__|___)\s*$")
_EDIT = re.compile(r"\W{0,6}(?:edit|update|eta)\b[\s\d#(]{0,6}\w{0,12}[)\s]{0,3}[:\-–—*]", re.IGNORECASE)
# "Version: 1.2", "- OS: Windows 11"
_ENVIRONMENT = re.compile(
    r"\W{0,6}(?:os|operating system|platform|browser|device|version|[\w.+#-]{1,20} version|node|npm|yarn"
    r"|python|java|ruby|gpu(?: model)?|cpu|arch(?:itecture)?|kernel|environment|commit|build|locale"
    r"|hardware|distro|distribution|compiler|cuda[\w/ ]{0,12})\W{0,4}[:=].{0,120}$",
    re.IGNORECASE,
)

# Lines that a machine wrote.
_LOG = re.compile(
    r"\s*(?:"
    r"[\[(]?\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d"  # 2026-03-10 12:00
    r"|[\[(]?\d\d:\d\d:\d\d(?:[.,]\d{1,9})?[\])]?\s"  # 12:00:00.123
    r"|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d\s"  # Mar 10 12:00:00
    r"|\[?(?:TRACE|DEBUG|INFO|WARN(?:ING)?|ERROR|FATAL|CRITICAL)\]?[\s:|\]]"
    r"|[EWIF]\d{4} \d\d:\d\d"  # glog
    r"|at [\w$.<>\[\] ]{1,200}\("  # Java, JavaScript
    r"|at (?:file|https?|node|async|/|[A-Za-z]:\\)"
    r"|File \"[^\"\n]{1,300}\", line \d"
    r"|Traceback \(most recent call last\)"
    r"|(?:[a-zA-Z_$][\w$]{0,60}\.){1,12}[A-Z]\w{0,80}(?:Error|Exception)\b"
    r"|(?:[A-Z]\w{0,60})?(?:Error|Exception|Warning): "
    r"|Caused by: "
    r"|\.\.\. \d{1,4} more"
    r"|#\d{1,3}\s+(?:0x[0-9a-f]+|/|\S{1,200}\(\d)"  # gdb, PHP
    r"|(?:npm|yarn|pip|error|warning|fatal)(?: ERR!|\[E?\d{1,6}\]:|: )"
    r"|(?:0x)?[0-9a-f]{8,16}[\s:]"
    r"|goroutine \d{1,9} \["
    r"|[$#>]\s+\S"  # a shell prompt
    r")"
)

# Markup within a line.
_IMAGE = re.compile(r"!\[[^\[\]\n]{0,300}\](?:\([^()\n]{0,2000}\)|\[[^\[\]\n]{0,100}\])?")
_LINK = re.compile(r"\[([^\[\]\n]{0,500})\](?:\([^()\n]{0,2000}\)|\[[^\[\]\n]{0,100}\])")
_URL = re.compile(r"\b(?:https?|ftp)://[^\s<>\"')\]]+|\bwww\.[^\s<>\"')\]]+", re.IGNORECASE)
_INLINE_CODE = re.compile(r"(?<!`)(`{1,2})(?!`)[^`\n]{1,500}\1(?!`)")
_TAG = re.compile(r"</?[a-zA-Z][^<>\n]{0,1000}>")
_EMPHASIS = re.compile(r"(?<!\w)[*_~]{1,3}(?=\S)|(?<=\S)[*_~]{1,3}(?!\w)")
_SPACES = re.compile(r"[^\S\n]+")
_HTML_CODE = "pre, code, script, style, template, blockquote, img, table"
_HTML_BREAKS = "p, br, li, h1, h2, h3, h4, h5, h6, div"


def clean_body(source: str, body: str | None) -> str:
    """Reduce a post's body to its prose, on as few lines as it has paragraphs.

    GitHub (Markdown): without fenced and inline code, log lines and stack traces, HTML comments,
    headings, checklists, images, tables, ``<details>``, environment blocks. Reddit (Markdown) and
    Hacker News (HTML): without quotes, signatures, "edit:" trails, code. Stack Overflow (HTML):
    without code and quotes. Everywhere: without URLs and control characters, and with e-mail
    addresses and credentials redacted.

    Args:
        source: ``github``, ``stackoverflow``, ``reddit`` or ``hackernews``; of any other source
            the text is only redacted and stripped of control characters.
        body: The body as bronze keeps it; ``None`` counts as empty.

    Returns:
        Clean text, possibly ``""``. Never raises on any text.
    """
    if not body or body.strip() in _REMOVED:
        return ""
    text = _NEWLINE.sub("\n", body[:MAX_BODY_CHARS])
    # Redacted first, while a credential still stands next to the name that gives it away.
    text = redact(_CONTROL.sub("", text))
    return _squeeze(redact(_CLEANERS.get(source, _unchanged)(text)))


def clean_title(source: str, title: str | None) -> str:
    """Reduce a title to one line of plain, redacted text.

    Stack Overflow's titles come HTML-escaped and are unescaped; the others are left as written.
    """
    text = html.unescape(title or "") if source == "stackoverflow" else title or ""
    return " ".join(redact(_CONTROL.sub("", text[:MAX_BODY_CHARS])).split())


def snippet(text: str, max_chars: int = 200) -> str:
    """Cut clean text to one line of at most ``max_chars`` characters, at a word if possible."""
    line = " ".join(text.split())
    if len(line) <= max_chars:
        return line
    cut = line[: max_chars - 1]
    return (cut.rsplit(" ", 1)[0] if " " in cut[max_chars // 2 :] else cut).rstrip() + "…"


def _unchanged(text: str) -> str:
    return text


def _github(text: str) -> str:
    for opening, closing in (("<!--", "-->"), ("<details", "</details>")):
        text = _without_spans(text, opening, closing)
    lines = (
        line
        for line in _outside_fences(text.split("\n"))
        if not (
            _HEADING.match(line)
            or _BOLD_HEADING.match(line)
            or _CHECKBOX.match(line)
            or _TABLE_ROW.match(line)
            or _RULE.match(line)
            or _QUOTE.match(line)
            or _ENVIRONMENT.match(line)
            or _LOG.match(line)
        )
    )
    return _without_inline_markup("\n".join(_outside_indented_code(lines)))


def _reddit(text: str) -> str:
    lines = _outside_indented_code(_outside_fences(text.split("\n")))
    return _without_inline_markup(_conversation(lines))


def _hackernews(text: str) -> str:
    return _URL.sub(" ", _conversation(_html_to_text(text).split("\n")))


def _stackoverflow(text: str) -> str:
    return _URL.sub(" ", _html_to_text(text))


_CLEANERS: dict[str, Callable[[str], str]] = {
    "github": _github,
    "stackoverflow": _stackoverflow,
    "reddit": _reddit,
    "hackernews": _hackernews,
}


def _without_spans(text: str, opening: str, closing: str) -> str:
    """Drop everything from each opening to its closing mark, or to the end; case is ignored."""
    lowered = text.lower()
    if len(lowered) != len(text):  # a letter whose lower case is longer
        lowered = text
    kept, position = [], 0
    while (start := lowered.find(opening, position)) >= 0:
        kept.append(text[position:start])
        end = lowered.find(closing, start)
        if end < 0:
            return " ".join(kept)
        position = end + len(closing)
    kept.append(text[position:])
    return " ".join(kept)


def _outside_fences(lines: list[str]) -> list[str]:
    kept, fence = [], ""
    for line in lines:
        mark = _FENCE.match(line)
        if not fence and mark and "`" not in line[mark.end() :]:
            fence = mark.group(1)
        elif not fence:
            kept.append(line)
        elif mark and mark.group(1).startswith(fence) and not line[mark.end() :].strip():
            fence = ""
    return kept


def _outside_indented_code(lines: "list[str] | object") -> list[str]:
    """Drop blocks indented by four spaces that follow a blank line and are no list items."""
    kept: list[str] = []
    after_blank, in_code = True, False
    for line in lines:  # type: ignore[attr-defined]
        indented = bool(_INDENTED_CODE.match(line)) and not _LIST_ITEM.match(line)
        in_code = indented and (in_code or after_blank)
        after_blank = not line.strip()
        if not in_code:
            kept.append(line)
    return kept


def _conversation(lines: list[str]) -> str:
    """Drop quotes, "edit:" paragraphs and whatever follows a signature mark."""
    kept, in_edit = [], False
    for number, line in enumerate(lines):
        if _SIGNATURE.match(line) and _is_tail(lines[number + 1 :]):
            break
        if not line.strip():
            in_edit = False
        elif _EDIT.match(line):
            in_edit = True
        if not in_edit and not _QUOTE.match(line) and not _RULE.match(line):
            kept.append(line)
    return "\n".join(kept)


def _is_tail(lines: list[str]) -> bool:
    """Whether this is short enough to be a signature rather than the next part of the post."""
    said = [line for line in lines if line.strip()]
    return len(said) <= 4 and sum(map(len, said)) <= 300


def _without_inline_markup(text: str) -> str:
    text = _IMAGE.sub(" ", _INLINE_CODE.sub(" ", text))
    text = _URL.sub(" ", _LINK.sub(r"\1", text))
    text = _EMPHASIS.sub("", _TAG.sub(" ", text))
    return "\n".join(_without_bullet(line) for line in html.unescape(text).split("\n"))


def _without_bullet(line: str) -> str:
    bullet = _LIST_ITEM.match(line)
    return line[bullet.end() :] if bullet else line


def _html_to_text(text: str) -> str:
    tree = LexborHTMLParser(text)
    if tree.body is None:
        return ""
    for node in tree.css(_HTML_CODE):
        node.replace_with(" ")
    for node in tree.css(_HTML_BREAKS):
        node.insert_before("\n")
    return _CONTROL.sub("", tree.body.text())


def _squeeze(text: str) -> str:
    lines = (_SPACES.sub(" ", line).strip() for line in text.split("\n"))
    return "\n".join(line for line in lines if line)
