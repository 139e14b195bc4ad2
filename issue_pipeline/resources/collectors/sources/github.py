"""GitHub as a source: a search, and the lists of chosen repositories."""

import dagster as dg
from pydantic import Field, field_validator

from issue_pipeline.records import Collection
from issue_pipeline.resources.collectors import github
from issue_pipeline.resources.collectors.source import Outlook, Source, SourceDay


class GitHubConfig(dg.Config):
    """Settings of GitHub.

    Attributes:
        api_url: Base URL.
        token: Raises the limits; no scopes are needed.
        query: Search qualifiers with ``is:issue``, without ``created:``.
        repos: ``owner/name``: all their issues, beside the search.
        keep_bots: Whether issues that programs opened are kept.
        requests_per_minute: Our own pace; ``None`` for one a little below the documented limits.
    """

    api_url: str = "https://api.github.com"
    token: str = Field(default="", repr=False)
    query: str = github.DEFAULT_QUERY
    repos: list[str] = Field(default=[])
    keep_bots: bool = False
    requests_per_minute: float | None = Field(default=None, gt=0)

    @field_validator("query")
    @classmethod
    def _check_query(cls, query: str) -> str:
        return github.check_query(query)

    @field_validator("repos")
    @classmethod
    def _check_repos(cls, repos: list[str]) -> list[str]:
        return [github.repository_name(one) for one in repos]

    @property
    def searches_per_minute(self) -> float:
        """Our pace of searches, which GitHub counts apart from other requests."""
        default = github.SEARCH_PACE_WITH_TOKEN if self.token else github.SEARCH_PACE_WITHOUT_TOKEN
        return self.requests_per_minute or default

    @property
    def lists_per_minute(self) -> float:
        """Our pace of other requests."""
        return self.requests_per_minute or github.LIST_PACE


def collect(config: GitHubConfig, day: SourceDay) -> Collection:
    """Collect the issues of a day that the search finds, and all those of the repositories."""
    policy, headers = github.API_POLICY, github.headers(config.token)
    read = github.reader(keep_bots=config.keep_bots)
    expected = None
    with (
        day.client(
            policy, config.api_url, config.searches_per_minute, headers, apart="search"
        ) as searches,
        day.client(policy, config.api_url, config.lists_per_minute, headers) as lists,
        day.builder.keeping_what_came(),
    ):
        expected = github.collect(searches, lists, config.query, config.repos, read, day.builder)
    # No reply says how long the repositories' lists are.
    return day.builder.collection(
        searches, lists, expected_count=None if config.repos else expected
    )


def outlook(config: GitHubConfig) -> Outlook:
    """Return what a day costs: 5,000 issues are 53 searches (docs/sources.md)."""
    pace = config.searches_per_minute
    token = "with" if config.token else "without"
    each = round(60 * 53 / 5 / pace)
    return Outlook(
        f"{pace:g} searches a minute {token} GITHUB_TOKEN: {each} s for each 1,000 issues",
        53 / pace,
    )


SOURCE = Source(
    "github", "GitHub", "GITHUB", GitHubConfig, collect, cleaned_as="github", outlook=outlook
)
