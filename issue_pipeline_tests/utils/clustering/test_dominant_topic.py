import pytest

from issue_pipeline.utils.clustering.dominant_topic import dominant_topic
from issue_pipeline_tests.utils.clustering.test_clustering import groups


def test_a_topic_of_most_posts_is_told_from_the_others():
    vectors = groups([30], spread=0.8, noise=12)
    topic = dominant_topic(vectors)
    assert topic is not None
    assert topic.tolist() == [True] * 30 + [False] * 12


def test_even_one_other_post_is_enough_to_tell_a_topic_by():
    topic = dominant_topic(groups([30], spread=0.8, noise=1))
    assert topic is not None
    assert topic.tolist() == [True] * 30 + [False]


@pytest.mark.parametrize("n", [6, 30, 300])
def test_unrelated_posts_have_no_dominant_topic(n: int):
    assert dominant_topic(groups([], spread=0.0, noise=n)) is None


@pytest.mark.parametrize("sizes", [[10, 10, 10], [15, 15], [30, 20], [12, 10, 8, 6]])
@pytest.mark.parametrize("noise", [0, 4, 15])
@pytest.mark.parametrize("spread", [0.0, 0.5, 1.0])
def test_several_groups_are_no_topic_together(sizes: list[int], noise: int, spread: float):
    topic = dominant_topic(groups(sizes, spread=spread, noise=noise))
    if topic is not None:
        first = sizes[0]
        assert topic.tolist() == [True] * first + [False] * (len(topic) - first)


def test_half_of_the_posts_are_not_most_of_them():
    assert dominant_topic(groups([20], spread=0.5, noise=20)) is None


def test_where_all_posts_are_alike_there_is_nothing_to_tell_a_topic_by():
    assert dominant_topic(groups([40], spread=0.8)) is None
    assert dominant_topic(groups([40], spread=0.0)) is None
