"""What each source's cleaner drops, and what it must leave."""

import gzip
import json
from pathlib import Path

import pytest

from issue_pipeline.utils.text_cleaning import clean_body, clean_title, snippet
from issue_pipeline_tests.support.runaway import LONG_TEXT_CHARS, stopped_if_it_runs_away

CORPORA = Path(__file__).parents[3] / "shared" / "data" / "corpora"
SOURCES = ("github", "stackoverflow", "reddit", "hackernews")
MARKDOWN_SOURCES = ("github", "reddit")
SAID = "The export stops after the first page."


def corpus_bodies(name: str) -> list[str]:
    path = CORPORA / f"{name}.jsonl.gz"
    if not path.exists():
        pytest.skip(f"no corpus {path.name} in ../shared/data/corpora")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        bodies = [json.loads(line)["body"] for line in lines]
    return [body for body in bodies if body]


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("body", [None, "", " \n ", "[removed]", "[deleted]"])
def test_a_body_that_says_nothing_is_empty(source, body):
    assert clean_body(source, body) == ""


@pytest.mark.parametrize("source", [*SOURCES, "elsewhere"])
def test_plain_prose_stays_as_it_is(source):
    assert clean_body(source, SAID) == SAID


@pytest.mark.parametrize("source", MARKDOWN_SOURCES)
@pytest.mark.parametrize(
    "code",
    [
        "```python\nprint(1)\n```",
        "~~~\nlet it be text\n~~~",
        "````\n```\ninner words\n```\n````",
        "    for these words are indented\n    so are these",
        "| a | b |\n|---|---|\n| one | two |",
        "one | two\n--- | ---\nthree | four",
        "![a screenshot](https://x.example/a.png)",
        "[docs]: https://x.example/docs",
    ],
)
def test_code_tables_and_images_go(source, code):
    assert clean_body(source, f"{SAID}\n\n{code}\n\nReally.") == f"{SAID}\nReally."


def test_a_fence_that_nobody_closed_hides_the_rest():
    assert clean_body("github", f"{SAID}\n```\nsome words of a log") == SAID


def test_a_fence_closed_at_the_end_of_a_line_of_code_is_closed():
    assert clean_body("github", f"```\nfoo()```\n{SAID}") == SAID


def test_inline_code_goes_and_the_sentence_around_it_stays():
    assert (
        clean_body("github", "Calling `do_it()` never returns here.")
        == "Calling never returns here."
    )


def test_a_comment_mark_within_code_hides_nothing():
    assert clean_body("github", f"The mark `<!--` is not closed. {SAID}").endswith(SAID)


def test_a_paragraph_within_a_list_is_not_code():
    assert clean_body("github", f"1. Open the file.\n\n    {SAID}") == f"Open the file.\n{SAID}"


@pytest.mark.parametrize(
    "template",
    [
        "<!-- please search\nfirst -->",
        "### Steps to reproduce",
        "**Describe the bug**",
        "- [x] I searched the existing issues",
        "- [ ] I agree to the code\n      of conduct",
        "<details><summary>Log</summary>many words <details>in</details> here</details>",
        "_No response_",
        "Steps to Reproduce:",
        "- OS: Windows 11",
        "- **Browser version:** Firefox 128",
        "- `pandas` version: 2.1",
        "OpenCV => 4.8",
        "A clear and concise description of what the bug is.",
        "Are you willing to contribute it (Yes/No): No",
        "See https://x.example/rules",
        "Repository of the parts: https://x.example/parts",
        "> quoted words of somebody else",
        "**Which keywords did you search for?** (If any, answer there.):",
        "* **Version (or commit\n    if built from source)**: 12",
        "- Build command (if compiling from source): make",
        "- How installed [e.g. snap, setup]",
        "_What type of machine (desktop, laptop)_",
        "_Thanks for telling us. Please delete\nthis text._",
        "<em>Please make sure that it is a bug.</em>",
        "<h3>Steps to reproduce</h3>",
        "Does it happen in the nightly build? Yes",
        "Did it work before?\nNo",
        "- Screen: 12\n- Editor: vim\n- Core: 2.3.1\n- Model: 4.5",
        "Ubuntu 22.04",
        "Fixes #12 and #13",
        "cc @ann, @bob",
        "/kind bug",
        "Paste your output here",
        "Before opening an issue, search the existing ones.",
        "To help us fix your bug, please add the version.",
        "OS: ubuntu linux 22.04",
        "Platform: google colab",
        "Include any logs or source code that would help.",
        "Please provide the commit if you found a bug.",
        "Please read the policy before you file issues.\nThe form is a must.\n\n-----",
    ],
)
def test_a_templates_text_goes(template):
    assert clean_body("github", f"{template}\n\n{SAID}") == SAID


