"""Everything that can be set from the environment, and the resources built from it.

What belongs to a resource or to a source is declared there, as a field with its default and its
bounds, and read by its prefix (``GITHUB_TOKEN`` is the field ``token`` of GitHub's settings); the
rest is declared in :class:`Settings`. All of it is validated when the code location loads. Secrets
reach Dagster by the name of their variable, so that no UI shows their value.
"""

import base64
from dataclasses import dataclass, field
from datetime import time, timedelta
from typing import Annotated, Any, Literal

import dagster as dg
from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from issue_pipeline.errors import ConfigurationError
from issue_pipeline.problems.trend import STATES
from issue_pipeline.resources.collectors import CollectorsResource
from issue_pipeline.resources.collectors.registry import SOURCES
from issue_pipeline.resources.compute import ComputeResource
from issue_pipeline.resources.duckdb import IssuesDatabase
from issue_pipeline.resources.embedding import BACKENDS, EmbeddingResource
from issue_pipeline.resources.environment import (
    Clock,
    FromEnvironment,
    Names,
    check_user_info,
    read_fields,
    read_setting,
    wrong,
)
from issue_pipeline.resources.llm import STYLES, LLMResource
from issue_pipeline.resources.pocketbase import PocketBaseResource
from issue_pipeline.utils.urls import is_web_address, without_user_info


def check_min_size(size: int) -> int:
    """Accept the fewest posts of a cluster: at least 2, or 0 for a size that fits the day."""
    if size < 0 or size == 1:
        raise wrong("a whole number of at least 2, or 0 for a size that fits the day")
    return size


def check_states(states: list[str]) -> list[str]:
    """Accept states of a problem, or ``none`` alone."""
    if states != ["none"] and (not states or set(states) - set(STATES)):
        raise wrong(f"some of {', '.join(STATES)}, with commas between; or none")
    return states


def check_webhook_secret(secret: str) -> str:
    """Accept a secret of Standard Webhooks: ``whsec_`` and base64 of 24 to 64 bytes."""
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError:
        key = b""
    if not secret.startswith("whsec_") or len(key) not in WEBHOOK_KEY_BYTES:
        raise wrong("whsec_ and 24 to 64 bytes in base64: echo whsec_$(openssl rand -base64 32)")
    return secret


WEBHOOK_KEY_BYTES = range(24, 65)
ClusteringMode = Literal["raw", "smoothed"]
States = Annotated[Names, AfterValidator(check_states)]
WebhookSecret = Annotated[str, AfterValidator(check_webhook_secret)]
MinClusterSize = Annotated[int, AfterValidator(check_min_size)]


def check_sources(names: list[str]) -> list[str]:
    """Accept names of registered sources."""
    if unknown := [name for name in names if name not in SOURCES]:
        raise wrong(f"some of {', '.join(SOURCES)}, between commas; not {', '.join(unknown)}")
    return names


