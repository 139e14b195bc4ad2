import pytest

from issue_pipeline.labels.masking import MASK, MAX_TEXT_CHARS, mask_unshared_words, shared_words
from issue_pipeline_tests.support.runaway import stopped_if_it_runs_away


def test_a_word_is_shared_when_two_texts_of_one_group_use_it():
    shared = shared_words([["export hangs", "The EXPORT fails fails"], ["hangs", "upload"]])
    assert shared == {"export"}


def test_words_are_the_same_whatever_their_case_and_form():
    assert shared_words([["Straße ﬁx", "STRASSE fix"]]) == {"strasse", "fix"}


def test_no_group_shares_nothing():
    assert shared_words([]) == shared_words([[]]) == frozenset()


def test_words_of_one_post_only_are_masked_and_neighbouring_masks_are_one():
    shared = frozenset({"the", "export", "of", "42", "hangs"})
    masked = mask_unshared_words("The Export of ZORB-42 'foo', bar hangs!", shared)
    assert masked == f"The Export of {MASK}-42 '{MASK} hangs!"
    assert mask_unshared_words("", shared) == ""


def test_punctuation_stays():
    assert mask_unshared_words("?! … -- → (¿)", frozenset()) == "?! … -- → (¿)"


@pytest.mark.parametrize(
    "lone",
    [
        "ox",
        "x_y",
        "55",
        "Z O R B L A T T",
        "Z-O-R-B-L-A-T-T",
        "z.o.r.b",
        "06 12 34 56 78",
        "ज़ोरब्लाट",
        "Z\u0336O\u0336R\u0336B\u0336",
        "ⓩⓞⓡⓑⓛⓐⓣⓣ",
        "🆉🅾🆁🅱🅻🅰🆃🆃",
        "🇿🇴🇷🇧",
        "จอร์บลัต",
    ],
)
def test_a_lone_word_is_masked_however_it_is_spelt(lone: str):
    letters = [f"{letter} {letter} stands" for letter in "zorblatx"]
    shared = shared_words([["the printer jams, don't", "The printer jams. Don't!", *letters * 2]])
    assert {"z", "o", "r", "b"} <= shared
    assert mask_unshared_words(f"The printer jams {lone}", shared) == f"The printer jams {MASK}"
    spelt = shared_words([[f"it {lone}", f"that {lone}!"]])
    assert mask_unshared_words(lone, spelt) == lone


def test_marks_and_accents_belong_to_their_word():
    assert shared_words([["अपडेट के बाद", "अपडेट, बाद।"]]) == {"अपडेट", "बाद"}
    assert shared_words([["cafe\u0301 !", "café"]]) == {"café"}


def test_look_alikes_are_other_words():
    assert mask_unshared_words("Ехроrt", frozenset({"export"})) == MASK  # Cyrillic letters


def test_scripts_without_spaces_are_read_by_the_character():
    shared = shared_words([["文字化けする", "文字が化けた"]])
    assert mask_unshared_words("文字化け錺", shared) == f"文字化け{MASK}"


@pytest.mark.parametrize("unit", ["a", "a ", "字", "_", "-"])
def test_a_hostile_megabyte_is_linear_work(unit: str):
    with stopped_if_it_runs_away():
        shared = shared_words([[unit * 1_000_000] * 5])
        mask_unshared_words((unit * 1_000_000)[:MAX_TEXT_CHARS], shared)
