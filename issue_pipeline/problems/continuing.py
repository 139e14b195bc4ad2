"""Labels by meaning: a cluster that continues an earlier problem may take over its label."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import duckdb

from issue_pipeline.labels.preparation import PreparedCluster, collect_posts
from issue_pipeline.problems.identity import nearest_problems
from issue_pipeline.problems.linking import (
    Issue,
    embed_issues,
    known_problems,
    recent_issues,
)
from issue_pipeline.records import IssueRow
from issue_pipeline.sql import problems as sql_problems
from issue_pipeline.sql.problems import IssuePosts
from issue_pipeline.utils.embeddings import TextEncoder


@dataclass(frozen=True, slots=True)
class EarlierProblems:
    """The problems that a day may continue.

    Attributes:
        recent: The issues that stand for each, by problem id.
        posts: The posts of these issues.
        labels: The label of each problem by then: that of its largest issue before the day.
    """

    recent: Mapping[str, Sequence[Issue]]
    posts: Sequence[IssuePosts]
    labels: Mapping[str, IssueRow]


def read_earlier_problems(connection: duckdb.DuckDBPyConnection, day: date) -> EarlierProblems:
    """Read the problems before a day, as they are linked now."""
    labels = sql_problems.labels_before(connection, day)
    recent = recent_issues(sql_problems.all_links(connection), day)
    posts = sql_problems.posts_of_issues(
        connection, [one for own in recent.values() for one in own]
    )
    # A day that was labelled anew and is not linked yet has other issues than its links say.
    there = {(one.issue_date, one.cluster_id) for one in posts}
    recent = {
        problem: own
        for problem, own in recent.items()
        if problem in labels and there.issuperset(own)
    }
    return EarlierProblems(recent, posts, labels)


def labels_by_meaning(
    day: date, clusters: Sequence[PreparedCluster], earlier: EarlierProblems, model: TextEncoder
) -> dict[int, IssueRow]:
    """Return the label of the problem that each cluster continues, by cluster id.

    The caller checks whether it fits the cluster.

    Args:
        day: UTC day of the clusters.
        clusters: The day's clusters.
        earlier: The problems before that day.
        model: The embedding model.
    """
    if not earlier.recent or not clusters:
        return {}
    own = [posts_of(day, cluster) for cluster in clusters]
    groups = embed_issues([*own, *earlier.posts], model)
    problems = known_problems(earlier.recent, groups)
    ids = list(earlier.recent)
    links = nearest_problems(problems, day, [groups[day, one.cluster_id] for one in own])
    return {
        cluster.cluster_id: earlier.labels[ids[link.number]]
        for cluster, link in zip(clusters, links, strict=True)
        if link is not None
    }


def posts_of(day: date, cluster: PreparedCluster) -> IssuePosts:
    """Return a cluster's posts as its evidence will have them."""
    posts = sorted(collect_posts(cluster), key=lambda post: (post.distance, post.url_hash))
    return IssuePosts(
        issue_date=day,
        cluster_id=cluster.cluster_id,
        url_hashes=[post.url_hash for post in posts],
        titles=[post.title for post in posts],
        snippets=[post.snippet for post in posts],
    )
