from dataclasses import replace

import pytest

from issue_pipeline.sandbox.apis.addresses import base36, permalink, slug
from issue_pipeline_tests.support.hand_written import a_client, a_post, reddit_headers

SOURCES = ("github", "stackoverflow", "reddit", "hackernews")


def test_the_permalink_of_a_post_is_the_address_that_its_api_serves():
    posts = {source: a_post(source, title="Why? “Déjà vu” – again!") for source in SOURCES}
    client = a_client(*posts.values())
    [issue] = client.get("/github/search/issues?q=is:issue").json()["items"]
    [question] = client.get("/stackexchange/2.3/questions?site=stackoverflow").json()["items"]
    listing = client.get("/reddit/r/shopkeepers/new", headers=reddit_headers(client)).json()
    [hit] = client.get("/hackernews/api/v1/search_by_date").json()["hits"]
    assert {source: permalink(post) for source, post in posts.items()} == {
        "github": issue["html_url"],
        "stackoverflow": question["link"],
        "reddit": f"https://www.reddit.com{listing['data']['children'][0]['data']['permalink']}",
        "hackernews": f"https://news.ycombinator.com/item?id={hit['objectID']}",
    }


def test_two_posts_with_one_title_have_two_permalinks():
    for source in SOURCES:
        assert permalink(a_post(source)) != permalink(a_post(source))


def test_a_source_that_no_api_serves_is_refused():
    with pytest.raises(ValueError, match="usenet"):
        permalink(replace(a_post("github"), source="usenet"))


def test_slugs_are_plain_and_never_empty():
    assert slug("Why? “Déjà vu” – again!", "-") == "why-deja-vu-again"
    assert slug("日本語", "_") == "post"
    assert len(slug("word " * 40, "_")) <= 50


def test_base_36_reads_back():
    assert [base36(number) for number in (0, 35, 36)] == ["0", "z", "10"]
    assert int(base36(3_000_000_123), 36) == 3_000_000_123
