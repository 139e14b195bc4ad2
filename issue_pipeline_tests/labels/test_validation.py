import itertools
from typing import Any

import numpy as np
import pytest

from issue_pipeline.labels.schema import IssueLabel
from issue_pipeline.labels.validation import ClusterCheck, DayTitles, Grounding
from issue_pipeline_tests.support.scripted_model import GOOD_LABEL

AXES = np.eye(384, dtype=np.float32)
MEMBERS = AXES[[0, 0, 1]]  # the centroid's cosine is 0.894 to the first axis, 0.447 to the second


class Axes:
    """Texts on the axes; whatever is not known is far away from everything."""

    def __init__(self, **axis_of: int) -> None:
        self.axis_of = {name.replace("_", " "): axis for name, axis in axis_of.items()}

    def encode(self, sentences: list[str], **_: Any) -> Any:
        return AXES[[self.axis_of.get(sentence, 300) for sentence in sentences]]


def check(**axis_of: int) -> ClusterCheck:
    return ClusterCheck(MEMBERS, Grounding(Axes(**axis_of)))


def label(title: str, description: str = "about it") -> IssueLabel:
    fields = {**GOOD_LABEL, "canonical_title": title, "description": description}
    return IssueLabel.model_validate(fields)


def test_similarity_is_the_cosine_to_the_centroid():
    texts = ["near", "far", "elsewhere"]
    similarities = Grounding(Axes(near=0, far=1)).similarities(texts, MEMBERS)
    assert similarities == [0.894, 0.447, 0.0]
    assert Grounding(Axes()).similarities([], MEMBERS) == []


def test_a_written_label_must_be_about_its_cluster():
    own = check(near=0, about_it=1)
    assert own.problem(label("near"), chosen=False) is None
    assert "canonical_title: is not about" in str(own.problem(label("whales"), chosen=False))
    wrong = own.problem(label("near", "whales sing"), chosen=False)
    assert "description: is not about" in str(wrong)


def test_a_theme_that_is_no_problem_needs_a_title_near_its_posts_and_no_more():
    theme = IssueLabel.model_validate({**dict(label("far", "whales sing")), "is_problem": False})
    members = AXES[[0, 0, 0, 1]]  # the centroid's cosine is 0.316 to the second axis
    own = ClusterCheck(members, Grounding(Axes(far=1)))
    assert own.problem(theme, chosen=False) is None
    far_off = theme.model_copy(update={"canonical_title": "whales"})
    assert "canonical_title: is not about" in str(own.problem(far_off, chosen=False))
    assert "canonical_title" in str(own.problem(label("far"), chosen=False))


def test_what_was_chosen_is_about_its_cluster():
    assert check().problem(label("whales"), chosen=True) is None


def test_a_title_belongs_to_the_first_in_order_whoever_comes_first():
    titles = DayTitles()
    assert titles.claim("It hangs", 2) == []
    assert titles.claim("IT  hangs", 5) == [5]
    assert titles.claim("It hangs", 5) == [5]
    assert titles.claim("It hangs", 1) == [2]
    assert titles.claim("It hangs", 0) == [1]
    assert titles.claim("It crashes", 5) == []


def test_a_title_that_is_taken_for_good_goes_to_nobody_else():
    titles = DayTitles([("Known before", ["Known before"])])
    assert titles.taken() == {"known before"}
    assert titles.claim("KNOWN  before", 0) == [0]
    assert titles.claim("Not taken for good", 0) == []
    assert titles.taken() == {"known before"}


def test_clusters_whose_representatives_agree_may_share_a_title():
    known = DayTitles([("App crashes", ["[Bug] App crashes", "It crashes"])])
    assert known.taken(["APP crashes!!"]) == frozenset()
    assert known.taken(["App crashes", "Login fails"]) == {"app crashes"}
    assert known.claim("App crashes", 0, ["APP crashes!!"]) == []
    assert known.claim("App crashes", 1, ["App crashes", "Login fails"]) == [1]
    assert known.claim("App crashes", 2) == [2]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_who_shares_a_title_does_not_depend_on_who_comes_first(order: tuple[int, ...]):
    own = [["App crashes", "It crashes"], ["Login fails"], ["App crashes"]]
    titles, losers = DayTitles(), set()
    for place in order:
        losers.update(titles.claim("App crashes", place, own[place]))
    # The last agrees with the first, but not with the second, which wanted it, too.
    assert losers == {1, 2}
