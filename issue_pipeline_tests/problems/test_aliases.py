"""Ids that problems had before lead to where their posts are now."""

from datetime import date

from issue_pipeline.problems.aliases import aliases_after
from issue_pipeline.records import ProblemAlias, ProblemIssue

DAY, TODAY = date(2026, 3, 10), date(2026, 3, 20)


def links(**posts: str) -> list[ProblemIssue]:
    """One issue a problem, with a post a letter."""
    return [
        ProblemIssue(DAY, number, problem, 1.0, sorted(letters))
        for number, (problem, letters) in enumerate(posts.items())
    ]


def ways(aliases: list[ProblemAlias]) -> dict[str, tuple[str, str]]:
    return {one.alias: (one.problem_id, one.reason) for one in aliases}


def test_nothing_changed_nothing_to_tell():
    assert aliases_after(links(a="xyz"), links(a="xyz"), [], TODAY) == []


def test_a_problem_that_got_another_first_issue_is_renamed():
    assert aliases_after(links(a="xyz"), links(b="xyzw"), [], TODAY) == [
        ProblemAlias("a", "b", "renamed", TODAY)
    ]


def test_a_problem_that_became_part_of_another_is_joined():
    after = aliases_after(links(a="xyz", b="uv"), links(b="uvxyz"), [], TODAY)
    assert ways(after) == {"a": ("b", "joined")}


def test_a_problem_in_pieces_lives_on_in_the_largest_and_of_equals_in_the_first_by_id():
    assert ways(aliases_after(links(a="uvwxyz"), links(b="uv", c="wxyz"), [], TODAY)) == {
        "a": ("c", "renamed")
    }
    assert ways(aliases_after(links(a="wxyz"), links(c="wx", b="yz"), [], TODAY)) == {
        "a": ("b", "renamed")
    }


def test_a_problem_of_which_nothing_is_left_leads_nowhere():
    assert aliases_after(links(a="xyz"), links(b="uv"), [], TODAY) == []


def test_older_aliases_follow_and_keep_their_date():
    known = [ProblemAlias("old", "a", "renamed", DAY)]
    assert aliases_after(links(a="xyz"), links(b="xyz"), known, TODAY) == [
        ProblemAlias("a", "b", "renamed", TODAY),
        ProblemAlias("old", "b", "renamed", DAY),
    ]


def test_an_id_that_a_problem_has_again_is_no_alias():
    known = [ProblemAlias("a", "b", "renamed", DAY)]
    assert ways(aliases_after(links(b="xyz"), links(a="xyz"), known, TODAY)) == {
        "b": ("a", "renamed")
    }
