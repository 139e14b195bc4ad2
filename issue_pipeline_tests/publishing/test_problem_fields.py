"""What the live store is told of a problem's weeks."""

from datetime import date, timedelta

from issue_pipeline.publishing.problems import problem_fields
from issue_pipeline.records import ProblemRow
from issue_pipeline.sql.problems import DailyCount

LATEST = date(2026, 3, 31)
SOURCES = ("github", "reddit")
WHOLE = {(LATEST - timedelta(days=back), source) for back in range(14) for source in SOURCES}
ROW = ProblemRow(
    problem_id="p", canonical_title="Export to CSV fails", category="devtools",
    description="It stops half-way.", impact_level="low", would_pay_signal=False,
    first_seen=LATEST - timedelta(days=30), last_seen=LATEST, days_seen=3, posts=22, reach=9,
    state="growing", state_since=LATEST,
)  # fmt: skip


def fields(collected: set[tuple[date, str]], **posts_by_days_back: int) -> dict[str, object]:
    counts = [
        DailyCount("p", LATEST - timedelta(days=int(back[1:])), "github", posts)
        for back, posts in posts_by_days_back.items()
    ]
    return dict(problem_fields(ROW, counts, LATEST, collected))


def test_growth_is_this_week_less_the_week_before():
    told = fields(WHOLE, d0=9, d6=3, d7=4, d13=1, d14=100)
    assert (told["posts_7d"], told["posts_week_before"]) == (12, 5)
    assert (told["comparable"], told["growth"]) == (True, 7)
    assert fields(WHOLE, d3=1, d9=4)["growth"] == -3


def test_weeks_do_not_compare_where_a_day_of_the_problems_sources_is_missing():
    for back in (0, 6, 7, 13):
        told = fields(WHOLE - {(LATEST - timedelta(days=back), "github")}, d1=9, d8=4)
        assert (told["comparable"], told["growth"]) == (False, 0)
        assert (told["posts_7d"], told["posts_week_before"]) == (9, 4)
    # Nobody tells of the problem there.
    assert fields(WHOLE - {(LATEST, "reddit")}, d1=9, d8=4)["comparable"]


def test_a_search_gets_the_folded_text_where_it_is_not_ascii_alone():
    assert fields(WHOLE)["search"] == ""
