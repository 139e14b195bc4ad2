"""Stack Overflow as a source: every question, through Stack Exchange's API."""

import dagster as dg
from pydantic import Field

from issue_pipeline.records import Collection
from issue_pipeline.resources.collectors import stackoverflow
from issue_pipeline.resources.collectors.source import Outlook, Source, SourceDay, below


class StackOverflowConfig(dg.Config):
    """Settings of Stack Overflow.

    Attributes:
        api_url: Base URL.
        key: Raises the quota from 300 to 10,000 requests a day.
        requests_per_minute: Our own pace; limits of the server are obeyed on top of it.
    """

    api_url: str = "https://api.stackexchange.com"
    key: str = Field(default="", repr=False)
    requests_per_minute: float = Field(default=60, gt=0)


def collect(config: StackOverflowConfig, day: SourceDay) -> Collection:
    """Collect the questions of a day."""
    url = below(config.api_url, f"/{stackoverflow.API_VERSION}")
    headers = stackoverflow.headers(config.key)
    expected = None
    with (
        day.client(stackoverflow.API_POLICY, url, config.requests_per_minute, headers) as client,
        day.builder.keeping_what_came(),
    ):
        expected = stackoverflow.collect(client, day.builder)
    return day.builder.collection(client, expected_count=expected)


def outlook(config: StackOverflowConfig) -> Outlook:
    """Return what a day costs: some 600 questions are 9 requests (docs/sources.md)."""
    quota = "10,000" if config.key else "300"
    because = "with" if config.key else "without"
    return Outlook(
        f"some 9 of the {quota} requests a day that there are {because} STACKEXCHANGE_KEY",
        9 / config.requests_per_minute,
    )


SOURCE = Source(
    "stackoverflow",
    "Stack Overflow",
    "STACKEXCHANGE",
    StackOverflowConfig,
    collect,
    cleaned_as="stackoverflow",
    outlook=outlook,
)
