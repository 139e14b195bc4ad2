import pytest

from issue_pipeline_tests.support.hand_written import (
    CLIENT_ID,
    CLIENT_SECRET,
    DAY,
    ENDLESS_WINDOWS,
    NOW,
    a_client,
    a_post,
    reddit_headers,
)
from issue_pipeline_tests.support.recordings import clashes, common_names, recorded

TOKEN = "/reddit/api/v1/access_token"
NEW = "/reddit/r/shopkeepers/new"


def listing(client, headers=None, **parameters):
    given = {"limit": 100, "raw_json": 1, **parameters}
    reply = client.get(NEW, params=given, headers=headers or reddit_headers(client))
    assert reply.status_code == 200
    return reply.json()["data"]


def walk(client, limit=100):
    """Follow ``after`` to the end of the listing."""
    headers = reddit_headers(client)
    pages = [listing(client, headers, limit=limit)]
    while pages[-1]["after"]:
        pages.append(listing(client, headers, limit=limit, after=pages[-1]["after"]))
    return pages


def names(page):
    return [child["data"]["name"] for child in page["children"]]


def test_the_newest_post_comes_first_and_paging_shows_each_once():
    client = a_client(*(a_post("reddit", second // 4) for second in range(230)))
    pages = walk(client)
    posts = [child["data"] for page in pages for child in page["children"]]
    assert [page["dist"] for page in pages] == [100, 100, 30]
    assert len({post["name"] for post in posts}) == len(posts) == 230
    times = [post["created_utc"] for post in posts]
    assert times == sorted(times, reverse=True)


def test_a_listing_ends_at_the_thousandth_post():
    client = a_client(*(a_post("reddit", second) for second in range(1_030)))
    pages = walk(client)
    shown = [child["data"]["created_utc"] for page in pages for child in page["children"]]
    assert len(shown) == 1000
    assert pages[-1]["after"] is None
    assert max(shown) - min(shown) == 999


def test_a_page_is_held_to_a_hundred_and_is_25_unless_asked():
    client = a_client(*(a_post("reddit", second) for second in range(130)))
    assert listing(client, limit=1024)["dist"] == 100
    assert listing(client, limit="some")["dist"] == 25


def test_a_cursor_that_is_not_in_the_listing_leads_nowhere():
    client = a_client(*(a_post("reddit", second) for second in range(3)))
    assert listing(client, after="t3_zzzzzzz")["children"] == []
    reply = client.get(NEW, params={"after": "page2"}, headers=reddit_headers(client))
    assert reply.status_code == 400


def test_before_gives_what_is_newer():
    client = a_client(*(a_post("reddit", second) for second in range(5)))
    everything = names(listing(client))
    assert names(listing(client, before=everything[3], limit=2)) == everything[1:3]
    assert names(listing(client, before=everything[0])) == []


def test_other_subreddits_stay_out_and_names_have_no_case():
    client = a_client(a_post("reddit"), a_post("reddit", channel="clinic_it"))
    assert len(listing(client)["children"]) == 1
    reply = client.get("/reddit/r/ShopKeepers/new", headers=reddit_headers(client))
    assert reply.json()["data"]["children"][0]["data"]["subreddit"] == "shopkeepers"


def test_a_text_post_has_the_fields_and_types_of_the_recorded_ones():
    theirs = recorded("reddit/r_popular_hot_2026.json")["body"]["data"]
    items = [child["data"] for child in theirs["children"]]
    ours = listing(a_client(a_post("reddit")))
    assert ours.keys() == theirs.keys()
    [post] = [child["data"] for child in ours["children"]]
    assert post.keys() == common_names(items)
    texts = [item for item in items if item["is_self"]]
    assert clashes(post, items) == clashes(post, texts) == {}
    assert post["url"] == f"https://www.reddit.com{post['permalink']}"


def test_a_link_post_points_elsewhere_and_has_no_text():
    client = a_client(a_post("reddit", link="https://example.org/a", body=None))
    post = listing(client)["children"][0]["data"]
    assert (post["url"], post["domain"], post["is_self"]) == (
        "https://example.org/a",
        "example.org",
        False,
    )
    assert (post["selftext"], post["selftext_html"]) == ("", None)
    links = [
        child["data"]
        for child in recorded("reddit/r_popular_hot_2026.json")["body"]["data"]["children"]
        if child["data"].get("post_hint") == "link"
    ]
    assert post.keys() - common_names(links) == set()


def test_text_is_escaped_unless_raw_json_is_asked_for():
    client = a_client(a_post("reddit", title='a < b & "c"', body="x > y"))
    raw = listing(client)["children"][0]["data"]
    escaped = listing(client, raw_json=0)["children"][0]["data"]
    assert (raw["title"], raw["selftext"]) == ('a < b & "c"', "x > y")
    assert (escaped["title"], escaped["selftext"]) == ('a &lt; b &amp; "c"', "x &gt; y")
    assert escaped["selftext_html"].startswith("&lt;!-- SC_OFF --&gt;")


def test_a_token_says_how_long_it_is_good():
    client = a_client(reddit_token_lifetime_s=3600)
    reply = client.post(
        TOKEN, data={"grant_type": "client_credentials"}, auth=(CLIENT_ID, CLIENT_SECRET)
    )
    assert reply.json()["expires_in"] == 3600
    theirs = recorded("reddit/oauth_token_password_grant.json")["body"]
    assert reply.json().keys() == theirs.keys()


@pytest.mark.parametrize("auth", [None, (CLIENT_ID, "wrong"), ("wrong", CLIENT_SECRET)])
def test_wrong_credentials_get_no_token(auth):
    reply = a_client().post(TOKEN, data={"grant_type": "client_credentials"}, auth=auth)
    assert reply.status_code == 401


def test_unreadable_credentials_get_no_token():
    headers = {"Authorization": "Basic ***"}
    assert a_client().post(TOKEN, headers=headers).status_code == 401


def test_another_grant_is_refused():
    reply = a_client().post(TOKEN, data={"grant_type": "password"}, auth=(CLIENT_ID, CLIENT_SECRET))
    assert (reply.status_code, reply.json()) == (400, {"error": "unsupported_grant_type"})


@pytest.mark.parametrize("header", ["", "bearer made-up", "Basic abc"])
def test_without_a_good_token_nothing_is_listed(header):
    reply = a_client().get(NEW, headers={"Authorization": header} if header else {})
    assert reply.status_code == 401
    assert 'error="invalid_token"' in reply.headers["www-authenticate"]


def test_a_token_ends_with_its_lifetime():
    client = a_client(reddit_token_lifetime_s=0)
    assert client.get(NEW, headers=reddit_headers(client)).status_code == 401


@pytest.mark.parametrize("agent", ["", "python-httpx/0.28.1", "curl/8.5.0", "python-requests/2.32"])
def test_a_library_s_own_user_agent_is_too_many_requests(agent):
    client = a_client()
    good = reddit_headers(client)
    for reply in (
        client.get(NEW, headers={**good, "User-Agent": agent}),
        client.post(TOKEN, headers={"User-Agent": agent}),
    ):
        assert reply.status_code == 429


def test_an_unknown_subreddit_is_not_found_and_a_private_one_forbidden():
    client = a_client(private_subreddits=["Secret"])
    headers = reddit_headers(client)
    assert client.get("/reddit/r/nowhere/new", headers=headers).status_code == 404
    private = client.get("/reddit/r/secret/new", headers=headers)
    assert (private.status_code, private.json()["reason"]) == (403, "private")
    assert client.get("/stats").json()["faults"]["reddit"] == {"private": 1}


def test_limit_headers_come_in_the_recorded_spelling():
    client = a_client(time_scale=ENDLESS_WINDOWS)
    headers = reddit_headers(client)
    first, second = (client.get(NEW, headers=headers).headers for _ in range(2))
    assert (first["x-ratelimit-remaining"], second["x-ratelimit-used"]) == ("999.0", "2")
    theirs = recorded("reddit/r_popular_hot_2026.json")["headers"]
    for name in ("x-ratelimit-used", "x-ratelimit-remaining", "x-ratelimit-reset"):
        assert ("." in first[name]) == ("." in theirs[name])
    total = float(theirs["x-ratelimit-used"]) + float(theirs["x-ratelimit-remaining"])
    assert float(first["x-ratelimit-used"]) + float(first["x-ratelimit-remaining"]) == total


def test_a_subreddit_is_as_old_as_its_first_post():
    client = a_client(
        a_post("reddit", 900), a_post("reddit", 50), a_post("reddit", 3, channel="clinic_it")
    )
    reply = client.get("/reddit/r/ShopKeepers/about", headers=reddit_headers(client))
    about = reply.json()
    assert about["kind"] == "t5"
    assert about["data"]["display_name"] == "shopkeepers"
    assert about["data"]["created_utc"] == DAY.timestamp() + 50


def test_a_subreddit_older_than_the_history_does_not_pretend_to_be_new():
    client = a_client(a_post("reddit", 28_800), history_days=3)
    headers = reddit_headers(client)
    path = "/reddit/r/shopkeepers/about"
    assert (
        client.get(path, headers=headers).json()["data"]["created_utc"] == DAY.timestamp() + 28_800
    )
    client = a_client(a_post("reddit", 28_800), history_days=2)
    headers = reddit_headers(client)
    founded = client.get(path, headers=headers).json()["data"]["created_utc"]
    assert founded < DAY.timestamp() - 365 * 86_400


def test_a_subreddit_without_posts_was_founded_just_now():
    client = a_client()
    reply = client.get("/reddit/r/shopkeepers/about", headers=reddit_headers(client))
    assert reply.json()["data"]["created_utc"] == NOW.timestamp()


def test_an_unknown_or_private_subreddit_tells_nothing_about_itself():
    client = a_client(private_subreddits=["shopkeepers"])
    headers = reddit_headers(client)
    assert client.get("/reddit/r/shopkeepers/about", headers=headers).status_code == 403
    assert client.get("/reddit/r/never_was/about", headers=headers).status_code == 404
    assert client.get("/reddit/r/shopkeepers/about").status_code == 401


def test_the_thousand_and_first_request_of_a_window_is_too_many():
    client = a_client(time_scale=ENDLESS_WINDOWS)
    headers = reddit_headers(client)
    path = "/reddit/r/nowhere/new"  # quicker to answer than a listing, and counted like one
    for _ in range(1000):
        last = client.get(path, headers=headers)
    assert (last.status_code, last.headers["x-ratelimit-remaining"]) == (404, "0.0")
    refused = client.get(path, headers=headers)
    assert refused.status_code == 429
    assert refused.headers["x-ratelimit-remaining"] == "0.0"
    assert int(refused.headers["x-ratelimit-reset"]) >= 1
    assert refused.json() == recorded("reddit/error_429_default_user_agent.json")["body"]
    assert client.get("/stats").json()["violations"]["reddit"] == {"requests": 1}


def test_r_all_lists_every_public_subreddit_up_to_now():
    hidden = a_post("reddit", 86_400, channel="clinic_it")
    posts = [a_post("reddit", NOW.timestamp() - DAY.timestamp() - 30), a_post("reddit", 86_400)]
    client = a_client(*posts, hidden, private_subreddits=["clinic_it"], busy_reddit=True)
    headers = reddit_headers(client)
    parameters = {"limit": 100, "raw_json": 1}
    listed = client.get("/reddit/r/all/new", params=parameters, headers=headers).json()["data"]
    shown = [child["data"] for child in listed["children"]]
    assert {post["subreddit"] for post in shown} == {"shopkeepers", "AskReddit"}
    assert sum(post["subreddit"] == "shopkeepers" for post in shown) == 1
    times = [post["created_utc"] for post in shown]
    assert times == sorted(times, reverse=True)
    assert NOW.timestamp() - times[0] < 600
    assert (len(shown), listed["after"] is not None) == (100, True)
