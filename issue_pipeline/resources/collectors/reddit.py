"""Reddit: the posts of a day in a list of subreddits, by the official OAuth API.

Source: https://www.reddit.com/dev/api#GET_new and https://github.com/reddit-archive/reddit/wiki/OAuth2
``/new`` lists the newest 1,000 posts of a subreddit and has no date filter, so it is walked back
until it passes the start of the day. A listing that ends before that leaves the day incomplete. One
of several pages is walked twice, for it counts nothing.
"""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx

from issue_pipeline.errors import (
    AccessDeniedError,
    CollectionError,
    ConfigurationError,
    RequestRejectedError,
    TokenExpiredError,
    TransientError,
    UnexpectedReplyError,
)
from issue_pipeline.records import Post
from issue_pipeline.resources.collectors.collection_builder import (
    CollectionBuilder,
    Item,
    Reader,
    ends_before,
    read_each_and_prove,
    why_not_past,
)
from issue_pipeline.resources.collectors.http import (
    ApiClient,
    ApiPolicy,
    Parameters,
    expect,
    number_in,
    retry_after_s,
    within_window,
)
from issue_pipeline.resources.collectors.parsing import (
    count,
    from_epoch,
    identifier,
    number,
    text,
    writer,
)
from issue_pipeline.utils.missing_posts import too_many_missing
from issue_pipeline.utils.printable import printable

DEFAULT_SUBREDDITS = (
    "webdev", "devops", "sysadmin", "selfhosted", "dataengineering", "MachineLearning",
    "LocalLLaMA", "SaaS", "smallbusiness", "ecommerce", "shopify", "Accounting", "fintech",
    "logistics", "supplychain", "healthIT", "gdpr", "techsupport",
)  # fmt: skip
CREDENTIALS = "REDDIT_CLIENT_ID and REDDIT_CLIENT_SECRET"
PAGE_SIZE = 100
LISTING_CAP = 1_000
MAX_EMPTY_PAGES = 3
# Readings of a listing until two agree.
MAX_WALKS = 4
# The listing of all subreddits: whether the site shows what is later than the day.
EVERYTHING = "all"
MAX_PROBES = 3
# Reddit's limits are counted over ten minutes.
LONGEST_RESET_S = 600.0
TOKEN_PATH = "/api/v1/access_token"  # noqa: S105  (a path)
SITE = "https://www.reddit.com"
# Renew a token this long before it expires.
TOKEN_MARGIN_S = 60.0
# Where Reddit does not say how long a token lives.
DEFAULT_LIFETIME_S = 3_600
_SUBREDDIT = re.compile(r"/?(?:r/)?(\w{2,30})/?")


def read_error(response: httpx.Response) -> CollectionError | None:
    """Distinguish an unknown or closed subreddit from a refused client; name the setting."""
    if response.status_code == 401:
        return TokenExpiredError(
            f"Reddit does not take our token ({response.text[:100]!r}). Check {CREDENTIALS}."
        )
    if (limit := read_limit(response)) is not None:
        return limit
    path = response.request.url.path
    if "/r/" not in path:
        return None
    subreddit = path.split("/r/")[1].split("/")[0]
    part, why = f"r/{subreddit}", _reason(response)
    if why in ("banned", "private", "quarantined", "gold_only", "employees_only"):
        kind = RequestRejectedError if response.status_code == 404 else AccessDeniedError
        return kind(f"r/{subreddit} is {why}: take it out of REDDIT_SUBREDDITS.", part=part)
    if response.status_code in (302, 404):
        return RequestRejectedError(
            f"Reddit knows no subreddit r/{subreddit}. Check REDDIT_SUBREDDITS.", part=part
        )
    if response.status_code == 403:
        return AccessDeniedError(
            f"Reddit does not let us read r/{subreddit} ({response.text[:100]!r})."
            " It may be private or quarantined: take it out of REDDIT_SUBREDDITS.",
            part=part,
        )
    return None


def _reason(response: httpx.Response) -> str:
    """Return the word with which Reddit gives its reason; ``""`` where it gives none."""
    try:
        body = response.json()
    except (ValueError, RecursionError):
        return ""
    return text(body.get("reason")) if isinstance(body, dict) else ""


