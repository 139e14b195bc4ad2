"""Each source's markup looks as the real one's does."""

import html
import random
import re

import pytest

from issue_pipeline.sandbox.world.dressing import Draft, dress, dress_title
from issue_pipeline.sandbox.world.slots import SlotFiller

DRAFT = Draft(
    ("It's <b>broken</b> & I am at http://a.example/x?y=1", "Called do_the_thing twice."),
    'if a < b:\n    raise Error("no")',
    "report",
)


def dressed(source: str, draft: Draft = DRAFT, count: int = 300) -> list[str]:
    bodies: list[str] = []
    for seed in range(count):
        rng = random.Random(seed)
        bodies.append(dress(source, draft, SlotFiller(rng), rng))
    return bodies


def share_with(bodies: list[str], pattern: str) -> float:
    return sum(re.search(pattern, body) is not None for body in bodies) / len(bodies)


def test_github_reports_carry_what_real_issues_are_full_of() -> None:
    bodies = dressed("github")
    for pattern in (
        r"(?m)^### Describe the bug\r?$",
        r"<!--[^>]*-->",
        r"(?m)^- \[x\] ",
        r"```\w*\r?\nif a < b:\r?\n    raise",
        r"<details>\r?\n<summary>",
        r"(?m)^- OS: ",
        r"(?m)^\| OS \| ",
        r"(?m)^@[\w-]+ could you",
        r"!\[image\]\(https://",
    ):
        assert 0.01 < share_with(bodies, pattern) < 1.01, pattern
    assert share_with(bodies, r"\r\n") < share_with(bodies, r"\n")


def test_github_fences_are_closed() -> None:
    for body in dressed("github"):
        assert body.count("```") in (0, 2)


def test_chatter_on_github_fills_no_bug_template() -> None:
    bodies = dressed("github", Draft(("Nice.",), None, "chatter"))
    assert share_with(bodies, r"Describe the bug|OS: |<!--") == 0


def test_stackoverflow_bodies_are_html_with_escaped_text_and_code() -> None:
    bodies = dressed("stackoverflow")
    for body in bodies:
        assert body.startswith("<p>")
        assert "It's &lt;b&gt;broken&lt;/b&gt; &amp; I am" in body
        assert '<code>if a &lt; b:\n    raise Error("no")\n</code></pre>' in body
        assert "<code>do_the_thing</code>" in body
    assert 0 < share_with(bodies, "<blockquote>") < 0.5
    assert 0 < share_with(bodies, '<pre class="lang-none') < 0.9
    assert 0 < share_with(bodies, r"<ul>\n<li>") < 0.9


def test_reddit_bodies_are_markdown_with_quotes_signatures_and_edits() -> None:
    bodies = dressed("reddit")
    for pattern in (
        r"(?m)^> \w",
        r"\n\n---?\n\w",
        r"(?i)\n\nedit",
        r"(?m)^    if a < b:$",
        r"```\nif a < b:",
        r"(?m)^Hi all,$",
    ):
        assert 0.01 < share_with(bodies, pattern) < 0.9, pattern


def test_hackernews_bodies_have_the_sites_entities_links_and_paragraphs() -> None:
    bodies = dressed("hackernews")
    for body in bodies:
        assert body.startswith("It&#x27;s &lt;b&gt;broken&lt;&#x2F;b&gt; &amp; I am at <a href=")
        link = '<a href="http:&#x2F;&#x2F;a.example&#x2F;x?y=1" rel="nofollow">'
        assert link in body
        assert "</p>" not in body
        assert "<p>" in body
        assert "<pre><code>  if a &lt; b:\n      raise Error(&quot;no&quot;)\n</code></pre>" in body
    assert 0 < share_with(bodies, r"<p>&gt; ") < 0.5


def test_html_of_hackernews_unescapes_to_what_was_said() -> None:
    body = dressed("hackernews", Draft(('It\'s 5 > 4 / "3" & 2 < 3',), None, "chatter"), 1)[0]
    assert html.unescape(body).startswith('It\'s 5 > 4 / "3" & 2 < 3')


def test_an_unknown_source_is_an_error() -> None:
    with pytest.raises(KeyError, match="usenet"):
        dressed("usenet", count=1)


def test_titles_get_the_habits_of_their_source() -> None:
    def titles(source: str, channel: str) -> set[str]:
        return {
            dress_title(source, channel, "The Till jams", True, random.Random(i)) for i in range(99)
        }

    assert titles("hackernews", "ask_hn") == {"Ask HN: The Till jams"}
    assert titles("hackernews", "show_hn") == {"Show HN: The Till jams"}
    assert titles("hackernews", "story") == {"The Till jams"}
    assert titles("stackoverflow", "git") == {"The Till jams"}
    assert titles("reddit", "vim") == {"The Till jams", "the till jams"}
    assert titles("github", "a/b") > {"The Till jams", "[Bug] The Till jams"}
