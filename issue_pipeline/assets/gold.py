"""``gold.issues``: labelled problems."""

from collections.abc import Sequence
from datetime import date

import dagster as dg
import duckdb

from issue_pipeline.assets.checks import (
    GOLD_CHECKS,
    assignment_checks,
    gold_checks,
    label_checks,
    require_sound,
)
from issue_pipeline.assets.event_tags import is_out_of_order, labelled_tags
from issue_pipeline.assets.failures import clear_failures
from issue_pipeline.assets.keys import CLUSTERS, ISSUES
from issue_pipeline.assets.metadata.labels import label_metadata
from issue_pipeline.assets.metadata.tables import OWNERS, table_metadata
from issue_pipeline.assets.partition_keys import day_of
from issue_pipeline.assets.preconditions import require_collected
from issue_pipeline.errors import MissingInputError, NoLabelsError, StoreBusyError
from issue_pipeline.labels.labelling import ask_models, continued_rows, settled_rows
from issue_pipeline.labels.preparation import collect_evidence, prepare_clusters, texts_of_day
from issue_pipeline.labels.prompts import PROMPT_VERSION
from issue_pipeline.labels.session import start_session
from issue_pipeline.partitions import daily_partitions
from issue_pipeline.problems.continuing import labels_by_meaning, read_earlier_problems
from issue_pipeline.records import IssueRow, LedgerEntry
from issue_pipeline.resources.duckdb import IssuesDatabase
from issue_pipeline.resources.embedding import EmbeddingResource
from issue_pipeline.resources.llm import LLMResource
from issue_pipeline.sql import bronze, gold, silver
from issue_pipeline.sql.summary import DaySummary, day_summary


@dg.asset(
    key=ISSUES,
    group_name="gold",
    partitions_def=daily_partitions,
    deps=[CLUSTERS],
    check_specs=GOLD_CHECKS,
    code_version=PROMPT_VERSION,
    kinds={"python", "duckdb"},
    owners=OWNERS,
    metadata=table_metadata("gold.issues"),
    description=(
        "One row for every cluster of the day: what problem it is, how bad, and whether somebody"
        " would pay for a fix, as a language model describes it under a strict schema; and in"
        " `gold.issue_evidence` the posts it stands on. Good labels are reused; clusters without"
        " one, because models failed or the run's budget was spent, are tried on the next run. If"
        " none of them has a label, the step fails once all of this is stored."
    ),
)
def issues(
    context: dg.AssetExecutionContext,
    embedding: EmbeddingResource,
    llm: LLMResource,
    database: IssuesDatabase,
) -> dg.MaterializeResult:  # type: ignore[type-arg]  # with checks, Dagster wants it bare
    """Write what is known, ask models with no database open, write each label as it comes."""
    day = day_of(context)
    with clear_failures(context):
        with database.read() as connection:
            require_clusters(connection, day, bronze.ledger_of_day(connection, day))
            require_sound(f"silver/clusters {day}", assignment_checks(connection, day))
            # The whole day, noise included: what boilerplate is, all its posts tell.
            items = bronze.items_of_day(connection, day)
            clusters = bronze.items_by_cluster(connection, day, items)
            assignments = silver.assignments_digest(connection, day)
        # A day without clusters needs no model of either kind.
        model = embedding.get_model() if clusters else None
        prepared = prepare_clusters(clusters, model, texts_of_day(items)) if model else []
        del items  # noise, too: labels may take an hour
        # What another run stored while this one prepared is read in the transaction that replaces
        # it: no label is lost that was paid for.
        with database.write() as connection:
            if silver.assignments_digest(connection, day) != assignments:
                raise StoreBusyError(
                    f"The clusters of {day} changed while their posts were being embedded. Run"
                    " gold/issues again when silver/clusters is done; nothing was changed."
                )
            settled = settled_rows(
                prepared,
                known=gold.issues_of_day(connection, day),
                reusable=gold.good_labels(connection, [one.fingerprint for one in prepared]),
                model=model,
            )
            gold.replace_day(connection, day, settled, collect_evidence(prepared, settled))
        rows = {row.cluster_id: row for row in settled}

        def store(fresh: Sequence[IssueRow]) -> None:
            evidence = collect_evidence(prepared, fresh)
            known = [rows[row.cluster_id] for row in fresh]
            with database.write() as connection:
                gold.replace_clusters(connection, day, fresh, evidence, known=known)
            rows.update((row.cluster_id, row) for row in fresh)

        # Where days go side by side, what a day could take over would depend on which of them
        # happened to come first.
        unlabelled = [one for one in prepared if rows[one.cluster_id].label_failed]
        if model and unlabelled and not is_out_of_order(context.run.tags):
            with database.read() as connection:
                earlier = read_earlier_problems(connection, day)
            by_meaning = labels_by_meaning(day, unlabelled, earlier, model)
            if taken_over := continued_rows(prepared, settled, by_meaning, model):
                store(taken_over)
        settled = list(rows.values())
        session = start_session(llm) if any(row.label_failed for row in settled) else None
        if model and session:
            for fresh in ask_models(prepared, settled, session, model):
                store(fresh)
        with database.read() as connection:
            checked = gold_checks(connection, day)
    labels = list(rows.values())
    if waiting := [row for row in labels if row.is_waiting]:
        context.log.warning(
            f"{len(waiting)} of {len(labels)} clusters of {day} wait for the next run:"
            f" {waiting[0].failure}"
        )
    with clear_failures(context):
        require_labels(day, labels)
    return dg.MaterializeResult(
        tags=labelled_tags(sum(row.label_failed for row in labels)),
        metadata={
            **label_metadata(labels),
            "calls": session.calls if session else 0,
            "waited_for_limits_s": round(session.waited_s, 1) if session else 0.0,
        },
        check_results=checked,
    )


def require_labels(day: date, rows: Sequence[IssueRow]) -> None:
    """Refuse to call a day labelled of which no cluster has a label.

    Raises:
        NoLabelsError: There are clusters, and none of them has one.
    """
    if rows and all(row.label_failed for row in rows):
        raise NoLabelsError(
            f"None of the {len(rows)} clusters of {day} has a label, so the day shows no issue;"
            f" its clusters are stored and will be labelled by the next run. {rows[0].failure}"
        )


def require_clusters(
    connection: duckdb.DuckDBPyConnection, day: date, ledger: Sequence[LedgerEntry]
) -> DaySummary:
    """Distinguish a day without problems from a day that was never processed."""
    require_collected(day, ledger)
    summary = day_summary(connection, day)
    if summary.items and not silver.is_clustered(connection, day):
        raise MissingInputError(
            f"{day} has posts but no clusters. Materialise silver/clusters for that day."
        )
    return summary


def require_labelled(connection: duckdb.DuckDBPyConnection, day: date) -> list[IssueRow]:
    """Return the day's labels, failed ones included.

    Raises:
        MissingInputError: The day was never collected, clustered or labelled.
        UnsoundInputError: Its labels fail a blocking check.
    """
    summary = require_clusters(connection, day, bronze.ledger_of_day(connection, day))
    if summary.clusters and not summary.labels:
        # Otherwise a step that was never run would withdraw the whole day.
        raise MissingInputError(
            f"{day} has clusters but no labels. Materialise gold/issues for that day."
        )
    labels = gold.issues_of_day(connection, day)
    require_sound(f"gold/issues {day}", label_checks(labels))
    return labels