def read_body_status(payload: Any) -> int:  # noqa: ANN401
    """Read a refusal that came with a good status: its number stands in the body."""
    if not isinstance(payload, dict) or "data" in payload:
        return 0
    status = payload.get("error")
    return status if isinstance(status, int) and 400 <= status < 600 else 0


def read_limit(response: httpx.Response) -> TransientError | None:
    """Read how long too many requests must be waited out; Reddit has headers of its own."""
    if response.status_code != 429 or retry_after_s(response.headers) is not None:
        return None
    return TransientError(
        f"Reddit answered 429: {response.text[:200]!r}.",
        wait_s=_until_reset_s(response.headers),
        is_throttle=True,
    )


def read_login_error(response: httpx.Response) -> CollectionError | None:
    """A login that Reddit does not understand is an application that it does not know."""
    if response.status_code == 400:
        return AccessDeniedError(
            f"Reddit's login answered 400: {response.text[:200]!r}. Check {CREDENTIALS}."
        )
    return read_limit(response)


def read_pause(headers: httpx.Headers, _payload: Any) -> float:  # noqa: ANN401
    """Wait for the next window after the last request of this one."""
    remaining = number_in(headers, "x-ratelimit-remaining")
    spent = remaining is not None and remaining < 1
    return (_until_reset_s(headers) or 0.0) if spent else 0.0


def _until_reset_s(headers: httpx.Headers) -> float | None:
    """Read how long the window of the limit still lasts: Reddit's own header, in seconds."""
    reset_s = within_window(number_in(headers, "x-ratelimit-reset"), LONGEST_RESET_S)
    return None if reset_s is None else max(1.0, reset_s)


API_POLICY = ApiPolicy(
    "Reddit", "REDDIT_API_URL", CREDENTIALS, read_error, read_pause, read_body_status
)
LOGIN_POLICY = ApiPolicy(
    "Reddit's login", "REDDIT_AUTH_URL", CREDENTIALS, read_login_error, read_pause
)


def subreddit_name(text: str) -> str:
    """Read the name of a subreddit, with or without ``r/``.

    Raises:
        ConfigurationError: It is none.
    """
    match = _SUBREDDIT.fullmatch(text.strip())
    if match is None:
        raise ConfigurationError(f"REDDIT_SUBREDDITS names {text!r}; expected names like webdev.")
    return match[1]


class TokenSource:
    """Fetches an application-only token and renews it before it expires."""

    def __init__(self, auth: ApiClient, client_id: str, client_secret: str) -> None:
        self._auth = auth
        self._credentials = (client_id, client_secret)
        self._token = ""
        self._renew_at = 0.0

    def token(self) -> str:
        """Return a token that is valid for another minute, or half of its short life.

        Raises:
            CollectionError: Reddit refuses the credentials or cannot be reached.
        """
        if time.monotonic() >= self._renew_at:
            payload = self._auth.request(
                "POST",
                TOKEN_PATH,
                form={"grant_type": "client_credentials"},
                auth=self._credentials,
            ).payload
            # Some refusals come with status 200.
            if isinstance(payload, dict) and payload.get("error"):
                raise AccessDeniedError(
                    f"Reddit refuses the application ({printable(text(payload['error']), 60)})."
                    " Check REDDIT_CLIENT_ID and REDDIT_CLIENT_SECRET."
                )
            self._token = expect(payload, "access_token", str, "Reddit's token page")
            lifetime_s = count(payload.get("expires_in")) or DEFAULT_LIFETIME_S
            self._renew_at = time.monotonic() + lifetime_s - min(TOKEN_MARGIN_S, lifetime_s / 2)
        return self._token

    def forget(self) -> None:
        """Drop the present token, which was refused, so that the next call gets a new one."""
        self._renew_at = 0.0


def identify(item: Item) -> tuple[str, datetime]:
    """Return the fullname of a listed post (``t3_...``), and when it was posted."""
    # Reddit writes whole seconds as a float, the archive as an integer.
    created_at = from_epoch(number(item, "created_utc", "Reddit"))
    return f"t3_{identifier(item, 'id', 'Reddit')}", created_at


def parse_post(item: Item) -> Post | str:
    """Read the data of one post."""
    return Post(
        source="reddit",
        url=f"{SITE}{_permalink(item)}",
        title=text(item.get("title")),
        body=compose_body(item),
        created_at=identify(item)[1],
        comment_count=count(item.get("num_comments")),
        vote_count=count(item.get("score")),
        author=writer(item.get("author")),
    )


