"""Past materialisations and runs, as Dagster's own records have them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import NamedTuple

import dagster as dg
from dagster._core.definitions.data_version import DATA_VERSION_TAG

# Of one query; a week of a source-day asset has 28 partitions.
PAGE_EVENTS = 200
# On every run of a partition.
PARTITION_TAG = "dagster/partition"


class Materialised(NamedTuple):
    """The latest materialisation of a partition.

    Attributes:
        at: Aware, UTC.
        tags: Of the event (``assets/event_tags.py``), the data version among them.
    """

    at: datetime
    tags: Mapping[str, str]

    @property
    def version(self) -> str:
        """Data version; ``""`` where the asset reports none."""
        return self.tags.get(DATA_VERSION_TAG, "")


def latest_materialisations(
    instance: dg.DagsterInstance, key: dg.AssetKey, partitions: Sequence[str]
) -> dict[str, Materialised]:
    """Return the latest materialisation of each partition that has one, by partition key.

    One query, unless partitions were made so often of late that older ones are on a second page.
    """
    found: dict[str, Materialised] = {}
    wanted = dg.AssetRecordsFilter(asset_key=key, asset_partitions=list(partitions))
    cursor, has_more = None, bool(partitions)
    while has_more and len(found) < len(partitions):
        page = instance.fetch_materializations(wanted, limit=PAGE_EVENTS, cursor=cursor)
        for record in page.records:  # the newest first
            event = record.asset_materialization
            assert event is not None
            found.setdefault(
                str(event.partition),
                Materialised(datetime.fromtimestamp(record.timestamp, UTC), event.tags or {}),
            )
        cursor, has_more = page.cursor, page.has_more
    return found


def source_day_key(source: str, day: date) -> dg.MultiPartitionKey:
    """Return the partition key of a source's day."""
    return dg.MultiPartitionKey({"source": source, "date": day.isoformat()})


def ended_at(record: dg.RunRecord) -> datetime:
    """Return the moment at which a run ended; aware, UTC."""
    return datetime.fromtimestamp(record.end_time or record.update_timestamp.timestamp(), UTC)
