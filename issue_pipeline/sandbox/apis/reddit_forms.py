"""Crossposts, polls and galleries in the JSON of Reddit listings.

The text that a post would have is the same, only elsewhere: a crosspost has it in its parent, a
poll ends in its options, a gallery in the captions of its pictures. ``texts`` says what is where.
Galleries are as recorded in 2026. Of crossposts and polls nothing was recorded: these are the
fields that clients of the API read.
"""

import textwrap
from typing import Any

from issue_pipeline.sandbox.apis.addresses import base36, reddit_id, stable_number
from issue_pipeline.sandbox.apis.faults import CROSSPOST, GALLERY, POLL
from issue_pipeline.sandbox.apis.post_faults import TEXT
from issue_pipeline.sandbox.world.posts import SimulatedPost

# Of an option of a poll; a caption may be somewhat longer.
MAX_PIECE_CHARS = 120
_MAX_TAIL_CHARS = 360
_VOTING_S = 3 * 24 * 3600
_WIDTHS = (108, 216, 320)


def texts(post: SimulatedPost, form: str) -> tuple[str, ...]:
    """Return every text of a post's body, whose words together are all of its words.

    Args:
        post: Of Reddit.
        form: ``text``, ``crosspost``, ``poll`` or ``gallery``.

    Returns:
        Own or parent's text, and behind it the options or captions, in order.
    """
    body = post.body or ""
    if form in (TEXT, CROSSPOST):
        return (body,)
    middle = max(len(body) // 2, len(body) - _MAX_TAIL_CHARS)
    cut = next((place for place in range(middle, len(body)) if body[place].isspace()), 0)
    pieces = textwrap.wrap(body[cut:], MAX_PIECE_CHARS)
    return (body[:cut], *pieces)


def reshaped(data: dict[str, Any], post: SimulatedPost, form: str) -> dict[str, Any]:
    """Return the data of a text post as those of another form.

    Args:
        data: Of the post as a text post, with its text in ``selftext``.
        post: The same.
        form: As for ``texts``.
    """
    own, *pieces = texts(post, form)
    if form == CROSSPOST:
        return _crosspost(data)
    if form == POLL:
        return {**data, "selftext": own, "poll_data": _poll(post, pieces)}
    if form == GALLERY:
        return {**data, "selftext": own, **_gallery(post, pieces)}
    return data


def _crosspost(data: dict[str, Any]) -> dict[str, Any]:
    """Post the post again, a subreddit further, by somebody who adds nothing."""
    parent_id = f"{data['id'][::-1]}x"
    path = f"/r/everything/comments/{parent_id}/{data['permalink'].split('/')[-2]}/"
    parent = {
        **data,
        "author": "originalposter",
        "id": parent_id,
        "name": f"t3_{parent_id}",
        "num_crossposts": 1,
        "permalink": path,
        "subreddit": "everything",
        "subreddit_id": f"t5_{base36(stable_number('everything'))}",
        "subreddit_name_prefixed": "r/everything",
        "url": f"https://www.reddit.com{path}",
    }
    return {
        **data,
        "crosspost_parent": parent["name"],
        "crosspost_parent_list": [parent],
        "domain": "self.everything",
        "is_self": False,
        "selftext": "",
        "selftext_html": None,
        "thumbnail": "default",
        "url": path,
        "url_overridden_by_dest": path,
    }


def _poll(post: SimulatedPost, options: list[str]) -> dict[str, Any]:
    ends_ms = 1_000 * (int(post.created_at.timestamp()) + _VOTING_S)
    first = stable_number(reddit_id(post))
    return {
        "is_prediction": False,
        "options": [
            {"id": str(first + place), "text": option} for place, option in enumerate(options)
        ],
        "prediction_status": None,
        "resolved_option_id": None,
        "total_stake_amount": None,
        "total_vote_count": max(0, post.vote_count),
        "tournament_id": None,
        "user_selection": None,
        "user_won_amount": None,
        "vote_updates_remained": None,
        "voting_end_timestamp": ends_ms,
    }


def _gallery(post: SimulatedPost, captions: list[str]) -> dict[str, Any]:
    first = stable_number(reddit_id(post))
    # The first picture goes without a caption, as most do.
    names = [f"{base36(first + place)}zug1" for place in range(len(captions) + 1)]
    items = [
        {"media_id": name, "is_deleted": False, "id": first + place}
        for place, name in enumerate(names)
    ]
    for item, caption in zip(items[1:], captions, strict=True):
        item["caption"] = caption
    return {
        "domain": "reddit.com",
        "gallery_data": {"items": items},
        "is_gallery": True,
        "is_self": False,
        "media_metadata": {name: _picture(name) for name in names},
        "thumbnail": "default",
        "url": f"https://www.reddit.com/gallery/{reddit_id(post)}",
        "url_overridden_by_dest": f"https://www.reddit.com/gallery/{reddit_id(post)}",
    }


def _picture(name: str) -> dict[str, Any]:
    def sized(width: int) -> dict[str, Any]:
        address = f"https://preview.redd.it/{name}.jpg?width={width}&crop=smart&auto=webp"
        return {"y": width, "x": width, "u": address}

    previews = [sized(width) for width in _WIDTHS]
    return {
        "status": "valid",
        "e": "Image",
        "m": "image/jpg",
        "p": previews,
        "s": sized(1080),
        "id": name,
    }
