"""Partition keys as days and sources."""

from datetime import date

import dagster as dg


def day_of(context: dg.AssetExecutionContext) -> date:
    """Return the UTC day of a daily partition."""
    return date.fromisoformat(context.partition_key)


def source_and_day_of(context: dg.AssetExecutionContext) -> tuple[str, date]:
    """Return the source and the UTC day of a source × date partition."""
    key = context.partition_key
    assert isinstance(key, dg.MultiPartitionKey)
    return key.keys_by_dimension["source"], date.fromisoformat(key.keys_by_dimension["date"])
