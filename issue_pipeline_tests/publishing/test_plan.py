import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

from issue_pipeline.publishing.plan import desired_issues, plan_changes, pocketbase_time
from issue_pipeline.records import Evidence, IssueRow
from issue_pipeline.resources.pocketbase.records import Change, IssueChanges, LiveIssue

DAY = date(2026, 3, 10)
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def issue(cluster_id: int = 0, **changes: object) -> IssueRow:
    row = IssueRow(
        cluster_id=cluster_id,
        cluster_fingerprint="f" * 64,
        cluster_size=2,
        canonical_title="Exports time out",
        category="devtools",
        description="Exporting runs into a time limit.",
        would_pay_signal=True,
        impact_level="high",
        label_failed=False,
        label_source="local",
        model="openai/m",
        prompt_tokens=100,
        completion_tokens=20,
        cost_usd=0.0,
        labeled_at=NOON,
    )
    return replace(row, **changes)  # type: ignore[arg-type]


def post(url_hash: str, cluster_id: int = 0, source: str = "github") -> Evidence:
    return Evidence(
        cluster_id=cluster_id,
        url_hash=url_hash,
        source=source,
        url=f"https://a.example/{url_hash}",
        title=f"Post {url_hash}",
        snippet="It hangs.",
        created_at=NOON,
        comment_count=3,
        vote_count=-1,
        distance=0.5,
    )


def live(
    rows: list[IssueRow],
    evidence: dict[int, list[Evidence]],
    *,
    record_ids: dict[int, str] | None = None,
    complete: bool = True,
) -> dict[int, LiveIssue]:
    ids = record_ids or {row.cluster_id: f"record{row.cluster_id:09}" for row in rows}
    return desired_issues(DAY, rows, evidence, ids, {}, complete=complete)


def as_stored(*issues: LiveIssue) -> dict[str, LiveIssue]:
    return {one.record_id: one for one in issues}


ONE = live([issue()], {0: [post("aa"), post("bb", source="reddit")]})[0]


def test_an_issue_is_published_with_all_its_fields():
    assert ONE.fields == {
        "issue_date": "2026-03-10",
        "cluster_id": 0,
        "fingerprint": "f" * 64,
        "title": "Exports time out",
        "category": "devtools",
        "description": "Exporting runs into a time limit.",
        "would_pay": True,
        "impact": "high",
        "size": 2,
        "sources": {"github": 1, "reddit": 1},
        "complete": True,
        "is_problem": True,
        "problem": "",
    }


def test_every_post_of_it_is_published_and_refers_to_it():
    assert list(ONE.evidence.values()) == [
        {
            "issue": ONE.record_id,
            "source": source,
            "url": f"https://a.example/{url_hash}",
            "title": f"Post {url_hash}",
            "snippet": "It hangs.",
            "posted_at": "2026-03-10 12:00:00.000Z",
            "comments": 3,
            "votes": -1,
            "distance": 0.5,
            "search": "",
        }
        for url_hash, source in (("aa", "github"), ("bb", "reddit"))
    ]


def test_other_themes_are_published_and_say_so():
    told = {
        is_problem: live([issue(is_problem=is_problem)], {0: []})[0].fields["is_problem"]
        for is_problem in (True, False, None)
    }
    # A label from before that was told stays what it was published as.
    assert told == {True: True, False: False, None: True}


def test_a_failed_label_is_not_published():
    rows = [issue(0, label_failed=True, canonical_title=None), issue(1)]
    assert list(live(rows, {1: [post("cc", 1)]})) == [1]


def test_nothing_is_written_where_the_store_is_right():
    again = live([issue()], {0: [post("aa"), post("bb", source="reddit")]})[0]
    assert plan_changes([ONE], as_stored(again)) == []
    assert plan_changes([], {}) == []


def test_a_new_issue_is_created_before_the_evidence_that_refers_to_it():
    [plan] = plan_changes([ONE], {})
    assert plan.record_id == ONE.record_id
    assert plan.changes == [
        Change("issues", ONE.record_id, ONE.fields),
        *(Change("issue_evidence", key, fields) for key, fields in ONE.evidence.items()),
    ]


def test_a_changed_label_is_written_without_its_evidence():
    changed = live([issue(impact_level="low")], {0: [post("aa"), post("bb", source="reddit")]})[0]
    assert plan_changes([changed], as_stored(ONE)) == [
        IssueChanges(ONE.record_id, [Change("issues", ONE.record_id, changed.fields)])
    ]


