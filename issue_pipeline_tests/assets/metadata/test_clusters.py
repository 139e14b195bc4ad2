"""What the UI shows of a clustered day."""

from datetime import UTC, datetime
from typing import Any, cast

import numpy as np

from issue_pipeline.assets.metadata.clusters import cluster_metadata
from issue_pipeline.records import ClusterRow, Item


class Unread:
    """A body that raises when anything is done with it."""

    def __getattribute__(self, name: str) -> Any:
        raise AssertionError(f"the body was asked for its {name}")

    def __bool__(self) -> bool:
        raise AssertionError("the body was read")


def test_the_most_central_titles_are_shown_clean_without_reading_a_body():
    titles = ["[Bug]: The export hangs", "The export hangs", "Mail to kim@example.com is lost"]
    items = [
        Item("hash", "github", "https://x.y/1", title, cast("str", Unread()), _NOW, 0, 0)
        for title in titles
    ]
    vectors = np.zeros((3, 384), dtype=np.float32)
    vectors[:, 0] = 1
    rows = [ClusterRow(0, 3, 0.0, 0.1, "raw", 2)]
    metadata: Any = cluster_metadata(rows, items, vectors, np.zeros(3, dtype=np.int64))
    (record,) = metadata["largest_clusters"].records
    assert record.data["most_central_titles"] == "The export hangs · Mail to [email] is lost"


_NOW = datetime(2026, 11, 20, tzinfo=UTC)
