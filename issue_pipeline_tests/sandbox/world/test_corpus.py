"""Real posts are served whole, once, and in the markup of their source."""

import gzip
import json
from collections import Counter
from datetime import UTC, date
from pathlib import Path
from typing import Any

import pytest

from issue_pipeline.sandbox.world.content import SOURCES
from issue_pipeline.sandbox.world.corpus import MAX_POSTS_PER_SUBREDDIT, CorpusError, CorpusWorld
from issue_pipeline.sandbox.world.posts import SimulatedPost

DAYS = [date(2026, 11, 19), date(2026, 11, 20)]
SHARED = Path(__file__).parents[4] / "shared" / "data" / "corpora"

ROWS: dict[str, dict[str, Any]] = {
    "github": {"repo": "a/b", "labels": ["bug"], "comments": 3, "reactions": 2},
    "bugzilla": {"product": "Core Graveyard", "created_at": None},
    "hackernews": {"label": "ask", "url": None, "points": 9, "comments": None, "dead": False},
    "reddit": {"label": "vim", "score": -2, "comments": 4},
    "stackoverflow": {
        "label": "git",
        "tags": ["git", "bash"],
        "answers": 1,
        "score": 5,
        "body_format": "html",
    },
}


def row(kind: str, number: int, **changes: Any) -> dict[str, Any]:
    text = {"id": f"{kind}-{number}", "title": f"Title {number}", "body": f"Body {number}"}
    return {**text, "source": kind, **ROWS[kind], **changes}


def write(path: Path, rows: list[Any]) -> Path:
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    return path


def served(world: CorpusWorld, source: str) -> list[SimulatedPost]:
    return [post for day in DAYS for post in world.posts(source, day)]


def only(world: CorpusWorld, source: str) -> SimulatedPost:
    (post,) = served(world, source)
    return post


def test_each_kind_of_row_is_served_by_its_source(tmp_path: Path) -> None:
    write(tmp_path / "all.jsonl.gz", [row(source, 1) for source in ROWS])
    world = CorpusWorld(tmp_path, DAYS)

    assert {post.channel for post in served(world, "github")} == {"a/b", "bugzilla/core-graveyard"}
    assert only(world, "hackernews").channel == "ask_hn"
    reddit = only(world, "reddit")
    assert (reddit.channel, reddit.vote_count, reddit.comment_count) == ("vim", -2, 4)
    stackoverflow = only(world, "stackoverflow")
    assert (stackoverflow.channel, stackoverflow.tags) == ("git", ("git", "bash"))
    assert world.channels("github") == ("a/b", "bugzilla/core-graveyard")
    assert all(post.truth is None for source in SOURCES for post in served(world, source))


def test_texts_are_untouched(tmp_path: Path) -> None:
    body = "  <!-- x -->\r\n> it&#x27;s  \t\u202e \n\n"
    write(tmp_path / "x.jsonl.gz", [row(source, 1, body=body) for source in ROWS])
    world = CorpusWorld(tmp_path, DAYS)
    for source in SOURCES:
        assert {post.body for post in served(world, source)} == {body}


def test_stackoverflow_titles_are_unescaped_because_the_api_escapes_them(tmp_path: Path) -> None:
    path = write(tmp_path / "x.jsonl.gz", [row("stackoverflow", 1, title="a &lt;b&gt; &amp; c")])
    assert only(CorpusWorld(path, DAYS), "stackoverflow").title == "a <b> & c"


def test_escaped_markdown_of_stackoverflow_is_served_as_html(tmp_path: Path) -> None:
    markdown = "I&#39;d *like*:\r\n\r\n```js\r\nif (a &lt; b) {}\r\n```\r\n\r\n&gt; quoted\r\n"
    changes = {"body": markdown, "body_format": "escaped-markdown"}
    path = write(tmp_path / "x.jsonl.gz", [row("stackoverflow", 1, **changes)])

    body = only(CorpusWorld(path, DAYS), "stackoverflow").body
    assert body is not None
    assert "<p>I'd <em>like</em>:</p>" in body
    assert '<pre><code class="language-js">if (a &lt; b) {}' in body
    assert "<blockquote>\n<p>quoted</p>" in body


def test_rows_without_a_body_are_counted_not_served(tmp_path: Path) -> None:
    bodies = ["", "  \n", None, "text"]
    rows = [row("reddit", i, body=body) for i, body in enumerate(bodies)]
    world = CorpusWorld(write(tmp_path / "x.jsonl.gz", rows), DAYS)
    assert (world.served_count, world.without_body_count) == (1, 3)
    assert only(world, "reddit").body == "text"


def test_posts_are_dealt_evenly_and_the_same_way_every_time(tmp_path: Path) -> None:
    rows = [row(source, i) for source in ("reddit", "hackernews") for i in range(101)]
    path = write(tmp_path / "x.jsonl.gz", rows)
    shuffled = write(tmp_path / "y.jsonl.gz", rows[::-1])
    world, again = CorpusWorld(path, DAYS), CorpusWorld(shuffled, DAYS[::-1])
    for source in ("reddit", "hackernews"):
        assert [len(world.posts(source, day)) for day in DAYS] == [51, 50]
        assert served(world, source) == served(again, source)
        assert len({post.number for post in served(world, source)}) == 101


