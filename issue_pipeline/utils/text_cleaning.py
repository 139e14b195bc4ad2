"""From a post's markup to what its author said: one cleaner per source.

Code, logs, quotes, templates and signatures say how a post is built, not what it is about, and
posts would be grouped by them. Every step is linear in the length of the text.
"""

import html
import re
from collections.abc import Callable

from issue_pipeline.utils.cleaning.conversation import (
    has_quotes,
    is_courtesy,
    unquoted,
    with_alerts,
    without_conversation,
    without_mail_headers,
    without_quotes,
    without_spoiler_marks,
)
from issue_pipeline.utils.cleaning.html_text import html_to_text
from issue_pipeline.utils.cleaning.issue_templates import too_short_for_a_form, without_template
from issue_pipeline.utils.cleaning.lines import plain_line
from issue_pipeline.utils.cleaning.log_lines import without_machine_lines
from issue_pipeline.utils.cleaning.markdown_text import (
    with_short_spaces,
    without_blocks,
    without_hidden,
    without_links,
    without_urls,
)
from issue_pipeline.utils.cleaning.redaction import redact
from issue_pipeline.utils.cleaning.shared_headings import Headings
from issue_pipeline.utils.printable import UNSEEN

# Models and pages read the beginning; nobody needs the rest of a 10 MB log.
MAX_BODY_CHARS = 100_000
_MAX_WORD_CHARS = 1000
# Markup within markup shows only when the outer one is gone.
_MAX_PASSES = 3

_REMOVED = frozenset({"[removed]", "[deleted]", "[removed by reddit]"})
_FOREIGN_SPACE = re.compile(r"[^\S\n ]")
_SPACES = re.compile(r"[^\S\n]+")
# No word, or only such as are left of a sentence that was mostly code.
_SAYS_NOTHING = re.compile(
    r"(?:[\W\d_]*+(?:a|an|and|as|at|but|by|e\.g|for|from|here|i\.e|if|in|is|of|on|or|so|the|then|to"
    r"|vs|with)\b)*+[\W\d_]*+$",
    re.IGNORECASE,
)
# The API's HTML opens with a block; what does not is the Markdown that authors type.
_HTML_BODY = re.compile(
    r"\s*(?:<!--[^\n]*?-->\s*)?<(?:p|pre|h[1-6]|ul|ol|blockquote|div|hr|table|details|dl)\b",
    re.IGNORECASE,
)
# "[BUG]", "[Feature request]:", "Bug: ": what a form puts before every title
_KIND = (
    r"(?:bug|feature|enhancement|question|help|docs?|documentation|rfc|rfe|proposal|idea|suggestion"
    r"|discussion|request|report|issue|task|regression)s?"
)
_TITLE_KIND = re.compile(
    rf"(?:[\[(【](?:[\w.-]+ ){{0,2}}{_KIND}[\])】]\s?+[:：-]?+"
    rf"|(?:{_KIND} )?{_KIND}\s?[:：])\s*+(?=\S)",
    re.IGNORECASE,
)


def clean_body(source: str, body: str | None, headings: Headings = frozenset()) -> str:
    """Reduce a post's body to its prose, on as few lines as it has paragraphs.

    GitHub (Markdown): without code, logs and stack traces, HTML comments, headings, checklists,
    images, tables, ``<details>``, environment blocks and what templates ask. Reddit (Markdown):
    without code, logs, tables, quotes, signatures and "edit:" trails. Hacker News (HTML): without
    code, quotes, signatures and "edit:" trails. Stack Overflow (HTML, or Markdown where the body
    does not open with a tag): without code, logs, tables and quotes. From all of them go URLs,
    e-mail headers, greetings, and lines without a word; everywhere e-mail addresses and
    credentials are redacted and control characters dropped.

    Args:
        source: ``github``, ``stackoverflow``, ``reddit``, ``hackernews``, or one that
            :func:`clean_as` was called for; of any other source the text is only redacted and
            stripped of control characters and needless space.
        body: The body as bronze keeps it, of which the first 100,000 characters are read; ``None``
            counts as empty.
        headings: What the day's posts share as headings, of
            :func:`~issue_pipeline.utils.cleaning.shared_headings.shared_headings`: a form's
            questions, which go however long they are. Without them only those of a form's usual
            shape go.

    Returns:
        Clean text, possibly ``""``. Never raises on any text.
    """
    if not body or body.strip().lower() in _REMOVED:
        return ""
    text = _without_controls(_beginning(body))
    # Redacted first, while a credential still stands next to the name that gives it away.
    return _squeeze(redact(_CLEANERS.get(cleaned_as(source), _unchanged)(redact(text), headings)))


