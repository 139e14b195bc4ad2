"""What is added to a title that another cluster has, and what may not be."""

import pytest

from issue_pipeline.labels.distinction import DayWords, qualified_labels
from issue_pipeline.labels.schema import MAX_TITLE_CHARS, IssueLabel
from issue_pipeline_tests.support.scripted_model import GOOD_LABEL

URL = "https://github.com/{}/issues/{}"


def day(texts: dict[int, list[str]], places: dict[int, str] | None = None) -> DayWords:
    places = places or {}
    urls = {
        one: [URL.format(places.get(one, f"a{number}/b"), number) for number in range(len(posts))]
        for one, posts in texts.items()
    }
    return DayWords(texts, urls)


def test_words_that_most_posts_share_and_other_clusters_lack_come_first():
    words = day(
        {
            0: ["Update lodash fails", "The lodash update", "lodash update again"],
            1: ["Update react fails", "The react update", "react update again"],
            2: ["Update vite fails", "The vite update", "vite update again"],
        }
    )
    assert [words.distinguishing(one)[0] for one in range(3)] == ["lodash", "react", "vite"]


def test_a_word_of_a_single_post_is_never_added():
    words = day({0: ["zorb export hangs", "export hangs"], 1: ["other thing", "other thing"]})
    assert "zorb" not in " ".join(words.distinguishing(0))


def test_the_repository_tells_apart_what_words_do_not():
    posts = ["Dependency Dashboard"] * 5
    words = day({0: posts, 1: posts, 2: posts}, {0: "acme/rocket", 1: "acme/boat", 2: "acme/boat"})
    assert words.distinguishing(0) == ["acme/rocket"]
    assert words.distinguishing(1) == []


@pytest.mark.parametrize("title", ["Exports hang", "x" * 60 + " " + "y" * 59])
def test_a_qualified_title_is_valid_however_long_it_was(title: str):
    label = IssueLabel.model_validate({**GOOD_LABEL, "canonical_title": title})
    (found,) = qualified_labels(label, ["lodash"])
    assert found.canonical_title.endswith(" (lodash)")
    assert len(found.canonical_title) <= MAX_TITLE_CHARS


def test_what_the_title_says_already_or_is_no_plain_text_is_not_added():
    label = IssueLabel.model_validate(GOOD_LABEL)
    assert list(qualified_labels(label, ["exports", "<b>", "https://evil.example"])) == []