def test_posts_lie_in_their_day_in_order(tmp_path: Path) -> None:
    path = write(tmp_path / "x.jsonl.gz", [row("github", i) for i in range(200)])
    world = CorpusWorld(path, DAYS)
    for day in DAYS:
        posts = world.posts("github", day)
        keys = [(post.created_at, post.number) for post in posts]
        assert keys == sorted(keys)
        assert all(p.created_at.date() == day and p.created_at.tzinfo is UTC for p in posts)
        assert len({post.created_at.hour for post in posts}) > 12
    assert world.posts("github", date(2026, 11, 21)) == ()


def test_a_subreddit_is_split_before_reddit_would_stop_listing_it(tmp_path: Path) -> None:
    rows = [row("reddit", i) for i in range(2 * MAX_POSTS_PER_SUBREDDIT + 5)]
    world = CorpusWorld(write(tmp_path / "x.jsonl.gz", rows), DAYS)
    counts = Counter(post.channel for post in served(world, "reddit"))
    assert counts == {"vim": 900, "vim_2": 900, "vim_3": 5}
    assert world.channels("reddit") == ("vim", "vim_2", "vim_3")


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        ("no object", r"x\.jsonl\.gz, line 2: expected a JSON object"),
        (row("reddit", 2, source="usenet"), r"line 2, field 'source'.*usenet"),
        (row("reddit", 2, score="many"), r"line 2, field 'score'.*whole number"),
        (row("github", 2, repo=None), r"line 2, field 'repo': expected a text"),
        (row("hackernews", 2, label="poll"), r"line 2, field 'label'.*poll"),
        ({"id": "x", "source": "reddit"}, r"line 2, field 'title'"),
        (row("reddit", 1), r"'reddit-1' occurs twice"),
    ],
)
def test_a_malformed_row_is_reported_with_its_place(
    tmp_path: Path, bad: object, complaint: str
) -> None:
    path = write(tmp_path / "x.jsonl.gz", [row("reddit", 1), bad])
    with pytest.raises(CorpusError, match=complaint):
        CorpusWorld(path, DAYS)


def test_a_line_that_is_not_json_is_reported_with_its_number(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps(row("reddit", 1)).encode() + b"\n{oops\n"))
    with pytest.raises(CorpusError, match=r"x\.jsonl\.gz, line 2: not JSON"):
        CorpusWorld(path, DAYS)


def test_a_cut_file_is_an_error_not_a_shorter_corpus(tmp_path: Path) -> None:
    path = write(tmp_path / "x.jsonl.gz", [row("reddit", i) for i in range(500)])
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(CorpusError, match=r"x\.jsonl\.gz, after line \d+: cannot be read"):
        CorpusWorld(path, DAYS)


def test_a_missing_path_says_so(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no such file or folder"):
        CorpusWorld(tmp_path / "nowhere", DAYS)
    with pytest.raises(CorpusError, match="holds no"):
        CorpusWorld(tmp_path, DAYS)
    (tmp_path / "plain.txt").write_text("x", encoding="utf-8")
    with pytest.raises(CorpusError, match="expected a folder or"):
        CorpusWorld(tmp_path / "plain.txt", DAYS)


def test_a_corpus_of_titles_only_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "x.jsonl.gz", [row("reddit", 1, body="")])
    with pytest.raises(CorpusError, match="none of its 1 rows has a body"):
        CorpusWorld(path, DAYS)


def test_days_must_be_given_once_each(tmp_path: Path) -> None:
    path = write(tmp_path / "x.jsonl.gz", [row("reddit", 1)])
    with pytest.raises(ValueError, match="at least one day"):
        CorpusWorld(path, [])
    with pytest.raises(ValueError, match="no day twice"):
        CorpusWorld(path, [DAYS[0], DAYS[0]])


@pytest.mark.skipif(not SHARED.is_dir(), reason="the real corpora of ../shared are not here")
def test_every_real_post_with_a_body_is_served_once() -> None:
    with_body: Counter[str] = Counter()
    for file in SHARED.glob("*.jsonl.gz"):
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            with_body.update(r["source"] for r in map(json.loads, lines) if r["body"].strip())
    world = CorpusWorld(SHARED, DAYS)

    assert world.served_count == with_body.total() > 16_000
    assert len(served(world, "github")) == with_body["github"] + with_body["bugzilla"]
    for source in ("stackoverflow", "reddit", "hackernews"):
        assert len(served(world, source)) == with_body[source]
        assert len({post.number for post in served(world, source)}) == with_body[source]
    for source in SOURCES:
        one, other = (len(world.posts(source, day)) for day in DAYS)
        assert abs(one - other) <= 1
    html = [post.body or "" for post in served(world, "stackoverflow")]
    assert all("<p>" in body or "<pre" in body for body in html)
    subreddits = Counter(post.channel for post in served(world, "reddit"))
    assert max(subreddits.values()) <= MAX_POSTS_PER_SUBREDDIT