def compose_body(item: Item) -> str:
    """Return all that the author of a post wrote, in Markdown.

    The text of a post, of the post that it passes on (a crosspost's own is empty), the options of
    its poll and the captions of its gallery, each in a paragraph of its own.
    """
    parts = [text(item.get("selftext"))]
    parents = item.get("crosspost_parent_list")
    if isinstance(parents, list) and parents and isinstance(parents[0], dict):
        parts += _own_parts(parents[0], but=parts[0])
    parts += _own_parts({**item, "selftext": ""}, but="")
    return "\n\n".join(part for part in dict.fromkeys(parts) if part.strip()) or parts[0]


def _own_parts(item: Item, *, but: str) -> list[str]:
    """Return text, poll options and gallery captions of one post, without a text known already."""
    told = text(item.get("selftext"))
    options = _texts(item.get("poll_data"), "options", "text")
    captions = _texts(item.get("gallery_data"), "items", "caption")
    return [
        "" if told in (but, *_GONE) else told,
        "\n".join(f"- {option}" for option in options),
        "\n\n".join(captions),
    ]


_GONE = ("[removed]", "[deleted]")


def _texts(holder: object, listed: str, name: str) -> list[str]:
    """Return one text of each entry of a list within an object, wherever there is one."""
    entries = holder.get(listed) if isinstance(holder, dict) else None
    if not isinstance(entries, list):
        return []
    told = [text(entry.get(name)) for entry in entries if isinstance(entry, dict)]
    return [one for one in told if one.strip()]


def _permalink(item: Item) -> str:
    """Return the path of a post's page; where Reddit names none, build it as Reddit would."""
    permalink = text(item.get("permalink")).removeprefix(SITE)
    if permalink.startswith(("/r/", "/u/", "/user/", "/comments/")):
        return permalink
    subreddit = identifier(item, "subreddit", "Reddit")
    return f"/r/{subreddit}/comments/{identifier(item, 'id', 'Reddit')}/"


READER = Reader(identify, parse_post)


def collect(
    client: ApiClient, tokens: TokenSource, subreddits: Sequence[str], builder: CollectionBuilder
) -> None:
    """Collect the posts of the day in every subreddit.

    Raises:
        CollectionError: Reddit could not be read.
    """

    def read(subreddit: str) -> bool:
        listing = _Listing(client, tokens, subreddit, builder)
        listing.read()
        return listing.is_past

    def look_elsewhere() -> str:
        # A quiet subreddit shows nothing later for days; that the site goes on, all of Reddit
        # shows. With a builder of its own, for nobody wants its posts.
        aside = CollectionBuilder(builder.day, builder.max_body_chars)
        everything = _Listing(client, tokens, EVERYTHING, aside)
        return why_not_past(
            everything.shows_later_posts,
            f"r/{EVERYTHING} shows none either, its listings may have stopped",
        )

    unproven, reason = read_each_and_prove(subreddits, read, look_elsewhere, builder)
    if unproven:
        builder.problems.append(
            "Reddit shows no post that is later than the day in"
            f" r/{', r/'.join(unproven)}: {reason}"
        )


@dataclass(slots=True)
class _Walk:
    """What one reading of a listing has shown.

    Attributes:
        names: Of all posts listed, in order.
        of_day: Those of the day.
        pages: Read.
        is_passed: Whether it went back beyond the start of the day.
    """

    names: list[str] = field(default_factory=list)
    of_day: set[str] = field(default_factory=set)
    pages: int = 0
    is_passed: bool = False