@pytest.mark.parametrize(
    "said",
    [
        "**This defeats the purpose of the cache, which is speed.**",
        "### During the build I get this message from the linker",
        "_This only happens on the second screen._",
        "Please add an option to hide the toolbar.",
        "Is there a way to hide it?",
        "Add a button to the page of the editor",
        "Search for the bug, and the box of results is black.",
        "It fails in some programs (e.g. the editor): nothing is saved after that.",
        "The corpus of speech (CORSP)",
        "- run the tests\n- run the linter\n- run the build\n- run the editor",
    ],
)
def test_what_only_looks_like_a_template_stays(said):
    clean = clean_body("github", f"{SAID}\n\n{said}").split("\n")[1:]
    assert clean == [line.strip("*#_- ") for line in said.split("\n")]


@pytest.mark.parametrize(
    "request_",
    [
        "Please use your own pool of threads instead of the global one.",
        "Please keep the old door; you should warn before you close it.",
        "Please consider larger letters, your readers are old.",
        "Please read the list lazily instead of all at once.",
        "Include the full path in each message",
        "Describe the columns in the table of results.",
        "If you open two windows, please use two colours.",
        "OS: I tried two of them and both fail",
        "Before you close the window, it must save.",
        "Before opening the file, the editor hangs.",
        "To help us debug, the logs should be clearer.",
        "Browser: crashes in Firefox only",
        "Python: segfault on import",
        "Build: fails on ARM",
        "Memory: grows until killed",
    ],
)
def test_a_request_for_the_program_is_no_instruction(request_):
    assert clean_body("github", f"{SAID}\n\n{request_}") == f"{SAID}\n{request_}"


@pytest.mark.parametrize(
    "post",
    [
        "# The page jumps when a list opens",
        "# of pages is wrong in the list",
        "*The page jumps on start*",
        "_Reading is slow when the disk is nearly full_",
        "Does this work on a phone? No",
        "Print to a file (optional)",
        "# ページが開くと落ちてしまいます",
    ],
)
def test_a_post_of_one_line_is_no_template(post):
    assert clean_body("github", post) == post.strip("#*_ ")


@pytest.mark.parametrize(
    "form",
    [
        "### Describe the bug\n\n_No response_",
        "### Steps to reproduce\n\n### Version\n\n1.2\n\n### Anything else about the bug?",
    ],
)
def test_a_form_that_nobody_filled_in_is_empty(form):
    assert clean_body("github", form) == ""


def test_short_answers_to_a_forms_open_questions_stay():
    form = "### Bug description\n\nPages jump\n\n## Steps\n\nOpen it\n\n**Expected**\n\nNo jump"
    assert clean_body("github", form) == "Pages jump\nOpen it\nNo jump"


def test_a_section_on_the_environment_keeps_only_sentences():
    said = "It happens on every machine that we have."
    body = f"{SAID}\n### Environment\nnumpy 1.26 on a laptop\n{said}"
    assert clean_body("github", body) == f"{SAID}\n{said}"


def test_a_form_that_is_folded_whole_is_read():
    form = f"<details><summary>Open</summary>\n\n### Type\n\nBug\n\n### Text\n\n{SAID}\n</details>"
    assert clean_body("github", form).endswith(SAID)


def test_a_forms_choice_goes():
    body = f"### Issue type\n\nBug\n\n### Source\n\nbinary build\n\n### What happened?\n\n{SAID}"
    assert clean_body("github", body) == SAID


def test_a_bold_label_goes_and_its_text_stays():
    assert clean_body("github", f"- **Description:** {SAID}") == SAID


