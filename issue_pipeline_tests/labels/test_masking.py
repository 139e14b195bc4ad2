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


TITLES = {
    "Turkish": [
        "Faturalar aynı müşteriye iki kez gönderiliyor",
        "Güncellemeden sonra fatura iki kere gönderildi",
        "Müşterilerimiz mükerrer fatura alıyor",
        "Mükerrer faturaları nasıl engelleyebilirim?",
        "Aynı fatura müşteriye tekrar tekrar gidiyor",
        "Son güncellemeyle faturaların hepsi iki kez kesiliyor",
    ],
    "Korean": [
        "같은 고객에게 청구서가 두 번 발송됩니다",
        "업데이트 후 청구서를 두 번 받았습니다",
        "고객들이 중복된 청구서를 받고 있어요",
        "청구서 중복 발송을 막는 방법이 있나요?",
        "업데이트 이후로 고객이 같은 청구서를 계속 받습니다",
        "중복 청구서가 발송되는 문제",
    ],
    "Finnish": [
        "Laskut lähetetään kahdesti samalle asiakkaalle",
        "Päivityksen jälkeen lasku lähetettiin kaksi kertaa",
        "Asiakkaamme saavat laskuja kahteen kertaan",
        "Miten estän laskujen kaksinkertaisen lähetyksen?",
        "Asiakas sai saman laskun kahdesti",
        "Viimeisimmän päivityksen jälkeen jokainen lasku lähtee kahdesti",
    ],
}


@pytest.mark.parametrize("language", TITLES)
def test_inflected_languages_keep_about_as_many_words_as_english(language: str):
    titles = TITLES[language]
    shared = shared_words([titles])
    words = [word for title in titles for word in title.strip("?").split()]
    kept = sum(mask_unshared_words(word, shared) == word for word in words)
    assert kept >= 0.5 * len(words)


@pytest.mark.parametrize(
    "lone",
    ["exportzorblatt", "exporting", "exzorb", "zorbexport", "exportation", "expozorb", "ex"],
)
def test_a_stem_that_others_use_lets_no_ending_through_that_they_do_not_use(lone: str):
    texts = ["the export hangs", "our exports hang", "export again", f"an {lone}"]
    assert lone not in shared_words([texts])


def test_an_ending_counts_when_two_other_posts_use_it():
    texts = ["the export hangs", "our exports hang", "printing stops", "loading stops"]
    assert "exporting" in shared_words([[*texts, "exporting"]])
    # One post alone makes no ending, however often it writes it.
    assert "exportzorb" not in shared_words(
        [["the export hangs", "exports", "exportzorb printzorb loadzorb savezorb"]]
    )


def test_stems_are_compared_within_one_group():
    assert "exporting" not in shared_words(
        [["printing stops", "loading stops", "exporting"], ["the export", "export"]]
    )


def test_joiners_of_no_width_are_part_of_a_word_in_scripts_that_use_them():
    assert shared_words([["کتاب\u200cها", "کتابها"]]) == {"کتابها"}
    shared = shared_words([["کتاب\u200cها گم", "کتاب\u200cها"]])
    assert mask_unshared_words("کتاب\u200cها", shared) == "کتاب\u200cها"


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
