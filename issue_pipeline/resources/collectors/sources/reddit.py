"""Reddit as a source: a list of subreddits, by the official API or from an archive."""

from typing import Literal

import dagster as dg
from pydantic import Field, field_validator

from issue_pipeline.errors import ConfigurationError
from issue_pipeline.records import Collection
from issue_pipeline.resources.collectors import arctic_shift, reddit
from issue_pipeline.resources.collectors.source import Outlook, Source, SourceDay


class RedditConfig(dg.Config):
    """Settings of Reddit.

    Attributes:
        backend: ``api`` for Reddit's own API, ``archive`` for Arctic Shift, which needs no
            credentials and has any past day; ``auto`` for the API where ``client_id`` is set, and
            the archive otherwise.
        api_url: Of the API.
        auth_url: Where the API's tokens are requested.
        archive_url: Of the archive.
        client_id: Of an application, for the API.
        client_secret: Its secret.
        subreddits: Names, with or without ``r/``.
        requests_per_minute: Our own pace, of either backend.
    """

    backend: Literal["auto", "api", "archive"] = "auto"
    api_url: str = "https://oauth.reddit.com"
    auth_url: str = "https://www.reddit.com"
    archive_url: str = "https://arctic-shift.photon-reddit.com"
    client_id: str = Field(default="", repr=False)
    client_secret: str = Field(default="", repr=False)
    subreddits: list[str] = Field(default=list(reddit.DEFAULT_SUBREDDITS))
    requests_per_minute: float = Field(default=60, gt=0)

    @field_validator("subreddits")
    @classmethod
    def _check_subreddits(cls, subreddits: list[str]) -> list[str]:
        return [reddit.subreddit_name(one) for one in subreddits]

    @property
    def uses_api(self) -> bool:
        """Whether posts come from Reddit's own API."""
        return self.backend == "api" or (self.backend == "auto" and bool(self.client_id))


def collect(config: RedditConfig, day: SourceDay) -> Collection:
    """Collect the posts of a day in every subreddit.

    Raises:
        ConfigurationError: There is no subreddit, or a credential of the chosen backend is missing.
    """
    if not config.subreddits:
        raise ConfigurationError("REDDIT_SUBREDDITS is empty; name at least one subreddit.")
    return _collect_from_api(config, day) if config.uses_api else _collect_from_archive(config, day)


def _collect_from_api(config: RedditConfig, day: SourceDay) -> Collection:
    if not (config.client_id and config.client_secret):
        raise ConfigurationError(
            "Reddit's API needs an application: set REDDIT_CLIENT_ID and REDDIT_CLIENT_SECRET"
            " (create one at https://www.reddit.com/prefs/apps), or REDDIT_BACKEND=archive."
        )
    # Login and API count the requests of an application together.
    pace, together = config.requests_per_minute, f"Reddit {config.client_id}"
    auth_url = config.auth_url.rstrip("/").removesuffix(reddit.TOKEN_PATH)
    with (
        day.client(reddit.LOGIN_POLICY, auth_url, pace, together=together) as auth,
        day.client(reddit.API_POLICY, config.api_url, pace, together=together) as client,
        day.builder.keeping_what_came(),
    ):
        tokens = reddit.TokenSource(auth, config.client_id, config.client_secret)
        reddit.collect(client, tokens, config.subreddits, day.builder)
    return day.builder.collection(auth, client)


def _collect_from_archive(config: RedditConfig, day: SourceDay) -> Collection:
    policy, pace = arctic_shift.API_POLICY, config.requests_per_minute
    with (
        day.client(policy, config.archive_url, pace) as client,
        day.builder.keeping_what_came(),
    ):
        arctic_shift.collect(client, config.subreddits, day.builder)
    return day.builder.collection(client)


def outlook(config: RedditConfig) -> Outlook:
    """Return what a day costs: twenty busy subreddits are some 210 requests (docs/sources.md)."""
    count, pace = len(config.subreddits), config.requests_per_minute
    where = (
        "Reddit's own API" if config.uses_api else "the Arctic Shift archive, which needs no key"
    )
    return Outlook(
        f"{count} subreddits from {where}, {pace:g} requests a minute", 10.5 * count / pace
    )


SOURCE = Source(
    "reddit", "Reddit", "REDDIT", RedditConfig, collect, cleaned_as="reddit", outlook=outlook
)
