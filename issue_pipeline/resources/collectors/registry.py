"""Every source there is: the built-in ones, and those of installed packages.

A package adds a source by an entry point of the group ``issue_pipeline.sources`` that leads to a
:class:`Source`; nothing of this project is changed. Partitions, settings, schedules, jobs, checks
and the cleaning of texts follow from the registry.
"""

from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType

from issue_pipeline.errors import ConfigurationError
from issue_pipeline.resources.collectors.source import Source
from issue_pipeline.resources.collectors.sources import github, hackernews, reddit, stackoverflow
from issue_pipeline.utils.text_cleaning import clean_as

ENTRY_POINT_GROUP = "issue_pipeline.sources"
BUILT_IN = (github.SOURCE, stackoverflow.SOURCE, reddit.SOURCE, hackernews.SOURCE)


def load_sources(
    built_in: Iterable[Source], installed: Iterable[EntryPoint]
) -> Mapping[str, Source]:
    """Return sources by name: the built-in ones in their order, then the others by name.

    Raises:
        ConfigurationError: An entry point cannot be loaded or leads to something else, or two
            sources share a name or the prefix of their settings.
    """
    added = sorted((_load(one) for one in installed), key=lambda source: source.name)
    sources: dict[str, Source] = {}
    prefixes: set[str] = set()
    for source in (*built_in, *added):
        if source.name in sources or source.prefix in prefixes:
            raise ConfigurationError(
                f"Two sources are named {source.name}, or have settings that begin with"
                f" {source.prefix}_. Uninstall the package that adds one of them, or rename it."
            )
        sources[source.name] = source
        prefixes.add(source.prefix)
    return MappingProxyType(sources)


def _load(entry: EntryPoint) -> Source:
    where = f"The source {entry.name} ({entry.value})"
    try:
        source = entry.load()
    except Exception as error:
        raise ConfigurationError(
            f"{where} cannot be loaded: {type(error).__name__}: {error}. Repair or uninstall its"
            " package."
        ) from error
    if not isinstance(source, Source):
        raise ConfigurationError(
            f"{where} is of type {type(source).__name__}; expected a Source"
            " (issue_pipeline.resources.collectors.source)."
        )
    return source


SOURCES = load_sources(BUILT_IN, entry_points(group=ENTRY_POINT_GROUP))
for _source in SOURCES.values():
    clean_as(_source.name, _source.cleaned_as)
