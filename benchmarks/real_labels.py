"""How good labels of real posts are: ``python -m benchmarks.real_labels [--clusters 100]``.

Deals the posts of the corpora onto days, clusters them as the pipeline does, and has the model
label the clusters that the environment configures (``LLM_...``), or the sandbox's own, which
chooses. Nothing is stored. Shown are:

- the share of clusters with a valid label after one call, and in the end; failed and waiting,
- of the valid labels, the share whose title is grounded (``labels.MIN_GROUNDING``), after one call
  and in the end; a label that was written is refused unless it is, one that was chosen is not,
- titles that two clusters of a day share,
- seconds and tokens per label, calls and cost,
- how often ``category`` is what the posts' own grouping implies, where at least half of a
  cluster's posts come from groups that imply one (``IMPLIED_CATEGORY``).

There is no truth in these posts about impact and would-pay; ``benchmarks.labels`` measures those
on the synthetic world.
"""

import argparse
import contextlib
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.labels import accuracy, balanced_accuracy, commonest
from issue_pipeline.asking import start_session
from issue_pipeline.label_checks import Grounding
from issue_pipeline.labeling import PreparedCluster, ask_models, prepare_cluster, settled_rows
from issue_pipeline.labels import MIN_GROUNDING
from issue_pipeline.partitions import SOURCES
from issue_pipeline.records import IssueRow, Item
from issue_pipeline.resources.embedding import EmbeddingResource
from issue_pipeline.resources.llm import LLMResource
from issue_pipeline.run_day import show_progress
from issue_pipeline.sandbox.apis.addresses import permalink
from issue_pipeline.sandbox.language_model import MODEL_NAME, language_model_server, smollm2_file
from issue_pipeline.sandbox.model_weights import all_minilm_folder
from issue_pipeline.sandbox.world.corpus import CorpusWorld
from issue_pipeline.settings import resources
from issue_pipeline.utils.cluster_representatives import normalize_title
from issue_pipeline.utils.clustering import NOISE, cluster_embeddings
from issue_pipeline.utils.embeddings import TextEncoder, clean_item, embed_texts
from issue_pipeline.utils.urls import url_hash

CORPUS = Path("../shared/data/corpora")
FIRST_DAY = date(2026, 3, 1)
# Repositories, subreddits and first tags that imply a category; the others imply none.
IMPLIED_CATEGORY = {
    **dict.fromkeys(
        ("huggingface/datasets", "opencv/opencv", "tensorflow/tensorflow", "tensorflow"), "ai"
    ),
    "MachineLearning": "ai",
    "bitcoin/bitcoin": "finance",
    **dict.fromkeys(("facebook/react", "microsoft/vscode", "bugzilla/firefox"), "devtools"),
    **dict.fromkeys(("learnpython", "learnprogramming", "SQL", "Database", "git"), "devtools"),
    **dict.fromkeys(("csharp", "vim", "webdev", "androiddev", "iOSProgramming"), "devtools"),
    **dict.fromkeys(("linuxquestions", "networking", "sysadmin", "Wordpress"), "devtools"),
    **dict.fromkeys(("c++", "python", "javascript", "c", "r", "c#", "java", "html"), "devtools"),
    **dict.fromkeys(("sql", ".net", "powershell", "php", "rust", "typescript"), "devtools"),
}
MIN_IMPLYING_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class RealDay:
    """The clusters of one day, and of which group (repository, subreddit, tag) each post is.

    Attributes:
        groups: By ``url_hash``.
    """

    clusters: list[PreparedCluster]
    groups: dict[str, str]