@pytest.mark.parametrize("source", MARKDOWN_SOURCES)
@pytest.mark.parametrize(
    "line",
    [
        "2026-03-10 12:00:01,123 worker stopped",
        "[12:00:01] worker stopped",
        "Mar 10 12:00:01 host sshd: closed",
        "ERROR [main] worker stopped",
        "E0310 12:00:01.000 main.go:12] stopped",
        "Traceback (most recent call last):",
        '  File "a.py", line 3, in run\n    go on here',
        "ValueError: not a number",
        "ValueError: The given number is not one of those.",
        "java.lang.IllegalStateException: closed",
        "    at com.example.Main.run(Main.java:12)",
        "    at Object.<anonymous> (/srv/app.js:1:2)",
        "Caused by: something deeper",
        "----> 1 model.fit(x, y)",
        "npm ERR! missing script",
        "[ 84%] Building CXX object a.o",
        "ld: error: undefined symbol",
        "checking for a compiler... yes",
        "abr 15 16:16:36 host systemd[1]: stopped",
        "10/03/2026 12:00:01 - INFO - stopped",
        "KeyError                 Traceback (most recent call last)",
        "  File /srv/app.py:12 in run",
        "Collecting numpy==1.2",
        "use asm    = no",
        "Set row = New Row(1, 2)",
        "!pip install arrow",
        "SELECT Customers.Name",
        "Person p = new Person();",
        "src/main.c:12:3: undeclared",
        "$ make install",
        "value = compute(a, b)",
        "import numpy as np",
        "if (x > 1) {",
        "#include <stdio.h>",
    ],
)
def test_a_machines_line_goes_without_a_fence(source, line):
    assert clean_body(source, f"{SAID}\n{line}\n\nReally.") == f"{SAID}\nReally."


@pytest.mark.parametrize("source", [*MARKDOWN_SOURCES, "stackoverflow"])
@pytest.mark.parametrize(
    "said",
    [
        "Error: no paper. What should I do?",
        "Warning: this breaks everything for people on old phones.",
        "TypeError: I get this every time I open a list",
        "[ERROR] What does this mean?",
        "make: the target is broken when spaces are in the path",
        "git clone fails behind a proxy",
    ],
)
def test_a_sentence_that_opens_like_a_log_stays(source, said):
    assert clean_body(source, said) == said


def test_a_sentence_among_the_lines_of_a_log_is_the_logs():
    log = "Error: this worker was stopped by the system.\nError: no disk\n[12:00:01] worker ended"
    assert clean_body("github", f"{SAID}\n\n{log}") == SAID


@pytest.mark.parametrize("source", MARKDOWN_SOURCES)
@pytest.mark.parametrize(
    "prose",
    [
        "At home (in Berlin) it works, at least sometimes.",
        "ERROR when I click on the button, every single time",
        "Update the driver: that did not help either",
        "Version two of the form has been broken since the last release and nobody answers",
        "In 2019 we had 5 users, now 300 (or so).",
        "I call foo_bar(x) and then baz.qux, which returns nothing at all",
        "導入後にアプリが2回落ちます。",
        "Приложение падает после обновления 2.1",
        "The price is <10 and >5 for most of us",
        "Use and/or to combine the filters",
        "Set x = 1 and it crashes",
    ],
)
def test_prose_is_not_taken_for_a_machines_line(source, prose):
    assert clean_body(source, prose) == prose


def test_a_links_text_stays_and_its_address_goes():
    body = "See [the *guide*](https://x.example/a_(b)) or <https://x.example> for more words."
    assert clean_body("reddit", body) == "See the guide or for more words."


def test_emphasis_escapes_and_entities_are_resolved():
    assert clean_body("reddit", r"**Very** _slow_ &amp; ~~fast~~ a\_b List&lt;String&gt;") == (
        "Very slow & fast a_b List<String>"
    )


def test_bullets_go_and_their_text_stays():
    assert clean_body("reddit", "* one thing\n  1. another thing\n- - third thing") == (
        "one thing\nanother thing\nthird thing"
    )


def paragraphs(source: str, *parts: str) -> str:
    """The parts as paragraphs in the source's own markup."""
    if source == "reddit":
        return "\n\n".join(parts)
    return "<p>".join(part.replace(">", "&gt;").replace("\n", "<br>") for part in parts)


