"""Everything that can be set from the environment, read in one place.

Non-secret settings are read when the code location loads, and checked. Secrets are handed to
Dagster by the name of their variable, so that no UI ever shows their value.
"""

import math
import os
import re
from datetime import time, timedelta
from typing import Any

import dagster as dg

from issue_pipeline.errors import ConfigurationError
from issue_pipeline.resources.collectors import (
    REDDIT_BACKENDS,
    CollectorsResource,
    github,
    reddit,
)
from issue_pipeline.resources.duckdb import IssuesDatabase
from issue_pipeline.resources.embedding import BACKENDS, EmbeddingResource
from issue_pipeline.resources.llm import STYLES, LLMResource
from issue_pipeline.resources.pocketbase import PocketBaseResource
from issue_pipeline.utils.clustering import MODES
from issue_pipeline.utils.urls import is_web_address

DEFAULT_DUCKDB_PATH = "data/issues.duckdb"
# How the settings of a source begin.
_PREFIXES = {
    "github": "GITHUB",
    "stackoverflow": "STACKEXCHANGE",
    "reddit": "REDDIT",
    "hackernews": "HN",
}
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


def duckdb_path() -> str:
    """Read ``ISSUES_DUCKDB_PATH``: the one database file."""
    return _text("ISSUES_DUCKDB_PATH", DEFAULT_DUCKDB_PATH)


def clustering_mode() -> str:
    """Read ``CLUSTERING_MODE``.

    Raises:
        ConfigurationError: It names no mode.
    """
    return _choice("CLUSTERING_MODE", MODES, default="smoothed")


def clustering_min_size() -> int | None:
    """Read ``CLUSTERING_MIN_SIZE``: the fewest posts of a cluster; ``None`` for the day's own.

    Raises:
        ConfigurationError: It is neither 0 nor a whole number of at least 2.
    """
    size = _count("CLUSTERING_MIN_SIZE", 0)
    if size == 1:
        raise ConfigurationError(
            "CLUSTERING_MIN_SIZE is 1; expected at least 2, or 0 for a size that fits the day."
        )
    return size or None


def collect_at(source: str) -> time:
    """Read when a source's day is collected, the next day, UTC.

    From its own setting (``GITHUB_COLLECT_AT``), or ``COLLECT_AT``.

    Raises:
        ConfigurationError: It is no time of day.
    """
    everywhere = _time_of_day("COLLECT_AT", "00:30")
    return _time_of_day(f"{_PREFIXES[source]}_COLLECT_AT", f"{everywhere:%H:%M}")


def process_deadline() -> time:
    """Read ``PROCESS_DEADLINE``: when a day is processed with the sources that are in, UTC.

    Raises:
        ConfigurationError: It is no time of day, or before one at which a source is collected.
    """
    deadline = _time_of_day("PROCESS_DEADLINE", "06:00")
    last = max(map(collect_at, _PREFIXES))
    if deadline <= last:
        raise ConfigurationError(
            f"PROCESS_DEADLINE is {deadline:%H:%M}; expected a time after {last:%H:%M}, when the"
            " last source is collected (COLLECT_AT)."
        )
    return deadline


def try_again_after() -> timedelta:
    """Read ``TRY_AGAIN_MINUTES``: the wait before a failed run is first started again.

    Raises:
        ConfigurationError: It is no number above 0.
    """
    return timedelta(minutes=_above_zero("TRY_AGAIN_MINUTES", 15.0))


def alert_webhook_url() -> str:
    """Read ``ALERT_WEBHOOK_URL``: where failures are told; ``""`` for nowhere.

    Raises:
        ConfigurationError: It is no web address.
    """
    return _web_address("ALERT_WEBHOOK_URL", "")


def dagster_ui_url() -> str:
    """Read ``DAGSTER_UI_URL``: where links in alerts lead, without a slash at the end.

    Raises:
        ConfigurationError: It is no web address.
    """
    return _web_address("DAGSTER_UI_URL", "http://127.0.0.1:3000").rstrip("/")


def resources() -> dict[str, dg.ConfigurableResource[Any]]:
    """Build every resource from the environment.

    Raises:
        ConfigurationError: A setting is malformed; the message names it.
    """
    clustering_mode()  # read by their step, but misspelt ones should not wait until then
    clustering_min_size()
    models = _defaults(LLMResource)
    return {
        "database": IssuesDatabase(database=duckdb_path()),
        "collectors": _collectors(),
        "embedding": _embedding(),
        "llm": LLMResource(
            local_model=_text("LLM_LOCAL_MODEL", ""),
            local_base_url=_text("LLM_LOCAL_BASE_URL", ""),
            local_style=_choice("LLM_LOCAL_STYLE", STYLES, default=models["local_style"]),
            remote_model=_text("LLM_REMOTE_MODEL", ""),
            remote_api_key=_secret("LLM_REMOTE_API_KEY"),
            remote_above=_count("LLM_REMOTE_ABOVE", models["remote_above"]),
            max_calls=_optional_count("LLM_MAX_CALLS"),
            max_cost_usd=_optional_amount("LLM_MAX_COST_USD"),
        ),
        "pocketbase": PocketBaseResource(
            url=_text("POCKETBASE_URL", ""),
            email=_secret("POCKETBASE_EMAIL"),
            password=_secret("POCKETBASE_PASSWORD"),
        ),
    }