class Settings(FromEnvironment):
    """What belongs to no resource; the variable of a field is its name in capitals.

    Attributes:
        issues_duckdb_path: The one database file.
        issues_cache_dir: Folder of what can be computed again; ``""`` for the user's own.
        sources: Those that are collected; none for all.
        contact: Where the owner of an API reaches whoever runs this.
        clustering_mode: Default of the clustering asset's configuration.
        clustering_min_size: Likewise; fewest posts of a cluster, 0 for a size that fits the day.
        collect_at: When yesterday is collected, UTC.
        process_deadline: When yesterday is processed with the sources that are in, UTC.
        try_again_minutes: Wait before a failed run is started again for the first time.
        alert_webhook_url: Where failures are posted; ``""`` for nowhere.
        dagster_ui_url: Where links in alerts lead.
        issue_webhook_url: Where changes of problems are posted; ``""`` for nowhere.
        issue_webhook_secret: Signs those messages; ``""`` for no signature.
        issue_webhook_states: Coming into one of them is a change; ``none`` for no message.
        issue_webhook_min_posts: Fewest posts of the last seven days.
        issue_digest_at: When the day's digest is posted, UTC; ``None`` for no digest.
        issue_page_url: Where links in those messages lead; ``""`` for the live store's address.
    """

    issues_duckdb_path: str = "data/issues.duckdb"
    issues_cache_dir: str = ""
    sources: Annotated[Names, AfterValidator(check_sources)] = Field(default=[])
    contact: str = ""
    clustering_mode: ClusteringMode = "smoothed"
    clustering_min_size: MinClusterSize = 0
    collect_at: Clock = time(0, 30)
    process_deadline: Clock = time(6)
    try_again_minutes: float = Field(default=15.0, gt=0, allow_inf_nan=False)
    alert_webhook_url: str = ""
    dagster_ui_url: Annotated[str, AfterValidator(check_user_info)] = "http://127.0.0.1:3000"
    issue_webhook_url: str = ""
    issue_webhook_secret: WebhookSecret = Field(default="", repr=False)
    issue_webhook_states: States = Field(default=["new", "growing", "returned"])
    issue_webhook_min_posts: int = Field(default=5, ge=1)
    issue_digest_at: Clock | None = None
    issue_page_url: Annotated[str, AfterValidator(check_user_info)] = ""

    @field_validator("alert_webhook_url", "dagster_ui_url", "issue_webhook_url", "issue_page_url")
    @classmethod
    def _check_address(cls, address: str, info: ValidationInfo) -> str:
        if not is_web_address(address):
            # Not shown: a webhook's address is a secret.
            raise ConfigurationError(
                f"{(info.field_name or '').upper()} is no address that begins with http:// or"
                " https://."
            )
        return address


def duckdb_path() -> str:
    """Return ``ISSUES_DUCKDB_PATH``: the one database file."""
    return Settings().issues_duckdb_path


def clustering_mode() -> ClusteringMode:
    """Return ``CLUSTERING_MODE``: the default of the clustering asset's configuration."""
    return Settings().clustering_mode


def clustering_min_size() -> int:
    """Return ``CLUSTERING_MIN_SIZE``: the fewest posts of a cluster; 0 for the day's own."""
    return Settings().clustering_min_size


def active_sources() -> tuple[str, ...]:
    """Return the sources that are collected, in the registry's order: all, or ``SOURCES``.

    The others keep their partitions and what was collected of them; nothing waits for them.

    Raises:
        ConfigurationError: ``SOURCES`` names one that there is not.
    """
    chosen = Settings().sources
    return tuple(name for name in SOURCES if not chosen or name in chosen)


def collect_at(source: str) -> time:
    """Return when a source's day is collected, on the next day, UTC.

    That is its own setting (``GITHUB_COLLECT_AT``), or ``COLLECT_AT``.
    """
    name = f"{SOURCES[source].prefix}_COLLECT_AT"
    at: time = read_setting(name, Clock, Settings().collect_at)
    return at


def process_deadline() -> time:
    """Return ``PROCESS_DEADLINE``: when a day is processed with the sources that are in, UTC.

    Raises:
        ConfigurationError: It is not after the times at which the sources are collected.
    """
    deadline = Settings().process_deadline
    last = max(map(collect_at, active_sources()))
    if deadline <= last:
        raise ConfigurationError(
            f"PROCESS_DEADLINE is {deadline:%H:%M}; expected a time after {last:%H:%M}, when the"
            " last source is collected (COLLECT_AT)."
        )
    return deadline


def try_again_after() -> timedelta:
    """Return ``TRY_AGAIN_MINUTES``: the wait before a failed run is first started again."""
    return timedelta(minutes=Settings().try_again_minutes)


def alert_webhook_url() -> str:
    """Return ``ALERT_WEBHOOK_URL``: where failures are posted; ``""`` for nowhere."""
    return Settings().alert_webhook_url


