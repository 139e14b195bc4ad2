"""Gold: labels and evidence of a day are replaced together, and good labels are found again."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from issue_pipeline.errors import StoreError
from issue_pipeline.records import Evidence, IssueRow
from issue_pipeline.sql import gold

DAY = date(2026, 3, 10)
NEXT_DAY = date(2026, 3, 11)
NOON = datetime(2026, 3, 12, 12, 0, 0, 250_000, tzinfo=UTC)


def an_issue(cluster_id: int = 0, **given: object) -> IssueRow:
    issue = IssueRow(
        cluster_id=cluster_id,
        cluster_fingerprint=f"fingerprint-{cluster_id}",
        cluster_size=12,
        canonical_title="Exports stop halfway 'and' \x00 \U0001f600",
        category="devtools",
        description="The nightly export stops.",
        would_pay_signal=True,
        impact_level="high",
        label_failed=False,
        label_source="local",
        model="openai/small",
        prompt_tokens=812,
        completion_tokens=64,
        cost_usd=0.1 + 0.2,
        labeled_at=NOON,
    )
    return replace(issue, **given)


def a_failure(cluster_id: int = 0, **given: object) -> IssueRow:
    unknown = dict.fromkeys(
        ("canonical_title", "category", "description", "would_pay_signal", "impact_level")
    )
    values = {**unknown, "label_failed": True, "label_source": "failed", "model": "", **given}
    return an_issue(cluster_id, **values)


def an_evidence(cluster_id: int, url_hash: str, distance: float) -> Evidence:
    return Evidence(
        cluster_id=cluster_id,
        url_hash=url_hash,
        source="github",
        url="https://github.com/acme/rocket/issues/2",
        title="A title",
        snippet="It says \x00 'x'",
        created_at=datetime(2026, 3, 10, 7, tzinfo=UTC),
        comment_count=3,
        vote_count=-1,
        distance=distance,
    )


def test_labels_good_and_failed_come_back_as_they_were(con):
    rows = [a_failure(1), an_issue(0)]
    gold.replace_day(con, DAY, rows, [])
    assert gold.issues_of_day(con, DAY) == [an_issue(0), a_failure(1)]


def test_evidence_comes_nearest_first_and_ties_by_hash(con):
    evidence = [
        an_evidence(1, "z", 0.9),
        an_evidence(0, "c", 0.5),
        an_evidence(0, "b", 0.5),
        an_evidence(0, "d", 0.125),
    ]
    gold.replace_day(con, DAY, [], evidence)
    by_cluster = gold.evidence_of_day(con, DAY)
    assert list(by_cluster) == [0, 1]
    assert [item.url_hash for item in by_cluster[0]] == ["d", "b", "c"]
    assert by_cluster[1] == [evidence[0]]


def test_another_labelling_of_the_day_replaces_all_of_the_first(con):
    gold.replace_day(con, DAY, [an_issue(0), an_issue(1)], [an_evidence(1, "a", 0.5)])
    gold.replace_day(con, DAY, [an_issue(0, cluster_size=3)], [])
    assert gold.issues_of_day(con, DAY) == [an_issue(0, cluster_size=3)]
    assert gold.evidence_of_day(con, DAY) == {}


def test_other_days_are_left_alone(con):
    gold.replace_day(con, NEXT_DAY, [an_issue()], [an_evidence(0, "a", 0.5)])
    gold.replace_day(con, DAY, [], [])
    assert gold.issues_of_day(con, NEXT_DAY) == [an_issue()]
    assert list(gold.evidence_of_day(con, NEXT_DAY)) == [0]


@pytest.mark.parametrize("first", [DAY, NEXT_DAY])
def test_of_several_labels_the_earliest_day_s_is_found_whichever_was_written_first(con, first):
    early = an_issue(3, cluster_fingerprint="same", canonical_title="early")
    late = an_issue(0, cluster_fingerprint="same", canonical_title="late")
    for day in (DAY, NEXT_DAY) if first == DAY else (NEXT_DAY, DAY):
        gold.replace_day(con, day, [early if day == DAY else late], [])
    assert gold.good_labels(con, ["same"]) == {"same": early}


def test_within_a_day_the_lowest_cluster_s_label_is_found(con):
    twins = [an_issue(number, cluster_fingerprint="same") for number in (2, 1)]
    gold.replace_day(con, DAY, twins, [])
    assert gold.good_labels(con, ["same"])["same"].cluster_id == 1


def test_failed_labels_are_never_found_again(con):
    gold.replace_day(con, DAY, [a_failure(0, cluster_fingerprint="same")], [])
    gold.replace_day(con, NEXT_DAY, [an_issue(4, cluster_fingerprint="same")], [])
    assert gold.good_labels(con, ["same"])["same"].cluster_id == 4


def test_only_the_fingerprints_asked_for_are_found(con):
    gold.replace_day(con, DAY, [an_issue(0), an_issue(1)], [])
    hostile = "x'); DROP TABLE gold.issues; --"
    assert set(gold.good_labels(con, ["fingerprint-1", hostile])) == {"fingerprint-1"}
    assert gold.good_labels(con, []) == {}


def test_some_clusters_are_replaced_and_the_others_stay(con):
    gold.replace_day(
        con, DAY, [an_issue(0), a_failure(1)], [an_evidence(0, "a", 0.5), an_evidence(0, "b", 0.5)]
    )
    fresh = an_issue(1, attempts=2, seconds=3.5)
    gold.replace_clusters(con, DAY, [fresh], [an_evidence(1, "c", 0.5)], known=[a_failure(1)])
    assert gold.issues_of_day(con, DAY) == [an_issue(0), fresh]
    assert {number: len(own) for number, own in gold.evidence_of_day(con, DAY).items()} == {
        0: 2,
        1: 1,
    }


@pytest.mark.parametrize(
    "changed", [{"cluster_id": 7}, {"cluster_fingerprint": "another"}], ids=["gone", "another"]
)
def test_a_label_of_a_cluster_that_the_day_no_longer_has_is_an_error(con, changed):
    gold.replace_day(con, DAY, [a_failure(1)], [])
    with pytest.raises(StoreError, match="another run works on this day"):
        fresh, known = (replace(row, **changed) for row in (an_issue(1), a_failure(1)))
        gold.replace_clusters(con, DAY, [fresh], [], known=[known])
    assert gold.issues_of_day(con, DAY) == [a_failure(1)]


def test_a_cluster_waits_until_a_model_was_asked():
    assert a_failure(0).is_waiting
    assert not a_failure(0, attempts=1).is_waiting
    assert not an_issue(0).is_waiting  # reused, say


@pytest.mark.parametrize("late", [a_failure(0, attempts=2), an_issue(0, canonical_title="Mine")])
def test_a_good_label_is_never_replaced_by_what_another_run_brings(con, late):
    gold.replace_day(con, DAY, [an_issue(0)], [an_evidence(0, "a", 0.5)])
    with pytest.raises(StoreError, match="labels already stored are kept"):
        gold.replace_clusters(con, DAY, [late], [], known=[a_failure(0)])
    assert gold.issues_of_day(con, DAY) == [an_issue(0)]
    assert list(gold.evidence_of_day(con, DAY)) == [0]


def test_a_title_goes_over_from_one_cluster_to_another_together_with_the_evidence(con):
    known = [an_issue(0), a_failure(1)]
    gold.replace_day(con, DAY, known, [an_evidence(0, "a", 0.5)])
    fresh = [an_issue(1), a_failure(0, attempts=1)]
    gold.replace_clusters(con, DAY, fresh, [an_evidence(1, "b", 0.5)], known=known[::-1])
    assert gold.issues_of_day(con, DAY) == fresh[::-1]
    assert list(gold.evidence_of_day(con, DAY)) == [1]
