"""What is posted about problems: ``text``, which chats show, and ``data``, which programs read.

Slack ignores keys that it does not know, and so does Mattermost; ``type``, ``props``,
``attachments``, ``channel`` and the like mean something to them and are not used.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from issue_pipeline.automation.problem_changes import Record, change_of
from issue_pipeline.automation.webhook import inert
from issue_pipeline.utils.printable import printable

FIELDS = (
    "id", "title", "category", "impact", "would_pay", "state", "state_since", "first_seen",
    "last_seen", "days_seen", "posts", "posts_7d", "posts_week_before", "comparable", "reach",
    "sources",
)  # fmt: skip
# One message names so many in its text, and holds so many in its data; the others it counts.
MAX_NAMED = 20
MAX_HELD = 50
# A digest names so many of each state.
MAX_OF_A_STATE = 5
_MAX_TITLE_CHARS = 160


def changes_body(records: Sequence[Record], *, latest: str, page_url: str) -> dict[str, Any]:
    """Return the message about problems that came into a state.

    Args:
        records: The problems, at least one, with ``FIELDS``.
        latest: The latest day of all problems, ISO.
        page_url: Of the live page, without a slash at the end.
    """
    ranked = _ranked(records)
    count = "1 problem" if len(ranked) == 1 else f"{len(ranked)} problems"
    lines = [f"{count} changed, as of {latest} (UTC):"]
    lines += [f"• {one['state']}: {_line(one, page_url)}" for one in ranked[:MAX_NAMED]]
    if len(ranked) > MAX_NAMED:
        lines.append(f"and {len(ranked) - MAX_NAMED} more: {page_url}/")
    return _body("problems.changed", lines, ranked, latest=latest, page_url=page_url)


def digest_body(
    records: Sequence[Record], states: Sequence[str], *, latest: str, page_url: str
) -> dict[str, Any]:
    """Return the day's digest: how many problems are in each state, and the largest of each.

    Args:
        records: All problems in these states, with ``FIELDS``.
        states: In the order in which they are listed.
        latest: The latest day of all problems, ISO; ``""`` if there is none.
        page_url: Of the live page, without a slash at the end.
    """
    of_state = {
        state: _ranked([one for one in records if one["state"] == state]) for state in states
    }
    fresh = {
        state: sum(one["state_since"] == latest for one in found)
        for state, found in of_state.items()
    }
    counts = ", ".join(f"{len(found)} {state}" for state, found in of_state.items())
    lines = [
        f"Problems as of {latest} (UTC): {counts}." if latest else "No problems are published."
    ]
    named: list[Record] = []
    for state, found in of_state.items():
        if found:
            since = f", {fresh[state]} of them since that day" if fresh[state] else ""
            lines.append(f"{state} ({len(found)}{since}):")
            lines += [f"• {_line(one, page_url)}" for one in found[:MAX_OF_A_STATE]]
            named += found[:MAX_OF_A_STATE]
    lines.append(f"{page_url}/")
    body = _body("problems.digest", lines, named, latest=latest, page_url=page_url)
    body["data"]["states"] = {
        state: {"problems": len(found), "since_latest_day": fresh[state]}
        for state, found in of_state.items()
    }
    body["data"]["others"] = len(records) - len(named)
    return body


def difference(record: Record) -> str:
    """Return the week's reports beside the week before's: "41 reports, +29 since last week".

    Where all reports are of this week there is nothing to compare: the problem is new, or nothing
    was collected before. Where days are missing it says so instead.
    """
    reports, before = record["posts_7d"], record["posts_week_before"]
    sign = "−" if reports < before else "+"
    count = "1 report" if reports == 1 else f"{reports} reports"
    if record["posts"] == reports:
        return count
    if not record["comparable"]:
        return f"{count}, not compared with last week: days are missing"
    return f"{count}, {sign}{abs(reports - before)} since last week"


def _body(
    event: str, lines: Sequence[str], ranked: Sequence[Record], *, latest: str, page_url: str
) -> dict[str, Any]:
    held = ranked[:MAX_HELD]
    return {
        "text": "\n".join(lines),
        "event": event,
        "timestamp": datetime.now(UTC).isoformat(timespec="seconds"),
        "data": {
            "latest_day": latest,
            "page": f"{page_url}/",
            "problems": [_structured(one, page_url) for one in held],
            "others": len(ranked) - len(held),
        },
    }


def _structured(record: Record, page_url: str) -> Mapping[str, Any]:
    return {
        "change": change_of(record).change_id,
        **{name: record[name] for name in FIELDS},
        "url": _address(record, page_url),
    }


def _line(record: Record, page_url: str) -> str:
    title = inert(printable(record["title"], _MAX_TITLE_CHARS))
    pays = ", would pay" if record["would_pay"] else ""
    labels = f"{record['category']}, {record['impact']} impact{pays}"
    return f"{title}: {difference(record)} ({labels}) {_address(record, page_url)}"


def _address(record: Record, page_url: str) -> str:
    return f"{page_url}/#/problem/{record['id']}"


def _ranked(records: Sequence[Record]) -> list[Record]:
    return sorted(records, key=lambda one: (-one["posts_7d"], one["id"]))
