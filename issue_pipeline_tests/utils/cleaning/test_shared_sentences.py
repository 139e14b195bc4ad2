"""What unrelated posts of a day share word for word is boilerplate, of whatever source."""

import pytest

from issue_pipeline.utils.cleaning.shared_sentences import shared_sentences, without_sentences
from issue_pipeline.utils.embeddings import clean_day

CONDUCT = "By posting I agree to follow the Code of Conduct of this project."
UNRELATED = (
    "Export of large workspaces hangs",
    "Which laptop for a student?",
    "Invoices show the wrong tax",
    "Camera roll rotates pictures",
    "Nightly build misses symbols",
    "Subtitles drift after an hour",
    "Bicycle routes avoid bridges",
)
RELATED = (
    "Sync stops with error 12",
    "Error 12 when sync starts",
    "Sync error 12 since the update",
    "Cannot sync, error 12",
    "Sync fails: error 12",
    "Error 12 in sync",
)


@pytest.mark.parametrize(
    ("titles", "is_shared"),
    [
        pytest.param(UNRELATED[:5], True, id="five unrelated posts"),
        pytest.param(UNRELATED[:4], False, id="four"),
        pytest.param(RELATED, False, id="posts that are about one thing"),
        pytest.param(("The same notice",) * 9, False, id="one post again and again"),
    ],
)
def test_boilerplate_is_what_unrelated_posts_share(titles: tuple[str, ...], is_shared: bool):
    bodies = [f"It is case {'x' * number}. {CONDUCT}" for number in range(len(titles))]
    shared = shared_sentences(titles, bodies)
    assert len(shared) == is_shared
    for number, body in enumerate(bodies):
        own = f"It is case {'x' * number}."
        assert without_sentences(body, shared) == (own if is_shared else body)


def test_unrelated_posts_that_are_nothing_but_boilerplate_have_no_body():
    shared = shared_sentences(UNRELATED, [CONDUCT] * len(UNRELATED))
    assert without_sentences(CONDUCT, shared) == ""


def test_numbers_letter_case_and_marks_make_no_other_sentence():
    said = ("Posted by relay 12.", "posted by relay 13", "* Posted by relay 9!")
    bodies = [f"Case {'x' * number}.\n{said[number % 3]}" for number in range(6)]
    assert without_sentences("A.\nPosted by Relay 7!", shared_sentences(UNRELATED, bodies)) == "A."


def test_a_short_word_is_no_boilerplate():
    assert shared_sentences(UNRELATED, ["Why?"] * len(UNRELATED)) == frozenset()


def test_a_day_without_posts_shares_nothing():
    assert shared_sentences([], []) == frozenset()
    assert clean_day([]) == []


@pytest.mark.parametrize("source", ["github", "reddit", "hackernews", "stackoverflow"])
@pytest.mark.parametrize(
    "boilerplate",
    [
        pytest.param(CONDUCT, id="code of conduct"),
        pytest.param(
            "I have searched the existing issues.\n\nI am willing to submit a pull request.",
            id="issue template",
        ),
        pytest.param("My access token is ghp_{token}, please do not use it.", id="secret"),
        pytest.param("I am a bot, and this action was performed automatically.", id="bot"),
        pytest.param("Beep boop.", id="bot's signature"),
    ],
)
def test_boilerplate_leaves_clean_texts_that_share_nothing(source: str, boilerplate: str):
    alphabet = "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF2hI5"
    items = [
        {
            "source": source,
            "title": title,
            "body": f"It is case {'x' * number}.\n\n"
            + boilerplate.format(token=alphabet[number:] + alphabet[:number]),
        }
        for number, title in enumerate(UNRELATED)
    ]
    texts = clean_day(items)
    expected = [f"{title}\nIt is case {'x' * i}." for i, title in enumerate(UNRELATED)]
    assert [text.text for text in texts] == expected
