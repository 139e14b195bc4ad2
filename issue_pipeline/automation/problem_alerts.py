"""Sensors: report changes of problems to a webhook, and once a day a digest of them.

They read the live store, as anybody may: what a message tells of is what its links show, and no
run waits for a sensor to close the database. A change is written down before it is sent, and sent
at the next look under an id that each attempt repeats; what is not taken is sent again for a day.
A daemon that is killed between sending a message and noting that sends it once more, with the same
``webhook-id``.
"""

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import dagster as dg

from issue_pipeline.automation.problem_changes import (
    Memory,
    Message,
    Record,
    change_of,
    first_day_of_news,
    still_standing,
    take_up,
)
from issue_pipeline.automation.problem_messages import FIELDS, changes_body, digest_body
from issue_pipeline.automation.webhook import Delivery, post
from issue_pipeline.resources.pocketbase.reader import LiveReader, open_reader
from issue_pipeline.settings import ProblemWebhook, pocketbase_url, problem_webhook

CHECK_EVERY_S = 60
TOLD_FOR = timedelta(days=1)
# Receivers should have it by then; Dagster gives a sensor one minute.
TIMEOUT_S = 10.0
LOOK_S = 30.0
DIGEST_STATES = ("new", "growing", "returned")


def problem_sensors() -> list[dg.SensorDefinition]:
    """Return the sensors that report on problems, if a webhook is configured for that."""
    webhook = problem_webhook()
    if webhook is None:
        return []
    sensors = []
    if webhook.states:
        sensors.append(_changes_sensor(webhook))
    if webhook.digest_at is not None:
        sensors.append(_digest_sensor(webhook))
    return sensors


def _changes_sensor(webhook: ProblemWebhook) -> dg.SensorDefinition:
    @dg.sensor(
        minimum_interval_seconds=CHECK_EVERY_S,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=(
            f"Posts problems that became {', '.join(webhook.states)} to ISSUE_WEBHOOK_URL, each"
            f" change once; what is not taken, again at the next look, for {TOLD_FOR.days} day."
        ),
    )
    def report_problem_changes(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        is_first = not context.cursor
        memory = Memory.from_cursor(context.cursor) if context.cursor else Memory()
        now = _now()
        first_day = first_day_of_news(now.date())
        with open_reader(pocketbase_url()) as reader:
            latest = latest_day(reader)
            # Nothing was published yet: the first look is still to come.
            if not latest:
                return dg.SkipReason("No problems are published.")
            states = " || ".join(f"state = '{one}'" for one in webhook.states)
            where = f"({states}) && state_since >= '{first_day}'"
            records = list(reader.every_record("problems", where=where, fields=FIELDS))
            memory.follow(records, reader.current_ids)
        outcomes = _send_waiting(context, memory, records, webhook, latest, now)
        message = take_up(
            memory,
            records,
            latest=latest,
            min_posts=webhook.min_posts,
            is_first=is_first,
            now_s=now.timestamp(),
        )
        if message is not None:
            outcomes.append(f"{len(message.changes)} changes are sent at the next look.")
        memory.forget_before(first_day)
        context.update_cursor(memory.to_cursor())
        return dg.SkipReason("\n".join(outcomes) or "No problem changed.")

    return report_problem_changes


def _send_waiting(
    context: dg.SensorEvaluationContext,
    memory: Memory,
    records: Sequence[Record],
    webhook: ProblemWebhook,
    latest: str,
    now: datetime,
) -> list[str]:
    """Send the messages that wait, the oldest first; return what became of each."""
    outcomes: list[str] = []
    waiting, memory.waiting = memory.waiting, []
    began = time.monotonic()
    is_up = True
    for message in waiting:
        standing = [
            one for one in still_standing(message, records) if not memory.is_told(change_of(one))
        ]
        if not standing:
            outcomes.append("Changes that waited are over.")
            continue
        if message.made_at < (now - TOLD_FOR).timestamp():
            outcomes.append(f"Given up after {TOLD_FOR.days} day: {len(standing)} changes.")
            context.log.error(outcomes[-1])
            memory.note_told(map(change_of, standing), latest)
            continue
        if not is_up or time.monotonic() - began > LOOK_S:
            memory.waiting.append(message)
            continue
        delivery = _send(webhook, message, standing, latest)
        outcomes.append(f"{delivery.words}: {len(standing)} changes ({message.message_id})")
        is_up = delivery.takes_others
        if delivery.is_taken:
            memory.note_told(map(change_of, standing), latest)
        else:
            context.log.warning(outcomes[-1])
            memory.waiting.append(message)
    return outcomes


def _send(
    webhook: ProblemWebhook, message: Message, standing: list[Record], latest: str
) -> Delivery:
    body = changes_body(standing, latest=latest, page_url=webhook.page_url)
    return post(
        webhook.url,
        body,
        message_id=message.message_id,
        secret=webhook.secret,
        timeout_s=TIMEOUT_S,
    )


def _digest_sensor(webhook: ProblemWebhook) -> dg.SensorDefinition:
    assert webhook.digest_at is not None
    digest_at = webhook.digest_at

    @dg.sensor(
        minimum_interval_seconds=CHECK_EVERY_S,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=(
            f"Posts a digest of the problems to ISSUE_WEBHOOK_URL once a day, at"
            f" {digest_at:%H:%M} UTC; what is not taken, again at the next look, for a day."
        ),
    )
    def send_problem_digest(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        now = _now()
        due = datetime.combine(now.date(), digest_at, UTC)
        if due > now:
            due -= timedelta(days=1)
        day = due.date().isoformat()
        if not context.cursor:
            # One that was due before anybody asked for it is not made up for.
            context.update_cursor(day)
            return dg.SkipReason(f"The first digest is sent at {digest_at:%H:%M} UTC.")
        if context.cursor >= day:
            return dg.SkipReason(f"The digest of {day} was sent.")
        with open_reader(pocketbase_url()) as reader:
            latest = latest_day(reader)
            where = " || ".join(f"state = '{one}'" for one in DIGEST_STATES)
            records = list(reader.every_record("problems", where=where, fields=FIELDS))
        body = digest_body(records, DIGEST_STATES, latest=latest, page_url=webhook.page_url)
        delivery = post(
            webhook.url,
            body,
            message_id=f"digest_{day}",
            secret=webhook.secret,
            timeout_s=TIMEOUT_S,
        )
        if delivery.is_taken:
            context.update_cursor(day)
        else:
            context.log.warning(delivery.words)
        return dg.SkipReason(f"{delivery.words}: the digest of {day}")

    return send_problem_digest


def latest_day(reader: LiveReader) -> str:
    """Return the latest day on which any problem was reported, ISO; ``""`` if there is none.

    Raises:
        LiveStoreError: The server does not answer, or is in trouble.
    """
    found = reader.records("problems", sort="-last_seen", fields=("last_seen",), limit=1)
    return str(found[0]["last_seen"]) if found else ""


def _now() -> datetime:
    return datetime.now(UTC)
