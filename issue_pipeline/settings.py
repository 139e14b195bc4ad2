"""Everything that can be set from the environment, and the resources built from it.

What belongs to a resource or to a source is declared there, as a field with its default and its
bounds, and read by its prefix (``GITHUB_TOKEN`` is the field ``token`` of GitHub's settings); the
rest is declared in :class:`Settings`. All of it is validated when the code location loads. Secrets
reach Dagster by the name of their variable, so that no UI shows their value.
"""

from datetime import time, timedelta
from typing import Annotated, Any, Literal

import dagster as dg
from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from issue_pipeline.errors import ConfigurationError
from issue_pipeline.resources.collectors import CollectorsResource
from issue_pipeline.resources.collectors.registry import SOURCES
from issue_pipeline.resources.duckdb import IssuesDatabase
from issue_pipeline.resources.embedding import BACKENDS, EmbeddingResource
from issue_pipeline.resources.environment import (
    Clock,
    FromEnvironment,
    read_fields,
    read_setting,
    wrong,
)
from issue_pipeline.resources.llm import STYLES, LLMResource
from issue_pipeline.resources.pocketbase import PocketBaseResource
from issue_pipeline.utils.urls import is_web_address


def check_min_size(size: int) -> int:
    """Accept the fewest posts of a cluster: at least 2, or 0 for a size that fits the day."""
    if size < 0 or size == 1:
        raise wrong("a whole number of at least 2, or 0 for a size that fits the day")
    return size


ClusteringMode = Literal["raw", "smoothed"]
MinClusterSize = Annotated[int, AfterValidator(check_min_size)]


class Settings(FromEnvironment):
    """What belongs to no resource; the variable of a field is its name in capitals.

    Attributes:
        issues_duckdb_path: The one database file.
        issues_cache_dir: Folder of what can be computed again; ``""`` for the user's own.
        contact: Where the owner of an API reaches whoever runs this.
        clustering_mode: Default of the clustering asset's configuration.
        clustering_min_size: Likewise; fewest posts of a cluster, 0 for a size that fits the day.
        collect_at: When yesterday is collected, UTC.
        process_deadline: When yesterday is processed with the sources that are in, UTC.
        try_again_minutes: Wait before a failed run is started again for the first time.
        alert_webhook_url: Where failures are posted; ``""`` for nowhere.
        dagster_ui_url: Where links in alerts lead.
    """

    issues_duckdb_path: str = "data/issues.duckdb"
    issues_cache_dir: str = ""
    contact: str = ""
    clustering_mode: ClusteringMode = "smoothed"
    clustering_min_size: MinClusterSize = 0
    collect_at: Clock = time(0, 30)
    process_deadline: Clock = time(6)
    try_again_minutes: float = Field(default=15.0, gt=0, allow_inf_nan=False)
    alert_webhook_url: str = ""
    dagster_ui_url: str = "http://127.0.0.1:3000"

    @field_validator("alert_webhook_url", "dagster_ui_url")
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
    last = max(map(collect_at, SOURCES))
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


def resources() -> dict[str, dg.ConfigurableResource[Any]]:
    """Build every resource from the environment.

    Raises:
        ConfigurationError: Settings are malformed; the message names each.
    """
    settings = Settings()
    return {
        "database": IssuesDatabase(database=settings.issues_duckdb_path),
        "collectors": _collectors(settings),
        "embedding": EmbeddingResource(
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
        without=("cache_dir", "embedding_model"),
    )
    model = read_setting("EMBEDDING_MODEL", str, None)
    return {**backend, **({"embedding_model": model} if model else {})}
