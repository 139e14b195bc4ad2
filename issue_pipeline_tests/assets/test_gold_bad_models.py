"""Whatever a model answers, every cluster ends with a label or without, and no exception comes."""

import contextlib
import hashlib
import json
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import date
from threading import Event
from typing import Any

import dagster as dg
import duckdb
import pytest

from issue_pipeline.assets import issues
from issue_pipeline.assets.failures import MAY_SUCCEED_LATER_TAG
from issue_pipeline.labels import session as labelling_session
from issue_pipeline.local.model_weights import all_minilm_folder
from issue_pipeline.resources.llm import LLMResource
from issue_pipeline_tests.assets.conftest import DAY, changed
from issue_pipeline_tests.support.scripted_model import (
    HANG,
    Reply,
    ScriptedModel,
    about_the_posts,
    label,
    posts_shown,
)
from issue_pipeline_tests.support.small_day import PROBLEMS
from issue_pipeline_tests.support.stored_day import PAIRS, store_clusters, told_by_five

LIMIT_S = 300  # seconds of importing on an idle machine, minutes on a busy one
PROGRAM = """
import sys
import dagster as dg
from issue_pipeline.assets import issues
from issue_pipeline.resources.compute import ComputeResource
from issue_pipeline.resources.duckdb import IssuesDatabase
from issue_pipeline.resources.embedding.resource import EmbeddingResource
from issue_pipeline.resources.llm import LLMResource
path, day, weights = sys.argv[1:]
dg.materialize(
    [issues],
    partition_key=day,
    instance=dg.DagsterInstance.ephemeral(),
    resources={
        "database": IssuesDatabase(database=path),
        "compute": ComputeResource(),
        "embedding": EmbeddingResource(embedding_model=weights),
        "llm": LLMResource(remote_model="openai/gpt-4o", remote_api_key="key"),
    },
)
"""
UNGROUNDED = label(canonical_title="The impact of whales on opera", description="Whales sing.")


