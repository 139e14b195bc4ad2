"""Faults of single posts: hidden and growing issues of GitHub, forms of posts of Reddit."""

import pytest

from issue_pipeline.sandbox.apis.faults import FaultProfile
from issue_pipeline.sandbox.apis.post_faults import (
    as_commented,
    form_of,
    growing_posts,
    hidden_posts,
)
from issue_pipeline_tests.support.hand_written import a_client, a_post

WHOLE_DAY = "is:issue created:2026-03-10"
ISSUES = [a_post("github", second, number=second) for second in range(1_000)]


def search(client, q=WHOLE_DAY, **parameters):
    return client.get("/github/search/issues", params={"q": q, "per_page": 100, **parameters})


def numbers(reply):
    return {item["number"] for item in reply.json()["items"]}


def test_hidden_issues_are_counted_by_the_search_and_never_shown():
    profile = FaultProfile(hidden_share=0.05)
    hidden = {2 * post.number for post in hidden_posts(profile, ISSUES)}
    assert len(hidden) == pytest.approx(50, abs=20)
    client = a_client(*ISSUES, faults=profile)
    pages = [search(client, page=page) for page in range(1, 11)]
    assert {page.json()["total_count"] for page in pages} == {1_000}
    assert {page.json()["incomplete_results"] for page in pages} == {False}
    shown = set().union(*map(numbers, pages))
    assert shown == {2 * post.number for post in ISSUES} - hidden
    assert 0 < client.get("/stats").json()["faults"]["github"]["hidden"] <= 10
    listed = client.get("/github/repos/acme/rocket/issues?state=all&per_page=100&page=1").json()
    assert len(listed) == 100
    assert hidden.isdisjoint(item["number"] for item in listed)


def test_growing_issues_come_to_match_one_after_the_other_while_they_are_searched():
    profile = FaultProfile(growing_share=0.5, growing_requests=20)
    posts = ISSUES[:60]
    growing = growing_posts(profile, posts)
    client = a_client(*posts, faults=profile)
    query = f"{WHOLE_DAY} comments:>=3"
    totals = [search(client, query).json()["total_count"] for _ in range(25)]
    assert totals == sorted(totals)
    assert 60 - len(growing) <= totals[0] < totals[10] < totals[-1] == 60
    assert client.get("/stats").json()["faults"]["github"]["growing"] > 0


def test_a_growing_issue_has_two_comments_until_it_has_all():
    profile = FaultProfile(growing_share=1.0, growing_requests=20)
    post = a_post("github", comment_count=7)
    seen = [as_commented(profile, post, requests).comment_count for requests in range(25)]
    assert set(seen) == {2, 7}
    assert seen == sorted(seen)
    quiet = a_post("github", comment_count=2)
    assert growing_posts(profile, [quiet, a_post("reddit")]) == []


def test_no_post_is_hidden_grows_or_changes_its_form_by_default():
    posts = [*ISSUES, *(a_post("reddit", second) for second in range(50))]
    assert hidden_posts(FaultProfile(), posts) == growing_posts(FaultProfile(), posts) == []
    assert {form_of(FaultProfile(), post) for post in posts} == {"text"}


def test_links_and_posts_without_text_keep_their_form():
    profile = FaultProfile(reshaped_share=1.0)
    posts = [a_post("reddit", number=number) for number in range(90)]
    assert {form_of(profile, post) for post in posts} == {"crosspost", "poll", "gallery"}
    link = a_post("reddit", link="https://example.org", body=None)
    assert form_of(profile, link) == form_of(profile, a_post("reddit", body=" ")) == "text"
