from issue_pipeline.utils.folding import MAX_SEARCH_CHARS, folded, search_text


def test_case_and_accents_are_folded_in_any_script():
    assert folded("Café CRASHES") == "cafe crashes"
    assert folded("ﬁle Ёлка ĄĆ") == "file елка ac"


def test_a_text_of_ascii_alone_needs_nothing_beside_itself():
    assert search_text("Export fails", "every day") == ""
    assert search_text("Export fails", "à la carte") == "export fails a la carte"
    assert len(search_text("é" * 2 * MAX_SEARCH_CHARS)) == MAX_SEARCH_CHARS
