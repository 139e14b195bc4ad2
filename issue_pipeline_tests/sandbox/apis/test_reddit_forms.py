"""Crossposts, polls and galleries: the same words as the post has, elsewhere in its JSON."""

import pytest

from issue_pipeline.sandbox.apis.faults import FaultProfile
from issue_pipeline.sandbox.apis.post_faults import form_of
from issue_pipeline.sandbox.apis.reddit_forms import MAX_PIECE_CHARS, texts
from issue_pipeline.sandbox.apis.reddit_items import child
from issue_pipeline_tests.support.hand_written import a_client, a_post, reddit_headers
from issue_pipeline_tests.support.recordings import clashes, recorded

SENTENCES = " ".join(f"On day {day} the export stopped & nobody < knew why." for day in range(40))
BODIES = ["It stops.", "Stops", SENTENCES, f"First.\n\n{SENTENCES}\n\nLast.", "x" * 500, "a " * 9]
FORMS = ("crosspost", "poll", "gallery")


def data(form, body=SENTENCES, *, raw=True):
    return child(a_post("reddit", body=body), raw=raw, form=form)["data"]


def found_texts(post, form):
    """Where a client finds the texts of each form."""
    if form == "crosspost":
        return [post["crosspost_parent_list"][0]["selftext"]]
    if form == "poll":
        return [post["selftext"], *(option["text"] for option in post["poll_data"]["options"])]
    items = post["gallery_data"]["items"]
    return [post["selftext"], *(item["caption"] for item in items if "caption" in item)]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("body", BODIES)
def test_no_word_is_lost_and_none_is_there_twice(form, body):
    post = a_post("reddit", body=body)
    served = found_texts(child(post, raw=True, form=form)["data"], form)
    assert served == list(texts(post, form))
    assert "".join("".join(served).split()) == "".join(body.split())


@pytest.mark.parametrize("form", ["poll", "gallery"])
def test_options_and_captions_are_short(form):
    own, *pieces = texts(a_post("reddit", body=SENTENCES), form)
    assert 2 <= len(pieces) <= 6
    assert all(0 < len(piece) <= MAX_PIECE_CHARS for piece in pieces)
    assert len(own) > len("".join(pieces))


def test_a_crosspost_has_no_text_of_its_own_and_is_no_text_post():
    post = data("crosspost")
    [parent] = post["crosspost_parent_list"]
    assert (post["selftext"], post["selftext_html"], post["is_self"]) == ("", None, False)
    assert post["crosspost_parent"] == parent["name"] != post["name"]
    assert parent["is_self"]
    assert post["url"] == parent["permalink"] != post["permalink"]


def test_a_gallery_is_as_recorded():
    listing = recorded("reddit/r_popular_hot_2026.json")["body"]["data"]["children"]
    theirs = [one["data"] for one in listing if one["data"].get("is_gallery")]
    post = data("gallery")
    assert clashes(post, theirs) == {}
    names = {name for one in theirs for item in one["gallery_data"]["items"] for name in item}
    items = post["gallery_data"]["items"]
    assert {name for item in items for name in item} == names
    assert [item["media_id"] for item in items] == list(post["media_metadata"])
    [their_picture, *_] = theirs[0]["media_metadata"].values()
    assert all(
        picture.keys() <= their_picture.keys() for picture in post["media_metadata"].values()
    )
    assert post["url"].startswith("https://www.reddit.com/gallery/")
    assert post["is_self"] is False


def test_text_is_escaped_wherever_it_stands_unless_raw_json_is_asked_for():
    for form in FORMS:
        escaped = found_texts(data(form, raw=False), form)
        assert "&amp;" in " ".join(escaped)
        assert "&lt;" in " ".join(escaped)
        assert "&amp;" not in " ".join(found_texts(data(form), form))


@pytest.mark.parametrize("api", ["reddit", "archive"])
def test_listing_and_archive_serve_the_same_forms_and_count_them(api):
    profile = FaultProfile(reshaped_share=0.5)
    posts = [a_post("reddit", second, body=SENTENCES) for second in range(60)]
    client = a_client(*posts, faults=profile)
    if api == "reddit":
        path = "/reddit/r/shopkeepers/new?limit=100&raw_json=1"
        listing = client.get(path, headers=reddit_headers(client)).json()["data"]
        served = [one["data"] for one in listing["children"]]
    else:
        path = "/archive/api/posts/search?subreddit=shopkeepers&limit=100"
        served = client.get(path).json()["data"]
    marks = {"crosspost": "crosspost_parent_list", "poll": "poll_data", "gallery": "gallery_data"}
    by_form = {form: sum(mark in one for one in served) for form, mark in marks.items()}
    expected = [form_of(profile, post) for post in posts]
    assert by_form == {form: expected.count(form) for form in marks}
    assert client.get("/stats").json()["faults"][api] == by_form
    assert all(by_form.values())