def test_evidence_that_changed_came_or_went_is_written_and_the_rest_left():
    edited = replace(post("aa"), title="Edited")
    changed = live([issue()], {0: [edited, post("cc", source="reddit")]})[0]
    edited_id, new_id = changed.evidence
    [gone_id] = set(ONE.evidence) - set(changed.evidence)
    assert edited_id in ONE.evidence
    assert plan_changes([changed], as_stored(ONE)) == [
        IssueChanges(
            ONE.record_id,
            [
                Change("issue_evidence", edited_id, changed.evidence[edited_id]),
                Change("issue_evidence", new_id, changed.evidence[new_id]),
                Change("issue_evidence", gone_id, None),
            ],
        )
    ]


def test_what_is_no_issue_any_more_is_withdrawn_first():
    other = live([issue(1)], {1: [post("zz", 1)]})[1]
    withdrawal, creation = plan_changes([other], as_stored(ONE))
    assert withdrawal == IssueChanges(ONE.record_id, [Change("issues", ONE.record_id, None)])
    assert creation.record_id == other.record_id


def test_a_post_that_was_hung_under_another_issue_by_hand_is_taken_back_and_not_deleted():
    two = live([issue(0), issue(1)], {0: [post("aa"), post("bb")], 1: [post("cc", 1)]})
    [moved, _] = two[0].evidence
    fields = {**two[0].evidence[moved], "issue": two[1].record_id}
    robbed = replace(two[0], evidence={k: v for k, v in two[0].evidence.items() if k != moved})
    holder = replace(two[1], evidence={**two[1].evidence, moved: fields})
    assert plan_changes(list(two.values()), as_stored(robbed, holder)) == [
        IssueChanges(two[0].record_id, [Change("issue_evidence", moved, two[0].evidence[moved])])
    ]


def test_applying_the_plan_leaves_nothing_to_do():
    rows = [issue(0), issue(1, canonical_title="Uploads fail")]
    desired = list(live(rows, {0: [post("cc"), post("aa")], 1: [post("zz", 1)]}).values())
    stored = as_stored(ONE, live([issue(2)], {2: [post("gone", 2)]})[2])
    issues = {key: dict(one.fields) for key, one in stored.items()}
    evidence = {key: fields for one in stored.values() for key, fields in one.evidence.items()}
    for changes in plan_changes(desired, stored):
        for change in changes.changes:
            records = issues if change.collection == "issues" else evidence
            if change.fields is None:
                del records[change.record_id]
                if change.collection == "issues":
                    evidence = {
                        key: fields
                        for key, fields in evidence.items()
                        if fields["issue"] != change.record_id
                    }
            else:
                records[change.record_id] = dict(change.fields)
    assert issues == {one.record_id: one.fields for one in desired}
    assert evidence == {key: post for one in desired for key, post in one.evidence.items()}


def test_the_evidence_of_another_record_has_other_ids():
    evidence = {0: [post("aa"), post("bb", source="reddit")]}
    other = live([issue()], evidence, record_ids={0: "another00000000"})[0]
    assert not set(other.evidence) & set(ONE.evidence)
    assert {fields["issue"] for fields in other.evidence.values()} == {"another00000000"}


def test_the_hash_is_of_the_content_and_not_of_the_record():
    evidence = {0: [post("aa"), post("bb", source="reddit")]}
    other = live([issue()], evidence, record_ids={0: "another00000000"})[0]
    assert other.content_hash == ONE.content_hash


def test_the_order_of_the_evidence_does_not_matter():
    turned = live([issue()], {0: [post("bb", source="reddit"), post("aa")]})[0]
    assert turned.record_id == ONE.record_id
    assert turned.content_hash == ONE.content_hash
    assert plan_changes([turned], as_stored(ONE)) == []


def test_the_hash_changes_with_every_field_and_every_post():
    evidence = {0: [post("aa"), post("bb", source="reddit")]}
    others = [
        live([issue(impact_level="low")], evidence)[0],
        live([issue(cluster_size=3)], evidence)[0],
        live([issue()], {0: [post("aa")]})[0],
        live([issue()], {0: [replace(post("aa"), vote_count=0), evidence[0][1]]})[0],
        live([issue()], evidence, complete=False)[0],
    ]
    assert len({ONE.content_hash, *(one.content_hash for one in others)}) == 6
    assert re.fullmatch(r"[0-9a-f]{64}", ONE.content_hash)


def test_where_a_label_came_from_is_not_published():
    reused = issue(label_source="reused", cost_usd=0.5, labeled_at=NOON + timedelta(days=1))
    again = live([reused], {0: [post("aa"), post("bb", source="reddit")]})[0]
    assert again.content_hash == ONE.content_hash


def test_times_are_written_in_utc_and_whole_milliseconds():
    moment = datetime(2026, 3, 10, 1, 2, 3, 45_999, timezone(timedelta(hours=2)))
    assert pocketbase_time(moment) == "2026-03-09 23:02:03.045Z"
