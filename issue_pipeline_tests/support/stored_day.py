"""A day of clusters written straight into the database, for tests of what is made of them."""

from collections.abc import Sequence
from datetime import UTC, date, datetime

from issue_pipeline.partitions import SOURCES
from issue_pipeline.records import ClusterRow, Collection, Post
from issue_pipeline.resources.duckdb import IssuesDatabase
from issue_pipeline.sql import bronze, silver
from issue_pipeline.utils.urls import url_hash

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
Texts = Sequence[tuple[str, str]]

_THINGS = (
    "printer invoice backup checkout warehouse freight payroll calendar thermostat elevator"
    " passport telescope bakery violin tractor aquarium helmet lantern compass ladder"
)
_FAULTS = "jams freezes leaks overheats rattles stalls vanishes flickers duplicates expires"
PAIRS = [(thing, fault) for fault in _FAULTS.split() for thing in _THINGS.split()]
_TELLINGS = (
    "The {0} {1} every day",
    "Our {0} {1}",
    "{0} that {1}, again",
    "Why the {0} {1} so often",
    "When a {0} {1}, everybody waits",
)


def told_by_five(count: int) -> list[list[tuple[str, str]]]:
    """Return up to 200 clusters of five posts; each is about a thing and a fault of its own."""
    return [[(telling.format(*pair), "") for telling in _TELLINGS] for pair in PAIRS[:count]]


def store_clusters(database: IssuesDatabase, day: date, clusters: Sequence[Texts]) -> None:
    """Store posts, (title, body) each, as if they had been collected and clustered this way."""
    posts: dict[str, bronze.KeyedPost] = {}
    cluster_of: dict[str, int] = {}
    for number, texts in enumerate(clusters):
        for title, body in texts:
            url = f"https://github.com/acme/rocket/issues/{len(posts) + 1}"
            post = Post("github", url, title, body, NOON, 1, 1)
            posts[url_hash(url)] = bronze.KeyedPost(url_hash(url), post)
            cluster_of[url_hash(url)] = number
    rows = [
        ClusterRow(number, len(texts), 0.0, 0.5, "smoothed", 5)
        for number, texts in enumerate(clusters)
    ]
    with database.write() as connection:
        # The day is as it is told; what a collection would doubt is not the matter here.
        connection.execute("DELETE FROM bronze.raw_items WHERE collection_date = ?", [day])
        for source in SOURCES:
            own = list(posts.values()) if source == "github" else []
            bronze.store_collection(
                connection,
                source,
                day,
                own,
                Collection(tuple(keyed.post for keyed in own), len(own), len(own)),
                started_at=NOON,
                finished_at=NOON,
            )
        silver.replace_day(connection, day, rows, cluster_of.items())
