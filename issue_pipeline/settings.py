"""Everything that can be set from the environment, read in one place.

Non-secret settings are read when the code location loads, and checked. Secrets are handed to
Dagster by the name of their variable, so that no UI ever shows their value.
"""

import math
import os
from typing import Any

import dagster as dg

from issue_pipeline.errors import ConfigurationError
from issue_pipeline.prompts import STYLES
from issue_pipeline.resources.collectors import CollectorsResource
from issue_pipeline.resources.duckdb import IssuesDatabase
from issue_pipeline.resources.embedding import DEFAULT_MODEL, EmbeddingResource
from issue_pipeline.resources.llm import LLMResource
from issue_pipeline.resources.pocketbase import PocketBaseResource
from issue_pipeline.utils.clustering import MODES

DEFAULT_DUCKDB_PATH = "data/issues.duckdb"


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


def resources() -> dict[str, dg.ConfigurableResource[Any]]:
    """Build every resource from the environment.

    Raises:
        ConfigurationError: A setting is malformed; the message names it.
    """
    clustering_mode()  # read by their step, but misspelt ones should not wait until then
    clustering_min_size()
    _refuse_budgets()
    sources, models = _defaults(CollectorsResource), _defaults(LLMResource)
    return {
        "database": IssuesDatabase(database=_text("ISSUES_DUCKDB_PATH", DEFAULT_DUCKDB_PATH)),
        "collectors": CollectorsResource(
            github_api_url=_text("GITHUB_API_URL", sources["github_api_url"]),
            github_token=_secret("GITHUB_TOKEN"),
            github_query=_text("GITHUB_QUERY", sources["github_query"]),
            github_requests_per_minute=_optional_pace("GITHUB_REQUESTS_PER_MINUTE"),
            stackexchange_api_url=_text("STACKEXCHANGE_API_URL", sources["stackexchange_api_url"]),
            stackexchange_key=_secret("STACKEXCHANGE_KEY"),
            stackexchange_requests_per_minute=_pace(
                "STACKEXCHANGE_REQUESTS_PER_MINUTE", sources["stackexchange_requests_per_minute"]
            ),
            reddit_api_url=_text("REDDIT_API_URL", sources["reddit_api_url"]),
            reddit_auth_url=_text("REDDIT_AUTH_URL", sources["reddit_auth_url"]),
            reddit_client_id=_secret("REDDIT_CLIENT_ID"),
            reddit_client_secret=_secret("REDDIT_CLIENT_SECRET"),
            reddit_subreddits=_names("REDDIT_SUBREDDITS", sources["reddit_subreddits"]),
            reddit_requests_per_minute=_pace(
                "REDDIT_REQUESTS_PER_MINUTE", sources["reddit_requests_per_minute"]
            ),
            hn_api_url=_text("HN_API_URL", sources["hn_api_url"]),
            hn_requests_per_minute=_pace(
                "HN_REQUESTS_PER_MINUTE", sources["hn_requests_per_minute"]
            ),
        ),
        "embedding": EmbeddingResource(embedding_model=_text("EMBEDDING_MODEL", DEFAULT_MODEL)),
        "llm": LLMResource(
            local_model=_text("LLM_LOCAL_MODEL", ""),
            local_base_url=_text("LLM_LOCAL_BASE_URL", ""),
            local_style=_choice("LLM_LOCAL_STYLE", STYLES, default=models["local_style"]),
            remote_model=_text("LLM_REMOTE_MODEL", ""),
            remote_api_key=_secret("LLM_REMOTE_API_KEY"),
            remote_above=_count("LLM_REMOTE_ABOVE", models["remote_above"]),
        ),
        "pocketbase": PocketBaseResource(
            url=_text("POCKETBASE_URL", ""),
            email=_secret("POCKETBASE_EMAIL"),
            password=_secret("POCKETBASE_PASSWORD"),
        ),
    }


def _defaults(resource: type[dg.ConfigurableResource[Any]]) -> dict[str, Any]:
    """Give the defaults that a resource states for its fields."""
    return {name: field.default for name, field in resource.model_fields.items()}


def _refuse_budgets() -> None:
    """Refuse limits that nothing would enforce: whoever sets one relies on it."""
    for name in ("LLM_MAX_CALLS", "LLM_MAX_COST_USD"):
        if _text(name, ""):
            raise ConfigurationError(f"{name} is set, but cannot be kept yet; unset it.")


def _text(name: str, default: str) -> str:
    return os.environ.get(name, "").strip() or default


def _secret(name: str) -> Any:  # noqa: ANN401  (Dagster types an EnvVar as the value it stands for)
    return dg.EnvVar(name) if os.environ.get(name) else ""


def _names(name: str, default: list[str]) -> list[str]:
    given = [part.strip() for part in _text(name, "").split(",") if part.strip()]
    return given or default


def _choice(name: str, choices: tuple[str, ...], *, default: str) -> str:
    value = _text(name, default)
    if value not in choices:
        raise ConfigurationError(f"{name} is {value!r}; expected one of {', '.join(choices)}.")
    return value


def _pace(name: str, default: float) -> float:
    value = _optional_pace(name)
    return default if value is None else value


def _optional_pace(name: str) -> float | None:
    text = _text(name, "")
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise ConfigurationError(f"{name} is {text!r}; expected a number above 0.")
    return value


def _count(name: str, default: int) -> int:
    text = _text(name, str(default))
    if not (text.isascii() and text.isdecimal()):
        raise ConfigurationError(f"{name} is {text!r}; expected a whole number of at least 0.")
    return int(text)