@pytest.mark.parametrize("source", ["reddit", "hackernews"])
@pytest.mark.parametrize(
    "dropped",
    [
        "> what somebody else said",
        "EDIT: thanks to all of you",
        "Edit 2: solved it myself",
        "[edit] formatting of the list",
        "On Tue, Jan 5, 2026 at 10:00 AM, Ann wrote:",
        "From: Ann\nSubject: the export",
        "From: ann@example.org\nTo: Bob",
        "Sent from my iPhone",
        "Thanks in advance!",
    ],
)
def test_what_is_around_a_conversation_goes(source, dropped):
    assert clean_body(source, paragraphs(source, SAID, dropped, "Really.")) == f"{SAID}\nReally."


@pytest.mark.parametrize("source", ["reddit", "hackernews"])
@pytest.mark.parametrize(
    "said", ["EDIT the config file by hand does nothing", "From: Berlin\nTo: Paris"]
)
def test_what_only_looks_like_a_conversations_frame_stays(source, said):
    assert clean_body(source, paragraphs(source, SAID, said)) == f"{SAID}\n{said}"


@pytest.mark.parametrize("source", ["reddit", "hackernews"])
@pytest.mark.parametrize("before", [[], [SAID]])
def test_what_an_update_says_stays(source, before):
    parts = [*before, "Update: it came back"]
    assert clean_body(source, paragraphs(source, *parts)) == "\n".join(parts)


@pytest.mark.parametrize(
    "greeting", ["Hi all,", "hello r/printers", "Dear Ann", "hey folks!", "Hi printers!"]
)
def test_a_greeting_goes(greeting):
    assert clean_body("reddit", f"{greeting}\n\n{SAID}") == SAID


@pytest.mark.parametrize("said", ["hi my phone broken", "hey it stops constantly"])
def test_what_follows_a_greeting_stays(said):
    assert clean_body("reddit", said) == said


@pytest.mark.parametrize("source", ["reddit", "hackernews"])
@pytest.mark.parametrize("mark", ["--", "---", "-- "])
def test_a_signature_goes(source, mark):
    assert clean_body(source, paragraphs(source, SAID, f"{mark}\nAnn\nExample Ltd")) == SAID


@pytest.mark.parametrize(
    "more",
    ["Has anybody an idea?", "TL;DR: Exports Stop", "Any ideas on fixing", "It Stops Every Time."],
)
def test_a_rule_before_more_of_the_post_is_no_signature(more):
    assert clean_body("reddit", f"{SAID}\n\n---\n\n{more}") == f"{SAID}\n{more}"


def test_stack_overflow_keeps_text_and_drops_code():
    body = (
        f"<p>{SAID}</p><pre><code>y</code></pre><ul><li>a <code>x</code> List&lt;int&gt;</li></ul>"
    )
    assert clean_body("stackoverflow", body) == f"{SAID}\na List<int>"


def test_stack_overflow_keeps_a_less_than_sign_that_opens_no_tag():
    assert clean_body("stackoverflow", "<p>when a < b and c > d it fails</p>") == (
        "when a < b and c > d it fails"
    )


@pytest.mark.parametrize("source", [*SOURCES, "elsewhere"])
def test_addresses_and_credentials_are_redacted(source):
    clean = clean_body(source, "My login is ann@example.org with password: hunter2")
    assert clean == "My login is [email] with password: [secret]"


@pytest.mark.parametrize("source", SOURCES)
def test_an_address_that_markup_hides_is_redacted(source):
    assert clean_body(source, "Write to ann&#64;example.org now") == "Write to [email] now"


@pytest.mark.parametrize("source", SOURCES)
def test_a_credential_in_the_middle_of_the_cut_does_not_leak_its_first_half(source):
    body = "word " * 19_997 + "ghp_" + "a1B2" * 9
    assert "ghp_" not in clean_body(source, body)


def test_stack_overflows_own_markdown_is_cleaned_like_its_html():
    body = f"{SAID}\n\n<!-- js -->\n\n    let x;\n\n> quoted\n\n**Why** is `x` [so][1]?\n\n[1]: /y"
    assert clean_body("stackoverflow", body) == f"{SAID}\nWhy is so?"


def test_a_line_that_lost_all_but_its_joints_goes():
    assert clean_body("github", f"`a` and then `b`\n\n{SAID}") == SAID


