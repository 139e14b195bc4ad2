"""Refusals, as the recorded ones are; each behaviour is promised in the test of its own API."""

import pytest

from issue_pipeline_tests.support.hand_written import a_client, reddit_headers
from issue_pipeline_tests.support.recordings import recorded

SEARCH = "/github/search/issues"
NEW = "/reddit/r/shopkeepers/new"


@pytest.mark.parametrize(
    ("path", "headers", "recording"),
    [
        (SEARCH, {"User-Agent": ""}, "github/error_403_missing_user_agent.json"),
        (SEARCH, {"Authorization": "Bearer bad"}, "github/error_401_bad_credentials.json"),
        ("/github/repos/no/where/issues", {}, "github/error_404_unknown_object.json"),
        (NEW, {}, "reddit/error_401_invalid_token.json"),
        (NEW, {"User-Agent": "curl/8.5.0"}, "reddit/error_429_default_user_agent.json"),
    ],
)
def test_a_refusal_says_what_the_recorded_one_says(path, headers, recording):
    theirs = recorded(recording)
    reply = a_client(github_token="good").get(path, headers=headers)
    assert reply.status_code == theirs["status"]
    assert theirs["body"].items() <= reply.json().items()


@pytest.mark.parametrize(
    ("subreddit", "recording"),
    [
        ("nowhere", "reddit/error_404_not_found.json"),
        ("secret", "reddit/error_403_quarantined_subreddit.json"),
    ],
)
def test_a_subreddit_out_of_reach_is_refused_as_recorded(subreddit, recording):
    theirs = recorded(recording)
    client = a_client(private_subreddits=["secret"])
    reply = client.get(f"/reddit/r/{subreddit}/new", headers=reddit_headers(client))
    assert reply.status_code == theirs["status"]
    assert theirs["body"].items() <= reply.json().items()


def test_a_malformed_search_has_the_fields_of_the_recorded_one():
    theirs = recorded("github/error_422_validation_failed.json")
    reply = a_client().get(SEARCH, params={"q": "is:issue created:soon"})
    assert reply.status_code == theirs["status"]
    assert reply.json()["message"] == theirs["body"]["message"]
    assert reply.json()["errors"][0].keys() == theirs["body"]["errors"][0].keys()


def test_a_bad_question_has_the_fields_of_the_recorded_error():
    theirs = recorded("stackoverflow/error_502_throttle_violation.json")
    reply = a_client().get("/stackexchange/2.3/questions")
    assert reply.status_code == theirs["status"]
    assert reply.json().keys() == theirs["body"].keys()
