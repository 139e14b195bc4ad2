"""Hacker News as a source: its stories, and its comments if wanted, through Algolia's search."""

import dagster as dg
from pydantic import Field

from issue_pipeline.records import Collection
from issue_pipeline.resources.collectors import hackernews
from issue_pipeline.resources.collectors.source import Outlook, Source, SourceDay, below


class HackerNewsConfig(dg.Config):
    """Settings of Hacker News, which has no credentials.

    Attributes:
        api_url: Base URL.
        comments: Whether comments are collected, too.
        requests_per_minute: Our own pace.
    """

    api_url: str = "https://hn.algolia.com"
    comments: bool = False
    requests_per_minute: float = Field(default=120, gt=0)


def collect(config: HackerNewsConfig, day: SourceDay) -> Collection:
    """Collect the stories of a day, and its comments if they are wanted."""
    url = below(config.api_url, "/api/v1")
    expected = None
    with (
        day.client(hackernews.API_POLICY, url, config.requests_per_minute) as client,
        day.builder.keeping_what_came(),
    ):
        expected = hackernews.collect(client, day.builder, comments=config.comments)
    return day.builder.collection(client, expected_count=expected)


def outlook(config: HackerNewsConfig) -> Outlook:
    """Return what a day costs: some 900 stories are 3 requests (docs/sources.md)."""
    what = "stories and comments" if config.comments else "stories; needs no key"
    return Outlook(what, (30 if config.comments else 3) / config.requests_per_minute)


SOURCE = Source(
    "hackernews",
    "Hacker News",
    "HN",
    HackerNewsConfig,
    collect,
    cleaned_as="hackernews",
    outlook=outlook,
)
