"""``CollectorsResource``: which API, with which credentials, at which pace."""

from collections.abc import Mapping, Sequence
from datetime import date

import dagster as dg
from pydantic import Field

from issue_pipeline.errors import ConfigurationError
from issue_pipeline.records import Collection
from issue_pipeline.resources.cache_folder import cache_folder
from issue_pipeline.resources.collectors import (
    arctic_shift,
    github,
    hackernews,
    reddit,
    stackoverflow,
)
from issue_pipeline.resources.collectors.collection_builder import CollectionBuilder, Day
from issue_pipeline.resources.collectors.http import ApiClient, ApiPolicy
from issue_pipeline.resources.collectors.rate_limits import RateLimiter, TimeBudget

REDDIT_BACKENDS = ("api", "archive")


class CollectorsResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Collects the posts of one UTC day from one of the four sources.

    The defaults of the fields are those of the settings. The base URLs may point at any faithful
    server. Paces are ours, in requests per minute; limits that a server announces are obeyed on
    top of them. Processes that share a cache folder (the user's own by default) share paces and
    limits.
    """

    cache_dir: str = ""
    time_budget_minutes: float = Field(default=120, gt=0)
    max_body_chars: int = Field(default=100_000, gt=0)

    github_api_url: str = "https://api.github.com"
    github_token: str = Field(default="", repr=False)
    github_query: str = github.DEFAULT_QUERY
    github_repos: list[str] = Field(default=[])
    github_keep_bots: bool = False
    github_requests_per_minute: float | None = Field(default=None, gt=0)

    stackexchange_api_url: str = "https://api.stackexchange.com"
    stackexchange_key: str = Field(default="", repr=False)
    stackexchange_requests_per_minute: float = Field(default=60, gt=0)

    reddit_backend: str = "api"
    reddit_api_url: str = "https://oauth.reddit.com"
    reddit_auth_url: str = "https://www.reddit.com"
    reddit_archive_url: str = "https://arctic-shift.photon-reddit.com"
    reddit_client_id: str = Field(default="", repr=False)
    reddit_client_secret: str = Field(default="", repr=False)
    reddit_subreddits: list[str] = Field(default=list(reddit.DEFAULT_SUBREDDITS))
    reddit_requests_per_minute: float = Field(default=60, gt=0)

    hn_api_url: str = "https://hn.algolia.com"
    hn_comments: bool = False
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
        builder = CollectionBuilder(Day(day), self.max_body_chars)
        return collectors[source](builder, TimeBudget(self.time_budget_minutes))

    def _github(self, builder: CollectionBuilder, budget: TimeBudget) -> Collection:
        headers = github.headers(self.github_token)
        search_pace = self.github_requests_per_minute or (
            github.SEARCH_PACE_WITH_TOKEN if self.github_token else github.SEARCH_PACE_WITHOUT_TOKEN
        )
        list_pace = self.github_requests_per_minute or github.LIST_PACE
        read = github.reader(keep_bots=self.github_keep_bots)
        query = github.check_query(self.github_query)
        repositories = [github.repository_name(one) for one in self.github_repos]
        expected = None
        # Searches and other requests are counted apart.
        with (
            self._client(
                github.API_POLICY, self.github_api_url, search_pace, budget, headers, apart="search"
            ) as searches,
            self._client(
                github.API_POLICY, self.github_api_url, list_pace, budget, headers
            ) as lists,
            builder.keeping_what_came(),
        ):
            expected = github.collect_search(searches, query, read, builder)
            github.collect_repositories(searches, lists, repositories, read, builder)
        # Of the repositories' lists nobody says how long they are.
        return builder.collection(
            searches, lists, expected_count=None if repositories else expected
        )

    def _stackoverflow(self, builder: CollectionBuilder, budget: TimeBudget) -> Collection:
        expected = None
        with (
            self._client(
                stackoverflow.API_POLICY,
                _below(self.stackexchange_api_url, f"/{stackoverflow.API_VERSION}"),
                self.stackexchange_requests_per_minute,
                budget,
                stackoverflow.headers(self.stackexchange_key),
            ) as client,
            builder.keeping_what_came(),
        ):
            expected = stackoverflow.collect(client, builder)
        return builder.collection(client, expected_count=expected)

    def _reddit(self, builder: CollectionBuilder, budget: TimeBudget) -> Collection:
        if not self.reddit_subreddits:
            raise ConfigurationError("REDDIT_SUBREDDITS is empty; name at least one subreddit.")
        subreddits = [reddit.subreddit_name(one) for one in self.reddit_subreddits]
        if self.reddit_backend == "archive":
            return self._reddit_archive(subreddits, builder, budget)
        if not (self.reddit_client_id and self.reddit_client_secret):
            raise ConfigurationError(
                "Reddit needs an application: set REDDIT_CLIENT_ID and REDDIT_CLIENT_SECRET"
                " (create one at https://www.reddit.com/prefs/apps), or REDDIT_BACKEND=archive."
            )
        # Login and API count the requests of an application together.
        pace, together = self.reddit_requests_per_minute, f"Reddit {self.reddit_client_id}"
        auth_url = self.reddit_auth_url.rstrip("/").removesuffix(reddit.TOKEN_PATH)
        with (
            self._client(reddit.LOGIN_POLICY, auth_url, pace, budget, together=together) as auth,
            self._client(
                reddit.API_POLICY, self.reddit_api_url, pace, budget, together=together
            ) as client,
            builder.keeping_what_came(),
        ):
            tokens = reddit.TokenSource(auth, self.reddit_client_id, self.reddit_client_secret)
            reddit.collect(client, tokens, subreddits, builder)
        return builder.collection(auth, client)

    def _reddit_archive(
        self, subreddits: Sequence[str], builder: CollectionBuilder, budget: TimeBudget
    ) -> Collection:
        pace = self.reddit_requests_per_minute
        with (
            self._client(arctic_shift.API_POLICY, self.reddit_archive_url, pace, budget) as client,
            builder.keeping_what_came(),
        ):
            arctic_shift.collect(client, subreddits, builder)
        return builder.collection(client)

    def _hackernews(self, builder: CollectionBuilder, budget: TimeBudget) -> Collection:
        expected = None
        with (
            self._client(
                hackernews.API_POLICY,
                _below(self.hn_api_url, "/api/v1"),
                self.hn_requests_per_minute,
                budget,
            ) as client,
            builder.keeping_what_came(),
        ):
            expected = hackernews.collect(client, builder, comments=self.hn_comments)
        return builder.collection(client, expected_count=expected)

    def _client(
        self,
        policy: ApiPolicy,
        base_url: str,
        requests_per_minute: float,
        budget: TimeBudget,
        headers: Mapping[str, str] | None = None,
        *,
        apart: str = "",
        together: str = "",
    ) -> ApiClient:
        """Make the client of one API, whose turns it shares with every client of the same kind.

        Args:
            policy: Of the API.
            base_url: Its address.
            requests_per_minute: Our pace.
            budget: Of the source-day.
            headers: With the credential, which has limits of its own.
            apart: A name for requests that the API counts apart from its others.
            together: A name for whoever the API knows under several addresses.
        """
        credential = (headers or {}).get("Authorization", "")
        identity = "\n".join((together or base_url, credential, apart))
        folder = cache_folder(self.cache_dir, "pace")
        pace = RateLimiter(folder, identity, requests_per_minute, budget)
        return ApiClient(policy, base_url, pace, budget, headers=headers)


def _below(base_url: str, path: str) -> str:
    """Append a path to a base URL, unless whoever configured it already did."""
    base = base_url.rstrip("/")
    return base if base.endswith(path) else base + path
