"""What a source is: its name, its settings, and how one of its days is collected.

A new source is one module that makes a :class:`Source`, and one entry in the table of
``registry.py`` (or, from another package, an entry point of the group ``issue_pipeline.sources``).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import dagster as dg

from issue_pipeline.errors import ConfigurationError
from issue_pipeline.records import Collection
from issue_pipeline.resources.collectors.collection_builder import CollectionBuilder
from issue_pipeline.resources.collectors.http import ApiClient, ApiPolicy, user_agent
from issue_pipeline.resources.collectors.rate_limits import RateLimiter, TimeBudget

# A partition key, a name of jobs, checks and columns, and a value of the live store.
_NAME = re.compile(r"[a-z][a-z0-9]{1,30}")
_PREFIX = re.compile(r"[A-Z][A-Z0-9]{1,30}")


@dataclass(frozen=True, slots=True)
class SourceDay:
    """One day that is being collected: where posts go, and clients to fetch them with.

    Attributes:
        builder: Takes the posts, and the reasons why the day is not complete.
        budget: What is left of the time that the source-day may take.
        limiter_folder: Where the processes of this machine share paces and limits.
        contact: Named in the User-Agent; ``""`` for nobody.
    """

    builder: CollectionBuilder
    budget: TimeBudget
    limiter_folder: Path
    contact: str = ""

    def client(
        self,
        policy: ApiPolicy,
        base_url: str,
        requests_per_minute: float,
        headers: Mapping[str, str] | None = None,
        *,
        apart: str = "",
        together: str = "",
    ) -> ApiClient:
        """Return a client of one API, to be used as a context manager.

        Clients with the same identity share a rate limiter, over all processes of the machine. The
        identity is the base URL and the credential.

        Args:
            policy: Of the API.
            base_url: Its address.
            requests_per_minute: Our pace, above 0.
            headers: Sent with every request; with the credential, which has limits of its own.
            apart: Names requests that the API counts apart from its others.
            together: Identifies us to an API that has several base URLs and counts them together.

        Raises:
            ConfigurationError: The address or a header cannot be sent.
        """
        credential = (headers or {}).get("Authorization", "")
        identity = "\n".join((together or base_url, credential, apart))
        limiter = RateLimiter(self.limiter_folder, identity, requests_per_minute, self.budget)
        agent = {"User-Agent": user_agent(self.contact)}
        return ApiClient(
            policy, base_url, limiter, self.budget, headers={**agent, **(headers or {})}
        )


class Outlook(NamedTuple):
    """How a day of a source is read with given settings.

    Attributes:
        words: Limits and what they depend on, in one line.
        minutes: That an ordinary day takes at our pace.
    """

    words: str
    minutes: float


# Any: each takes the type of settings that its own Source names.
Collect = Callable[[Any, SourceDay], Collection]


@dataclass(frozen=True, slots=True)
class Source:
    """A source of posts.

    Attributes:
        name: Lower-case letters and digits: the partition key, and the value of the column
            ``source``.
        title: What people call it, such as ``Stack Overflow``.
        prefix: How the names of its settings begin, such as ``STACKEXCHANGE``.
        config: Its settings, each with a default; the variable of a field is ``PREFIX_FIELD``.
            Secrets are texts with ``repr=False`` and the default ``""``.
        collect: Collects one day with an instance of ``config``. Raises ``CollectionError`` where
            the source could not be read, and ``ConfigurationError`` where a setting is missing.
        cleaned_as: How its bodies and titles are cleaned: as those of the built-in source of this
            name, whose markup and habits they share; ``""`` for plain text. The built-in sources
            name themselves (``utils/text_cleaning.py``).
        outlook: What an instance of ``config`` means for a day, for whoever starts one by hand.
    """

    name: str
    title: str
    prefix: str
    config: type[dg.Config]
    collect: Collect
    cleaned_as: str = ""
    outlook: Callable[[Any], Outlook] = lambda config: Outlook("at its own pace", 1)

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ConfigurationError(
                f"A source is named {self.name!r}; expected lower-case letters and digits."
            )
        if not _PREFIX.fullmatch(self.prefix):
            raise ConfigurationError(
                f"The settings of source {self.name} begin with {self.prefix!r}; expected capital"
                " letters and digits."
            )


def below(base_url: str, path: str) -> str:
    """Append a path to a base URL, unless whoever configured it already did."""
    base = base_url.rstrip("/")
    return base if base.endswith(path) else base + path