def dagster_ui_url() -> str:
    """Return ``DAGSTER_UI_URL``: where links in alerts lead, without a slash at the end."""
    return Settings().dagster_ui_url.rstrip("/")


def pocketbase_url() -> str:
    """Return ``POCKETBASE_URL``, without a slash at the end; ``""`` if it is not set."""
    url: str = read_setting("POCKETBASE_URL", str, "")
    return url.rstrip("/")


def page_url() -> str:
    """Return ``ISSUE_PAGE_URL``, or the live store's address: without user info or last slash."""
    return without_user_info(Settings().issue_page_url.rstrip("/") or pocketbase_url())


@dataclass(frozen=True, slots=True)
class ProblemWebhook:
    """Where and of what changes of problems are reported.

    Attributes:
        url: The receiver's address.
        secret: Signs the messages; ``""`` for no signature.
        states: Coming into one of them is a change.
        min_posts: Fewest posts of the last seven days.
        digest_at: When the day's digest is posted, UTC; ``None`` for never.
        page_url: Where links lead, without a slash at the end.
    """

    url: str = field(repr=False)
    secret: str = field(repr=False)
    states: tuple[str, ...]
    min_posts: int
    digest_at: time | None
    page_url: str


def problem_webhook() -> ProblemWebhook | None:
    """Return the ``ISSUE_WEBHOOK_`` settings and ``ISSUE_DIGEST_AT``; ``None`` without a receiver.

    Raises:
        ConfigurationError: Others of them are set, but not the receiver's address.
    """
    settings = Settings()
    if not settings.issue_webhook_url:
        for name in ("issue_webhook_secret", "issue_digest_at"):
            if getattr(settings, name):
                raise ConfigurationError(
                    f"{name.upper()} is set, but ISSUE_WEBHOOK_URL is not: nobody would get it."
                )
        return None
    return ProblemWebhook(
        url=settings.issue_webhook_url,
        secret=settings.issue_webhook_secret,
        states=tuple(one for one in settings.issue_webhook_states if one != "none"),
        min_posts=settings.issue_webhook_min_posts,
        digest_at=settings.issue_digest_at,
        page_url=page_url(),
    )


def resources() -> dict[str, dg.ConfigurableResource[Any]]:
    """Build every resource from the environment.

    Raises:
        ConfigurationError: Settings are malformed; the message names each.
    """
    settings = Settings()
    compute = ComputeResource(**read_fields(ComputeResource, "RAY"))
    return {
        "database": IssuesDatabase(database=settings.issues_duckdb_path),
        "collectors": _collectors(settings),
        "compute": compute,
        "embedding": EmbeddingResource(
            ray_address=compute.address,
            piece_timeout_s=compute.piece_timeout_s,
            cache_dir=settings.issues_cache_dir,
            **_embedding_fields(),
        ),
        "llm": LLMResource(**read_fields(LLMResource, "LLM", choices={"local_style": STYLES})),
        "pocketbase": PocketBaseResource(**read_fields(PocketBaseResource, "POCKETBASE")),
    }


def _collectors(settings: Settings) -> CollectorsResource:
    apart = ("cache_dir", "contact", *SOURCES)
    by_source: dict[str, Any] = {
        source.name: source.config(**read_fields(source.config, source.prefix))
        for source in SOURCES.values()
    }
    return CollectorsResource(
        cache_dir=settings.issues_cache_dir,
        contact=settings.contact,
        **read_fields(CollectorsResource, "COLLECT", without=apart),
        **by_source,
    )


def _embedding_fields() -> dict[str, Any]:
    """Read ``EMBEDDING_MODEL`` and ``EMBEDDING_BACKEND``, whose fields have other names."""
    backend = read_fields(
        EmbeddingResource,
        "EMBEDDING",
        choices={"backend": BACKENDS},
        without=("cache_dir", "embedding_model", "ray_address", "piece_timeout_s"),
    )
    model = read_setting("EMBEDDING_MODEL", str, None)
    return {**backend, **({"embedding_model": model} if model else {})}
