"""From gold to receiver, feed and permalink: what the pipeline links and publishes itself."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import dagster as dg
import httpx
import pytest

from issue_pipeline.assets.linking import link_up_to_date
from issue_pipeline.automation import problem_alerts
from issue_pipeline.automation.problem_alerts import problem_sensors
from issue_pipeline.local.model_weights import all_minilm_folder
from issue_pipeline.resources.embedding import EmbeddingResource
from issue_pipeline_tests.support.published_day import GoldIssue, Site, opened_site, store_gold
from issue_pipeline_tests.support.receiver import Receiver
from issue_pipeline_tests.support.small_day import PROBLEMS

EARLIER, DAY = date(2026, 3, 9), date(2026, 3, 10)
NOW = datetime(2026, 3, 11, 6, tzinfo=UTC)


@pytest.fixture
def site(tmp_path) -> Iterator[Site]:
    with opened_site(tmp_path) as site:
        yield site


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch, site: Site) -> Iterator[Receiver]:
    receiver = Receiver()
    monkeypatch.setenv("ISSUE_WEBHOOK_URL", receiver.url)
    monkeypatch.setenv("POCKETBASE_URL", site.server.url)
    monkeypatch.setattr(problem_alerts, "_now", lambda: NOW)
    yield receiver
    receiver.close()


def publish(site: Site, day: date, *names: str) -> None:
    """Store a day on which these problems are told, link it, and publish every day."""
    issues = []
    for name in names:
        posts = [f"{name}-{day}-{number}" for number in range(len(PROBLEMS[name]))]
        titles = dict(zip(posts, PROBLEMS[name], strict=True))
        issues.append(GoldIssue(posts, title=f"The {name}", post_title=titles))
    store_gold(site.database, day, issues)
    with site.database.write() as connection:
        connection.execute("UPDATE gold.issues SET is_problem = TRUE")
    embedding = EmbeddingResource(embedding_model=str(all_minilm_folder()))
    link_up_to_date(day, site.database, embedding)
    for one in {day, DAY}:
        site.publish(one)


def look_twice(instance: dg.DagsterInstance, cursor: str | None) -> str | None:
    [sensor] = problem_sensors()
    for _ in range(2):
        context = dg.build_sensor_context(instance=instance, cursor=cursor)
        cursor = sensor.evaluate_tick(context).cursor
    return cursor


def feed_items(site: Site) -> list[dict[str, Any]]:
    reply = httpx.get(f"{site.server.url}/feeds/problems.json", trust_env=False, timeout=60)
    return list(reply.raise_for_status().json()["items"])


def test_a_problem_is_told_once_although_a_backfill_gives_it_another_id(instance, site, receiver):
    publish(site, DAY, "checkout")
    cursor = look_twice(instance, None)
    [text] = receiver.texts
    assert "new: The checkout: 7 reports (" in text
    [before] = feed_items(site)
    assert before["url"] in text

    publish(site, EARLIER, "checkout")
    [after] = feed_items(site)
    assert after["url"] != before["url"]
    assert after["_issue_pipeline"]["posts"] == 14
    cursor = look_twice(instance, cursor)
    assert len(receiver.texts) == 1

    # The old permalink's id leads to the problem.
    former, current = [one["url"].rpartition("/")[2] for one in (before, after)]
    alias = httpx.get(
        f"{site.server.url}/api/collections/problem_aliases/records/{former}", trust_env=False
    )
    assert alias.json()["problem"] == current

    publish(site, DAY, "checkout", "printer")
    look_twice(instance, cursor)
    assert len(receiver.texts) == 2
    assert "The printer" in receiver.texts[1]
    assert "The checkout" not in receiver.texts[1]
