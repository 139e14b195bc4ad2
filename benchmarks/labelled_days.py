"""Days of a simulated world, clustered and labelled as the pipeline does, with nothing stored."""

import contextlib
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Protocol

import numpy as np

from issue_pipeline.labels.labelling import ask_models, settled_rows
from issue_pipeline.labels.preparation import PreparedCluster, prepare_cluster
from issue_pipeline.labels.problem_scoring import ProblemScorer
from issue_pipeline.labels.session import start_session
from issue_pipeline.local.chosen_model import chosen_model
from issue_pipeline.local.language_model import language_model_server, smollm2_file
from issue_pipeline.partitions import SOURCES
from issue_pipeline.records import IssueRow, Item
from issue_pipeline.resources.llm import LLMResource
from issue_pipeline.sandbox.apis.addresses import permalink
from issue_pipeline.sandbox.world.posts import SimulatedPost, Truth
from issue_pipeline.settings import resources
from issue_pipeline.utils.clustering import NOISE, cluster_posts
from issue_pipeline.utils.embeddings import TextEncoder, clean_day, embed_texts
from issue_pipeline.utils.urls import url_hash


class World(Protocol):
    """What has posts: the corpora dealt onto days, or the synthetic world."""

    def posts(self, source: str, day: date) -> Sequence[SimulatedPost]:
        """Return a source's posts of a day."""
        ...


@dataclass(frozen=True, slots=True)
class ClusteredDay:
    """The clusters of one day, and what is known of its posts, by ``url_hash``.

    Attributes:
        groups: Where each post is from: repository, subreddit, first tag.
        truths: What it is really about; ``None`` where nobody knows.
    """

    clusters: list[PreparedCluster]
    groups: dict[str, str]
    truths: dict[str, Truth | None]


@dataclass(frozen=True, slots=True)
class LabelledDay:
    """A clustered day and its labels, in the order of its clusters."""

    day: ClusteredDay
    rows: list[IssueRow]


def clustered_day(world: World, day: date, model: TextEncoder) -> ClusteredDay:
    """Cluster a day's posts in the default mode."""
    items: list[Item] = []
    groups: dict[str, str] = {}
    truths: dict[str, Truth | None] = {}
    for source in SOURCES:
        for post in world.posts(source, day):
            url = permalink(post)
            key, counts = url_hash(url), (post.comment_count, post.vote_count)
            items.append(
                Item(key, source, url, post.title, post.body or "", post.created_at, *counts)
            )
            groups[key], truths[key] = post.channel, post.truth
    items.sort(key=lambda item: item.url_hash)
    texts = clean_day(items)
    embedded = [text.text for text in texts]
    vectors = embed_texts(embedded, model)
    labels = cluster_posts(embedded, vectors).labels
    clusters, scorer = [], ProblemScorer(model)
    for cluster_id in range(int(labels.max(initial=NOISE)) + 1):
        rows = np.flatnonzero(labels == cluster_id)
        members = [items[row] for row in rows], [texts[row] for row in rows]
        clusters.append(prepare_cluster(cluster_id, *members, vectors[rows], scorer))
    return ClusteredDay(clusters, groups, truths)


def labelled_day(day: ClusteredDay, llm: LLMResource, model: TextEncoder) -> LabelledDay:
    """Have models label every cluster of a day."""
    rows = settled_rows(day.clusters, known=[], reusable={})
    by_id = {row.cluster_id: row for row in rows}
    for fresh in ask_models(day.clusters, rows, start_session(llm), model):
        by_id.update((row.cluster_id, row) for row in fresh)
    return LabelledDay(day, list(by_id.values()))


def first_clusters(days: Iterable[ClusteredDay], count: int) -> Iterator[ClusteredDay]:
    """Return the first so many clusters of all days, day by day."""
    for day in days:
        yield replace(day, clusters=day.clusters[:count])
        count -= len(day.clusters)
        if count <= 0:
            return


@contextlib.contextmanager
def configured_models() -> Iterator[LLMResource]:
    """Return the models that the environment names, or else the sandbox's, served meanwhile."""
    llm = resources()["llm"]
    assert isinstance(llm, LLMResource)
    settings = {**dict(llm), "remote_api_key": os.environ.get("LLM_REMOTE_API_KEY", "")}
    local = chosen_model()
    if local.file == smollm2_file() and llm.remote_model:
        yield LLMResource(**settings)  # the remote one alone is what is to be measured
        return
    with contextlib.ExitStack() as stack:
        url = local.base_url
        if local.file:
            log = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "log"
            server = stack.enter_context(language_model_server(local.file, log=log))
            url = f"{server.url}/v1"
        settings |= {"local_model": local.name, "local_base_url": url, "local_style": local.style}
        yield LLMResource(**settings)
