from datetime import UTC, datetime

from issue_pipeline.publishing.sync_state import (
    Progress,
    members_to_keep,
    rows_to_keep,
    waiting_members,
)
from issue_pipeline.records import LiveRow
from issue_pipeline.resources.pocketbase.records import LiveIssue

LONG_AGO = datetime(2026, 3, 10, tzinfo=UTC)
ISSUE = LiveIssue("one", {"title": "It breaks"}, {})


def a_row(record_id: str, state: str = "published", cluster_id: int = 0) -> LiveRow:
    return LiveRow(cluster_id, record_id, ISSUE.content_hash, state, "", LONG_AGO)


def test_a_record_whose_cluster_has_no_label_waits_with_the_posts_that_it_has_now():
    clusters = {0: "abc", 1: "defg"}
    assert waiting_members(clusters, {"one": "abc"}, {"one": "ab", "two": "efgh"}) == {
        "two": "defg"
    }


def test_a_record_whose_cluster_is_gone_or_has_another_record_does_not_wait():
    assert waiting_members({0: "abc"}, {"one": "abc"}, {"one": "abc", "two": "xyz"}) == {}
    # Both were half of what is one cluster now.
    assert waiting_members({0: "abcd"}, {"one": "abcd"}, {"one": "ab", "two": "cd"}) == {}


def test_what_must_still_go_is_kept_until_it_is_gone():
    current, known_members = {"one": "abc"}, {"one": "ab", "two": "xyz", "three": "uv"}
    progress = Progress(todo={"two", "three"})
    assert members_to_keep(current, known_members, progress) == {**known_members, **current}
    progress.note("two", "")
    progress.note("three", "somebody needs it")
    assert members_to_keep(current, known_members, progress) == {"one": "abc", "three": "uv"}


def test_a_row_is_kept_with_its_time_until_there_is_news():
    known = [a_row("one")]
    assert rows_to_keep({0: ISSUE}, known, Progress(set())) == known
    progress = Progress({"one"})
    progress.note("one", "")
    [row] = rows_to_keep({0: ISSUE}, known, progress)
    assert (row.state, row.synced_at > LONG_AGO) == ("published", True)


def test_states_say_how_far_a_run_came():
    known = [a_row("one"), a_row("old"), a_row("gone", cluster_id=7)]
    progress = Progress({"one", "old", "gone"})

    def states() -> dict[str, tuple[str, str]]:
        rows = rows_to_keep({0: ISSUE}, known, progress)
        return {row.record_id: (row.state, row.error) for row in rows}

    waiting = {"one": ("pending", ""), "old": ("withdrawing", ""), "gone": ("withdrawing", "")}
    assert states() == waiting
    progress.note("gone", "")
    progress.note("old", "somebody needs it")
    progress.trouble = "The server is away."
    assert states() == {
        "one": ("pending", "The server is away."),
        "old": ("withdrawing", "somebody needs it"),
    }
    progress.note("one", "too long")
    assert states()["one"] == ("failed", "too long")
