from typing import Any

import numpy as np
import pytest

from issue_pipeline.label_checks import ClusterCheck, DayTitles, Grounding
from issue_pipeline.labels import IssueLabel
from issue_pipeline_tests.scripted_model import GOOD_LABEL

AXES = np.eye(384, dtype=np.float32)
MEMBERS = AXES[[0, 0, 1]]  # the centroid's cosine is 0.894 to the first axis, 0.447 to the second


class Axes:
    """Texts on the axes; whatever is not known is far away from everything."""

    def __init__(self, **axis_of: int) -> None:
        self.axis_of = {name.replace("_", " "): axis for name, axis in axis_of.items()}

    def encode(self, sentences: list[str], **_: Any) -> Any:
        return AXES[[self.axis_of.get(sentence, 300) for sentence in sentences]]


def check(titles: DayTitles | None = None, **axis_of: int) -> ClusterCheck:
    return ClusterCheck(MEMBERS, Grounding(Axes(**axis_of)), titles or DayTitles([]))


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


def test_what_was_chosen_is_about_its_cluster():
    assert check().problem(label("whales"), chosen=True) is None


@pytest.mark.parametrize("chosen", [True, False])
def test_a_title_is_taken_once(chosen: bool):
    titles = DayTitles([("Known before", ["Known before"])])
    first, second = (check(titles, near=0, NEAR=0, about_it=0) for _ in range(2))
    assert first.problem(label("near"), chosen=chosen) is None
    assert "another problem" in str(second.problem(label("NEAR"), chosen=chosen))
    assert second.taken_titles() == {"near", "known before"}
    assert titles.claim("KNOWN  before") is False


def test_clusters_whose_representatives_agree_may_share_a_title():
    titles = DayTitles()
    assert titles.claim("App crashes", ["[Bug] App crashes", "It crashes"])
    assert titles.taken(["APP crashes!!"]) == frozenset()
    assert titles.claim("App crashes", ["APP crashes!!"])
    assert titles.taken(["App crashes", "Login fails"]) == {"app crashes"}
    assert not titles.claim("App crashes", ["App crashes", "Login fails"])
    assert not titles.claim("App crashes")


def test_a_label_that_is_refused_takes_no_title():
    titles = DayTitles([])
    assert check(titles).problem(label("whales"), chosen=False) is not None
    assert titles.taken() == frozenset()
