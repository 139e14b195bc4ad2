import random
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from issue_pipeline.labels.choice_ranking import MeasuredText
from issue_pipeline.labels.choices import (
    MaskedPost,
    rank_choices,
    states_something,
    whole_title,
)
from issue_pipeline.labels.masking import MASK
from issue_pipeline.labels.schema import ANY_MASK, IssueLabel, plain_text_problem
from issue_pipeline_tests.support.scripted_model import GOOD_LABEL

TELLING = "Every export of a large workspace hangs at ninety percent."


def measure(
    cosines: Callable[[str], float] = lambda _: 0.6,
    *,
    scores: Callable[[str], float] = lambda _: 0.0,
    to_title: Callable[[str], float] = lambda _: 0.6,
) -> Callable[[list[str]], list[MeasuredText]]:
    """Return a measure by the words of a text; ``to_title`` is the cosine to "Export hangs".

    Other texts have what is not in common with it for themselves, whatever their full stops.
    """

    def vector(text: str) -> np.ndarray:
        cosine = 1.0 if text == "Export hangs" else to_title(text)
        own = np.random.default_rng(list(text.rstrip(".").encode())).standard_normal(399)
        own *= (1 - cosine**2) ** 0.5 / np.linalg.norm(own)
        return np.array([cosine, *own], dtype=np.float32)

    return lambda texts: [
        MeasuredText(text, vector(text), cosines(text), scores(text)) for text in texts
    ]


def titles(*posts: str) -> Sequence[str]:
    return rank_choices([MaskedPost(title, "") for title in posts]).titles


def descriptions(*bodies: str) -> Sequence[str]:
    return rank_choices([MaskedPost("Export hangs", body) for body in bodies]).descriptions


@pytest.mark.parametrize(
    ("title", "whole"),
    [
        ("Exports fail for large workspaces", ...),
        ("[Bug] Exports fail!! (October)", "Exports fail"),
        ("Anyone else? Exports fail - December update", "Exports fail"),
        ("How do I export more than 1,000 rows?", ...),
        (f"Exports of {MASK} fail", ""),
        ("Exports fail because of the", ""),
        ("Exports fail whenever I try to…", ""),
        ("Exports fail (only for large", ""),
        ('The "large export fails', ""),
        ("Help", ""),
        ("Exports", ""),
        ("文字化けする請求書", ...),
        ("Exports fail. " + "Nobody knows why it does so every single day. " * 4, "Exports fail"),
        ("Exports fail " * 12, ""),
    ],
)
def test_only_whole_titles_are_offered(title: str, whole: object):
    assert whole_title(title) == (title if whole is ... else whole)


@pytest.mark.parametrize(
    "useless",
    [
        "Hi everybody, hello there!",
        "Has anybody here seen the export hang like this?",
        "It hangs now.",
        "Export 12 34 56 78 90 11 12 13 14 15 16 hangs.",
        "The export of a workspace that holds more than a thousand…",
        "The export of a workspace that holds more than a thousand",
        "These are the steps to reproduce it here:",
        f"The large export of {MASK} always hangs at ninety percent.",
    ],
)
def test_greetings_questions_numbers_fragments_and_masks_are_not_offered(useless: str):
    assert not states_something(useless)
    for body in (f"{TELLING} {useless}", f"{useless} {TELLING}"):
        if not useless.endswith(("thousand", "…")):  # else the two are one sentence
            assert descriptions(body) == [TELLING]


@pytest.mark.parametrize(
    "sentence",
    [
        "It fails at 2 a.m. on every single Sunday night.",
        "Our customers in the U.S. Virgin Islands cannot pay.",
        "The importer reads sheet No. 5 before all the others.",
    ],
)
def test_sentences_end_where_they_end(sentence: str):
    assert descriptions(f"{TELLING} {sentence} {TELLING}") == [TELLING, sentence]


def test_what_ranks_highest_is_offered_first_and_what_is_far_from_the_cluster_last():
    worth = {"Export hangs": 0.5, "Exports stop": 0.7, "Off topic": 0.1}
    measured = measure(worth.__getitem__, scores=lambda text: 9.0 * (text == "Off topic"))
    posts = [MaskedPost(title, "") for title in worth]
    assert rank_choices(posts, measured).titles == ["Exports stop", "Export hangs", "Off topic"]


def test_of_equally_near_texts_those_that_report_a_problem_come_first():
    measured = measure(scores=lambda text: 1.0 * ("hangs" in text))
    posts = [MaskedPost("A look at exports", ""), MaskedPost("Export hangs", "")]
    assert rank_choices(posts, measured).titles == ["Export hangs", "A look at exports"]


