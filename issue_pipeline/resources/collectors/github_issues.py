"""GitHub: how one issue is read."""

import re
from datetime import datetime

from issue_pipeline.records import Post
from issue_pipeline.resources.collectors.collection_builder import Item, Reader
from issue_pipeline.resources.collectors.http import expect
from issue_pipeline.resources.collectors.parsing import count, from_iso, identifier, text, writer

_PULL_REQUEST = re.compile(r"/pull/\d+$")


def identify(item: Item) -> tuple[str, datetime]:
    """Return the id of an issue or pull request, and when it was created."""
    created_at = from_iso(expect(item, "created_at", str, "GitHub"))
    return identifier(item, "id", "GitHub"), created_at


def parse_issue(item: Item, *, keep_bots: bool = False) -> Post | str:
    """Read one item of a search or of a repository's list; pull requests are left out.

    Args:
        item: As GitHub gives it.
        keep_bots: Whether issues that a program opened are wanted.
    """
    if is_pull_request(item):
        return "pull request"
    user = item.get("user")
    if not keep_bots and _is_bot(user):
        return "bot account"
    reactions = item.get("reactions")
    return Post(
        source="github",
        url=expect(item, "html_url", str, "GitHub"),
        title=text(item.get("title")),
        body=text(item.get("body")),
        created_at=from_iso(expect(item, "created_at", str, "GitHub")),
        comment_count=count(item.get("comments")),
        vote_count=count(reactions.get("total_count") if isinstance(reactions, dict) else None),
        author=writer(user.get("login") if isinstance(user, dict) else None),
    )


def is_pull_request(item: Item) -> bool:
    """Return whether an item is a pull request, which GitHub lists among the issues."""
    # Old replies carry the key on plain issues too, with nothing but nulls in it.
    links = item.get("pull_request")
    has_links = isinstance(links, dict) and any(links.values())
    return has_links or _PULL_REQUEST.search(text(item.get("html_url"))) is not None


def _is_bot(user: object) -> bool:
    if not isinstance(user, dict):
        return False
    return user.get("type") == "Bot" or text(user.get("login")).endswith("[bot]")


def reader(*, keep_bots: bool) -> Reader:
    """Read issues with or without those of bots."""
    return Reader(identify, lambda item: parse_issue(item, keep_bots=keep_bots))
