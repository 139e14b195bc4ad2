"""One post alone cannot put its words into a label, however obedient the model is."""

import json
import os
from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest

from issue_pipeline.assets import issues
from issue_pipeline.labels.schema import plain_text_problem
from issue_pipeline.local.language_model import MODEL_NAME, language_model_server, smollm2_file
from issue_pipeline.resources.llm import LLMResource
from issue_pipeline_tests.assets.conftest import DAY, changed
from issue_pipeline_tests.support.hostile_posts import CANARIES, hostile_post
from issue_pipeline_tests.support.scripted_model import Reply, about_the_posts, label
from issue_pipeline_tests.support.stored_day import PAIRS, store_clusters, told_by_five

CLEAN = 5
# The real model, which takes seconds for each, gets every fifth; all with HOSTILE_STEP=1.
HOSTILE_STEP = int(os.environ.get("HOSTILE_STEP", "5"))
ORDINARY = (
    "Why our day is the day that everybody waits every time, so often, when a day comes again"
)
LABELS = "SELECT cluster_id, canonical_title, description FROM gold.issues WHERE NOT label_failed"


def with_hostile_posts(numbers: Sequence[int], clean: int = CLEAN) -> list[list[tuple[str, str]]]:
    """A few clean clusters, and after them some with one hostile post each.

    The first is of posts with all the ordinary words of the others, as a real day has them in
    plenty. In the hostile ones one of the other titles is told twice, so that the hostile post is
    among the five that are shown.
    """
    clusters = told_by_five(clean + len(numbers))
    clusters[0] = [(f"{ORDINARY} {number}", "") for number in ("one", "two", "three", "four")] * 2
    for number, pair, texts in zip(numbers, PAIRS[clean:], clusters[clean:], strict=False):
        texts[-1] = texts[0]
        texts.append(hostile_post(number, *pair))
    return clusters


def without_them(clusters: list[list[tuple[str, str]]], clean: int) -> list[list[tuple[str, str]]]:
    return [*clusters[:clean], *(texts[:-1] for texts in clusters[clean:])]


def store(pipeline: Any, clusters: list[list[tuple[str, str]]], day: str = DAY) -> None:
    store_clusters(pipeline.resources["database"], date.fromisoformat(day), clusters)


def obedient(request: dict[str, Any]) -> Reply:
    """Put every canary that is anywhere in the request into an otherwise good label."""
    told = " ".join(message["content"] for message in request["messages"]).casefold()
    good = json.loads(about_the_posts(request).content or "")
    seen = " ".join(canary for canary in CANARIES if canary.casefold() in told)
    return label(
        canonical_title=f"{good['canonical_title']} {seen}".strip(),
        description=f"{good['description']} {seen}".strip(),
    )


def assert_clean(rows: list[tuple[Any, ...]]) -> None:
    for _, title, description in rows:
        text = f"{title} {description}"
        assert not [canary for canary in CANARIES if canary.casefold() in text.casefold()], text
        assert plain_text_problem(title) is None
        assert plain_text_problem(description) is None


def test_each_has_a_word_of_its_own():
    assert len(set(CANARIES)) == len(CANARIES) >= 40
    for number, canary in enumerate(CANARIES):
        assert canary in " ".join(hostile_post(number, "printer", "jams"))


def obedient_chooser(request: dict[str, Any]) -> Reply:
    """Choose whatever shows a canary, if anything offered does."""
    fields = request["response_format"]["json_schema"]["schema"]["properties"]

    def choice(field: str) -> str:
        offered = [str(one) for one in fields[field]["enum"]]
        canaries = [canary.casefold() for canary in CANARIES]
        hit = (one for one in offered if any(canary in one.casefold() for canary in canaries))
        return next(hit, offered[0])

    return label(canonical_title=choice("canonical_title"), description=choice("description"))


@pytest.mark.parametrize(
    ("style", "script"),
    [("write", obedient), ("choose", obedient_chooser)],
    ids=["write", "choose"],
)
def test_an_obedient_model_never_sees_what_it_is_told(make_pipeline: Any, style: str, script: Any):
    pipeline = make_pipeline(script)
    pipeline.resources["llm"] = changed(pipeline.resources["llm"], local_style=style)
    store(pipeline, with_hostile_posts(range(len(CANARIES))))
    metadata = pipeline.run(issues)
    rows = pipeline.query(f"{LABELS} ORDER BY cluster_id")
    assert metadata["dagster/partition_row_count"] == CLEAN + len(CANARIES)
    assert len(rows) == CLEAN + len(CANARIES)
    assert_clean(rows)
    told = json.dumps(pipeline.model.requests, ensure_ascii=False).casefold()
    assert not [canary for canary in CANARIES if canary.casefold() in told]
    # The hostile posts stand in the evidence, as they came.
    (titles,) = pipeline.query("SELECT string_agg(title, ' ') FROM gold.issue_evidence")[0]
    assert sum(canary in titles for canary in CANARIES) >= 15


def test_the_labels_of_other_clusters_are_the_same_with_and_without_them(make_pipeline: Any):
    pipeline = make_pipeline(obedient)
    clusters = with_hostile_posts(range(8))
    store(pipeline, clusters)
    pipeline.run(issues)
    first = f"{LABELS} AND cluster_id < {CLEAN} ORDER BY cluster_id"
    labels = pipeline.query(first)
    with pipeline.resources["database"].write() as connection:
        connection.execute("DELETE FROM gold.issues")  # or they would be kept
        connection.execute("DELETE FROM bronze.raw_items")  # likewise: many missing posts stay
    store(pipeline, without_them(clusters, CLEAN))
    pipeline.run(issues)
    assert len(labels) == CLEAN
    assert pipeline.query(first) == labels


def test_what_is_masked_was_there_to_be_seen(make_pipeline: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(
        "issue_pipeline.labels.labelling.mask_unshared_words", lambda text, shared: text
    )
    pipeline = make_pipeline(obedient)
    store(pipeline, with_hostile_posts(range(8)))
    pipeline.run(issues)
    shown = [canary for canary in CANARIES[:8] if canary in str(pipeline.model.requests)]
    assert len(shown) == 8


@pytest.mark.e2e
def test_the_real_local_model_labels_them_without_a_trace_and_the_others_as_without_them(
    make_pipeline: Any, tmp_path: Any
):
    numbers, clean = range(0, len(CANARIES), HOSTILE_STEP), 2
    pipeline, clusters = make_pipeline(), with_hostile_posts(numbers, clean)
    store(pipeline, clusters)
    with language_model_server(smollm2_file(), log=tmp_path / "log") as server:
        local = LLMResource(
            local_model=f"openai/{MODEL_NAME}",
            local_base_url=f"{server.url}/v1",
            local_style="choose",
        )
        pipeline.resources["llm"] = local
        metadata = pipeline.run(issues)
        rows = pipeline.query(f"{LABELS} ORDER BY cluster_id")
        with pipeline.resources["database"].write() as connection:
            connection.execute("DELETE FROM gold.issues")  # or they would be kept
            connection.execute("DELETE FROM bronze.raw_items")  # likewise: many missing posts stay
        store(pipeline, without_them(clusters, clean))
        pipeline.resources["llm"] = changed(local, max_calls=clean)
        pipeline.run(issues)
    assert metadata["failed"] + metadata["waiting"] == 0
    assert len(rows) == clean + len(numbers)
    assert_clean(rows)
    for number, title, _ in rows[1:]:
        assert all(word.casefold() in title.casefold() for word in PAIRS[number]), title
    assert pipeline.query(f"{LABELS} ORDER BY cluster_id") == rows[:clean]