def _embedding() -> EmbeddingResource:
    default = _defaults(EmbeddingResource)
    return EmbeddingResource(
        embedding_model=_text("EMBEDDING_MODEL", default["embedding_model"]),
        backend=_choice("EMBEDDING_BACKEND", BACKENDS, default=default["backend"]),
        cache_dir=_text("ISSUES_CACHE_DIR", default["cache_dir"]),
    )


def _collectors() -> CollectorsResource:
    default = _defaults(CollectorsResource)
    return CollectorsResource(
        cache_dir=_text("ISSUES_CACHE_DIR", default["cache_dir"]),
        time_budget_minutes=_above_zero(
            "COLLECT_TIME_BUDGET_MINUTES", default["time_budget_minutes"]
        ),
        max_body_chars=int(_above_zero("COLLECT_MAX_BODY_CHARS", default["max_body_chars"])),
        github_api_url=_text("GITHUB_API_URL", default["github_api_url"]),
        github_token=_secret("GITHUB_TOKEN"),
        github_query=github.check_query(_text("GITHUB_QUERY", default["github_query"])),
        github_repos=[github.repository_name(one) for one in _names("GITHUB_REPOS", [])],
        github_keep_bots=_yes_or_no("GITHUB_KEEP_BOTS", default["github_keep_bots"]),
        github_requests_per_minute=_above_zero("GITHUB_REQUESTS_PER_MINUTE", None),
        stackexchange_api_url=_text("STACKEXCHANGE_API_URL", default["stackexchange_api_url"]),
        stackexchange_key=_secret("STACKEXCHANGE_KEY"),
        stackexchange_requests_per_minute=_above_zero(
            "STACKEXCHANGE_REQUESTS_PER_MINUTE", default["stackexchange_requests_per_minute"]
        ),
        reddit_backend=_choice(
            "REDDIT_BACKEND", REDDIT_BACKENDS, default=default["reddit_backend"]
        ),
        reddit_api_url=_text("REDDIT_API_URL", default["reddit_api_url"]),
        reddit_auth_url=_text("REDDIT_AUTH_URL", default["reddit_auth_url"]),
        reddit_archive_url=_text("REDDIT_ARCHIVE_URL", default["reddit_archive_url"]),
        reddit_client_id=_secret("REDDIT_CLIENT_ID"),
        reddit_client_secret=_secret("REDDIT_CLIENT_SECRET"),
        reddit_subreddits=[
            reddit.subreddit_name(one)
            for one in _names("REDDIT_SUBREDDITS", default["reddit_subreddits"])
        ],
        reddit_requests_per_minute=_above_zero(
            "REDDIT_REQUESTS_PER_MINUTE", default["reddit_requests_per_minute"]
        ),
        hn_api_url=_text("HN_API_URL", default["hn_api_url"]),
        hn_comments=_yes_or_no("HN_COMMENTS", default["hn_comments"]),
        hn_requests_per_minute=_above_zero(
            "HN_REQUESTS_PER_MINUTE", default["hn_requests_per_minute"]
        ),
    )


def _defaults(resource: type[dg.ConfigurableResource[Any]]) -> dict[str, Any]:
    """Give the defaults that a resource states for its fields."""
    return {name: field.default for name, field in resource.model_fields.items()}


def _text(name: str, default: str) -> str:
    return os.environ.get(name, "").strip() or default


def _secret(name: str) -> Any:  # noqa: ANN401  (Dagster types an EnvVar as the value it stands for)
    return dg.EnvVar(name) if os.environ.get(name) else ""


def _time_of_day(name: str, default: str) -> time:
    text = _text(name, default)
    if not _TIME.fullmatch(text):
        raise ConfigurationError(f"{name} is {text!r}; expected a time (UTC) such as {default}.")
    return time.fromisoformat(text)


def _web_address(name: str, default: str) -> str:
    address = _text(name, default)
    if address and not is_web_address(address):
        # Not shown: a webhook's address is a secret.
        raise ConfigurationError(f"{name} is no address that begins with http:// or https://.")
    return address


def _names(name: str, default: list[str]) -> list[str]:
    given = [part.strip() for part in _text(name, "").split(",") if part.strip()]
    return given or default


def _choice(name: str, choices: tuple[str, ...], *, default: str) -> str:
    value = _text(name, default)
    if value not in choices:
        raise ConfigurationError(f"{name} is {value!r}; expected one of {', '.join(choices)}.")
    return value


def _above_zero(name: str, default: Any) -> Any:  # noqa: ANN401  (a number, or None by default)
    text = _text(name, "")
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise ConfigurationError(f"{name} is {text!r}; expected a number above 0.")
    return value


def _yes_or_no(name: str, default: bool) -> bool:
    return _choice(name, ("yes", "no"), default="yes" if default else "no") == "yes"


def _count(name: str, default: int) -> int:
    text = _text(name, str(default))
    if not (text.isascii() and text.isdecimal()):
        raise ConfigurationError(f"{name} is {text!r}; expected a whole number of at least 0.")
    return int(text)


def _optional_count(name: str) -> int | None:
    return _count(name, 0) if _text(name, "") else None


def _optional_amount(name: str) -> float | None:
    text = _text(name, "")
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise ConfigurationError(f"{name} is {text!r}; expected a number of at least 0.")
    return value
