import hashlib
import unicodedata

import numpy as np
import pytest

from issue_pipeline.utils.cluster_representatives import (
    cluster_fingerprint,
    normalize_title,
    select_representatives,
    title_similarity,
)
from issue_pipeline.utils.embeddings import Vectors


def on_a_line(*positions: float) -> Vectors:
    return np.array([[position, 0] for position in positions], dtype=np.float32)


def distinct_titles(n: int) -> list[str]:
    return [f"problem{number}" for number in range(n)]


def test_a_title_is_the_same_whatever_its_case_form_and_spacing():
    assert normalize_title("  Straße  ﬁx\tＡ ") == "strasse fix a"
    assert normalize_title("e\u0301") == normalize_title("\u00e9")


@pytest.mark.parametrize(
    ("first", "second", "similarity"),
    [
        ("export fails", "Export fails!", 1.0),
        ("export fails", "fails export fails", 1.0),
        ("export fails today", "export fails", 2 / 3),
        ("export", "import", 0.0),
        ("", "", 1.0),
        ("?!", "...", 1.0),
        ("", "export", 0.0),
    ],
)
def test_titles_are_compared_by_their_word_sets(first: str, second: str, similarity: float):
    assert title_similarity(first, second) == similarity


def test_the_nearest_to_the_centroid_come_first():
    vectors = on_a_line(-3, 0.5, 0, 2.5, 0.1, -0.1, 0.2)  # the mean is 0.029
    assert select_representatives(distinct_titles(7), vectors) == [2, 4, 5, 6, 1]


def test_the_centroid_is_the_mean_of_the_members_as_they_are():
    # The mean is 3; nearest to the median (0) or to a unit mean (1) would be others.
    assert select_representatives(distinct_titles(4), on_a_line(0, 0, 2.6, 9.4), k=1) == [2]


def test_distances_that_agree_to_a_thousandth_are_a_tie_for_the_first_row():
    vectors = on_a_line(-0.1004, 0.1, 0.1002, -0.1)
    assert select_representatives(distinct_titles(4), vectors) == [0, 1, 2, 3]


def test_a_near_duplicate_title_is_left_out_and_the_next_takes_its_place():
    titles = ["a b c d e", "a b c d", "a b c d e f", "x"]
    # Jaccard with the first: 0.8 (left out), 5/6 (left out), 0.
    assert select_representatives(titles, on_a_line(0, 0.1, 0.2, -0.3)) == [0, 3]


def test_just_under_the_limit_a_title_stays():
    titles = ["a b c d", "a b c"]  # 0.75
    vectors = on_a_line(0, 0)
    assert select_representatives(titles, vectors) == [0, 1]
    assert select_representatives(titles, vectors, max_jaccard=0.75) == [0]


def test_one_bot_with_one_title_gives_one_representative():
    assert select_representatives(["Build failed"] * 30, on_a_line(*[0.0] * 30)) == [0]


@pytest.mark.parametrize(
    ("n", "k", "chosen"), [(0, 5, 0), (1, 5, 1), (4, 5, 4), (30, 5, 5), (30, 0, 0)]
)
def test_as_many_are_chosen_as_asked_for_or_as_there_are(n: int, k: int, chosen: int):
    rows = select_representatives(distinct_titles(n), on_a_line(*range(n)).reshape(n, 2), k=k)
    assert len(rows) == len(set(rows)) == chosen


def test_shuffled_members_give_the_same_ones():
    dice = np.random.default_rng(11)
    vectors = dice.normal(size=(40, 384)).astype(np.float32)
    titles = [f"problem{number % 12}" for number in range(40)]
    chosen = {titles[row] for row in select_representatives(titles, vectors)}
    assert len(chosen) == 5
    for _ in range(5):
        order = dice.permutation(40)
        shuffled = [titles[row] for row in order]
        rows = select_representatives(shuffled, vectors[order])
        assert {shuffled[row] for row in rows} == chosen


def test_titles_and_embeddings_must_be_as_many():
    with pytest.raises(ValueError, match="Got 2 titles and 3 embeddings"):
        select_representatives(["a", "b"], on_a_line(1, 2, 3))


def test_the_fingerprint_is_the_hash_of_the_sorted_normalized_titles():
    expected = hashlib.sha256(b"alpha\nbeta").hexdigest()
    assert cluster_fingerprint(["Beta", "  ALPHA"]) == expected
    assert cluster_fingerprint(["alpha", "beta"]) == expected


def test_the_fingerprint_does_not_depend_on_order_case_spacing_and_unicode_form():
    characters = [chr(number) for number in range(0x20, 0x2200)]
    titles = ["".join(characters[start : start + 50]) for start in range(0, len(characters), 50)]
    for title in titles:
        written = [
            unicodedata.normalize("NFD", title),
            unicodedata.normalize("NFKC", title),
            unicodedata.normalize("NFD", title).casefold(),
            f"\t{title}\u00a0 ",
        ]
        expected = cluster_fingerprint([title, "another"])
        assert {cluster_fingerprint(["Another", other]) for other in written} == {expected}


def test_the_fingerprint_takes_the_first_five_titles():
    six = distinct_titles(6)
    assert cluster_fingerprint(six) == cluster_fingerprint(six[:5])
    assert cluster_fingerprint(six) != cluster_fingerprint(six[1:])


def test_other_titles_give_another_fingerprint():
    assert cluster_fingerprint(["a", "b"]) != cluster_fingerprint(["a b"])
