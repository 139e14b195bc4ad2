"""Turns what somebody wants to say into the markup of the place where they say it."""

import html
import random
import re
from dataclasses import dataclass
from typing import Literal

from issue_pipeline.sandbox.world.slots import SlotFiller


@dataclass(frozen=True, slots=True)
class Draft:
    """A post before it is dressed: plain text, slots filled.

    Attributes:
        paragraphs: At least one, in order.
        artifact: A log or code to show, or ``None``.
        kind: ``report``, ``notice`` (a bot's) or ``chatter``; templates are for reports.
    """

    paragraphs: tuple[str, ...]
    artifact: str | None
    kind: Literal["report", "notice", "chatter"]


REMOVED = "[removed]"
"""What Reddit shows in place of a text that a moderator took away."""


def dress(source: str, draft: Draft, slots: SlotFiller, rng: random.Random) -> str:
    """Return the body of a post in its source's own markup.

    Args:
        source: ``github``, ``stackoverflow``, ``reddit`` or ``hackernews``.
        draft: What to say.
        slots: The post's own values (its operating system, its version).
        rng: The post's own generator.

    Raises:
        KeyError: The source is not one of the four.
    """
    dressers = {
        "github": _github,
        "stackoverflow": _stackoverflow,
        "reddit": _reddit,
        "hackernews": _hackernews,
    }
    return dressers[source](draft, slots, rng)


# --- GitHub: Markdown, usually the repository's issue template -----------------------------------

_TEMPLATE_HEADINGS = (
    ("### Describe the bug", "### What did you try?", "### Logs", "### Environment"),
    ("**What happened?**", "**Anything else?**", "**Relevant log output**", "**Your setup**"),
    ("## Summary", "## Additional context", "## Output", "## Versions"),
    ("### Current behaviour", "### Notes", "### Error message", "### System info"),
)
_TEMPLATE_COMMENTS = (
    "<!-- Thanks for taking the time to fill in this report! -->",
    "<!--\nPlease search the existing issues first.\nReports without a log are closed.\n-->",
    "<!-- A clear and concise description, please. -->",
)
_CHECKLIST = (
    "- [x] I have searched the existing issues",
    "- [x] I am on the latest release",
    "- [ ] I would be willing to send a pull request",
    "- [x] I agree to the code of conduct",
)
_MENTIONS = ("@maintainers", "@triage-team", "@quiet-otter", "@core-devs")


def _github(draft: Draft, slots: SlotFiller, rng: random.Random) -> str:
    shape = rng.random()
    if draft.kind == "report" and shape < 0.45:
        return _github_template(draft, slots, rng)
    parts = list(draft.paragraphs)
    if draft.artifact:
        parts.insert(rng.randint(1, len(parts)), _folded_or_fenced(draft.artifact, rng))
    if draft.kind == "report" and shape < 0.7:
        parts.append(_environment(slots, rng))
    if draft.kind != "notice" and rng.random() < 0.15:
        parts.append(f"{rng.choice(_MENTIONS)} could you have a look?")
    if draft.kind == "chatter" and rng.random() < 0.3:
        parts.append("- [x] write it down\n- [ ] ask around\n- [ ] decide")
    if rng.random() < 0.08:
        parts.append("![image](https://images.example/assets/shot.png)")
    return "\n\n".join(parts)


def _github_template(draft: Draft, slots: SlotFiller, rng: random.Random) -> str:
    what, more, logs, setup = rng.choice(_TEMPLATE_HEADINGS)
    parts = [what, rng.choice(_TEMPLATE_COMMENTS), draft.paragraphs[0]]
    parts += [more, *(draft.paragraphs[1:] or ("_No response_",))]
    if draft.artifact:
        parts += [logs, _folded_or_fenced(draft.artifact, rng)]
    parts += [setup, _environment(slots, rng)]
    if rng.random() < 0.6:
        parts += ["### Checklist", "\n".join(rng.sample(_CHECKLIST, 3))]
    line_end = "\r\n" if rng.random() < 0.3 else "\n"  # GitHub's own form sends CRLF
    return "\n\n".join(parts).replace("\n", line_end)


def _folded_or_fenced(artifact: str, rng: random.Random) -> str:
    fence = f"```{rng.choice(('', '', 'text', 'shell', 'console'))}\n{artifact}\n```"
    if rng.random() < 0.25:
        return f"<details>\n<summary>Full output</summary>\n\n{fence}\n\n</details>"
    return fence


def _environment(slots: SlotFiller, rng: random.Random) -> str:
    lines = [f"- OS: {slots.value('os')}", f"- Version: {slots.value('version')}"]
    lines.append(f"- {rng.choice(('Browser', 'Client'))}: {slots.value('browser')}")
    if rng.random() < 0.2:
        return "| what | value |\n| --- | --- |\n" + "\n".join(
            "| {} | {} |".format(*line.removeprefix("- ").split(": ")) for line in lines
        )
    return "\n".join(lines[: rng.randint(2, 3)])


# --- Stack Overflow: HTML as the API gives it ----------------------------------------------------

_SO_ENDINGS = (
    "Any help is appreciated.", "What am I missing?", "Is there a proper way to do this?",
    "Thanks in advance!", "How do others deal with this?",
)  # fmt: skip


