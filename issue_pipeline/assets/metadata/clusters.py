"""What the UI shows about the clusters of a day."""

from collections.abc import Sequence

import dagster as dg
import numpy as np

from issue_pipeline.records import ClusterRow, Item
from issue_pipeline.utils.clustering import ClusterIds, centroid_distances
from issue_pipeline.utils.embeddings import Vectors
from issue_pipeline.utils.printable import printable
from issue_pipeline.utils.text_cleaning import clean_title

# Of the largest clusters; the rest is in the table in DuckDB.
MAX_TABLE_ROWS = 30
CENTRAL_TITLES = 3
MAX_TITLE_CHARS = 100


def cluster_metadata(
    rows: Sequence[ClusterRow], items: Sequence[Item], vectors: Vectors, labels: ClusterIds
) -> dict[str, dg.MetadataValue | int | float | str]:
    """Return the metadata of a clustered day: counts, and its largest clusters by central titles.

    Args:
        rows: One for every cluster, by id, so the largest first.
        items: The day's posts.
        vectors: float32 (n, d), their embeddings, in the same order.
        labels: int64 (n,), their clusters, in the same order; -1 for noise.
    """
    sizes = [row.cluster_size for row in rows]
    return {
        "dagster/partition_row_count": len(rows),
        "items": len(items),
        "clusters": len(rows),
        "noise": round(rows[0].outlier_ratio, 3) if rows else float(bool(items)),
        "sizes": f"largest {sizes[0]}, median {np.median(sizes):g}, smallest {sizes[-1]}"
        if rows
        else "-",
        "largest_clusters": dg.MetadataValue.table(
            [_record(row, items, vectors, labels) for row in rows[:MAX_TABLE_ROWS]], _SCHEMA
        ),
    }


_SCHEMA = dg.TableSchema(
    [
        dg.TableColumn("cluster", "int", "its id"),
        dg.TableColumn("posts", "int"),
        dg.TableColumn("mean_distance", "float", "of its posts to their mean; small is tight"),
        dg.TableColumn("most_central_titles", "string"),
    ]
)


def _record(
    row: ClusterRow, items: Sequence[Item], vectors: Vectors, labels: ClusterIds
) -> dg.TableRecord:
    members = np.flatnonzero(labels == row.cluster_id)
    nearest = members[np.argsort(centroid_distances(vectors[members]), kind="stable")]
    central = [items[place] for place in nearest[:20]]
    titles = dict.fromkeys(
        printable(clean_title(item.source, item.title), MAX_TITLE_CHARS) for item in central
    )
    return dg.TableRecord(
        {
            "cluster": row.cluster_id,
            "posts": row.cluster_size,
            "mean_distance": round(row.mean_distance, 3),
            "most_central_titles": " · ".join(list(titles)[:CENTRAL_TITLES]),
        }
    )
