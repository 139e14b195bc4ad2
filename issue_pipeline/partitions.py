"""The two partition spaces: UTC days, and sources × UTC days."""

import os
import warnings
from datetime import date

import dagster as dg

from issue_pipeline.errors import ConfigurationError

SOURCES = ("github", "stackoverflow", "reddit", "hackernews")
DEFAULT_START_DATE = "2026-01-01"


def _start_date() -> str:
    text = os.environ.get("ISSUES_START_DATE") or DEFAULT_START_DATE
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise ConfigurationError(
            f"ISSUES_START_DATE is {text!r}; expected a day such as {DEFAULT_START_DATE}."
        ) from error


daily_partitions = dg.DailyPartitionsDefinition(start_date=_start_date(), timezone="UTC")

# The UI sorts the dimensions of a multi-partition key by name: "2026-11-21|github".
source_day_partitions = dg.MultiPartitionsDefinition(
    {"date": daily_partitions, "source": dg.StaticPartitionsDefinition(list(SOURCES))}
)

with warnings.catch_warnings():
    # Beta in Dagster, and the only mapping that says it.
    warnings.simplefilter("ignore", dg.BetaWarning)
    # A day of a daily asset stands on that day of all four sources.
    sources_of_day = dg.MultiToSingleDimensionPartitionMapping("date")
