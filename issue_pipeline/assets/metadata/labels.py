"""What the UI shows about the labels of a day."""

from collections import Counter
from collections.abc import Sequence

import dagster as dg

from issue_pipeline.records import IssueRow
from issue_pipeline.utils.printable import printable

# Of the largest clusters; the rest is in the table in DuckDB.
MAX_TABLE_ROWS = 300
MAX_TEXT_CHARS = 200


def label_metadata(rows: Sequence[IssueRow]) -> dict[str, dg.MetadataValue | int | float]:
    """Return the metadata of a day's labels: a table of them, counts by source, and what they took.

    Args:
        rows: One for every cluster of the day, by cluster id, so the largest first.
    """
    by_source = Counter("waiting" if row.is_waiting else row.label_source for row in rows)
    return {
        "dagster/partition_row_count": len(rows),
        **{name: by_source[name] for name in ("local", "remote", "reused", "failed", "waiting")},
        "problems": sum(row.is_problem is True for row in rows),
        "evidence": sum(row.cluster_size for row in rows if not row.label_failed),
        "tokens": sum(row.prompt_tokens + row.completion_tokens for row in rows),
        "cost_usd": round(sum(row.cost_usd for row in rows), 4),
        "seconds": round(sum(row.seconds for row in rows), 1),
        "labels": dg.MetadataValue.table([_record(row) for row in rows[:MAX_TABLE_ROWS]], _SCHEMA),
    }


_SCHEMA = dg.TableSchema(
    [
        dg.TableColumn("posts", "int"),
        dg.TableColumn("title", "string", "why there is none, where there is none"),
        dg.TableColumn("problem", "bool", "else another theme; of no label: false"),
        dg.TableColumn("category", "string"),
        dg.TableColumn("impact", "string"),
        dg.TableColumn("would_pay", "bool"),
        dg.TableColumn("source", "string"),
        dg.TableColumn("model", "string"),
        dg.TableColumn("calls", "int"),
        dg.TableColumn("seconds", "float"),
        dg.TableColumn("tokens", "int"),
        dg.TableColumn("cost_usd", "float"),
    ]
)


def _record(row: IssueRow) -> dg.TableRecord:
    title = row.canonical_title or f"(none: {row.failure})"
    return dg.TableRecord(
        {
            "posts": row.cluster_size,
            "title": printable(title, MAX_TEXT_CHARS),
            "problem": bool(row.is_problem),
            "category": row.category or "",
            "impact": row.impact_level or "",
            "would_pay": bool(row.would_pay_signal),
            "source": "waiting" if row.is_waiting else row.label_source,
            "model": row.model,
            "calls": row.attempts,
            "seconds": round(row.seconds, 1),
            "tokens": row.prompt_tokens + row.completion_tokens,
            "cost_usd": round(row.cost_usd, 5),
        }
    )
