import numpy as np
import pytest

from issue_pipeline.utils.clustering import cluster_posts
from issue_pipeline.utils.embeddings import CleanText, has_words
from issue_pipeline_tests.utils.clustering.test_clustering import groups


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  \n ",
        "🔥🔥 👍",
        "+1",
        "???",
        "...",
        "42",
        "v1",
        "https://a.example/b?c=d",
        "www.a.example/x",
        "_ _",
    ],
)
def test_what_has_no_word_says_nothing(text: str):
    assert not has_words(text)


@pytest.mark.parametrize(
    "text",
    [
        "no",
        "Crash 🔥",
        "see https://a.example",
        "เข้าไม่ได้",
        "로그인",
        "错",
        "नहीं",
        "сбой",
        "خطأ",
        "é!à là",
    ],
)
def test_a_word_of_any_script_says_something(text: str):
    assert has_words(text)


def test_redaction_marks_do_not_stand_for_a_post():
    text = CleanText("Login fails", "token=[secret] of [email] expired").text
    assert "secret" not in text
    assert "email" not in text
    assert "expired" in text
    assert not has_words(CleanText("[secret]", "[email]").text)


def test_posts_without_words_are_noise_and_the_others_cluster_as_without_them():
    vectors = groups([10, 10, 12], spread=0.3)
    texts = ["The export fails"] * 20 + ["🔥"] * 12
    found = cluster_posts(texts, vectors)
    assert (
        found.labels.tolist() == [0] * 10 + [1] * 10 + [-1] * 12
        or found.labels.tolist() == [1] * 10 + [0] * 10 + [-1] * 12
    )


def test_the_cluster_size_depends_on_all_posts():
    vectors = groups([700, 700], spread=0.2)
    found = cluster_posts(["The export fails"] * 700 + [""] * 700, vectors, mode="raw")
    assert found.min_cluster_size == 7
    assert cluster_posts([""], vectors[:1]).labels.tolist() == [-1]
    assert cluster_posts([], np.zeros((0, 384), np.float32)).labels.tolist() == []