@dataclass(frozen=True, slots=True)
class Quality:
    """What was measured.

    Attributes:
        valid_first: Good labels after one call.
        grounded: Good labels whose title is grounded.
        grounded_first: Those of them that took one call.
        twins: Labels whose title another cluster of the day has.
        pairs: (implied category, category of the label).
    """

    clusters: int
    valid_first: int
    valid: int
    failed: int
    waiting: int
    grounded_first: int
    grounded: int
    twins: int
    seconds: list[float]
    tokens: list[int]
    calls: int
    cost_usd: float
    pairs: list[tuple[object, object]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; return 1 if there is no corpus."""
    parser = argparse.ArgumentParser(description="Label clusters of real posts.")
    parser.add_argument("--corpus", type=Path, default=CORPUS)
    parser.add_argument("--days", type=int, default=8, help="to deal the posts onto (default: 8)")
    parser.add_argument("--clusters", type=int, default=100, help="at most (default: 100)")
    options = parser.parse_args(arguments)
    if not options.corpus.exists():
        print(f"There is no {options.corpus}; name posts with --corpus.", file=sys.stderr)
        return 1
    show_progress()
    model = EmbeddingResource(embedding_model=str(all_minilm_folder())).get_model()
    days, left = [], options.clusters
    for day in real_days(options.corpus, options.days, model):
        days.append(RealDay(day.clusters[:left], day.groups))
        left -= len(days[-1].clusters)
        if not left:
            break
    with configured_models() as llm:
        labelled = [(day, label_day(day, llm, model)) for day in days]
    name = llm.local_model or llm.remote_model
    show(Console(), f"{name} ({llm.local_style})", measure(labelled, model))
    return 0


@contextlib.contextmanager
def configured_models() -> Iterator[LLMResource]:
    """Give the models that the environment names, or else the sandbox's, running meanwhile."""
    if os.environ.get("LLM_LOCAL_MODEL") or os.environ.get("LLM_REMOTE_MODEL"):
        llm = resources()["llm"]
        assert isinstance(llm, LLMResource)
        key = os.environ.get("LLM_REMOTE_API_KEY", "")
        yield LLMResource(**{**dict(llm), "remote_api_key": key})
        return
    with (
        tempfile.TemporaryDirectory() as folder,
        language_model_server(smollm2_file(), log=Path(folder) / "log") as server,
    ):
        yield LLMResource(
            local_model=f"openai/{MODEL_NAME}",
            local_base_url=f"{server.url}/v1",
            local_style=os.environ.get("LLM_LOCAL_STYLE") or "choose",
        )


def real_days(corpus: Path, count: int, model: TextEncoder) -> Iterator[RealDay]:
    """Deal the posts onto days and cluster them, a day at a time."""
    days = [FIRST_DAY + timedelta(days=number) for number in range(count)]
    world = CorpusWorld(corpus, days)
    for day in days:
        items, groups = [], {}
        for source in SOURCES:
            for post in world.posts(source, day):
                url = permalink(post)
                counts = (post.comment_count, post.vote_count)
                body = post.body or ""
                items.append(
                    Item(url_hash(url), source, url, post.title, body, post.created_at, *counts)
                )
                groups[url_hash(url)] = post.channel
        items.sort(key=lambda item: item.url_hash)
        texts = [clean_item(item) for item in items]
        vectors = embed_texts([text.text for text in texts], model)
        labels = cluster_embeddings(vectors).labels
        clusters = []
        for cluster_id in range(int(labels.max(initial=NOISE)) + 1):
            rows = np.flatnonzero(labels == cluster_id)
            members = [items[row] for row in rows], [texts[row] for row in rows]
            clusters.append(prepare_cluster(cluster_id, *members, vectors[rows]))
        yield RealDay(clusters, groups)


def label_day(day: RealDay, llm: LLMResource, model: TextEncoder) -> list[IssueRow]:
    """Label a day's clusters, each by a model."""
    rows = settled_rows(day.clusters, known=[], reusable={})
    by_id = {row.cluster_id: row for row in rows}
    for fresh in ask_models(day.clusters, rows, start_session(llm), model):
        by_id.update((row.cluster_id, row) for row in fresh)
    return list(by_id.values())


def measure(labelled: Sequence[tuple[RealDay, Sequence[IssueRow]]], model: TextEncoder) -> Quality:
    """Sum up the labels of all days; rows are in the order of each day's clusters."""
    grounding = Grounding(model)
    pairs: list[tuple[object, object]] = []
    grounded: list[IssueRow] = []
    every: list[IssueRow] = []
    twins = 0
    for day, rows in labelled:
        every += rows
        titles = Counter(normalize_title(row.canonical_title or "") for row in rows)
        twins += sum(
            titles[normalize_title(row.canonical_title or "")] > 1
            for row in rows
            if not row.label_failed
        )
        for cluster, row in zip(day.clusters, rows, strict=True):
            if row.label_failed:
                continue
            title = row.canonical_title or ""
            (similarity,) = grounding.similarities([title], cluster.embeddings)
            if similarity >= MIN_GROUNDING["canonical_title"]:
                grounded.append(row)
            if (implied := implied_category(cluster, day.groups)) is not None:
                pairs.append((implied, row.category))
    good = [row for row in every if not row.label_failed]
    waiting = sum(row.is_waiting for row in every)
    return Quality(
        clusters=len(every),
        valid_first=sum(row.attempts == 1 for row in good),
        valid=len(good),
        failed=len(every) - len(good) - waiting,
        waiting=waiting,
        grounded_first=sum(row.attempts == 1 for row in grounded),
        grounded=len(grounded),
        twins=twins,
        seconds=[row.seconds for row in every if row.attempts],
        tokens=[row.prompt_tokens + row.completion_tokens for row in every if row.attempts],
        calls=sum(row.attempts for row in every),
        cost_usd=sum(row.cost_usd for row in every),
        pairs=pairs,
    )


def implied_category(cluster: PreparedCluster, groups: dict[str, str]) -> str | None:
    """Give the category that the groups of at least half of the posts imply, if there is one."""
    # Large subreddits are served in parts: name, name_2, ...
    implied = Counter(
        IMPLIED_CATEGORY.get(group) or IMPLIED_CATEGORY.get(group.rpartition("_")[0])
        for group in (groups[item.url_hash] for item in cluster.items)
    )
    del implied[None]
    if not implied:
        return None
    category, count = implied.most_common(1)[0]
    return category if count >= MIN_IMPLYING_SHARE * len(cluster.items) else None


def show(console: Console, name: str, quality: Quality) -> None:
    """Print one column."""
    table = Table("", name, title="Labels of clusters of real posts")

    def share(part: int) -> str:
        return f"{part / quality.clusters:.0%} ({part})" if quality.clusters else "none"

    def middle(values: Sequence[float], digits: int) -> str:
        if not values:
            return "none"
        median, high = np.quantile(values, [0.5, 0.95])
        return f"{median:.{digits}f} / {high:.{digits}f}"

    for line in (
        ("clusters", str(quality.clusters)),
        ("valid after one call", share(quality.valid_first)),
        ("valid in the end", share(quality.valid)),
        ("failed, waiting", f"{quality.failed}, {quality.waiting}"),
        ("grounded after one call", share(quality.grounded_first)),
        ("grounded in the end", share(quality.grounded)),
        ("labels with another's title", str(quality.twins)),
        ("seconds per label, median / 95 %", middle(quality.seconds, 1)),
        ("tokens per label, median / 95 %", middle(quality.tokens, 0)),
        ("calls, dollars", f"{quality.calls}, {quality.cost_usd:.4f}"),
        ("clusters with an implied category", str(len(quality.pairs))),
        ("category agrees", f"{accuracy(quality.pairs):.2f}"),
        ("  always the commonest", f"{accuracy(commonest(quality.pairs)):.2f}"),
        ("category agrees, balanced", f"{balanced_accuracy(quality.pairs):.2f}"),
        ("  always the commonest", f"{balanced_accuracy(commonest(quality.pairs)):.2f}"),
    ):
        table.add_row(*line)
    console.print(table)


if __name__ == "__main__":
    sys.exit(main())