def clean_as(source: str, like: str) -> None:
    """Register how the texts of another source are cleaned in this process.

    Args:
        source: Its name.
        like: The source, one of the four, whose markup and habits its texts share; ``""`` for
            plain text.

    Raises:
        ValueError: ``like`` is none of these.
    """
    if like and like not in _CLEANERS:
        raise ValueError(f"cleaned as {like!r}; expected one of {', '.join(_CLEANERS)}, or none")
    _CLEANED_AS[source] = like


def clean_title(source: str, title: str | None) -> str:
    """Reduce a title to one line of plain, redacted text.

    Stack Overflow's titles come HTML-escaped and are unescaped. Marks of code go, their text
    stays; so does everything else but a form's kind of issue in front ("[Bug]: ").
    """
    text = _beginning(title or "")
    if cleaned_as(source) == "stackoverflow":
        text = html.unescape(text)
    line = " ".join(redact(_without_controls(text).replace("`", "")).split())
    kind = _TITLE_KIND.match(line)
    return line[kind.end() :] if kind else line


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
    """Leave no control characters, one kind of line break, and spaces as the only other space."""
    text = UNSEEN.sub("", "\n".join(text.splitlines())).replace("\t", "    ")
    if not text.isascii():
        text = _FOREIGN_SPACE.sub(" ", text)
    return with_short_spaces(text)


def _unchanged(text: str, _headings: Headings) -> str:
    return text


def _github(text: str, headings: Headings) -> str:
    def select(lines: list[str]) -> list[str]:
        lines = with_alerts(lines)
        said = _without_form(lines, headings)
        if _says_nothing(said) and has_quotes(lines):
            said = _without_form(unquoted(lines), headings)
        if _says_nothing(said):
            return without_machine_lines(too_short_for_a_form(lines, headings))
        return said

    return _markdown(text, select)


def _without_form(lines: list[str], headings: Headings) -> list[str]:
    return without_machine_lines(without_template(without_mail_headers(lines), headings))


def _says_nothing(lines: list[str]) -> bool:
    return all(map(_SAYS_NOTHING.match, lines))


def _reddit(text: str, _headings: Headings) -> str:
    return _markdown(text, _reddit_lines)


def _reddit_lines(lines: list[str]) -> list[str]:
    lines = without_spoiler_marks(lines)
    said = without_machine_lines(without_conversation(lines))
    if _says_nothing(said) and has_quotes(lines):
        return without_machine_lines(without_conversation(unquoted(lines)))
    return said


def _hackernews(text: str, _headings: Headings) -> str:
    return _prose(without_conversation(_html_lines(text)))


def _stackoverflow(text: str, _headings: Headings) -> str:
    if _HTML_BODY.match(text):
        return _prose(without_machine_lines(_html_lines(text)))
    return _markdown(text, _stackoverflow_lines)


def _stackoverflow_lines(lines: list[str]) -> list[str]:
    return without_machine_lines(without_quotes(without_spoiler_marks(lines)))


_CLEANERS: dict[str, Callable[[str, Headings], str]] = {
    "github": _github,
    "stackoverflow": _stackoverflow,
    "reddit": _reddit,
    "hackernews": _hackernews,
}
# Further sources, each with the one of these whose texts are like its own.
_CLEANED_AS: dict[str, str] = {}


def cleaned_as(source: str) -> str:
    """Return the source whose rules clean the texts of a source."""
    return _CLEANED_AS.get(source, source)


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
    # Addresses leave their spaces: many in a row leave a long run.
    return with_short_spaces(without_urls(_without_controls(html_to_text(text)))).split("\n")


def _prose(lines: list[str]) -> str:
    """Join the lines that have a word and are more than a greeting."""
    squeezed = (_SPACES.sub(" ", line).strip() for line in lines)
    return "\n".join(
        line for line in squeezed if not (_SAYS_NOTHING.match(line) or is_courtesy(line))
    )


def _squeeze(text: str) -> str:
    lines = (_SPACES.sub(" ", line).strip() for line in text.split("\n"))
    return "\n".join(line for line in lines if line)
