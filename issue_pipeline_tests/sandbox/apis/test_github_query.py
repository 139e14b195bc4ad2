from datetime import UTC, datetime

import pytest

from issue_pipeline.sandbox.apis.github_query import QueryError, parse_query
from issue_pipeline_tests.support.hand_written import a_post


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "start", "end"),
    [
        (
            "2026-03-10T00:00:00Z..2026-03-10T23:59:59Z",
            utc(2026, 3, 10),
            utc(2026, 3, 11),
        ),
        ("2026-03-10..2026-03-11", utc(2026, 3, 10), utc(2026, 3, 12)),
        ("2026-03-10", utc(2026, 3, 10), utc(2026, 3, 11)),
        (">=2026-03-10", utc(2026, 3, 10), None),
        (">2026-03-10", utc(2026, 3, 11), None),
        ("<2026-03-10", None, utc(2026, 3, 10)),
        ("<=2026-03-10", None, utc(2026, 3, 11)),
        (">2026-03-10T12:00:00Z", utc(2026, 3, 10, 12, 0, 1), None),
        ("<=2026-03-10T12:00:00Z", None, utc(2026, 3, 10, 12, 0, 1)),
        ("*..2026-03-10T12:00:00+02:00", None, utc(2026, 3, 10, 10, 0, 1)),
        ("2026-03-10T12:00:00-07:00..*", utc(2026, 3, 10, 19), None),
    ],
)
def test_both_ends_of_a_written_range_are_in_it(value, start, end):
    query = parse_query(f"is:issue created:{value}")
    assert (query.start, query.end) == (start, end)


def test_two_ranges_are_both_obeyed():
    query = parse_query("is:issue created:>=2026-03-10 created:<2026-03-11 created:<2027-01-01")
    assert (query.start, query.end) == (utc(2026, 3, 10), utc(2026, 3, 11))


@pytest.mark.parametrize(
    "text",
    [
        "created:2026-03-10",
        "is:issue created:yesterday",
        "is:issue created:2026-02-30",
        "is:issue created:9999-12-31",
        "is:issue created:2026-03-10..",
        "is:issue comments:many",
        "is:issue (rocket OR moon",
        "is:issue rocket) OR moon",
        "is:issue NOT (rocket OR moon)",
        f"is:issue rocket{' OR moon' * 6}",
        "label:bug OR label:regression",
        "is:issue -created:2026-03-10",
        f"is:issue {'long ' * 60}",
    ],
)
def test_what_cannot_be_answered_is_refused(text):
    with pytest.raises(QueryError):
        parse_query(text)


POST = a_post(
    "github",
    title="Export stops",
    body="After the Update",
    author="dependabot[bot]",
    tags=("Bug", "help wanted"),
    comment_count=4,
)


@pytest.mark.parametrize(
    ("terms", "matches"),
    [
        ("", True),
        ("is:open state:open archived:false language:python no:assignee", True),
        ("is:closed", False),
        ("-is:closed", True),
        ("-is:open", False),
        ("repo:ACME/rocket", True),
        ("repo:acme/other repo:acme/rocket", True),
        ("-repo:acme/rocket", False),
        ("org:acme", True),
        ("user:nobody", False),
        ("author:dependabot[bot]", True),
        ("author:app/dependabot", True),
        ("-author:app/dependabot", False),
        ("-author:app/renovate -author:someone", True),
        ('label:bug label:"help wanted"', True),
        ("label:bug label:later", False),
        ("comments:4", True),
        ("comments:>=5", False),
        ("comments:<5", True),
        ("comments:*..3", False),
        ("reactions:>2", True),
        ("export UPDATE", True),
        ("export rocket", False),
        ("-export", False),
        ('"export stops"', True),
        ("update in:title", False),
        ("update in:title,body", True),
        ('export AND ""', True),
    ],
)
def test_qualifiers_and_words_select(terms, matches):
    assert parse_query(f"is:issue {terms}").finds(POST) is matches


def test_the_last_kind_named_counts():
    assert parse_query("is:issue is:pull-request").kinds == ("pull-request",)
    assert parse_query("type:pr is:issue").kinds == ("issue",)


BUG = a_post("github", tags=("bug",))
REGRESSION = a_post("github", tags=("regression",))
EARLIER = a_post("github", -86_400, tags=("bug",))
OTHER = a_post("github", tags=("question",))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("is:issue (label:bug OR label:regression) created:2026-03-10", [BUG, REGRESSION]),
        ("(label:bug OR label:regression) is:issue created:2026-03-10", [BUG, REGRESSION]),
        ("is:issue created:2026-03-10 NOT label:bug", [REGRESSION, OTHER]),
        ("is:issue label:bug AND created:2026-03-10", [BUG]),
        ("is:issue ((label:bug) AND (created:2026-03-10))", [BUG]),
        ("is:issue created:2026-03-10 OR is:issue label:bug", [BUG, REGRESSION, EARLIER, OTHER]),
        # What a client means that appends its day to words with OR, and what it gets.
        ("is:issue label:bug OR label:regression created:2026-03-10", [BUG, REGRESSION, EARLIER]),
    ],
)
def test_or_binds_less_tightly_than_the_space_and_parentheses_group(text, found):
    query = parse_query(text)
    assert [post for post in (BUG, REGRESSION, EARLIER, OTHER) if query.finds(post)] == found


def test_half_a_query_without_a_kind_or_a_day_is_about_everything():
    query = parse_query("is:issue label:bug OR label:regression created:2026-03-10")
    assert query.kinds == ("issue", "pull-request")
    assert (query.start, query.end) == (None, None)
    assert not query.finds(BUG, "pull-request")
    assert query.finds(REGRESSION, "pull-request")
