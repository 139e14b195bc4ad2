"""Whatever the order of runs, problems end as one pass over the days makes them, live included."""

import random
import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from issue_pipeline.assets.linking import link_up_to_date
from issue_pipeline.errors import StoreError
from issue_pipeline.local.model_weights import all_minilm_folder
from issue_pipeline.partitions import SOURCES
from issue_pipeline.publishing.problems import read_desired
from issue_pipeline.records import Collection, Evidence, IssueRow, Post
from issue_pipeline.resources.duckdb import IssuesDatabase
from issue_pipeline.resources.embedding import EmbeddingResource
from issue_pipeline.sql import bronze, gold
from issue_pipeline_tests.support.published_day import (
    Site,
    link_and_publish_until,
    opened_site,
)
from issue_pipeline_tests.support.soak import SOAK
from issue_pipeline_tests.support.stored_day import PAIRS

# All 50 are asked for in the soak (SOAK=1).
HISTORIES = 50 if SOAK else 2
DAYS = [date(2026, 5, 1) + timedelta(days=number) for number in range(6)]
EMBEDDING = EmbeddingResource(embedding_model=str(all_minilm_folder()))
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
TELLINGS = (
    "The {0} {1} every day",
    "Our {0} {1} again since the update",
    "{0} that {1}, what can I do",
    "Why does the {0} {1} so often",
    "When a {0} {1}, everybody waits",
    "Help, my {0} {1}",
)


@dataclass(frozen=True)
class Cluster:
    """What a cluster is about, how many posts it has, and whether it is a problem with a label."""

    subject: tuple[str, str]
    posts: int
    is_problem: bool = True
    failed: bool = False


@dataclass
class World:
    """What the days hold at last, and what they held before."""

    dice: random.Random
    final: dict[date, list[Cluster]] = field(default_factory=dict)

    def a_day(self) -> list[Cluster]:
        subjects = self.dice.sample(PAIRS[:9], self.dice.randint(1, 6))
        return [
            Cluster(
                subject,
                self.dice.randint(2, 6),
                is_problem=self.dice.random() > 0.15,
                failed=self.dice.random() < 0.1,
            )
            for subject in subjects
        ]


def store(database: IssuesDatabase, day: date, clusters: Sequence[Cluster]) -> None:
    """Store a day as if it had been collected, clustered and labelled so."""
    posts, rows, evidence = [], [], []
    for number, cluster in enumerate(clusters):
        name = "-".join(cluster.subject)
        for place in range(cluster.posts):
            source = SOURCES[(number + place) % len(SOURCES)]
            url = f"https://a.example/{day}/{name}/{place}"
            title = TELLINGS[place].format(*cluster.subject)
            posts.append(
                (source, Post(source, url, title, "", NOON, 0, 0), f"{day}-{name}-{place}")
            )
            if not cluster.failed:
                evidence.append(
                    Evidence(
                        number,
                        f"{day}-{name}-{place}",
                        source,
                        url,
                        title,
                        "",
                        NOON,
                        0,
                        0,
                        round(place / 10, 3),
                    )
                )
        rows.append(
            IssueRow(
                cluster_id=number,
                cluster_fingerprint="f" * 64,
                cluster_size=cluster.posts,
                canonical_title=None if cluster.failed else f"The {name} breaks",
                category=None if cluster.failed else "devtools",
                description=None if cluster.failed else f"The {name} breaks for many people.",
                would_pay_signal=None if cluster.failed else False,
                impact_level=None if cluster.failed else "low",
                label_failed=cluster.failed,
                label_source="failed" if cluster.failed else "local",
                model="",
                prompt_tokens=0,
                completion_tokens=0,
                cost_usd=0.0,
                labeled_at=NOON,
                attempts=1,
                failure="no answer" if cluster.failed else "",
                is_problem=None if cluster.failed else cluster.is_problem,
            )
        )
    with database.write() as connection:
        connection.execute("DELETE FROM bronze.raw_items WHERE collection_date = ?", [day])
        for source in SOURCES:
            own = [bronze.KeyedPost(key, post) for name, post, key in posts if name == source]
            bronze.store_collection(
                connection, source, day, own,
                Collection(tuple(keyed.post for keyed in own), len(own), len(own)),
                started_at=NOON, finished_at=NOON,
            )  # fmt: skip
        connection.execute("DELETE FROM silver.cluster_assignments WHERE cluster_date = ?", [day])
        connection.execute("DELETE FROM silver.clusters WHERE cluster_date = ?", [day])
        for number, cluster in enumerate(clusters):
            connection.execute(
                "INSERT INTO silver.clusters VALUES (?, ?, ?, 0, 0.5, 'smoothed', 2)",
                [day, number, cluster.posts],
            )
            name = "-".join(cluster.subject)
            connection.executemany(
                "INSERT INTO silver.cluster_assignments VALUES (?, ?, ?)",
                [[day, f"{day}-{name}-{place}", number] for place in range(cluster.posts)],
            )
        gold.replace_day(connection, day, rows, evidence)


