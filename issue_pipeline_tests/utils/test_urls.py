import hashlib
import random

import pytest

from issue_pipeline.utils.urls import normalize_url, url_hash, without_user_info


@pytest.mark.parametrize(
    ("url", "normalized"),
    [
        ("https://github.com/o/r/issues/7", "https://github.com/o/r/issues/7"),
        ("http://GitHub.com/o/r/issues/7/", "https://github.com/o/r/issues/7"),
        ("https://user:pw@github.com:443/o?#top", "https://github.com/o"),
        ("http://127.0.0.1:8080/x", "https://127.0.0.1:8080/x"),
        ("http://[::1]:8080/x", "https://[::1]:8080/x"),
        ("https://old.reddit.com/r/a/comments/1/t/", "https://reddit.com/r/a/comments/1/t"),
        ("https://www.old.m.reddit.com/r/a", "https://reddit.com/r/a"),
        ("https://old.com/x", "https://old.com/x"),
        ("https://www.com/x", "https://www.com/x"),
        ("https://news.ycombinator.com/item?id=1", "https://news.ycombinator.com/item?id=1"),
        ("https://a.example/?b=2&utm_source=x&a=1&fbclid=y", "https://a.example?a=1&b=2"),
        ("https://a.example/?utmost=1", "https://a.example?utmost=1"),
        ("https://a.example/x/../y/./z", "https://a.example/y/z"),
        ("https://a.example/;/", "https://a.example"),
        ("https://a.example/%e4%bd%a0%7E", "https://a.example/%E4%BD%A0~"),
        ("https://bücher.example/ü", "https://xn--bcher-kva.example/%C3%BC"),
        ("  https://a.example/x \n", "https://a.example/x"),
        ("https://stackoverflow.com/questions/12/why-so?x=1", "https://stackoverflow.com/questions/12?x=1"),
        ("https://stackoverflow.com/questions/12/", "https://stackoverflow.com/questions/12"),
        ("https://a.example/questions/12/why-so", "https://a.example/questions/12/why-so"),
    ],
)  # fmt: skip
def test_a_permalink_has_one_spelling(url: str, normalized: str):
    assert normalize_url(url) == normalized


@pytest.mark.parametrize(
    "url",
    ["", "   ", "/r/a", "github.com/o/r", "ftp://a.example/x", "javascript:alert(1)", "http:///x",
     "https://a.example:99999/", "https://[::1", "mailto:a@b.example", "https://a.example/\ud800"],
)  # fmt: skip
def test_what_is_no_absolute_web_address_is_refused(url: str):
    with pytest.raises(ValueError):
        normalize_url(url)


def test_case_of_path_and_query_is_kept():
    assert normalize_url("https://a.example/A?B=C") != normalize_url("https://a.example/a?b=c")


def test_normalizing_again_changes_nothing():
    dice = random.Random(20260310)
    hosts = ["reddit.com", "www.old.reddit.com", "a.b.example", "stackoverflow.com", "x"]
    signs = "ab./?&=%2F#:@;+ ~w\\é[]-_questions12"
    for _ in range(5_000):
        tail = "".join(dice.choices(signs, k=dice.randint(0, 14)))
        try:
            once = normalize_url(f"http://{dice.choice(hosts)}/{tail}")
        except ValueError:
            continue
        assert normalize_url(once) == once, tail


def test_the_hash_is_of_the_normalized_url():
    expected = hashlib.sha256(b"https://github.com/o/r/issues/7").hexdigest()
    assert url_hash("http://www.github.com/o/r/issues/7/#issuecomment-1") == expected


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://joe:hush@a.example/x", "http://a.example/x"),
        ("http://joe:h@sh@a.example:80", "http://a.example:80"),
        ("no reply from https://joe@a.example?q=b@c.", "no reply from https://a.example?q=b@c."),
        ("https://a.example/@joe", "https://a.example/@joe"),
        ("localhost", "localhost"),
    ],
)
def test_user_info_is_taken_out_of_urls(text, shown):
    assert without_user_info(text) == shown
