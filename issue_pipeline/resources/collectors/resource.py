"""``CollectorsResource``: which API, with which credentials, at which pace."""

from datetime import date

import dagster as dg
from pydantic import Field

from issue_pipeline.errors import ConfigurationError
from issue_pipeline.records import Collection
from issue_pipeline.resources.collectors import github, hackernews, reddit, stackoverflow
from issue_pipeline.resources.collectors.http import ApiClient
from issue_pipeline.resources.collectors.parsing import Day

DEFAULT_SUBREDDITS = (
    "webdev", "devops", "sysadmin", "selfhosted", "dataengineering", "MachineLearning",
    "LocalLLaMA", "SaaS", "smallbusiness", "ecommerce", "shopify", "Accounting", "fintech",
    "logistics", "supplychain", "healthIT", "gdpr", "techsupport",
)  # fmt: skip


class CollectorsResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Collects the posts of one UTC day from one of the four sources.

    The defaults of the fields are those of the settings. The base URLs may point at any faithful
    server. Paces are ours, in requests per minute; limits that a server announces are obeyed on
    top of them.
    """

    github_api_url: str = "https://api.github.com"
    github_token: str = Field(default="", repr=False)
    github_query: str = "is:issue comments:>=3"
    github_requests_per_minute: float | None = Field(default=None, gt=0)

    stackexchange_api_url: str = "https://api.stackexchange.com"
    stackexchange_key: str = Field(default="", repr=False)
    stackexchange_requests_per_minute: float = Field(default=60, gt=0)

    reddit_api_url: str = "https://oauth.reddit.com"
    reddit_auth_url: str = "https://www.reddit.com"
    reddit_client_id: str = Field(default="", repr=False)
    reddit_client_secret: str = Field(default="", repr=False)
    reddit_subreddits: list[str] = Field(default=list(DEFAULT_SUBREDDITS))
    reddit_requests_per_minute: float = Field(default=60, gt=0)

    hn_api_url: str = "https://hn.algolia.com"
    hn_requests_per_minute: float = Field(default=120, gt=0)

    def collect(self, source: str, day: date) -> Collection:
        """Collect the posts that one source saw created on one UTC day.

        Args:
            source: One of ``partitions.SOURCES``.
            day: UTC day.

        Raises:
            ConfigurationError: A setting that this source needs is missing, or the source unknown.
            CollectionError: The source could not be read; nothing may be stored.
        """
        collectors = {
            "github": self._github,
            "stackoverflow": self._stackoverflow,
            "reddit": self._reddit,
            "hackernews": self._hackernews,
        }
        if source not in collectors:
            raise ConfigurationError(
                f"No collector for source {source!r}; expected one of {', '.join(collectors)}."
            )
        return collectors[source](Day(day))

    def _github(self, day: Day) -> Collection:
        with ApiClient(
            "GitHub",
            self.github_api_url,
            requests_per_minute=self.github_requests_per_minute
            or (github.PACE_WITH_TOKEN if self.github_token else github.PACE_WITHOUT_TOKEN),
            headers=github.headers(self.github_token),
            read_error=github.read_error,
            setting="GITHUB_TOKEN",
        ) as client:
            return github.collect(client, self.github_query, day)

    def _stackoverflow(self, day: Day) -> Collection:
        with ApiClient(
            "Stack Exchange",
            _below(self.stackexchange_api_url, f"/{stackoverflow.API_VERSION}"),
            requests_per_minute=self.stackexchange_requests_per_minute,
            headers=stackoverflow.headers(self.stackexchange_key),
            read_error=stackoverflow.read_error,
            setting="STACKEXCHANGE_KEY",
        ) as client:
            return stackoverflow.collect(client, day)

    def _reddit(self, day: Day) -> Collection:
        if not (self.reddit_client_id and self.reddit_client_secret):
            raise ConfigurationError(
                "Reddit needs an application: set REDDIT_CLIENT_ID and REDDIT_CLIENT_SECRET"
                " (create one at https://www.reddit.com/prefs/apps)."
            )
        if not self.reddit_subreddits:
            raise ConfigurationError("REDDIT_SUBREDDITS is empty; name at least one subreddit.")
        pace = self.reddit_requests_per_minute
        credentials = "REDDIT_CLIENT_ID and REDDIT_CLIENT_SECRET"
        auth_url = self.reddit_auth_url.rstrip("/").removesuffix(reddit.TOKEN_PATH)
        with (
            ApiClient(
                "Reddit's login", auth_url, requests_per_minute=pace, setting=credentials
            ) as auth,
            ApiClient(
                "Reddit",
                self.reddit_api_url,
                requests_per_minute=pace,
                read_error=reddit.read_error,
                setting=credentials,
            ) as client,
        ):
            tokens = reddit.TokenSource(auth, self.reddit_client_id, self.reddit_client_secret)
            return reddit.collect(client, tokens, self.reddit_subreddits, day)

    def _hackernews(self, day: Day) -> Collection:
        with ApiClient(
            "Hacker News",
            _below(self.hn_api_url, "/api/v1"),
            requests_per_minute=self.hn_requests_per_minute,
        ) as client:
            return hackernews.collect(client, day)


def _below(base_url: str, path: str) -> str:
    """Append a path to a base URL, unless whoever configured it already did."""
    base = base_url.rstrip("/")
    return base if base.endswith(path) else base + path
