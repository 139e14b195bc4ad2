"""The frozen records that cross borders: between collectors, tables, models and the live store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Post:
    """One post as a source gave it.

    Attributes:
        source: ``github``, ``stackoverflow``, ``reddit`` or ``hackernews``.
        url: The post's own permalink, as the source writes it.
        title: Plain text; HTML entities stay as they came.
        body: In the source's markup; ``""`` where there is none.
        created_at: Aware, UTC.
        comment_count: Comments or answers.
        vote_count: Reactions, score or points; may be negative.
        author: Name of the writer at the source, or a number; ``None`` where it does not say.
    """

    source: str
    url: str
    title: str
    body: str
    created_at: datetime
    comment_count: int
    vote_count: int
    author: str | None = None


@dataclass(frozen=True, slots=True)
class Collection:
    """What one source gave for one day.

    Attributes:
        posts: Each post of the day once.
        expected_count: How many the source said there are; ``None`` where it does not say.
        fetched_count: Items received, before anything was dropped.
        dropped: Items left out, counted by reason.
        cut_count: Posts whose text was cut to the longest that is stored.
        complete: Whether every post of the day is in ``posts``.
        reason: Why it is not complete; of a complete one what it does not contain, and why it is
            complete nevertheless, else ``""``.
        requests: HTTP requests made, retries included.
        waited_s: Seconds slept before requests: for our own pace, for limits, and before retries.
        hidden_count: Posts of a complete day that the source counts and does not show.
    """

    posts: tuple[Post, ...]
    expected_count: int | None
    fetched_count: int
    dropped: Mapping[str, int] = field(default_factory=dict)
    cut_count: int = 0
    complete: bool = True
    reason: str = ""
    requests: int = 0
    waited_s: float = 0.0
    hidden_count: int = 0


@dataclass(frozen=True, slots=True)
class Item:
    """One stored post of a day, as silver and gold read it from bronze."""

    url_hash: str
    source: str
    url: str
    title: str
    body: str
    created_at: datetime
    comment_count: int
    vote_count: int


@dataclass(frozen=True, slots=True)
class ClusterRow:
    """One row of ``silver.clusters``.

    Attributes:
        cluster_id: 0 is the largest of the day.
        cluster_size: Number of items.
        outlier_ratio: The day's noise over the day's items, in [0, 1]; the same on every row.
        mean_distance: Mean Euclidean distance of the members to their centroid, in [0, 2].
        mode: Clustering mode, ``raw`` or ``smoothed``.
        min_cluster_size: The setting that the day was clustered with.
    """

    cluster_id: int
    cluster_size: int
    outlier_ratio: float
    mean_distance: float
    mode: str
    min_cluster_size: int


@dataclass(frozen=True, slots=True)
class Spent:
    """What was spent on one label, over all calls made for it, in vain or not.

    Attributes:
        attempts: Calls made, of all models.
        prompt_tokens: Tokens read.
        completion_tokens: Tokens written.
        cost_usd: In US dollars; 0 for a local model and for one without a known price.
        seconds: From sending a request to its answer or failure, added up.
    """

    attempts: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float = 0.0
    seconds: float = 0.0

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(
            self.attempts + other.attempts,
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.cost_usd + other.cost_usd,
            self.seconds + other.seconds,
        )


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a model's server says is left of one of its rate limits.

    Attributes:
        name: Tells it from the others of the same server.
        kind: ``requests``, ``tokens`` (prompt and answer), ``input-tokens`` or ``output-tokens``.
        limit: Of a whole window; ``None`` if not said.
        remaining: What is left of it; ``None`` if not said.
        reset_s: Seconds until all of it is there again.
        window_s: Of the limit, where replies to calls that are let through do not state it, so that
            they must be counted here; ``None`` otherwise.
    """

    name: str
    kind: str
    limit: float | None
    remaining: float | None
    reset_s: float
    window_s: float | None = None