def _stackoverflow(draft: Draft, slots: SlotFiller, rng: random.Random) -> str:
    parts = [f"<p>{_so_inline(text)}</p>" for text in draft.paragraphs]
    if draft.artifact:
        code = f"<pre><code>{html.escape(draft.artifact, quote=False)}\n</code></pre>"
        if rng.random() < 0.3:
            code = code.replace("<pre>", '<pre class="lang-none prettyprint-override">', 1)
        parts.insert(rng.randint(1, len(parts)), code)
    if draft.kind == "report" and rng.random() < 0.25:
        items = (slots.value("language"), slots.value("os"), f"version {slots.value('version')}")
        parts.append("<ul>\n" + "\n".join(f"<li>{item}</li>" for item in items) + "\n</ul>")
    if rng.random() < 0.35:
        parts.append(f"<p>{rng.choice(_SO_ENDINGS)}</p>")
    if rng.random() < 0.1:
        parts.append("<p><strong>EDIT</strong>: the suggested duplicate does not help me.</p>")
    if rng.random() < 0.08:
        quoted = "<p>Please show a minimal example.</p>"
        parts.insert(1, f"<blockquote>\n{quoted}\n</blockquote>")
    return "\n".join(parts) + "\n"


def _so_inline(text: str) -> str:
    """Escape as the API does (quotes stay) and mark names with underscores as code."""
    escaped = html.escape(text, quote=False)
    return re.sub(r"\b([a-z]+(?:_[a-z]+)+)\b", r"<code>\1</code>", escaped)


# --- Reddit: Markdown, chatty --------------------------------------------------------------------

_GREETINGS = ("Hi all,", "Hey folks,", "Long time lurker, first post.", "Throwaway for reasons.")
_QUOTES = (
    "> have you tried turning it off and on again", "> works for me",
    "> this gets asked every week",
)  # fmt: skip
_EDITS = (
    "EDIT: wow, thanks for all the answers", "EDIT: formatting", "Edit 2: no, restarting is no fix",
    "edit: typo",
)  # fmt: skip
_SIGNATURES = (
    "---\nsent from my phone, sorry for typos",
    "--\ncheers from {city}",
    "---\n{person}, {company}",
)


def _reddit(draft: Draft, slots: SlotFiller, rng: random.Random) -> str:
    parts = list(draft.paragraphs)
    if draft.artifact:
        parts.insert(rng.randint(1, len(parts)), _reddit_code(draft.artifact, rng))
    if rng.random() < 0.15:
        parts.insert(rng.randint(1, len(parts)), rng.choice(_QUOTES))
    if rng.random() < 0.2:
        parts.insert(0, rng.choice(_GREETINGS))
    if rng.random() < 0.12:
        parts.append(slots.fill(rng.choice(_SIGNATURES)))
    if rng.random() < 0.12:
        parts.append(rng.choice(_EDITS))
    return "\n\n".join(parts)


def _reddit_code(artifact: str, rng: random.Random) -> str:
    if rng.random() < 0.5:
        return f"```\n{artifact}\n```"
    return "\n".join(f"    {line}" for line in artifact.splitlines())


# --- Hacker News: a small HTML of its own --------------------------------------------------------

_HN_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;", "/": "&#x2F;"}
_URL = re.compile(r"https?://[^\s<>\"']+")


def _hackernews(draft: Draft, slots: SlotFiller, rng: random.Random) -> str:
    parts = [_hn_inline(text) for text in draft.paragraphs]
    if draft.artifact:
        code = "\n".join(f"  {line}" for line in draft.artifact.splitlines())
        parts.insert(rng.randint(1, len(parts)), f"<pre><code>{_hn_escape(code)}\n</code></pre>")
    if rng.random() < 0.1:
        parts.append(_hn_inline("> Have you considered that this is by design?"))
        parts.append(_hn_inline("I have, and it is not."))
    if rng.random() < 0.15:
        page = f"https://notes.example/{slots.value('city').lower()}/{rng.randint(1, 999)}"
        parts.append(_hn_inline(f"More here: {page}"))
    if rng.random() < 0.1:
        parts.append(_hn_inline(f"--\n{slots.value('person')}"))
    # The first paragraph has no tag and no paragraph is closed; that is how the site does it.
    return "<p>".join(parts)


def _hn_inline(text: str) -> str:
    pieces: list[str] = []
    end = 0
    for match in _URL.finditer(text):
        address = _hn_escape(match.group())
        pieces.append(_hn_escape(text[end : match.start()]))
        pieces.append(f'<a href="{address}" rel="nofollow">{address}</a>')
        end = match.end()
    return "".join([*pieces, _hn_escape(text[end:])])


def _hn_escape(text: str) -> str:
    return "".join(_HN_ENTITIES.get(character, character) for character in text)


# --- Titles --------------------------------------------------------------------------------------

_GITHUB_PREFIXES = ("[Bug] ", "[Bug]: ", "bug: ", "[BUG] ")


def dress_title(source: str, channel: str, title: str, is_report: bool, rng: random.Random) -> str:
    """Return the title with the habits of its source; titles that differ stay different."""
    match source:
        case "github" if is_report and rng.random() < 0.25:
            return rng.choice(_GITHUB_PREFIXES) + title
        case "hackernews" if channel == "ask_hn":
            return f"Ask HN: {title}"
        case "hackernews" if channel == "show_hn":
            return f"Show HN: {title}"
        case "reddit" if rng.random() < 0.2:
            return title.lower()
        case _:
            return title
