import pytest

from issue_pipeline.utils.printable import printable


def test_ordinary_text_is_left_alone():
    text = "Größe läuft über 😀 文字化けする, שלום"
    assert printable(text, 100) == text


def test_white_space_of_any_kind_becomes_one_space():
    assert (
        printable("  two\r\nlines\t and\u2028two\u2029more\x85 ", 100) == "two lines and two more"
    )


@pytest.mark.parametrize(
    "unseen",
    list("\x00\x07\x1b\x7f\x9b\u200b\u061c\u202e\u2066\ufeff\ud800\U000e0001\U000e0041\U000e007f"),
    ids=ascii,
)
def test_what_steers_a_terminal_or_hides_is_shown_as_replaced(unseen: str):
    assert printable(f"a{unseen}[31mb", 100) == "a\ufffd[31mb"


def test_long_text_is_cut_to_the_length_asked_for():
    assert printable("x" * 1_000_000, 5) == "xxxx…"
    assert printable("xxxxx", 5) == "xxxxx"
