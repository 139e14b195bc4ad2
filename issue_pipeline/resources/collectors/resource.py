"""``CollectorsResource``: collects a day of any registered source."""

from datetime import date
from typing import TYPE_CHECKING, Any

import dagster as dg
from pydantic import Field, create_model, field_validator

from issue_pipeline.errors import ConfigurationError
from issue_pipeline.records import Collection
from issue_pipeline.resources.cache_folder import cache_folder
from issue_pipeline.resources.collectors.collection_builder import CollectionBuilder, Day
from issue_pipeline.resources.collectors.rate_limits import TimeBudget
from issue_pipeline.resources.collectors.registry import SOURCES
from issue_pipeline.resources.collectors.source import SourceDay

_MAX_CONTACT_CHARS = 200


class _Collectors(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Collects the posts of one UTC day from one source.

    Besides the fields below it has one for each registered source, under the source's name, with
    the source's own settings (``github.token``).

    Attributes:
        cache_dir: Folder of this machine's caches; ``""`` for the user's own. Processes that share
            it share paces and limits.
        contact: Where the owner of an API reaches whoever runs this, such as an e-mail address;
            sent in the User-Agent. ``""`` for nobody.
        time_budget_minutes: Longest time for one source and day; what came until then is kept.
        max_body_chars: Longer bodies are cut to this, and counted.
    """

    cache_dir: str = ""
    contact: str = ""
    time_budget_minutes: float = Field(default=120, gt=0)
    max_body_chars: int = Field(default=100_000, gt=0)

    @field_validator("contact")
    @classmethod
    def _check_contact(cls, contact: str) -> str:
        if len(contact) > _MAX_CONTACT_CHARS or not (contact.isascii() and contact.isprintable()):
            raise ConfigurationError(
                f"CONTACT is {contact[:_MAX_CONTACT_CHARS]!r}; expected one line of plain ASCII"
                " such as ops@example.org."
            )
        return contact

    def collect(self, source: str, day: date) -> Collection:
        """Collect the posts that one source saw created on one UTC day.

        Args:
            source: One of ``partitions.SOURCES``.
            day: UTC day.

        Raises:
            ConfigurationError: A setting that this source needs is missing, or the source unknown.
            CollectionError: The source could not be read; nothing may be stored.
        """
        if source not in SOURCES:
            raise ConfigurationError(
                f"No collector for source {source!r}; expected one of {', '.join(SOURCES)}."
            )
        source_day = SourceDay(
            builder=CollectionBuilder(Day(day), self.max_body_chars, title=SOURCES[source].title),
            budget=TimeBudget(self.time_budget_minutes),
            limiter_folder=cache_folder(self.cache_dir, "pace"),
            contact=self.contact,
        )
        return SOURCES[source].collect(getattr(self, source), source_day)


if TYPE_CHECKING:
    CollectorsResource = _Collectors
else:
    _source_fields: dict[str, Any] = {
        source.name: (source.config, Field(default_factory=source.config))
        for source in SOURCES.values()
    }
    CollectorsResource = create_model(
        "CollectorsResource",
        __base__=_Collectors,
        __module__=__name__,
        __doc__=_Collectors.__doc__,
        **_source_fields,
    )
