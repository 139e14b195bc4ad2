"""What Dagster's own records tell about past materialisations."""

from datetime import UTC, date, datetime
from typing import NamedTuple

import dagster as dg
from dagster._core.definitions.data_version import DATA_VERSION_TAG

# On every run of a partition.
PARTITION_TAG = "dagster/partition"


class Materialised(NamedTuple):
    """The latest materialisation of a partition.

    Attributes:
        at: Aware, UTC.
        version: What the asset gave as version of its data; ``""`` where it gives none.
        metadata: The values as the asset gave them, by name.
    """

    at: datetime
    version: str
    metadata: dict[str, object]


def last_materialised(
    instance: dg.DagsterInstance, key: dg.AssetKey, partition: str
) -> Materialised | None:
    """Find the latest materialisation of a partition; ``None`` if there never was one."""
    wanted = dg.AssetRecordsFilter(asset_key=key, asset_partitions=[partition])
    for record in instance.fetch_materializations(wanted, limit=1).records:
        materialisation = record.asset_materialization
        assert materialisation is not None
        return Materialised(
            at=datetime.fromtimestamp(record.timestamp, UTC),
            version=(materialisation.tags or {}).get(DATA_VERSION_TAG, ""),
            metadata={name: value.value for name, value in materialisation.metadata.items()},
        )
    return None


def source_day_key(source: str, day: date) -> dg.MultiPartitionKey:
    """Give the partition key of a source's day."""
    return dg.MultiPartitionKey({"source": source, "date": day.isoformat()})


def ended_at(record: dg.RunRecord) -> datetime:
    """Give the moment at which a run ended; aware, UTC."""
    return datetime.fromtimestamp(record.end_time or record.update_timestamp.timestamp(), UTC)