@pytest.mark.parametrize(
    "weaker",
    [
        "So the export of the workspace stops there.",
        "My wife saw the export of the workspace stop.",
        "The export of the small workspace works fine.",
        "I'd gladly pay for an export of the workspace.",
        "A new export of the workspace changed nothing.",
        "The export of the workspace should stop on its own.",
        "The export of the workspace stops since March, honestly.",
    ],
)
def test_sentences_that_tell_a_cause_or_consequence_come_first(weaker: str):
    telling = "The export of the workspace stops because the disk is full."
    post = MaskedPost("Export hangs", f"{weaker} {telling}")
    assert rank_choices([post], measure()).descriptions == [telling, weaker]


def test_a_description_is_about_the_same_as_the_title():
    own = "The export of every workspace stops at ninety percent."
    other = "The import of every workspace starts at ninety percent."
    post = MaskedPost("Export hangs", f"{other} {own}")
    measured = measure(to_title=lambda text: 0.6 if text == own else 0.3)
    assert rank_choices([post], measured).descriptions == [own, other]


def test_of_equally_near_sentences_the_one_that_tells_more_comes_first():
    short = "The export stops at ninety percent."
    long = "The export stops at ninety percent and leaves half of a file which nobody can open."
    post = MaskedPost("Export hangs", f"{short} {long}")
    assert rank_choices([post], measure()).descriptions == [long, short]


def test_a_sentence_that_only_repeats_the_title_comes_after_one_that_tells_more():
    repeating = "The export of a workspace hangs every time."
    post = MaskedPost("Export hangs", f"{repeating} {TELLING}")
    measured = measure(to_title=lambda text: 1.0 if text == repeating else 0.7)
    assert rank_choices([post], measured).descriptions == [TELLING, repeating]


OTHER_TITLE = "Large workspaces cannot be exported at all"


def test_where_no_sentence_is_about_the_cluster_the_title_of_another_post_describes_it():
    posts = [
        MaskedPost("Export hangs", "Nobody needs to answer this message."),
        MaskedPost(OTHER_TITLE, ""),
    ]
    measured = measure(lambda text: 0.1 if "message" in text else 0.7 - 0.1 * (text == OTHER_TITLE))
    offered = rank_choices(posts, measured)
    assert offered.titles[0] == "Export hangs"
    assert offered.descriptions[0] == OTHER_TITLE


def test_a_sentence_that_is_about_the_cluster_comes_before_any_title():
    posts = [MaskedPost("Export hangs", TELLING), MaskedPost(OTHER_TITLE, "")]
    assert rank_choices(posts, measure()).descriptions == [TELLING, OTHER_TITLE]


def test_a_description_says_the_matter_in_the_words_of_another_title_and_then_the_sentence():
    posts = [MaskedPost("Export hangs", TELLING), MaskedPost(OTHER_TITLE, "")]
    offered = rank_choices(posts, measure())
    both = f"{OTHER_TITLE}. {TELLING}"
    assert offered.description_of("Export hangs") == both
    # Nobody reads a title twice, or one that another group has.
    assert offered.description_of(OTHER_TITLE) == TELLING
    assert offered.description_of("Export hangs", {OTHER_TITLE.casefold()}) == TELLING


@pytest.mark.parametrize(
    ("title", "to_title"),
    [
        (OTHER_TITLE, 0.3),  # about something else
        (OTHER_TITLE, 0.95),  # in the title's words
        ("Every export of a large workspace hangs at ninety percent", 0.6),  # in the sentence's
        ("Why can large workspaces not be exported?", 0.6),
        ("How to export a large workspace without errors", 0.6),
        ("Same problem with the large export here too", 0.6),
        ("large workspaces cannot be exported at all", 0.6),  # no sentence begins like this
        (f"{MASK}: Large Workspace Exports Stop For Everybody Except {MASK}", 0.6),
        ("Exports [...] stop for all the large workspaces", 0.6),
        ("Exports fail. They hang. They never come to an end.", 0.6),  # more than two sentences
    ],
)
def test_a_title_that_does_not_say_the_matter_in_a_sentence_is_not_put_before(
    title: str, to_title: float
):
    posts = [MaskedPost("Export hangs", TELLING), MaskedPost(title, "")]
    offered = rank_choices(posts, measure(to_title=lambda text: to_title if text == title else 0.6))
    assert offered.description_of("Export hangs") == TELLING


def test_what_is_markup_only_together_is_not_put_together():
    telling = "Every export of src* from a large workspace hangs at ninety percent."
    title = "The *nix export breaks with every large workspace"
    offered = rank_choices([MaskedPost("Export hangs", telling), MaskedPost(title, "")], measure())
    assert plain_text_problem(title) is None
    assert offered.description_of("Export hangs") == telling