TABLES = {
    "gold.problems": "*",
    "gold.problem_issues": "*",
    "gold.problem_posts": "*",
    "gold.linked_days": "*",
}


def tables(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return {
            table: connection.execute(f"SELECT {what} FROM {table} ORDER BY ALL").fetchall()
            for table, what in TABLES.items()
        }


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened_site(tmp_path_factory.mktemp("histories")) as site:
        yield site


def run(site: Site, day: date) -> None:
    link_up_to_date(day, site.database, EMBEDDING)
    site.publish(day)


def run_killed(site: Site, day: date, dice: random.Random) -> bool:
    """Run a day in a process that is killed in the middle; return False if it was done before."""
    # The first two are in linking, the others in publishing, if there is so much to publish.
    moment = dice.choice((0, 1, 2, 3, 4, 5, 8, 12))
    child = site.child(link_and_publish_until, moment, EMBEDDING.embedding_model, day)
    child.start()
    child.join(60)
    assert child.exitcode in (0, -signal.SIGKILL)
    return bool(child.exitcode)


@pytest.mark.parametrize("seed", range(HISTORIES))
def test_any_history_ends_as_one_pass_over_the_days(seed: int, site: Site, tmp_path: Path):
    site.path = tmp_path / "issues.duckdb"
    dice = random.Random(seed)
    world = World(dice)
    kills = 0

    # Days come in any order, some of them with less than they have in the end, some repeatedly.
    visits = [*DAYS, *dice.choices(DAYS, k=5)]
    dice.shuffle(visits)
    for day in visits:
        known = world.final.get(day)
        kind = dice.random()
        if known and kind < 0.3:
            clusters = list(known)  # run again
        elif known and kind < 0.6:
            clusters = dice.sample(known, len(known))  # numbered in another order
        elif known and kind < 0.8:
            clusters = [*known[1:], *world.a_day()[:1]]  # clustered again
            clusters = list({one.subject: one for one in clusters}.values())
        else:
            clusters = world.a_day()  # a source came late
        world.final[day] = clusters
        store(site.database, day, clusters)
        if dice.random() < 0.8:
            link_up_to_date(day, site.database, EMBEDDING)
        if dice.random() < 0.4:
            kills += run_killed(site, day, dice)
        if dice.random() < 0.5:
            run(site, day)
    for day in dice.sample(DAYS, len(DAYS)):
        if dice.random() < 0.4:
            kills += run_killed(site, day, dice)
        run(site, day)
    assert kills

    single = IssuesDatabase(database=str(tmp_path / "single.duckdb"))
    for day in DAYS:
        store(single, day, world.final[day])
        link_up_to_date(day, single, EMBEDDING)
    assert tables(site.path) == tables(tmp_path / "single.duckdb")

    # Everything that was a problem's id leads to one, as long as some post of it is in one.
    with single.read() as connection:
        wanted = read_desired(connection)
    with site.database.read() as connection:
        own = read_desired(connection)
    assert set(own.aliases).isdisjoint(own.problems)
    assert {fields["problem"] for fields in own.aliases.values()} <= set(own.problems)
    assert own.problems == wanted.problems

    # And so does the live store.
    def shown(collection: str) -> dict[str, dict[str, Any]]:
        reply = site.owner.get(f"/api/collections/{collection}/records", params={"perPage": 500})
        return {one["id"]: one for one in reply.json()["items"]}

    problems = shown("problems")
    assert {
        one: {name: record[name] for name in wanted.problems[one]}
        for one, record in problems.items()
    } == wanted.problems
    assert {one: record["problem"] for one, record in shown("problem_aliases").items()} == {
        one: fields["problem"] for one, fields in own.aliases.items()
    }
    with duckdb.connect(str(single.database), read_only=True) as connection:
        problem_of = {
            (day.isoformat(), cluster): problem
            for day, cluster, problem in connection.execute(
                "SELECT issue_date, cluster_id, problem_id FROM gold.problem_issues"
            ).fetchall()
        }
    issues = [one for one in shown("issues").values() if one["issue_date"] >= "2026-05-01"]
    assert {
        (one["issue_date"], one["cluster_id"]): one["problem"] for one in issues if one["problem"]
    } == problem_of


def test_a_day_that_changes_is_linked_again_with_the_later_ones_and_only_those(tmp_path: Path):
    database = IssuesDatabase(database=str(tmp_path / "issues.duckdb"))
    cluster = [Cluster(PAIRS[0], 4)]
    for day in DAYS:
        store(database, day, cluster)
        assert link_up_to_date(day, database, EMBEDDING) == 1
    assert link_up_to_date(DAYS[2], database, EMBEDDING) == 0
    store(database, DAYS[3], [Cluster(PAIRS[0], 5)])
    assert link_up_to_date(DAYS[3], database, EMBEDDING) == 3


def test_a_problem_whose_first_day_comes_late_gets_its_id_and_the_old_one_leads_to_it(
    tmp_path: Path,
):
    database = IssuesDatabase(database=str(tmp_path / "issues.duckdb"))
    store(database, DAYS[1], [Cluster(PAIRS[0], 4)])
    link_up_to_date(DAYS[1], database, EMBEDDING)
    ((old, *_),) = tables(Path(database.database))["gold.problems"]
    store(database, DAYS[0], [Cluster(PAIRS[0], 4)])
    link_up_to_date(DAYS[0], database, EMBEDDING)
    ((new, *_),) = tables(Path(database.database))["gold.problems"]
    with database.read() as connection:
        aliases = connection.execute(
            "SELECT alias, problem_id, reason FROM gold.problem_aliases"
        ).fetchall()
    assert old != new
    assert aliases == [(old, new, "renamed")]


def test_a_day_whose_first_labels_are_being_made_is_left_to_its_own_run(tmp_path: Path):
    database = IssuesDatabase(database=str(tmp_path / "issues.duckdb"))
    for day in DAYS[:2]:
        store(database, day, [Cluster(PAIRS[0], 4), Cluster(PAIRS[1], 4, failed=True)])
    with database.write() as connection:
        connection.execute(
            "UPDATE gold.issues SET attempts = 0 WHERE label_failed AND cluster_date = ?", [DAYS[1]]
        )
    link_up_to_date(DAYS[0], database, EMBEDDING)
    assert [row[0] for row in tables(Path(database.database))["gold.linked_days"]] == DAYS[:1]
    link_up_to_date(DAYS[1], database, EMBEDDING)
    assert [row[0] for row in tables(Path(database.database))["gold.linked_days"]] == DAYS[:2]


def test_linking_says_what_is_wrong_where_nothing_can_be_written_beside_the_database(
    tmp_path: Path,
):
    database = IssuesDatabase(database=str(tmp_path / "issues.duckdb"))
    store(database, DAYS[0], [Cluster(PAIRS[0], 4)])
    (tmp_path / "issues.duckdb.linking").mkdir()  # where the lock's file would be
    with pytest.raises(StoreError, match="Cannot write beside the database"):
        link_up_to_date(DAYS[0], database, EMBEDDING)
    assert tables(Path(database.database))["gold.problems"] == []
