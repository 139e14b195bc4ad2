"""Silver: a day's clustering is replaced as a whole."""

from dataclasses import astuple
from datetime import date

from issue_pipeline.records import ClusterRow
from issue_pipeline.sql import silver

DAY = date(2026, 3, 10)
NEXT_DAY = date(2026, 3, 11)


def a_cluster(cluster_id: int, size: int = 5) -> ClusterRow:
    return ClusterRow(cluster_id, size, 1 / 3, 0.1 + 0.2, "smoothed", 5)


def clusters(con, day=DAY):
    rows = con.execute(
        "SELECT * EXCLUDE (cluster_date) FROM silver.clusters WHERE cluster_date = ?"
        " ORDER BY cluster_id",
        [day],
    )
    return rows.fetchall()


def assignments(con, day=DAY):
    rows = con.execute(
        "SELECT url_hash, cluster_id FROM silver.cluster_assignments WHERE cluster_date = ?"
        " ORDER BY url_hash",
        [day],
    )
    return rows.fetchall()


def test_clusters_and_assignments_are_stored_to_the_last_digit(con):
    silver.replace_day(con, DAY, [a_cluster(0, 7), a_cluster(1)], iter([("b", 0), ("a", -1)]))
    assert clusters(con) == [astuple(a_cluster(0, 7)), astuple(a_cluster(1))]
    assert assignments(con) == [("a", -1), ("b", 0)]


def test_another_clustering_of_the_day_replaces_all_of_the_first(con):
    silver.replace_day(con, DAY, [a_cluster(0), a_cluster(1)], [("a", 0), ("b", 1)])
    silver.replace_day(con, DAY, [a_cluster(0, 9)], [("b", 0), ("c", -1)])
    assert clusters(con) == [astuple(a_cluster(0, 9))]
    assert assignments(con) == [("b", 0), ("c", -1)]


def test_other_days_are_left_alone(con):
    silver.replace_day(con, NEXT_DAY, [a_cluster(0)], [("a", 0)])
    silver.replace_day(con, DAY, [], [])
    assert len(clusters(con, NEXT_DAY)) == len(assignments(con, NEXT_DAY)) == 1


def test_a_day_is_clustered_once_its_items_are_assigned(con):
    assert not silver.is_clustered(con, DAY)
    silver.replace_day(con, DAY, [], [("a", -1)])
    assert silver.is_clustered(con, DAY)
    assert not silver.is_clustered(con, NEXT_DAY)
    silver.replace_day(con, DAY, [], [])
    assert not silver.is_clustered(con, DAY)


def test_the_digest_tells_clusterings_apart_but_not_the_order_of_their_rows(con):
    def digest(*rows: tuple[str, int]) -> tuple[int, int]:
        silver.replace_day(con, DAY, [], rows)
        return silver.assignments_digest(con, DAY)

    first = digest(("a", 0), ("b", 1))
    assert digest(("b", 1), ("a", 0)) == first
    assert len({first, digest(("a", 1), ("b", 0)), digest(("a", 0)), digest()}) == 4
    assert silver.assignments_digest(con, NEXT_DAY) == digest() == (0, 0)