class _Listing:
    """The newest posts of one subreddit.

    Attributes:
        is_past: Whether it has shown a post that is later than the day.
    """

    def __init__(
        self, client: ApiClient, tokens: TokenSource, subreddit: str, builder: CollectionBuilder
    ) -> None:
        self.is_past = False
        self._client = client
        self._tokens = tokens
        self._path = f"/r/{subreddit}"
        self._subreddit = subreddit
        self._builder = builder

    def read(self) -> None:
        """Read the day; again until two readings agree, where one reply does not show it whole."""
        walks: list[_Walk] = []
        seen: set[str] = set()
        for _ in range(MAX_WALKS):
            walk = self._walk_back()
            if not walk.is_passed and len(walk.names) >= LISTING_CAP:
                break  # it goes no further back, however often it is read
            before, seen = set(seen), seen | walk.of_day
            walks.append(walk)
            if walk.is_passed and walk.pages == 1:
                return
            if len(walks) > 1 and self._agrees(walk, walks[-2], before):
                break
        else:
            if all(one.is_passed for one in walks[-2:]):
                self._builder.problems.append(
                    f"the listing of r/{self._subreddit} kept changing while it was read"
                )
                return
        if walk.is_passed:
            return
        if len(walk.names) < LISTING_CAP and self._founded() >= self._builder.day.first_s:
            return  # the listing reaches back to the subreddit's first post
        self._builder.problems.append(
            f"the listing of r/{self._subreddit} ends after {len(walk.names)} posts, before the"
            " start of the day"
        )

    @staticmethod
    def _agrees(walk: _Walk, earlier: _Walk, before: set[str]) -> bool:
        """Return whether a reading shows what the one before showed, and nothing new.

        Posts that two readings do not show any more have been deleted meanwhile.
        """
        gone = before - walk.of_day
        return (
            walk.is_passed == earlier.is_passed
            and not walk.of_day - before
            and walk.of_day >= earlier.of_day
            and not too_many_missing(len(gone), len(before))
        )

    def shows_later_posts(self) -> bool:
        """Return whether the newest posts are later than the day."""
        for _ in range(MAX_PROBES):
            self._page("")
            if self.is_past:
                return True
        return False

    def _walk_back(self) -> _Walk:
        """Read page after page, newest first, until one reaches back beyond the day's start."""
        day = self._builder.day
        walk = _Walk()
        names = walk.names
        after, empty_pages = "", 0
        while True:
            walk.pages += 1
            found, after = self._page(after)
            if not found and not after:
                # The post that the page was to follow may have vanished: follow an earlier one. And
                # one reply is not enough to believe that there is nothing at all.
                found, after = self._page(names[-2] if len(names) > 1 else "")
            known = set(names)
            new = [name for name in found if name not in known]
            names += new
            walk.of_day |= {
                name
                for name, second in found.items()
                if second is not None and day.first_s <= second <= day.last_s
            }
            if ends_before(day.first_s, found):
                walk.is_passed = True
                return walk
            if not after or (found and not new):
                return walk
            if not found:
                empty_pages += 1
                if empty_pages > MAX_EMPTY_PAGES:
                    return walk

    def _page(self, after: str) -> tuple[dict[str, int | None], str]:
        """Add the posts of one page; return them, and the cursor of the next page."""
        query = {"limit": PAGE_SIZE, "raw_json": 1} | ({"after": after} if after else {})
        listing = self._data(f"{self._path}/new", query)
        children = expect(listing, "children", list, "Reddit's listing")
        # Posts are of kind t3; anything else between them is not one.
        posts = [
            child.get("data")
            for child in children
            if isinstance(child, dict) and child.get("kind") == "t3"
        ]
        if children and not posts:
            raise UnexpectedReplyError(f"Reddit lists no posts: {str(children)[:200]!r}.")
        found = self._builder.add_page(posts, READER, skip_other_days=True)
        last_s = self._builder.day.last_s
        self.is_past |= any(second is not None and second > last_s for second in found.values())
        return found, text(listing.get("after"))

    def _founded(self) -> int:
        """Return when the subreddit began, in seconds since 1970; 0 if Reddit does not say."""
        try:
            about = self._data(f"{self._path}/about", {"raw_json": 1})
            return number(about, "created_utc", "Reddit")
        except (AccessDeniedError, RequestRejectedError, UnexpectedReplyError):
            return 0

    def _data(self, path: str, query: Parameters) -> dict[str, Any]:
        """Ask, with a new token if the present one is refused before its time."""
        try:
            payload = self._ask(path, query)
        except TokenExpiredError:
            self._tokens.forget()
            payload = self._ask(path, query)
        return expect(payload, "data", dict, "Reddit")

    def _ask(self, path: str, query: Parameters) -> Any:  # noqa: ANN401
        self._client.set_header("Authorization", f"Bearer {self._tokens.token()}")
        return self._client.get(path, query).payload
