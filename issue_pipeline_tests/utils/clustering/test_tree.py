import numpy as np

from issue_pipeline.utils.clustering.space import SharedRows
from issue_pipeline.utils.clustering.tree import ClusterIds, ClusterTree, Rows
from issue_pipeline.utils.executor import LocalExecutor

FAMILIES, CHILDREN, MEMBERS = 3, 4, 20


def grouped_tree() -> ClusterTree:
    """Three clusters on a line, each of four that hardly part."""
    step = np.arange(MEMBERS) - MEMBERS / 2
    child = np.sign(step) * np.abs(step) ** 1.1
    starts = [
        2_000 * family + 28 * child for family in range(FAMILIES) for child in range(CHILDREN)
    ]
    points = np.concatenate([start + child for start in starts])[:, None]
    return ClusterTree(
        SharedRows.of(points.astype(np.float32), LocalExecutor()), min_cluster_size=5, min_samples=3
    )


def refuse(_rows: Rows, _divided: ClusterIds) -> bool:
    return False


def sizes(labels: ClusterIds) -> list[int]:
    return sorted(np.bincount(labels[labels >= 0]).tolist())


def test_without_large_clusters_the_choice_is_hdbscans_own():
    tree = grouped_tree()
    assert tree.limited_cluster_ids(10**6, refuse).tolist() == tree.cluster_ids().tolist()
    assert sizes(tree.cluster_ids()) == [CHILDREN * MEMBERS] * FAMILIES


def test_a_large_cluster_is_divided_if_it_may_not_stay():
    labels = grouped_tree().limited_cluster_ids(CHILDREN * MEMBERS - 1, refuse)
    assert len(sizes(labels)) > FAMILIES
    assert max(sizes(labels)) < CHILDREN * MEMBERS


def test_who_decides_sees_the_rows_and_how_they_would_be_divided():
    seen: list[tuple[list[int], int]] = []

    def stay(rows: Rows, divided: ClusterIds) -> bool:
        seen.append((sorted(rows.tolist()), len(set(divided.tolist()) - {-1})))
        return True

    tree = grouped_tree()
    family = CHILDREN * MEMBERS
    labels = tree.limited_cluster_ids(family - 1, stay)
    assert labels.tolist() == tree.cluster_ids().tolist()
    assert [list(range(i * family, (i + 1) * family)) for i in range(FAMILIES)] == sorted(
        rows for rows, _ in seen if len(rows) == family
    )
    assert all(parts >= 2 for _, parts in seen)


def test_what_holds_no_smaller_cluster_stays_however_large():
    points = np.concatenate([np.zeros((50, 2)), np.ones((10, 2))]).astype(np.float32)
    tree = ClusterTree(SharedRows.of(points, LocalExecutor()), 5, 3)
    labels = tree.limited_cluster_ids(5, refuse)
    assert sizes(labels) == [10, 50]