def test_brackets_around_an_address_go_with_it():
    assert clean_body("hackernews", "We made Ink (https:&#x2F;&#x2F;x.example), sort() it.") == (
        "We made Ink, sort() it."
    )


def test_a_stack_overflow_title_is_unescaped():
    assert clean_title("stackoverflow", "Why is List&lt;T&gt;\n slow?") == "Why is List<T> slow?"


def test_another_sources_title_is_left_as_written():
    assert clean_title("reddit", "What is &lt; for?") == "What is &lt; for?"


@pytest.mark.parametrize("kind", ["[BUG]", "[Tools Bug]:", "Feature request: ", "[Question] -"])
def test_what_a_form_puts_before_a_title_goes(kind):
    assert clean_title("github", f"{kind} the `export` stops\x1b") == "the export stops"


@pytest.mark.parametrize(
    "title", ["[BUG]", "[Bug]:", "[MySQL] slow join", "Ask HN: why?", "TypeError: no"]
)
def test_any_other_beginning_of_a_title_stays(title):
    assert clean_title("github", title) == title


def test_a_snippet_ends_at_a_word_within_its_length():
    assert snippet("one two three\nfour", 12) == "one two…"


HOSTILE = [
    *("<!--", "![", "[", "[](", "[a][", " ", "\t", "`", "`a``", "```\n", ">", "<", "<b>", "<div>"),
    *(
        "<details>",
        "<pre>",
        "- ",
        "\n  - ",
        "1. ",
        "|",
        "a|b\n-|-\n",
        "a@",
        "a@a.",
        "token=",
        "--\n",
    ),
    *(
        "password='",
        "://a:",
        "http://a(",
        "\n",
        "\n    ",
        "a",
        "aB1",
        "eyJaaaaaaaaaaa.",
        "\\",
        "**a",
    ),
    *(
        "-----BEGIN PRIVATE KEY-----\n",
        "&",
        "at a.",
        "a b c: ",
        "edit: ",
        "From: a\n",
        "\x00",
        "\ud800",
    ),
    *(
        "a_",
        "---\n",
        "## a\n",
        "**a**\n",
        "yes ",
        "see ",
        "0x",
        '"',
        "From: ",
        "thanks and ",
        "é",
        "漢",
    ),
]


@pytest.mark.parametrize("source", SOURCES)
def test_a_megabyte_of_hostile_text_is_linear_work(source):
    for unit in [*HOSTILE, "".join(HOSTILE)]:
        with stopped_if_it_runs_away():
            clean_body(source, unit * (1_000_000 // len(unit)))


# What an expression runs over, and an end at which it has to go back.
HOSTILE_WITH_AN_END = [
    ("", "## ", "sudo x"),
    ("<p>", " http://a", " x y"),
    ("", "eyJ漢", "x"),
    ("at ", "/", "\nend"),
    ("at a (", ".", "x"),
    ("in a (", "at", "x"),
    ("a", "_", "b"),
    ("<", "a", " x"),
    ("Error: a b c d e f g h i j a", "]", ""),
    ("Error: this is what it said ", ")", "x"),
    ("bearer ", "a", ""),
    ("", "Summary" + "." * 60 + "x\n", ""),
    ("", "@a/" * 30 + "!x y\n", ""),
    ("", "#111" * 20 + "x y\n", ""),
]


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(("start", "unit", "end"), HOSTILE_WITH_AN_END)
def test_hostile_text_with_an_end_is_linear_work(source, start, unit, end):
    with stopped_if_it_runs_away():
        clean_body(source, start + unit * (LONG_TEXT_CHARS // len(unit)) + end)


@pytest.mark.parametrize("source", [*SOURCES, "elsewhere"])
def test_no_text_makes_it_raise(source):
    for first in HOSTILE:
        for second in HOSTILE:
            clean_body(source, (first + second) * 3 + "\n" + second)
            clean_title(source, first + second)


@pytest.mark.parametrize(
    ("source", "corpus"), [("github", "github_issues"), ("reddit", "reddit_posts")]
)
def test_cleaning_real_markdown_twice_is_cleaning_it_once(source, corpus):
    once = [clean_body(source, body) for body in corpus_bodies(corpus)[::4]]
    changed = sum(clean_body(source, text) != text for text in once)
    assert changed <= len(once) / 1000