@pytest.fixture(autouse=True)
def _no_time_to_wait(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(labelling_session, "DEFAULT_WAIT_S", 0.0)


def three_clusters() -> list[list[tuple[str, str]]]:
    return [[(title, "") for title in titles] for titles in PROBLEMS.values()]


def store(pipeline: Any, clusters: list[list[tuple[str, str]]], day: str = DAY) -> None:
    store_clusters(pipeline.resources["database"], date.fromisoformat(day), clusters)


def failures(pipeline: Any) -> list[str]:
    rows = pipeline.query("SELECT failure FROM gold.issues WHERE label_failed ORDER BY cluster_id")
    return [failure for (failure,) in rows]


def failure_of(pipeline: Any, result: dg.ExecuteInProcessResult) -> tuple[str, str | None]:
    """Why a run failed, and whether its cause may pass."""
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    run = pipeline.instance.get_run_by_id(result.run_id)
    told = failure.step_failure_data.user_failure_data.description
    return told, run.tags.get(MAY_SUCCEED_LATER_TAG)


def good(reply: Reply) -> str:
    assert reply.content is not None
    return reply.content


@pytest.mark.parametrize(
    ("answer", "calls", "said"),
    [
        (lambda request: Reply(f"```json\n{good(about_the_posts(request))}\n```"), 1, None),
        (lambda request: Reply(f"Sure!\n{good(about_the_posts(request))}\nBye."), 1, None),
        (lambda request: label(category="gaming"), 2, "category: Input should be"),
        (lambda request: label(description=...), 2, "description: Field required"),
        (lambda request: label(canonical_title="x" * 500), 2, "at most 120 characters"),
        (lambda request: Reply(""), 2, "expected a JSON object, got none"),
        (lambda request: Reply("I cannot help with that."), 2, "expected a JSON object"),
        (lambda request: Reply(body='{"choices": [{"me', cut=True), 1, "no answer"),
        (lambda request: HANG, 1, "Timeout"),
        (lambda request: Reply("slow down", status=429), 4, "rate limited"),
        (lambda request: Reply("quota exceeded", status=429), 1, "quota spent"),
        (lambda request: Reply("bad key", status=401), 1, "refused"),
        (lambda request: Reply("it broke", status=500), 1, "no answer"),
        (lambda request: UNGROUNDED, 2, "is not about these posts"),
    ],
    ids=[
        "fenced",
        "prose around",
        "wrong enum",
        "missing field",
        "long title",
        "empty",
        "refusal",
        "truncated",
        "timeout",
        "429 per minute",
        "429 quota",
        "401",
        "500",
        "ungrounded",
    ],
)
def test_every_bad_answer_has_its_outcome_and_its_number_of_calls(
    make_pipeline: Any, answer: Any, calls: int, said: str | None
):
    pipeline = make_pipeline(answer)
    llm = changed(pipeline.resources["llm"], timeout_s=0.5 if said == "Timeout" else 60.0)
    pipeline.resources["llm"] = llm
    store(pipeline, three_clusters()[:1])
    if said is None:
        metadata = pipeline.run(issues)
        assert (metadata["local"], metadata["calls"], failures(pipeline)) == (1, calls, [])
    else:
        # Not one label of the day: the run fails, and may succeed later.
        failure, tag = failure_of(pipeline, pipeline.attempt(issues))
        assert "None of the 1 clusters of 2026-03-10 has a label" in failure
        assert said in failure
        assert tag == "yes"
        assert said in failures(pipeline)[0]
    assert pipeline.model.calls == calls
    assert pipeline.query("SELECT count(*) FROM gold.issues") == [(1,)]


@pytest.mark.parametrize(
    ("refusal", "said"),
    [
        (Reply("bad key", status=401), "refused"),
        (Reply("You exceeded your quota", status=429), "quota spent"),
    ],
    ids=["401", "quota"],
)
def test_a_bad_key_or_a_spent_quota_costs_one_call_and_the_rest_waits(
    make_pipeline: Any, refusal: Reply, said: str
):
    answers = {"refuse": True}
    pipeline = make_pipeline(
        lambda request: refusal if answers["refuse"] else about_the_posts(request)
    )
    store(pipeline, three_clusters())
    failure, tag = failure_of(pipeline, pipeline.attempt(issues))
    assert (said in failure, tag) == (True, "yes")
    assert pipeline.model.calls == 1
    rows = pipeline.query("SELECT attempts FROM gold.issues WHERE label_failed ORDER BY 1")
    assert rows == [(0,), (0,), (1,)]
    assert "not asked again in this run" in failures(pipeline)[1]
    assert said in failures(pipeline)[2]
    answers["refuse"] = False
    metadata = pipeline.run(issues)
    assert (metadata["local"], metadata["waiting"], metadata["calls"]) == (3, 0, 3)


def test_a_budget_leaves_the_rest_for_the_next_runs_and_says_so(pipeline: Any):
    pipeline.resources["llm"] = changed(pipeline.resources["llm"], max_calls=1)
    store(pipeline, three_clusters())
    for labelled in (1, 2, 3):
        metadata = pipeline.run(issues)
        assert (metadata["local"], metadata["waiting"]) == (labelled, 3 - labelled)
        assert metadata["failed"] == 0
        assert pipeline.model.calls == labelled
        assert all("LLM_MAX_CALLS" in failure for failure in failures(pipeline))
        assert len(pipeline.query("SELECT DISTINCT cluster_id FROM gold.issue_evidence")) == (
            labelled
        )


def test_the_days_labels_are_shown_as_a_table_with_counts_and_cost(pipeline: Any):
    store(pipeline, three_clusters())
    metadata = pipeline.run(issues)
    table, _ = metadata["labels"]
    records = [record.data for record in table]
    assert [record["posts"] for record in records] == [7, 7, 7]
    assert all(record["title"].startswith("Problem: ") for record in records)
    assert {record["source"] for record in records} == {"local"}
    assert {record["calls"] for record in records} == {1}
    assert metadata["cost_usd"] == 0
    assert metadata["tokens"] == 3 * 120


def bad_third(request: dict[str, Any]) -> Reply:
    """Answer badly to a third of the requests, whichever they are, in many ways."""
    number = int(hashlib.sha256(json.dumps(request).encode()).hexdigest(), 16)
    bad = [
        label(category="gaming"),
        label(impact_level=...),
        label(canonical_title="x" * 500),
        Reply(""),
        Reply("I cannot help with that."),
        Reply("it broke", status=500),
        Reply("slow down", status=429),
        UNGROUNDED,
    ]
    return about_the_posts(request) if number % 3 else bad[number // 3 % len(bad)]


def test_of_two_hundred_clusters_each_is_labelled_or_failed_and_never_asked_too_often(
    make_pipeline: Any, monkeypatch: pytest.MonkeyPatch
):
    with ScriptedModel(bad_third) as remote:
        monkeypatch.setenv("OPENAI_BASE_URL", remote.url)
        monkeypatch.setenv("OPENAI_API_BASE", remote.url)
        pipeline = make_pipeline(bad_third)
        pipeline.resources["llm"] = changed(
            pipeline.resources["llm"], remote_model="openai/gpt-4o", remote_api_key="key"
        )
        store(pipeline, told_by_five(200))
        metadata = pipeline.run(issues)
    assert metadata["dagster/partition_row_count"] == 200
    assert metadata["local"] + metadata["remote"] + metadata["failed"] == 200
    assert metadata["local"] > 100
    assert metadata["remote"] > 10
    rows = pipeline.query("SELECT cluster_id, label_failed, attempts FROM gold.issues ORDER BY 1")
    assert [number for number, _, _ in rows] == list(range(200))
    assert all(1 <= attempts <= 4 for _, _, attempts in rows)
    assert sum(attempts for _, _, attempts in rows) == pipeline.model.calls + remote.calls
    for model in (pipeline.model, remote):
        per_cluster: dict[str, int] = {}
        for request in model.requests:
            first = posts_shown(request)[0]["title"]
            per_cluster[first] = per_cluster.get(first, 0) + 1
        assert max(per_cluster.values()) <= 2
    assert metadata["cost_usd"] > 0
    good_rows = {number for number, failed, _ in rows if not failed}
    evidence = pipeline.query("SELECT DISTINCT cluster_id FROM gold.issue_evidence")
    assert {number for (number,) in evidence} == good_rows


def test_a_good_label_is_never_asked_for_again(pipeline: Any):
    store(pipeline, three_clusters())
    pipeline.run(issues)
    assert pipeline.model.calls == 3
    pipeline.run(issues)
    # Clustered again: other numbers, the posts in another order.
    first, second, third = three_clusters()
    store(pipeline, [third, second[::-1], first])
    pipeline.run(issues)
    # On a later day.
    store(pipeline, [second, first], "2026-03-12")
    pipeline.run(issues, "2026-03-12")
    assert pipeline.model.calls == 3
    origins = pipeline.query(
        "SELECT cluster_date::VARCHAR, label_source, count(*) FROM gold.issues GROUP BY ALL"
        " ORDER BY ALL"
    )
    assert origins == [("2026-03-10", "local", 3), ("2026-03-12", "reused", 2)]


def test_a_killed_run_loses_no_label_and_pays_for_none_twice(
    make_pipeline: Any, monkeypatch: pytest.MonkeyPatch
):
    hang = [True]

    def script(request: dict[str, Any]) -> Reply:
        # The first and the last are never answered; those between must not wait for the first.
        title = posts_shown(request)[0]["title"].casefold()
        ends = PAIRS[0][0] in title or PAIRS[4][0] in title
        return HANG if hang[0] and ends else about_the_posts(request)

    def labelled() -> list[tuple[Any, ...]]:
        with contextlib.suppress(duckdb.IOException):  # while the run writes
            return pipeline.query(
                "SELECT * EXCLUDE (cluster_date) FROM gold.issues WHERE NOT label_failed ORDER BY 1"
            )
        return []

    pipeline = make_pipeline(script)
    monkeypatch.setenv("OPENAI_BASE_URL", pipeline.model.url)
    monkeypatch.setenv("OPENAI_API_BASE", pipeline.model.url)
    store(pipeline, told_by_five(5))
    command = [sys.executable, "-c", PROGRAM, str(pipeline.path), DAY, str(all_minilm_folder())]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + LIMIT_S
        # Five calls: the last cluster is asked about, too.
        while (len(labelled()) < 3 or pipeline.model.calls < 5) and time.monotonic() < deadline:
            time.sleep(0.05)
        process.kill()
    assert process.returncode == -signal.SIGKILL

    before = labelled()
    assert [row[0] for row in before] == [1, 2, 3]
    evidence = "SELECT cluster_id, count(*) FROM gold.issue_evidence GROUP BY 1 ORDER BY 1"
    assert pipeline.query(evidence) == [(1, 5), (2, 5), (3, 5)]
    assert failures(pipeline) == ["no model was asked yet"] * 2

    hang[0] = False
    pipeline.resources["llm"] = LLMResource(remote_model="openai/gpt-4o", remote_api_key="key")
    metadata = pipeline.run(issues)
    assert (metadata["remote"], metadata["calls"]) == (5, 2)
    assert labelled()[1:4] == before  # their times and costs, too
    assert [count for _, count in pipeline.query(evidence)] == [5] * 5
    asked = Counter(posts_shown(request)[0]["title"] for request in pipeline.model.requests)
    assert sorted(asked.values()) == [1, 1, 1, 2, 2]  # twice only what nobody answered


def test_clusters_that_silver_no_longer_has_leave_with_their_evidence(pipeline: Any):
    store(pipeline, three_clusters())
    pipeline.run(issues)
    store(pipeline, three_clusters()[1:])
    pipeline.run(issues)
    for table in ("gold.issues", "gold.issue_evidence"):
        rows = pipeline.query(f"SELECT DISTINCT cluster_id FROM {table} ORDER BY 1")
        assert rows == [(0,), (1,)]
    assert pipeline.model.calls == 3
    store(pipeline, [])
    assert pipeline.run(issues)["dagster/partition_row_count"] == 0
    assert pipeline.query("SELECT * FROM gold.issues") == []
    assert pipeline.query("SELECT * FROM gold.issue_evidence") == []


def same_title_at_first(request: dict[str, Any]) -> Reply:
    if len(request["messages"]) > 2:
        return about_the_posts(request)
    description = json.loads(good(about_the_posts(request)))["description"]
    return label(canonical_title="Printer, invoice and backup jams", description=description)


def test_a_title_belongs_to_the_first_cluster_of_a_day_whichever_label_comes_first(
    make_pipeline: Any, monkeypatch: pytest.MonkeyPatch
):
    last_is_there = Event()

    def last_comes_first(request: dict[str, Any]) -> Reply:
        if "backup" in posts_shown(request)[0]["title"].casefold():  # the last cluster
            last_is_there.set()
        else:
            last_is_there.wait(LIMIT_S)
            time.sleep(0.05)  # so that its answer is stored before
        return same_title_at_first(request)

    pipeline = make_pipeline(same_title_at_first)
    store(pipeline, told_by_five(3))
    assert pipeline.run(issues)["local"] == 3
    columns = "cluster_id, canonical_title, description, attempts, label_failed"
    one_by_one = pipeline.query(f"SELECT {columns} FROM gold.issues ORDER BY 1")
    assert len({title.casefold() for _, title, *_ in one_by_one}) == 3
    assert [attempts for _, _, _, attempts, _ in one_by_one] == [1, 2, 2]

    with pipeline.resources["database"].write() as connection:
        connection.execute("DELETE FROM gold.issues")  # or they would be kept
    with ScriptedModel(last_comes_first) as remote:
        monkeypatch.setenv("OPENAI_BASE_URL", remote.url)
        monkeypatch.setenv("OPENAI_API_BASE", remote.url)
        pipeline.resources["llm"] = LLMResource(remote_model="openai/gpt-4o", remote_api_key="key")
        assert pipeline.run(issues)["remote"] == 3
        assert remote.calls == 5
    assert pipeline.query(f"SELECT {columns} FROM gold.issues ORDER BY 1") == one_by_one
    evidence = pipeline.query("SELECT cluster_id, count(*) FROM gold.issue_evidence GROUP BY 1")
    assert sorted(evidence) == [(0, 5), (1, 5), (2, 5)]


def test_without_a_usable_model_what_is_known_is_settled_and_the_step_names_the_setting(
    pipeline: Any,
):
    first, second, third = three_clusters()
    store(pipeline, [first])
    pipeline.run(issues)
    store(pipeline, [first, second, third])
    usable = pipeline.resources["llm"]
    pipeline.resources["llm"] = LLMResource(remote_model="openai/no-such", max_cost_usd=1.0)
    result = pipeline.attempt(issues)
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    assert "LLM_MAX_COST_USD" in failure.step_failure_data.user_failure_data.description
    rows = "SELECT cluster_id, label_source, attempts FROM gold.issues ORDER BY 1"
    assert pipeline.query(rows) == [(0, "local", 1), (1, "failed", 0), (2, "failed", 0)]
    pipeline.resources["llm"] = usable
    assert pipeline.run(issues)["calls"] == 2


PRINTER = [("Help please", f"The printer jams and eats paper on tray {one}.") for one in range(6)]
CARDS = [("Help please", f"My bank card was frozen after payment {one}.") for one in range(6)]


def about_help(request: dict[str, Any]) -> Reply:
    """Label what the bodies say, since the titles say nothing."""
    if "printer" in posts_shown(request)[0]["text"]:
        return label(
            canonical_title="Printer jams and eats paper",
            description="The printer jams and eats the paper.",
        )
    return label(
        canonical_title="Bank card frozen after payment",
        description="A bank card was frozen after a payment.",
        category="finance",
    )


def test_the_same_titles_about_another_problem_get_a_label_of_their_own(make_pipeline: Any):
    pipeline = make_pipeline(about_help)
    later = "2026-03-11"
    store(pipeline, [PRINTER])
    pipeline.run(issues)
    store(pipeline, [CARDS], later)
    pipeline.run(issues, later)
    assert pipeline.model.calls == 2
    # Both on one day: the one is reused, the other's is made.
    both = "2026-03-12"
    store(pipeline, [PRINTER, CARDS], both)
    assert pipeline.run(issues, both)["calls"] == 1
    titles = pipeline.query(
        "SELECT cluster_date::VARCHAR, cluster_id, canonical_title, label_source FROM gold.issues"
        " ORDER BY ALL"
    )
    assert [title for _, _, title, _ in titles] == [
        "Printer jams and eats paper",
        "Bank card frozen after payment",
        "Printer jams and eats paper",
        "Bank card frozen after payment",
    ]
    assert (
        len({row[0] for row in pipeline.query("SELECT cluster_fingerprint FROM gold.issues")}) == 1
    )
    calls = pipeline.model.calls
    for day in (DAY, later, both):
        pipeline.run(issues, day)
    assert pipeline.model.calls == calls


def test_of_two_clusters_with_the_same_titles_on_a_new_day_each_is_labelled_by_its_posts(
    make_pipeline: Any,
):
    pipeline = make_pipeline(about_help)
    store(pipeline, [PRINTER, CARDS])
    assert pipeline.run(issues)["calls"] == 2
    titles = "SELECT canonical_title FROM gold.issues ORDER BY cluster_id"
    expected = [("Printer jams and eats paper",), ("Bank card frozen after payment",)]
    assert pipeline.query(titles) == expected
    assert pipeline.run(issues)["calls"] == 0
    assert pipeline.query(titles) == expected


PACKAGES = (
    *("lodash", "express", "react", "webpack", "eslint", "babel", "jest", "prettier", "axios"),
    *("moment", "chalk", "commander", "dotenv", "mongoose", "sequelize", "passport", "nodemon"),
    *("typescript", "rollup", "vite", "vitest", "mocha", "sinon", "handlebars", "bootstrap"),
    "jquery",
)


def test_groups_of_one_bot_are_told_apart_by_what_differs(make_pipeline: Any):
    def always_the_same(_: dict[str, Any]) -> Reply:
        return label(
            canonical_title="Dependency update fails the build",
            description="An automatic dependency update fails the build.",
        )

    pipeline = make_pipeline(always_the_same)
    groups = [
        [
            (f"Dependency update of {package} fails the build", f"{telling} {package} breaks it.")
            for telling in ("Bump of", "Updating", "The new", "Since", "Release of")
        ]
        for package in PACKAGES
    ]
    store(pipeline, groups)
    metadata = pipeline.run(issues)
    assert metadata["failed"] == 0
    rows = pipeline.query("SELECT canonical_title, attempts FROM gold.issues ORDER BY cluster_id")
    assert len({title for title, _ in rows}) == len(PACKAGES) == 26
    for package, (title, attempts) in zip(PACKAGES[1:], rows[1:], strict=True):
        assert title == f"Dependency update fails the build ({package})"
        assert attempts == 2
    calls = pipeline.model.calls
    pipeline.run(issues)
    assert pipeline.model.calls == calls


def test_a_day_that_lacks_some_labels_is_stored_and_its_check_warns(make_pipeline: Any):
    pipeline = make_pipeline(
        lambda request: (
            Reply("it broke", status=500)
            if "rinter" in posts_shown(request)[0]["title"]
            else about_the_posts(request)
        )
    )
    store(pipeline, three_clusters())
    result = pipeline.attempt(issues)
    assert result.success
    warned = {
        one.check_name: one.severity.value
        for one in result.get_asset_check_evaluations()
        if not one.passed
    }
    assert warned == {"few_labels_failed": "WARN"}
    assert pipeline.query("SELECT count(*) FROM gold.issues WHERE label_failed") == [(1,)]
