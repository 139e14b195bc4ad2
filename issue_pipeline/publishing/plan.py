"""What the live store should hold for a day, and the changes that lead there."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime

from issue_pipeline.records import Evidence, IssueRow
from issue_pipeline.resources.pocketbase.records import Change, Fields, IssueChanges, LiveIssue
from issue_pipeline.utils.folding import search_text
from issue_pipeline.utils.short_ids import derive_id


def desired_issues(
    day: date,
    issues: Sequence[IssueRow],
    evidence: Mapping[int, Sequence[Evidence]],
    record_ids: Mapping[int, str],
    problems: Mapping[int, str],
    *,
    complete: bool,
) -> dict[int, LiveIssue]:
    """Return what the live store should hold for a day: its good labels and their evidence.

    Args:
        day: UTC day.
        issues: The day's rows of ``gold.issues``.
        evidence: The day's evidence by cluster id.
        record_ids: The record of each issue by cluster id.
        problems: The problem of each issue that belongs to one, by cluster id.
        complete: Whether every source of the day was collected whole.

    Returns:
        Live issues by cluster id; issues whose label failed are left out.
    """
    return {
        issue.cluster_id: LiveIssue(
            record_ids[issue.cluster_id],
            _issue_fields(
                day,
                issue,
                evidence[issue.cluster_id],
                problems.get(issue.cluster_id, ""),
                complete=complete,
            ),
            _evidence_fields(record_ids[issue.cluster_id], evidence[issue.cluster_id]),
        )
        for issue in issues
        if not issue.label_failed
    }


def plan_changes(
    desired: Sequence[LiveIssue], actual: Mapping[str, LiveIssue]
) -> list[IssueChanges]:
    """Return what must be written, record by record; nothing for an issue that is right already.

    Args:
        desired: What should be there.
        actual: What is there, by record id.

    Returns:
        Withdrawals first: they free unique keys that later changes may need.
    """
    wanted = {issue.record_id for issue in desired}
    wanted_posts = {key for issue in desired for key in issue.evidence}
    plan = [
        IssueChanges(record_id, [Change("issues", record_id, None)])  # evidence cascades
        for record_id in actual
        if record_id not in wanted
    ]
    for issue in desired:
        if changes := _issue_changes(issue, actual.get(issue.record_id), wanted_posts):
            plan.append(IssueChanges(issue.record_id, changes))
    return plan


def _issue_changes(
    desired: LiveIssue, actual: LiveIssue | None, wanted_posts: Collection[str]
) -> list[Change]:
    known: Mapping[str, Fields] = actual.evidence if actual else {}
    changes = [
        Change("issue_evidence", record_id, fields)
        for record_id, fields in desired.evidence.items()
        if known.get(record_id) != fields
    ]
    changes += [
        Change("issue_evidence", record_id, None)
        for record_id in known
        # One that another issue wants was moved here by hand; that issue takes it back.
        if record_id not in wanted_posts
    ]
    if actual is None or actual.fields != desired.fields:
        # Before its evidence, which refers to it.
        changes.insert(0, Change("issues", desired.record_id, desired.fields))
    return changes


def _issue_fields(
    day: date, issue: IssueRow, evidence: Sequence[Evidence], problem: str, *, complete: bool
) -> Fields:
    return {
        "issue_date": day.isoformat(),
        "cluster_id": issue.cluster_id,
        "fingerprint": issue.cluster_fingerprint,
        "title": issue.canonical_title,
        "category": issue.category,
        "description": issue.description,
        "would_pay": issue.would_pay_signal,
        "impact": issue.impact_level,
        "size": issue.cluster_size,
        "sources": dict(sorted(Counter(item.source for item in evidence).items())),
        "complete": complete,
        # One from before problems were separated from other themes was published as a problem.
        "is_problem": issue.is_problem is not False,
        "problem": problem,
    }


def _evidence_fields(record_id: str, evidence: Sequence[Evidence]) -> dict[str, Fields]:
    # Ids of the issue's own, so that what one issue needs never waits for another.
    return {
        derive_id(record_id, item.url_hash): {
            "issue": record_id,
            "source": item.source,
            "url": item.url,
            "title": item.title,
            "snippet": item.snippet,
            "posted_at": pocketbase_time(item.created_at),
            "comments": item.comment_count,
            "votes": item.vote_count,
            "distance": _number(item.distance),
            "search": search_text(item.title, item.snippet),
        }
        for item in evidence
    }


def _number(value: float) -> float:
    """Return a number as the store gives it back: a whole one as an integer."""
    return int(value) if value == int(value) else value


def pocketbase_time(moment: datetime) -> str:
    """Format an aware datetime as PocketBase returns it: ``2026-03-10 12:00:00.000Z``, UTC."""
    return (
        moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
    )
