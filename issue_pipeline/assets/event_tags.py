"""Tags of materialisations: what the automation reads of a step's outcome.

They are data. What the UI shows beside them (``assets/metadata``) steers nothing. Dagster keeps
them with the event, so a sensor reads them without opening the database that a run may be writing.
"""

from collections.abc import Mapping
from hashlib import sha256

_PREFIX = "issue_pipeline"
# bronze: whether the ledger holds the source-day to be complete.
COMPLETE_TAG = f"{_PREFIX}/complete"
# silver: digest of the data versions of the sources that the clusters were made of.
INPUT_VERSION_TAG = f"{_PREFIX}/input_version"
# silver: number of clusters; gold: number of those without a good label.
CLUSTERS_TAG = f"{_PREFIX}/clusters"
UNLABELLED_TAG = f"{_PREFIX}/unlabelled"
# Of a run: Dagster's own of a backfill, and ours of others whose days come in no order.
_BACKFILL_TAG, _OUT_OF_ORDER_TAG = "dagster/backfill", f"{_PREFIX}/out_of_order"
OUT_OF_ORDER = {_OUT_OF_ORDER_TAG: "yes"}


def is_out_of_order(tags: Mapping[str, str]) -> bool:
    """Return whether a run with these tags is one of several days that go side by side.

    So do the runs of a backfill, those that make up for missed days, and repetitions of either.
    """
    return not {_BACKFILL_TAG, _OUT_OF_ORDER_TAG}.isdisjoint(tags)


def collected_tags(*, complete: bool) -> dict[str, str]:
    """Return the tags of a collected source-day."""
    return {COMPLETE_TAG: "yes" if complete else "no"}


def clustered_tags(source_versions: Mapping[str, str], clusters: int) -> dict[str, str]:
    """Return the tags of a clustered day.

    Args:
        source_versions: Data version of each source of the day, by source.
        clusters: How many there are.
    """
    return {INPUT_VERSION_TAG: input_version(source_versions), CLUSTERS_TAG: str(clusters)}


def labelled_tags(unlabelled: int) -> dict[str, str]:
    """Return the tags of a labelled day, with the number of clusters that lack a good label."""
    return {UNLABELLED_TAG: str(unlabelled)}


def input_version(source_versions: Mapping[str, str]) -> str:
    """Return a digest of the sources' data versions: 32 hexadecimal digits."""
    lines = [f"{source}={version}" for source, version in sorted(source_versions.items())]
    return sha256("\n".join(lines).encode()).hexdigest()[:32]
