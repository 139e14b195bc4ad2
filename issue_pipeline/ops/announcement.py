"""What a real day will use, with which limits, how long it takes, and what would make it better."""

from collections.abc import Mapping, Sequence
from datetime import date

from issue_pipeline.local.stand_ins import StandIns
from issue_pipeline.resources.collectors.registry import SOURCES
from issue_pipeline.resources.collectors.source import Outlook
from issue_pipeline.resources.environment import read_fields
from issue_pipeline.utils.urls import without_user_info

# A day of some thousand posts on two cores: embedding and clustering; then, with the small model
# that comes along, some hundred labels at three seconds each.
_EMBEDDING_MINUTES = 2.0
_SMALL_MODEL_MINUTES = 5.0


def outlooks(sources: Sequence[str]) -> dict[str, Outlook]:
    """Return how each source is read with the settings of the environment, by name.

    Raises:
        ConfigurationError: A setting of one is malformed.
    """
    found = {}
    for name in sources:
        source = SOURCES[name]
        found[name] = source.outlook(source.config(**read_fields(source.config, source.prefix)))
    return found


def announcement(
    day: date, sources: Sequence[str], wanted: StandIns, environment: Mapping[str, str]
) -> list[str]:
    """Return the lines that a run begins with.

    Args:
        day: That will be collected.
        sources: Of which.
        wanted: What this machine provides itself.
        environment: With what ``.env`` says in it.
    """
    found = outlooks(sources)
    minutes = sum(one.minutes for one in found.values()) + _EMBEDDING_MINUTES
    minutes += _SMALL_MODEL_MINUTES if wanted.is_small_model else 0
    width = max(len(SOURCES[name].title) for name in sources)
    lines = [f"{day} (UTC), from the real sources:"]
    lines += [f"  {SOURCES[name].title:<{width}}  {one.words}" for name, one in found.items()]
    lines += [
        f"  {'labels':<{width}}  {_labels(wanted, environment)}",
        f"  {'page':<{width}}  {_page(wanted, environment)}",
        f"  An ordinary day takes some {max(1, round(minutes))} minutes on two cores.",
    ]
    if better := one_improvement(sources, wanted, environment):
        lines.append(f"  One setting would make it better: {better}")
    return lines


def one_improvement(
    sources: Sequence[str], wanted: StandIns, environment: Mapping[str, str]
) -> str:
    """Return the setting that helps most, with why and where to get it; ``""`` for none."""

    def lacks(source: str, name: str) -> bool:
        return source in sources and not (environment.get(name) or "").strip()

    if wanted.is_small_model:
        return (
            "LLM_LOCAL_MODEL (such as ollama_chat/llama3.1) or LLM_REMOTE_MODEL: the small model"
            " only picks titles among the posts' own, any larger one writes them"
            " (docs/providers.md)."
        )
    if lacks("github", "GITHUB_TOKEN"):
        return (
            "GITHUB_TOKEN (https://github.com/settings/tokens, no scopes needed): three times as"
            " many searches a minute."
        )
    if lacks("stackoverflow", "STACKEXCHANGE_KEY"):
        return (
            "STACKEXCHANGE_KEY (https://stackapps.com/apps/oauth/register): 10,000 requests a day"
            " instead of 300."
        )
    return ""


def _labels(wanted: StandIns, environment: Mapping[str, str]) -> str:
    named = [
        without_user_info(value)
        for name in ("LLM_LOCAL_MODEL", "LLM_REMOTE_MODEL")
        if (value := (environment.get(name) or "").strip())
    ]
    if wanted.model is None:
        return ", then ".join(named)
    here = f"{wanted.model.name.removeprefix('openai/')}, served on this machine"
    if wanted.is_small_model:
        here += "; it chooses a title among the posts' own"
    return ", then ".join([here, *(one for one in named if not one.endswith(".gguf"))])


def _page(wanted: StandIns, environment: Mapping[str, str]) -> str:
    if wanted.pocketbase:
        return "a PocketBase of its own on this machine"
    return f"PocketBase at {without_user_info(environment.get('POCKETBASE_URL') or '')}"
