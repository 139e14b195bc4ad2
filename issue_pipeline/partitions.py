"""The two partition spaces: UTC days, and sources × UTC days."""

import warnings
from datetime import date

import dagster as dg

from issue_pipeline.resources.collectors.registry import SOURCES as REGISTERED_SOURCES
from issue_pipeline.resources.environment import Day, read_setting

DEFAULT_START_DATE = date(2026, 1, 1)
# So far back what was missed is made up for by itself; older days when somebody asks for them.
CATCH_UP_DAYS = 30
# Names of the sources, in the order of the registry.
SOURCES = tuple(REGISTERED_SOURCES)

daily_partitions = dg.DailyPartitionsDefinition(
    start_date=read_setting("ISSUES_START_DATE", Day, DEFAULT_START_DATE).isoformat(),
    timezone="UTC",
)

# The UI sorts the dimensions of a multi-partition key by name: "2026-11-21|github".
source_day_partitions = dg.MultiPartitionsDefinition(
    {"date": daily_partitions, "source": dg.StaticPartitionsDefinition(list(SOURCES))}
)

with warnings.catch_warnings():
    # Beta in Dagster, and the only mapping from a day of all sources to a day.
    warnings.simplefilter("ignore", dg.BetaWarning)
    sources_of_day = dg.MultiToSingleDimensionPartitionMapping("date")
