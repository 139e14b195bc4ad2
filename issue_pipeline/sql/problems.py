"""Reading and writing problems over days: the problems, their issues, aliases and linked days."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import TypeVar

import duckdb

from issue_pipeline.records import IssueRow, LinkedDay, ProblemAlias, ProblemIssue, ProblemRow
from issue_pipeline.sql.rows import columns_of, insert_rows, read_rows

T = TypeVar("T")

# Issues that are problems and have a good label; the rest is followed by nobody.
_PROBLEM_ISSUES = (
    "SELECT cluster_date, cluster_id FROM gold.issues WHERE is_problem AND NOT label_failed"
)


@dataclass(frozen=True, slots=True)
class IssuePosts:
    """The posts of one problem issue, as its evidence has them.

    Attributes:
        url_hashes: Of all posts, nearest to the centroid first.
        titles: In the same order.
        snippets: In the same order.
    """

    issue_date: date
    cluster_id: int
    url_hashes: Sequence[str]
    titles: Sequence[str]
    snippets: Sequence[str]


@dataclass(frozen=True, slots=True)
class ProblemLabel:
    """The label of a problem: that of its largest issue, of equally large ones the earliest."""

    problem_id: str
    canonical_title: str
    category: str
    description: str
    impact_level: str
    would_pay_signal: bool
    reach: int


@dataclass(frozen=True, slots=True)
class DailyCount:
    """How many posts of one source a problem has on a day."""

    problem_id: str
    issue_date: date
    source: str
    posts: int


def input_digests(con: duckdb.DuckDBPyConnection) -> dict[date, str]:
    """Return a digest of every day's problem issues and their evidence; days without any lack one.

    It changes when anything changes that the links of the day depend on.
    """
    rows = con.execute(
        f"WITH posts AS ({_PROBLEM_ISSUES}) SELECT cluster_date, md5(string_agg(line, chr(10)"  # noqa: S608
        " ORDER BY line)) FROM (SELECT cluster_date, concat_ws('|', cluster_id, url_hash, distance,"
        " md5(concat_ws(chr(10), title, snippet))) AS line"
        " FROM gold.issue_evidence JOIN posts USING (cluster_date, cluster_id))"
        " GROUP BY cluster_date"
    ).fetchall()
    return dict(rows)


def waiting_days(con: duckdb.DuckDBPyConnection) -> set[date]:
    """Return the days of which some clusters wait for a model: labels are still being made."""
    rows = con.execute(
        "SELECT DISTINCT cluster_date FROM gold.issues WHERE label_failed AND attempts = 0"
    ).fetchall()
    return {day for (day,) in rows}


def linked_days(con: duckdb.DuckDBPyConnection) -> list[LinkedDay]:
    """Read the days that are linked, in order."""
    return _all_rows(con, "gold.linked_days", "issue_date", LinkedDay)


def all_links(con: duckdb.DuckDBPyConnection) -> list[ProblemIssue]:
    """Read which problem each issue belongs to, by day and cluster."""
    return read_rows(
        con,
        "SELECT issue_date, cluster_id, problem_id, similarity,"
        " list(url_hash ORDER BY url_hash) AS url_hashes"
        " FROM gold.problem_issues JOIN gold.problem_posts USING (issue_date, cluster_id)"
        " GROUP BY ALL ORDER BY issue_date, cluster_id",
        [],
        ProblemIssue,
    )


def similarities_of_day(con: duckdb.DuckDBPyConnection, day: date) -> dict[str, float]:
    """Return the largest similarity of an issue of a day to each problem that it has, by id."""
    rows = con.execute(
        "SELECT problem_id, max(similarity) FROM gold.problem_issues WHERE issue_date = ?"
        " GROUP BY problem_id ORDER BY problem_id",
        [day],
    ).fetchall()
    return dict(rows)


def problems_of_day(con: duckdb.DuckDBPyConnection, day: date) -> dict[int, str]:
    """Return the problem of each linked issue of a day, by cluster id."""
    rows = con.execute(
        "SELECT cluster_id, problem_id FROM gold.problem_issues WHERE issue_date = ?"
        " ORDER BY cluster_id",
        [day],
    ).fetchall()
    return dict(rows)


def posts_of_issues(
    con: duckdb.DuckDBPyConnection, issues: Collection[tuple[date, int]]
) -> list[IssuePosts]:
    """Read the posts of problem issues, by day and cluster.

    Args:
        con: An open connection.
        issues: (day, cluster id) of each. One that is no problem issue, or no longer, is left out.
    """
    return read_rows(
        con,
        "SELECT cluster_date AS issue_date, cluster_id, list(url_hash ORDER BY distance, url_hash)"  # noqa: S608
        " AS url_hashes, list(title ORDER BY distance, url_hash) AS titles,"
        " list(snippet ORDER BY distance, url_hash) AS snippets FROM gold.issue_evidence"
        " JOIN (SELECT unnest(?::DATE[]) AS cluster_date, unnest(?::INTEGER[]) AS cluster_id)"
        " USING (cluster_date, cluster_id)"
        f" JOIN ({_PROBLEM_ISSUES}) USING (cluster_date, cluster_id)"
        " GROUP BY ALL ORDER BY cluster_date, cluster_id",
        [[day for day, _ in issues], [cluster_id for _, cluster_id in issues]],
        IssuePosts,
    )


def problem_issues_of_days(
    con: duckdb.DuckDBPyConnection, days: Collection[date]
) -> list[tuple[date, int]]:
    """Return (day, cluster id) of every problem issue of some days, in order."""
    return con.execute(
        f"{_PROBLEM_ISSUES} AND cluster_date IN (SELECT unnest(?::DATE[]))"
        " ORDER BY cluster_date, cluster_id",
        [list(days)],
    ).fetchall()


def replace_links(
    con: duckdb.DuckDBPyConnection,
    first: date,
    links: Iterable[ProblemIssue],
    days: Iterable[LinkedDay],
) -> None:
    """Replace the links from a day on.

    Args:
        con: A connection within a transaction.
        first: Earlier days stay as they are.
        links: Of that day and later ones.
        days: Likewise.
    """
    for table in ("gold.problem_issues", "gold.problem_posts", "gold.linked_days"):
        con.execute(f"DELETE FROM {table} WHERE issue_date >= ?", [first])  # noqa: S608
    rows = [asdict(link) for link in links]
    posts = [
        {"issue_date": row["issue_date"], "cluster_id": row["cluster_id"], "url_hash": url_hash}
        for row in rows
        for url_hash in row.pop("url_hashes")
    ]
    insert_rows(con, "gold.problem_issues", rows)
    insert_rows(con, "gold.problem_posts", posts)
    insert_rows(con, "gold.linked_days", map(asdict, days))


def all_aliases(con: duckdb.DuckDBPyConnection) -> list[ProblemAlias]:
    """Read the ids that problems had before, by alias."""
    return _all_rows(con, "gold.problem_aliases", "alias", ProblemAlias)


def replace_aliases(con: duckdb.DuckDBPyConnection, aliases: Iterable[ProblemAlias]) -> None:
    """Replace all aliases, within a transaction."""
    con.execute("DELETE FROM gold.problem_aliases")
    insert_rows(con, "gold.problem_aliases", map(asdict, aliases))


def replace_problems(con: duckdb.DuckDBPyConnection, rows: Iterable[ProblemRow]) -> None:
    """Replace all problems, within a transaction."""
    con.execute("DELETE FROM gold.problems")
    insert_rows(con, "gold.problems", map(asdict, rows))


def all_problems(con: duckdb.DuckDBPyConnection) -> list[ProblemRow]:
    """Read every problem, by id."""
    return _all_rows(con, "gold.problems", "problem_id", ProblemRow)


def labels_of_problems(con: duckdb.DuckDBPyConnection) -> list[ProblemLabel]:
    """Read the label and the reach of every problem that is linked, by id."""
    return read_rows(
        con,
        "WITH reach AS (SELECT problem_id,"
        " count(DISTINCT coalesce(items.source || '/' || author, '#' || posts.url_hash)) AS reach"
        " FROM gold.problem_issues AS links JOIN gold.issue_evidence AS posts"
        " ON cluster_date = issue_date AND posts.cluster_id = links.cluster_id"
        " LEFT JOIN bronze.raw_items AS items ON collection_date = issue_date"
        " AND items.url_hash = posts.url_hash AND items.source = posts.source"
        " GROUP BY problem_id)"
        " SELECT problem_id, canonical_title, category, description, impact_level,"
        " would_pay_signal, reach FROM gold.problem_issues AS links JOIN gold.issues AS issues"
        " ON cluster_date = issue_date AND issues.cluster_id = links.cluster_id"
        " JOIN reach USING (problem_id)"
        " QUALIFY row_number() OVER (PARTITION BY problem_id"
        " ORDER BY cluster_size DESC, issue_date, issues.cluster_id) = 1 ORDER BY problem_id",
        [],
        ProblemLabel,
    )


def labels_before(con: duckdb.DuckDBPyConnection, day: date) -> dict[str, IssueRow]:
    """Read the label that each problem had before a day: that of its largest issue by then."""
    largest = con.execute(
        "SELECT problem_id, cluster_date, issues.cluster_id FROM gold.problem_issues AS links"
        " JOIN gold.issues AS issues ON cluster_date = issue_date"
        " AND issues.cluster_id = links.cluster_id"
        " WHERE issue_date < ? AND is_problem AND NOT label_failed"
        " QUALIFY row_number() OVER (PARTITION BY problem_id"
        " ORDER BY cluster_size DESC, issue_date, issues.cluster_id) = 1"
        " ORDER BY cluster_date, issues.cluster_id",
        [day],
    ).fetchall()
    rows = read_rows(
        con,
        f"SELECT {columns_of(IssueRow)} FROM gold.issues"  # noqa: S608
        " JOIN (SELECT unnest(?::DATE[]) AS cluster_date, unnest(?::INTEGER[]) AS cluster_id)"
        " USING (cluster_date, cluster_id) ORDER BY cluster_date, cluster_id",
        [[day for _, day, _ in largest], [cluster for _, _, cluster in largest]],
        IssueRow,
    )
    return {problem: row for (problem, _, _), row in zip(largest, rows, strict=True)}


def daily_counts(con: duckdb.DuckDBPyConnection) -> list[DailyCount]:
    """Count the posts of every problem by day and source, in that order."""
    return read_rows(
        con,
        "SELECT problem_id, issue_date, source, count(*) AS posts"
        " FROM gold.problem_issues AS links JOIN gold.issue_evidence AS evidence"
        " ON cluster_date = issue_date AND evidence.cluster_id = links.cluster_id"
        " GROUP BY ALL ORDER BY problem_id, issue_date, source",
        [],
        DailyCount,
    )


def daily_volumes(con: duckdb.DuckDBPyConnection) -> dict[tuple[date, str], int]:
    """Count the stored posts of every linked day by source: (day, source) to posts."""
    rows = con.execute(
        "SELECT collection_date, source, count(*) FROM bronze.raw_items"
        " WHERE collection_date IN (SELECT issue_date FROM gold.linked_days) GROUP BY ALL"
    ).fetchall()
    return {(day, source): posts for day, source, posts in rows}


def collected_source_days(con: duckdb.DuckDBPyConnection) -> set[tuple[date, str]]:
    """Return the linked days and sources of which posts are stored, or that had none for certain.

    A source that brought nothing and did not prove that there was nothing is missing.
    """
    rows = con.execute(
        "SELECT collection_date, source FROM (SELECT collection_date, source FROM bronze.raw_items"
        " UNION SELECT collection_date, source FROM bronze.collections WHERE complete)"
        " WHERE collection_date IN (SELECT issue_date FROM gold.linked_days)"
    ).fetchall()
    return set(rows)


def _all_rows(
    con: duckdb.DuckDBPyConnection, table: str, order: str, record_type: type[T]
) -> list[T]:
    """Read a whole table as records; names of table and column are ours."""
    sql = f"SELECT {columns_of(record_type)} FROM {table} ORDER BY {order}"  # noqa: S608
    return read_rows(con, sql, [], record_type)
