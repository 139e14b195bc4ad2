"""A cluster that continues an earlier problem takes over its label, if it is about the cluster."""

from datetime import date
from typing import Any

import dagster as dg

from issue_pipeline.assets import issues, problems
from issue_pipeline.assets.event_tags import OUT_OF_ORDER, is_out_of_order
from issue_pipeline_tests.support.stored_day import PAIRS, store_clusters

FIRST, SECOND = "2026-03-10", "2026-03-11"
OTHER_WORDS = (
    "My {0} {1} since Monday",
    "{0}: it {1} all the time",
    "Does your {0} {1} as well",
    "A {0} that {1} is useless",
    "This {0} {1} and nobody answers",
)
LABELS = (
    "SELECT canonical_title, label_source, model, is_problem FROM gold.issues"
    " WHERE cluster_date = '{}' ORDER BY cluster_id"
)


def store(pipeline: Any, day: str, pairs: list[tuple[str, str]], words: Any = OTHER_WORDS) -> None:
    clusters = [[(telling.format(*pair), "") for telling in words] for pair in pairs]
    store_clusters(pipeline.resources["database"], date.fromisoformat(day), clusters)


def label(pipeline: Any, day: str) -> None:
    pipeline.run(issues, day)
    pipeline.run(problems, day)


EARLIER = tuple(f"{one} and it is a nuisance" for one in OTHER_WORDS)


def test_a_problem_in_other_words_on_another_day_costs_no_call(pipeline: Any):
    store(pipeline, FIRST, PAIRS[:3], EARLIER)
    label(pipeline, FIRST)
    calls = pipeline.model.calls
    store(pipeline, SECOND, PAIRS[:3])
    label(pipeline, SECOND)
    assert pipeline.model.calls == calls
    (before, after) = (pipeline.query(LABELS.format(day)) for day in (FIRST, SECOND))
    assert [row[0] for row in after] == [row[0] for row in before]
    assert {row[1] for row in before} == {"local"}
    assert {row[1:] for row in after} == {("reused", before[0][2], True)}
    assert pipeline.query("SELECT count(*), min(days_seen) FROM gold.problems") == [(3, 2)]


def test_a_new_problem_is_asked_about(pipeline: Any):
    store(pipeline, FIRST, PAIRS[:2], EARLIER)
    label(pipeline, FIRST)
    calls = pipeline.model.calls
    store(pipeline, SECOND, [PAIRS[0], PAIRS[5]])
    label(pipeline, SECOND)
    assert pipeline.model.calls == calls + 1
    assert [row[1] for row in pipeline.query(LABELS.format(SECOND))] == ["reused", "local"]


def test_two_clusters_of_a_day_do_not_get_one_title(pipeline: Any):
    store(pipeline, FIRST, PAIRS[:1], EARLIER)
    label(pipeline, FIRST)
    store(pipeline, SECOND, [PAIRS[0]])
    database = pipeline.resources["database"]
    clusters = [
        [(telling.format(*PAIRS[0]), "") for telling in words] for words in (OTHER_WORDS, EARLIER)
    ]
    store_clusters(database, date.fromisoformat(SECOND), clusters)
    pipeline.run(issues, SECOND)
    titles = [row[0] for row in pipeline.query(LABELS.format(SECOND))]
    assert titles[0] != titles[1]


def test_a_label_that_is_not_about_the_cluster_is_not_taken_over(pipeline: Any):
    store(pipeline, FIRST, PAIRS[:1], EARLIER)
    label(pipeline, FIRST)
    with pipeline.resources["database"].write() as connection:
        connection.execute(
            "UPDATE gold.issues SET canonical_title = 'Payslips arrive too late every month',"
            " description = 'The payroll run of the company ends after the bank has closed.'"
        )
    calls = pipeline.model.calls
    store(pipeline, SECOND, PAIRS[:1])
    pipeline.run(issues, SECOND)
    assert pipeline.model.calls == calls + 1


def test_a_later_day_gives_no_label_to_an_earlier_one_by_meaning(pipeline: Any):
    store(pipeline, SECOND, PAIRS[:1])
    label(pipeline, SECOND)
    calls = pipeline.model.calls
    store(pipeline, FIRST, PAIRS[:1], EARLIER)
    pipeline.run(issues, FIRST)
    assert pipeline.model.calls == calls + 1


def test_a_run_of_a_backfill_takes_over_no_label_for_its_days_come_in_no_order(pipeline: Any):
    store(pipeline, FIRST, PAIRS[:1], EARLIER)
    label(pipeline, FIRST)
    calls = pipeline.model.calls
    store(pipeline, SECOND, PAIRS[:1])
    dg.materialize(
        [issues],
        partition_key=SECOND,
        instance=pipeline.instance,
        resources=pipeline.resources,
        tags={"dagster/backfill": "abcdefgh"},
    )
    assert pipeline.model.calls == calls + 1


def test_runs_of_backfills_and_of_missed_days_are_out_of_order_and_no_others():
    assert is_out_of_order({"dagster/backfill": "abcdefgh"})
    assert is_out_of_order(OUT_OF_ORDER)
    assert not is_out_of_order({"dagster/partition": FIRST})
