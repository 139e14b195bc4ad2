from benchmarks.labels_by_meaning import Comparison, compared
from issue_pipeline.sandbox.world.posts import Truth
from issue_pipeline_tests.benchmarks.test_label_quality import NearTitles
from issue_pipeline_tests.sql.test_gold import an_issue

TRUTH = Truth("export", "devtools", would_pay=False, impact="high")
TAKEN = an_issue(0, canonical_title="Export fails", category="devtools", impact_level="high")
FRESH = an_issue(0, canonical_title="EXPORT  fails", category="ai", impact_level="high")
OTHER = an_issue(0, canonical_title="Of whales", category="devtools", impact_level="low")


def test_labels_are_compared_field_by_field_with_each_other_and_with_the_truth():
    rows = compared([Comparison(TAKEN, FRESH, TRUTH), Comparison(TAKEN, OTHER, None)], NearTitles())
    by_field = {row.pop("field"): row for row in rows}
    assert by_field["category"] == {
        "compared": 2,
        "same": 0.5,
        "truth known": 1,
        "taken over, right": 1.0,
        "fresh, right": 0.0,
        "cosine": None,
    }
    assert by_field["impact_level"]["same"] == 0.5
    assert by_field["is_problem"]["taken over, right"] is None
    # Case and spaces make no other title.
    assert (by_field["canonical_title"]["same"], by_field["canonical_title"]["cosine"]) == (
        0.5,
        0.5,
    )


def test_nothing_compared_gives_no_shares():
    assert {row["same"] for row in compared([], NearTitles())} == {None}