@dataclass(frozen=True, slots=True)
class IssueRow:
    """One row of ``gold.issues``: a cluster and its label, or why it has none.

    Attributes:
        is_problem: Whether the posts report a common problem; ``None`` without a label, and in rows
            from before that was determined.
        problem_score: How much they do by their vectors and words: higher, the more; ``None`` in
            rows from before it was computed.
        label_source: ``local``, ``remote``, ``reused`` or ``failed``.
        model: Name of the model that wrote the label; ``""`` without a label.
        prompt_tokens: As of :class:`Spent`, like the other four; all 0 when reused.
        labeled_at: Aware, UTC.
        failure: Why there is no label; ``""`` where there is one.
    """

    cluster_id: int
    cluster_fingerprint: str
    cluster_size: int
    canonical_title: str | None
    category: str | None
    description: str | None
    would_pay_signal: bool | None
    impact_level: str | None
    label_failed: bool
    label_source: str
    model: str
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float
    labeled_at: datetime
    attempts: int = 0
    seconds: float = 0.0
    failure: str = ""
    is_problem: bool | None = None
    problem_score: float | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether no model was asked yet: the cluster waits for the next run."""
        return self.label_failed and not self.attempts


@dataclass(frozen=True, slots=True)
class Evidence:
    """One row of ``gold.issue_evidence``: an item of a labelled cluster.

    Attributes:
        title: Clean and redacted, at most 1,000 characters.
        snippet: Start of the clean, redacted body.
        comment_count: At least 0.
        distance: Euclidean distance to the cluster's centroid, rounded to 1e-3.
    """

    cluster_id: int
    url_hash: str
    source: str
    url: str
    title: str
    snippet: str
    created_at: datetime
    comment_count: int
    vote_count: int
    distance: float


@dataclass(frozen=True, slots=True)
class LiveRow:
    """One row of ``gold.live_issues``: what was last written to the live store about a record.

    Attributes:
        cluster_id: The cluster that it stands for, or last stood for.
        state: ``published`` as gold says; ``failed`` where the store refused the record or one of
            its posts; ``pending`` when the run ended before it was written; ``withdrawing`` when
            it should go, and is not known to be gone.
        error: Why it is not as it should be; ``""`` otherwise.
        synced_at: When that was found; aware, UTC.
    """

    cluster_id: int
    record_id: str
    content_hash: str
    state: str
    error: str
    synced_at: datetime


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One row of ``bronze.collections``: how the collection of a source and day went.

    Attributes:
        expected_count: As of :class:`Collection`, like the others of its names.
        stored_count: Rows of the source and day afterwards.
        complete: Whether every post of the day is stored.
        reason: Why it is incomplete, what was left out, and which removal waits for another run.
        pending_removal_count: Stored posts that the latest complete collection lacked, too many to
            believe it; they stay until a complete collection of another run lacks them, too.
    """

    collection_date: date
    source: str
    expected_count: int | None
    fetched_count: int
    stored_count: int
    dropped_count: int
    complete: bool
    reason: str
    requests: int
    waited_s: float
    started_at: datetime
    finished_at: datetime
    pending_removal_count: int = 0


@dataclass(frozen=True, slots=True)
class ProblemRow:
    """One row of ``gold.problems``: issues of one meaning, followed over the days.

    Attributes:
        problem_id: Derives from its first issue.
        canonical_title: Of its largest issue, like the other parts of a label.
        first_seen: UTC day of its first issue.
        last_seen: UTC day of its latest issue.
        days_seen: Days on which it has an issue, at least 1.
        posts: In the evidence of its issues.
        reach: Different people who wrote them; a post whose writer is unknown counts as one.
        state: One of ``problems.trend.STATES``, as of the latest linked day.
        state_since: First day on which it was in that state without a break.
    """

    problem_id: str
    canonical_title: str
    category: str
    description: str
    impact_level: str
    would_pay_signal: bool
    first_seen: date
    last_seen: date
    days_seen: int
    posts: int
    reach: int
    state: str
    state_since: date


@dataclass(frozen=True, slots=True)
class ProblemIssue:
    """One row of ``gold.problem_issues``: which problem an issue of a day belongs to.

    Attributes:
        similarity: To its problem as it was when the issue joined; 1.0 for one that began it.
        url_hashes: Its posts when it was linked, sorted; they are in ``gold.problem_posts``.
    """

    issue_date: date
    cluster_id: int
    problem_id: str
    similarity: float
    url_hashes: Sequence[str]


@dataclass(frozen=True, slots=True)
class ProblemAlias:
    """One row of ``gold.problem_aliases``: an id that a problem had before a backfill.

    Attributes:
        problem_id: What holds most of its posts now.
        reason: ``renamed`` if the problem has another first issue, ``joined`` if it became part of
            one that was there.
        since: UTC day on which the id was replaced.
    """

    alias: str
    problem_id: str
    reason: str
    since: date


@dataclass(frozen=True, slots=True)
class LinkedDay:
    """One row of ``gold.linked_days``: a day that ``gold.problem_issues`` covers.

    Attributes:
        input_digest: Of the day's problem issues and their evidence.
        chain_digest: Of the chain digest of the linked day before, and this input.
    """

    issue_date: date
    input_digest: str
    chain_digest: str
