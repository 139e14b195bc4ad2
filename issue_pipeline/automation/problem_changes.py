"""Which changes of problems are news: told at least once, and not twice.

A change is a problem's coming into a state on a day. It is known by the problem, the state and the
days on which the problem stood in it: a problem that stays in a state is not told again when a
backfill moves the day on which that began, nor under a new id (``problem_aliases``).
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

# Older changes are history: of a backfill, or of a store that was just connected.
NEWS_FOR = timedelta(days=7)
_ID_CHARS = 24

Record = Mapping[str, Any]
CurrentIds = Callable[[Sequence[str]], Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Change:
    """A problem that came into a state.

    Attributes:
        problem: Its id.
        state: Of the problem.
        since: First day of the state, ISO.
    """

    problem: str
    state: str
    since: str

    @property
    def change_id(self) -> str:
        """The same for the same problem, state and day: for receivers that see it twice."""
        return _digest(self.problem, self.state, self.since)


def change_of(record: Record) -> Change:
    """Return the change that a record of ``problems`` shows."""
    return Change(record["id"], record["state"], record["state_since"])


@dataclass(slots=True)
class Message:
    """Changes that are told together.

    Attributes:
        message_id: Written down before the first attempt, so that every attempt has the same.
        made_at: Seconds since 1970.
        changes: At least one.
    """

    message_id: str
    made_at: float
    changes: list[Change]


@dataclass(slots=True)
class Memory:
    """What was told and what waits, as the sensor's cursor keeps it.

    Attributes:
        told: By problem and state the last day on which it was seen in that state.
        waiting: Messages that no receiver has taken yet, the oldest first.
    """

    told: dict[tuple[str, str], str] = field(default_factory=dict)
    waiting: list[Message] = field(default_factory=list)

    @classmethod
    def from_cursor(cls, cursor: str) -> "Memory":
        """Read a cursor."""
        kept = json.loads(cursor)
        return cls(
            {(problem, state): day for problem, state, day in kept["told"]},
            [
                Message(one["id"], one["made_at"], [Change(*change) for change in one["changes"]])
                for one in kept["waiting"]
            ],
        )

    def to_cursor(self) -> str:
        """Write it down."""
        return json.dumps(
            {
                "told": sorted([*key, day] for key, day in self.told.items()),
                "waiting": [
                    {
                        "id": one.message_id,
                        "made_at": one.made_at,
                        "changes": [[each.problem, each.state, each.since] for each in one.changes],
                    }
                    for one in self.waiting
                ],
            }
        )

    def follow(self, records: Iterable[Record], current_ids: CurrentIds) -> None:
        """Know problems by the ids that they have now.

        Args:
            records: Problems as they are; their ids are current.
            current_ids: Returns for former ids the current ones, and nothing for others.
        """
        waiting = {change.problem for one in self.waiting for change in one.changes}
        known = {problem for problem, _ in self.told} | waiting
        renamed = current_ids(sorted(known - {record["id"] for record in records}))
        told: dict[tuple[str, str], str] = {}
        for (problem, state), day in self.told.items():
            key = (renamed.get(problem, problem), state)
            told[key] = max(day, told.get(key, ""))
        self.told = told
        for message in self.waiting:
            message.changes = [
                Change(renamed.get(one.problem, one.problem), one.state, one.since)
                for one in message.changes
            ]

    def note_told(self, changes: Iterable[Change], latest: str) -> None:
        """Note that changes were told, or need not be, as of the latest day."""
        for change in changes:
            key = (change.problem, change.state)
            self.told[key] = max(latest, change.since, self.told.get(key, ""))

    def refresh(self, records: Iterable[Record], latest: str) -> None:
        """Note that problems still stand in the states that were told of them."""
        self.note_told((one for one in map(change_of, records) if self.is_told(one)), latest)

    def is_told(self, change: Change) -> bool:
        """Return whether the problem has stood in that state since it was told."""
        return change.since <= self.told.get((change.problem, change.state), "")

    def is_waiting(self, change: Change) -> bool:
        """Return whether a message about the problem's state waits."""
        key = (change.problem, change.state)
        return any(key == (one.problem, one.state) for each in self.waiting for one in each.changes)

    def forget_before(self, day: date) -> None:
        """Forget what was told long ago: no change of that time is news any more."""
        self.told = {key: until for key, until in self.told.items() if until >= day.isoformat()}


def first_day_of_news(today: date) -> date:
    """Return the first day whose changes are news."""
    return today - NEWS_FOR


def take_up(
    memory: Memory,
    records: Sequence[Record],
    *,
    latest: str,
    min_posts: int,
    is_first: bool,
    now_s: float,
) -> Message | None:
    """Put what is news into a message that waits.

    Args:
        memory: Is changed.
        records: Problems whose state is to be told, since the first day of news.
        latest: The latest day of all problems.
        min_posts: Fewest posts of the last seven days; a problem that has fewer is looked at again.
        is_first: Whether nothing was ever told: then only the latest day is news, or a store with
            months of days would begin with a flood.
        now_s: Seconds since 1970.

    Returns:
        The new message; ``None`` if nothing is news.
    """
    if is_first:
        memory.note_told((one for one in map(change_of, records) if one.since < latest), latest)
    memory.refresh(records, latest)
    news = [
        change
        for record in records
        if record["posts_7d"] >= min_posts
        and not memory.is_told(change := change_of(record))
        and not memory.is_waiting(change)
    ]
    if not news:
        return None
    ids = sorted(one.change_id for one in news)
    message = Message(f"changes_{_digest(*ids)}", now_s, news)
    memory.waiting.append(message)
    return message


def still_standing(message: Message, records: Iterable[Record]) -> Iterator[Record]:
    """Yield the problems of a message that are still in the state that it tells of."""
    states = {(one.problem, one.state) for one in message.changes}
    for record in records:
        if (record["id"], record["state"]) in states:
            yield record


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:_ID_CHARS]
