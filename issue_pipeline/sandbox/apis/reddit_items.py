"""Posts in the JSON of Reddit listings."""

import html
from typing import Any
from urllib.parse import urlsplit

from issue_pipeline.sandbox.apis.addresses import (
    base36,
    permalink,
    reddit_id,
    reddit_path,
    stable_number,
)
from issue_pipeline.sandbox.apis.post_faults import TEXT
from issue_pipeline.sandbox.apis.reddit_forms import reshaped
from issue_pipeline.sandbox.world.posts import SimulatedPost

# What an ordinary post of an ordinary user has, whatever it says; the names are those of 2026.
_NULL = [
    "approved_at_utc",
    "approved_by",
    "author_flair_background_color",
    "author_flair_css_class",
    "author_flair_template_id",
    "author_flair_text",
    "author_flair_text_color",
    "banned_at_utc",
    "banned_by",
    "category",
    "content_categories",
    "discussion_type",
    "distinguished",
    "likes",
    "link_flair_css_class",
    "link_flair_text",
    "media",
    "mod_note",
    "mod_reason_by",
    "mod_reason_title",
    "num_reports",
    "removal_reason",
    "removed_by",
    "removed_by_category",
    "report_reasons",
    "secure_media",
    "suggested_sort",
    "thumbnail_height",
    "thumbnail_width",
    "top_awarded_type",
    "view_count",
]
_FALSE = [
    "allow_live_comments",
    "archived",
    "author_is_blocked",
    "author_patreon_flair",
    "author_premium",
    "can_gild",
    "can_mod_post",
    "clicked",
    "contest_mode",
    "edited",
    "hidden",
    "hide_score",
    "is_created_from_ads_ui",
    "is_crosspostable",
    "is_meta",
    "is_original_content",
    "is_reddit_media_domain",
    "is_video",
    "locked",
    "media_only",
    "no_follow",
    "over_18",
    "pinned",
    "quarantine",
    "saved",
    "spoiler",
    "stickied",
    "visited",
]
_EMPTY_LIST = [
    "all_awardings",
    "author_flair_richtext",
    "awarders",
    "link_flair_richtext",
    "mod_reports",
    "treatment_tags",
    "user_reports",
]
_EMPTY_OBJECT = ("gildings", "media_embed", "secure_media_embed")
_ZERO = ("downs", "gilded", "num_crossposts", "total_awards_received")
SUBSCRIBERS = 250_000


def fullname(post: SimulatedPost) -> str:
    """Return the name of the post in cursors, ``t3_`` and its id."""
    return f"t3_{reddit_id(post)}"


def child(post: SimulatedPost, *, raw: bool, form: str = TEXT) -> dict[str, Any]:
    """Return a post as a listing's child.

    Args:
        post: A Reddit post.
        raw: Whether text comes as it is; otherwise ``&``, ``<`` and ``>`` are escaped in all of it.
        form: ``text``, ``crosspost``, ``poll`` or ``gallery``.

    Returns:
        The child with its kind.
    """
    data = reshaped(_link_post(post), post, form)
    data["selftext_html"] = _as_html(data["selftext"]) if data["selftext"] else None
    return {"kind": "t3", "data": data if raw else _escape(data)}


def _link_post(post: SimulatedPost) -> dict[str, Any]:
    created_s = float(int(post.created_at.timestamp()))
    is_self = post.link is None
    text = (post.body or "") if is_self else ""
    author_id, subreddit_id = stable_number(post.author), stable_number(post.channel)
    data: dict[str, Any] = {
        **dict.fromkeys(_NULL),
        **dict.fromkeys(_FALSE, False),
        **{name: [] for name in _EMPTY_LIST},
        **{name: {} for name in _EMPTY_OBJECT},
        **dict.fromkeys(_ZERO, 0),
        "author": post.author,
        "author_flair_type": "text",
        "author_fullname": f"t2_{base36(author_id)}",
        "created": created_s,
        "created_utc": created_s,
        "domain": f"self.{post.channel}" if is_self else urlsplit(post.link or "").netloc,
        "id": reddit_id(post),
        "is_robot_indexable": True,
        "is_self": is_self,
        "link_flair_background_color": "",
        "link_flair_text_color": "dark",
        "link_flair_type": "text",
        "name": fullname(post),
        "num_comments": post.comment_count,
        "permalink": reddit_path(post),
        "pwls": 6,
        "score": post.vote_count,
        "selftext": text,
        "selftext_html": _as_html(text) if text else None,
        "send_replies": True,
        "subreddit": post.channel,
        "subreddit_id": f"t5_{base36(subreddit_id)}",
        "subreddit_name_prefixed": f"r/{post.channel}",
        "subreddit_subscribers": SUBSCRIBERS,
        "subreddit_type": "public",
        "thumbnail": "self" if is_self else "default",
        "title": post.title,
        "ups": max(0, post.vote_count),
        "upvote_ratio": 0.9 if post.vote_count > 0 else 0.5,
        "url": permalink(post) if is_self else post.link,
        "wls": 6,
    }
    if not is_self:
        data["post_hint"] = "link"
        data["url_overridden_by_dest"] = post.link
    return data


def _as_html(markdown: str) -> str:
    """Wrap paragraphs; the rest of Markdown stays as typed, for collectors read the Markdown."""
    paragraphs = (html.escape(part, quote=False) for part in markdown.split("\n\n"))
    inner = "\n\n".join(f"<p>{part}</p>" for part in paragraphs)
    return f'<!-- SC_OFF --><div class="md">{inner}\n</div><!-- SC_ON -->'


def _escape(value: object) -> object:
    """Escape every text in JSON."""
    match value:
        case str():
            return html.escape(value, quote=False)
        case dict():
            return {name: _escape(inner) for name, inner in value.items()}
        case list():
            return [_escape(inner) for inner in value]
        case _:
            return value
