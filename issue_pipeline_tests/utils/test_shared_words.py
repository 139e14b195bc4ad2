import time

import pytest

from issue_pipeline.utils.shared_words import MASK, MAX_TEXT_CHARS, mask_lone_words, shared_words


def test_a_word_is_shared_when_two_texts_of_one_group_use_it():
    shared = shared_words([["export hangs", "The EXPORT fails fails"], ["hangs", "upload"]])
    assert shared == {"export"}


def test_words_are_the_same_whatever_their_case_and_form():
    assert shared_words([["Straße ﬁx", "STRASSE fix"]]) == {"strasse", "fix"}


def test_no_group_shares_nothing():
    assert shared_words([]) == shared_words([[]]) == frozenset()


def test_words_of_one_post_only_are_masked_and_neighbouring_masks_are_one():
    shared = frozenset({"the", "export", "hangs"})
    masked = mask_lone_words("The Export of ZORB-42 'foo', bar hangs!", shared)
    assert masked == f"The Export of {MASK}-42 '{MASK} hangs!"
    assert mask_lone_words("", shared) == ""


@pytest.mark.parametrize("text", ["an ox at 5 %", "?! … --", "x_y"])
def test_very_short_words_and_punctuation_stay(text: str):
    expected = MASK if text == "x_y" else text
    assert mask_lone_words(text, frozenset()) == expected


def test_look_alikes_are_other_words():
    assert mask_lone_words("Ехроrt", frozenset({"export"})) == MASK  # Cyrillic letters


def test_scripts_without_spaces_are_read_by_the_character():
    shared = shared_words([["文字化けする", "文字が化けた"]])
    assert mask_lone_words("文字化け錺", shared) == f"文字化け{MASK}"


@pytest.mark.parametrize("unit", ["a", "a ", "字", "_", "-"])
def test_a_hostile_megabyte_takes_no_time(unit: str):
    started = time.process_time()
    shared = shared_words([[unit * 1_000_000] * 5])
    mask_lone_words((unit * 1_000_000)[:MAX_TEXT_CHARS], shared)
    assert time.process_time() - started < 0.5
