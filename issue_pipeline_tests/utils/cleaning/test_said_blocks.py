"""An author's words in places that are meant for quotes, code or data."""

import pytest

from issue_pipeline.utils.text_cleaning import clean_body

SAID = "The export stops after the first page."


@pytest.mark.parametrize("kind", ["NOTE", "TIP", "IMPORTANT", "WARNING", "CAUTION", "note"])
def test_an_alert_of_github_is_the_authors(kind: str):
    body = f"{SAID}\n\n> [!{kind}]\n> It deletes the file.\n> It tells nobody.\n\n> somebody else"
    assert clean_body("github", body) == f"{SAID}\nIt deletes the file.\nIt tells nobody."


@pytest.mark.parametrize("mark", ["**Note**", "**Warning:**", ":warning:", "⚠️"])
def test_an_alert_of_the_old_kind_is_the_authors(mark: str):
    assert clean_body("github", f"{SAID}\n\n> {mark} It deletes the file.") == (
        f"{SAID}\nIt deletes the file."
    )


def test_an_alert_that_a_template_wrote_goes():
    body = f"> [!NOTE]\n> Please make sure this is not a duplicate.\n\n{SAID}"
    assert clean_body("github", body) == SAID


def test_an_issue_made_of_a_comment_is_the_quoted_comment():
    body = f"> {SAID}\n> It is new in this release.\n\n_Originally posted by @ann in #12_"
    assert clean_body("github", body) == f"{SAID}\nIt is new in this release."


@pytest.mark.parametrize("source", ["github", "reddit"])
def test_a_post_that_is_nothing_but_a_quote_keeps_it(source: str):
    assert clean_body(source, f"> {SAID}") == SAID


@pytest.mark.parametrize("source", ["reddit", "stackoverflow"])
@pytest.mark.parametrize(
    ("written", "said"),
    [
        (">!The button deletes it.!<", "The button deletes it."),
        ("I found it: >!the button deletes it!<.", "I found it: the button deletes it."),
        (">!It starts here\nand ends there.!<", "It starts here\nand ends there."),
        (">! The button deletes it.", "The button deletes it."),
    ],
)
def test_a_spoiler_is_the_authors(source: str, written: str, said: str):
    body = f"{SAID}\n\n{written}\n\n> somebody else"
    assert clean_body(source, body) == f"{SAID}\n{said}"


def test_a_spoiler_of_stack_overflow_is_the_authors():
    body = f'<p>{SAID}</p><blockquote class="spoiler"><p>It works.</p></blockquote>'
    assert clean_body("stackoverflow", body) == f"{SAID}\nIt works."


@pytest.mark.parametrize("language", ["bash", "shell", "text", ""])
def test_prose_that_an_issue_form_renders_as_code_stays(language: str):
    answer = "The window is black when I press save.\nNothing else happens after that."
    form = f"### What happened?\n\n```{language}\n{answer}\n```\n\n### Version\n\n1.2"
    assert clean_body("github", form) == answer


@pytest.mark.parametrize(
    "block",
    [
        "npm install\nnpm run build",
        "# The build stops here.\nmake all",
        "Error: The worker was stopped by the system.",
        "at Pl (/Applications/React Native Debugger.app/Contents/x.js:48:253263)",
        "https://x.example/search?q=words that are a query and no sentence of anybody at all",
        '{"text": "I said that it is so, and it was."}',
        "Version 1.2",
    ],
)
def test_code_and_logs_that_a_form_renders_go(block: str):
    form = f"### What happened?\n\n{SAID}\n\n### Log\n\n```bash\n{block}\n```"
    assert clean_body("github", form) == SAID


def test_a_report_in_a_fence_stays_if_its_author_speaks_in_it():
    body = f"```\nI press save and nothing happens.\nThe file is empty after that.\n```\n\n{SAID}"
    assert clean_body("github", body) == (
        f"I press save and nothing happens.\nThe file is empty after that.\n{SAID}"
    )


def test_a_programs_sentence_in_a_fence_goes():
    body = f"{SAID}\n\n```\nThe system cannot find the path specified.\n```"
    assert clean_body("github", body) == SAID


def test_an_indented_paragraph_stays_if_its_author_speaks_in_it():
    assert clean_body("reddit", f"    I press save and nothing happens.\n\n{SAID}") == (
        f"I press save and nothing happens.\n{SAID}"
    )


def test_prose_in_details_stays_and_the_log_beside_it_goes():
    body = (
        "<details><summary>More</summary>\n\nI press save and nothing happens.\n\n"
        f"```\n[12:00:01] worker stopped\n```\n</details>\n\n{SAID}"
    )
    assert clean_body("github", body).split("\n")[-2:] == [
        "I press save and nothing happens.",
        SAID,
    ]


def test_a_sentence_in_a_table_stays_and_its_numbers_go():
    body = f"{SAID}\n\n| Case | Result |\n|---|---|\n| 12 | The file is empty after a save. |"
    assert clean_body("github", body) == f"{SAID}\nThe file is empty after a save."