@pytest.mark.parametrize(
    ("title", "sentence"),
    [
        ('Server answers "invalid token" to all', 'Server answers "invalid token" to all.'),
        ('Server says "the token is invalid!"', 'Server says "the token is invalid!"'),
        ("Large exports hang for ever (macOS)", "Large exports hang for ever (macOS)."),
    ],
)
def test_a_title_becomes_a_sentence(title: str, sentence: str):
    posts = [MaskedPost("Export hangs", TELLING), MaskedPost(title, "")]
    offered = rank_choices(posts, measure())
    assert offered.description_of("Export hangs") == f"{sentence} {TELLING}"


def test_whatever_is_put_together_makes_a_valid_label():
    dice = random.Random(20261130)
    plain = ["export", "hangs", "workspace", "large", "stops", "every", "of", "time"]
    odd = ["*nix", "src*", "name_", "_id", "i<n", "count>", "[...]", "e.g.", "No.", "`code`", "**"]
    odd += ["~~", '"', ")", "(", "ends.", "<b>", "https://a.example", "a@b.example", "\u202e", MASK]

    def words(most: int) -> str:
        chosen = dice.choices(plain, k=dice.randint(6, most)) + dice.choices(odd, k=2)
        dice.shuffle(chosen)
        return " ".join(["Large", *chosen])

    joined = 0
    for _ in range(300):
        posts = [MaskedPost("Export hangs", f"{words(12)}."), MaskedPost(words(8), "")] * 4
        offered = rank_choices(posts, measure())
        description = offered.description_of("Export hangs")
        joined += description != offered.descriptions[0]
        IssueLabel.model_validate({**GOOD_LABEL, "description": description})
        assert not ANY_MASK.search(description)
    assert joined > 30


def test_questions_and_words_without_a_statement_describe_nothing():
    posts = [
        MaskedPost("Export hangs", TELLING),
        MaskedPost("Why can large workspaces not be exported?", ""),
        MaskedPost("Broken exports", ""),
    ]
    assert rank_choices(posts, measure()).descriptions == [TELLING]


@pytest.mark.parametrize(
    "gap",
    [
        "The export returns and stops as soon as it reads .",
        "The large export ( of 2 GB) hangs at ninety percent.",
        "The large export of , and hangs at ninety percent.",
    ],
)
def test_a_text_from_which_code_was_taken_out_is_not_whole(gap: str):
    assert not states_something(gap)


def test_a_title_from_which_code_was_taken_out_is_not_whole():
    assert whole_title("The large export of , and hangs at ninety percent") == ""


@pytest.mark.parametrize(
    "whole",
    [
        "The model cannot be saved as a .tf file here.",
        "The export (of 2 GB) hangs at ninety, always.",
    ],
)
def test_signs_within_words_are_no_gaps(whole: str):
    assert states_something(whole)


def test_titles_with_nearly_the_same_words_are_offered_once():
    assert titles("Export hangs", "export hangs!", "Hangs export", "CSV is slow") == [
        "Export hangs",
        "CSV is slow",
    ]


def test_without_a_whole_title_a_sentence_stands_in_and_then_a_part_of_a_title():
    masked = MaskedPost(f"The large export of {MASK} hangs", TELLING)
    assert rank_choices([masked]).titles == [TELLING]
    assert titles(f"The large export of {MASK} hangs", MASK) == ["The large export"]
    assert titles(MASK, f"{MASK} hangs") == []


def test_no_sentence_on_something_else_stands_in_for_a_title():
    masked = MaskedPost(
        f"The large export of a workspace hangs {MASK}", "Recipes may come by mail to us."
    )
    offered = rank_choices([masked], measure(lambda text: 0.1 if "Recipes" in text else 0.6))
    assert offered.titles == ["The large export of a workspace hangs"]
    assert offered.descriptions[0] == offered.titles[0]


def test_no_mask_is_ever_offered():
    posts = [MaskedPost(f"{MASK} x {MASK} export hangs {MASK}", f"It {MASK} so. {MASK}")] * 3
    offered = rank_choices(posts)
    assert MASK not in "".join([*offered.titles, *offered.descriptions])


def test_where_no_post_has_a_text_the_titles_are_offered_as_descriptions():
    offered = rank_choices([MaskedPost("Export hangs", ""), MaskedPost("No! Not! Again! Me", "")])
    assert offered.descriptions == ["Export hangs"]


def test_whatever_is_offered_makes_a_valid_label():
    hostile = "<b>Export</b> {x} hangs `now` at https://a.example for joe@shop.example"
    offered = rank_choices([MaskedPost(hostile, f"{hostile} {TELLING} {hostile}.")])
    for title in offered.titles:
        IssueLabel.model_validate({**GOOD_LABEL, "canonical_title": title})
    for description in offered.descriptions:
        IssueLabel.model_validate({**GOOD_LABEL, "description": description})
        assert plain_text_problem(description) is None
