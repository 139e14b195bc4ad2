"""A world of real posts: corpus files dealt onto days, in the markup their sources use."""

import gzip
import html
import json
import re
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from markdown_it import MarkdownIt

from issue_pipeline.sandbox.world.content import SOURCES
from issue_pipeline.sandbox.world.posts import SimulatedPost
from issue_pipeline.sandbox.world.seeded import stable_hash

CORPUS_SUFFIX = ".jsonl.gz"

MAX_POSTS_PER_SUBREDDIT = 900
"""Reddit lists the newest 1,000 posts of a subreddit and no more, so a bigger one could never be
collected whole. Where a corpus has more, the rest goes to ``name_2``, ``name_3``, ..."""

_SOURCE_OF = {
    "github": "github",
    "bugzilla": "github",  # bug reports, too; there is no fifth API to serve them
    "stackoverflow": "stackoverflow",
    "reddit": "reddit",
    "hackernews": "hackernews",
}
_HN_CHANNELS = {"ask": "ask_hn", "show": "show_hn", "story": "story"}
_DAY_S = 86_400
_NOT_SLUG = re.compile(r"[^a-z0-9]+")


class CorpusError(ValueError):
    """A corpus that cannot be served; the message names the file, the line and the remedy."""


@dataclass(frozen=True, slots=True)
class _Row:
    """One line of a corpus file that has a body; fields as in ``SimulatedPost``."""

    id: str
    source: str
    channel: str
    title: str
    body: str
    comment_count: int
    vote_count: int
    link: str | None
    tags: tuple[str, ...]


class CorpusWorld:
    """Real posts, dealt evenly onto the given days; the same files give the same days.

    Every post of the corpus that has a body is served exactly once. Its text is as its author
    wrote it (Stack Overflow rows stored as Markdown are rendered to the HTML the API would give);
    its day and time are not: they follow from a hash of its id. There is no truth.

    Attributes:
        served_count: Posts served over all days.
        without_body_count: Rows left out because they have no body.

    Args:
        path: A ``.jsonl.gz`` file, or a folder of which every such file is read.
        days: The UTC days onto which the posts are dealt; at least one, no day twice.

    Raises:
        CorpusError: The path is missing, a row is malformed, or no row has a body.
        ValueError: There is no day, or one is given twice.
    """

    def __init__(self, path: Path | str, days: Sequence[date]) -> None:
        if not days or len(set(days)) < len(days):
            raise ValueError(f"expected at least one day and no day twice, got {list(days)}")
        rows: list[_Row] = []
        self.without_body_count = 0
        for row in _read_rows(Path(path)):
            if row is None:
                self.without_body_count += 1
            else:
                rows.append(row)
        if not rows:
            raise CorpusError(
                f"{path}: none of its {self.without_body_count} rows has a body, so there is "
                "nothing to serve; give a corpus of whole posts"
            )
        _require_unique_ids(rows, path)
        self.served_count = len(rows)
        self._posts = _deal(_split_large_subreddits(rows), sorted(days))

    def posts(self, source: str, day: date) -> Sequence[SimulatedPost]:
        """Return the posts of one source on one day, by (created_at, number); maybe none.

        Raises:
            ValueError: The source is unknown.
        """
        _require_source(source)
        return self._posts.get((source, day), ())

    def channels(self, source: str) -> tuple[str, ...]:
        """Return every channel of the source that has posts, sorted.

        Raises:
            ValueError: The source is unknown.
        """
        _require_source(source)
        return tuple(
            sorted(
                {
                    post.channel
                    for (owner, _), posts in self._posts.items()
                    if owner == source
                    for post in posts
                }
            )
        )


def _require_source(source: str) -> None:
    if source not in SOURCES:
        raise ValueError(f"unknown source {source!r}; expected one of {', '.join(SOURCES)}")


def _require_unique_ids(rows: Iterable[_Row], path: Path | str) -> None:
    seen: set[tuple[str, str]] = set()
    for row in rows:
        if (row.source, row.id) in seen:
            raise CorpusError(f"{path}: the id {row.id!r} occurs twice; ids must be unique")
        seen.add((row.source, row.id))


# --- Reading -------------------------------------------------------------------------------------


def _read_rows(path: Path) -> Iterator[_Row | None]:
    """Yield a row for each line, ``None`` for one without a body."""
    if path.is_dir():
        files = sorted(path.glob(f"*{CORPUS_SUFFIX}"))
        if not files:
            raise CorpusError(f"{path}: the folder holds no *{CORPUS_SUFFIX} file")
    elif path.is_file() and path.name.endswith(CORPUS_SUFFIX):
        files = [path]
    elif path.exists():
        raise CorpusError(f"{path}: expected a folder or a *{CORPUS_SUFFIX} file")
    else:
        raise CorpusError(f"{path}: no such file or folder; check CORPUS")
    for file in files:
        yield from _read_file(file)


def _read_file(file: Path) -> Iterator[_Row | None]:
    number = 0
    try:
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                record = _Record(f"{file.name}, line {number}", json.loads(line))
                yield _row(record)
    except json.JSONDecodeError as error:
        raise CorpusError(f"{file.name}, line {number}: not JSON: {error}") from error
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise CorpusError(f"{file.name}, after line {number}: cannot be read: {error}") from error


class _Record:
    """One line of a corpus, read field by field; knows how to complain."""

    def __init__(self, where: str, value: object) -> None:
        if not isinstance(value, Mapping):
            raise CorpusError(f"{where}: expected a JSON object, got {value!r:.80}")
        self._where = where
        self._fields: Mapping[object, object] = value

    def text(self, field: str, default: str | None = None) -> str:
        value = self._fields.get(field)
        if value is None and default is not None:
            return default
        if not isinstance(value, str):
            raise self._error(field, f"a text, got {value!r:.80}")
        return value

    def count(self, field: str) -> int:
        value = self._fields.get(field)
        if value is None:
            return 0
        if not isinstance(value, int) or isinstance(value, bool):
            raise self._error(field, f"a whole number or null, got {value!r:.80}")
        return value

    def choice(self, field: str, allowed: Iterable[str]) -> str:
        value = self.text(field)
        if value not in allowed:
            raise self._error(field, f"one of {', '.join(allowed)}, got {value!r}")
        return value

    def texts(self, field: str) -> tuple[str, ...]:
        value = self._fields.get(field)
        if value is None:
            return ()
        if not isinstance(value, list):
            raise self._error(field, f"a list of texts or null, got {value!r:.80}")
        return tuple(str(item) for item in value)

    def _error(self, field: str, expected: str) -> CorpusError:
        return CorpusError(f"{self._where}, field {field!r}: expected {expected}")


def _row(record: _Record) -> _Row | None:
    """Return the row of one record, or ``None`` when its body is missing or blank."""
    id, title, body = record.text("id"), record.text("title"), record.text("body", default="")
    origin = record.choice("source", _SOURCE_OF)
    if not body.strip():
        return None
    link: str | None = None
    tags: tuple[str, ...] = ()
    match origin:
        case "github":
            channel = record.text("repo")
            comments, votes = record.count("comments"), record.count("reactions")
            tags = record.texts("labels")
        case "bugzilla":
            channel = f"bugzilla/{_slug(record.text('product', default='unknown'))}"
            comments, votes = 0, 0
        case "stackoverflow":
            title = html.unescape(title)  # the API escapes titles, and so does the corpus
            if record.text("body_format", default="html") == "escaped-markdown":
                body = _html_of_escaped_markdown(body)
            tags = record.texts("tags")
            channel = tags[0] if tags else record.text("label")
            comments, votes = record.count("answers"), record.count("score")
        case "reddit":
            channel = record.text("label")
            comments, votes = record.count("comments"), record.count("score")
        case _:
            channel = _HN_CHANNELS[record.choice("label", _HN_CHANNELS)]
            comments, votes = record.count("comments"), record.count("points")
            link = record.text("url", default="") or None
    source = _SOURCE_OF[origin]
    return _Row(id, source, channel, title, body, max(0, comments), votes, link, tags)


def _slug(text: str) -> str:
    return _NOT_SLUG.sub("-", text.casefold()).strip("-") or "unknown"


def _html_of_escaped_markdown(body: str) -> str:
    """Render Markdown that the API gave HTML-escaped (``body_markdown``) as the site renders it.

    The site allows some HTML inside Markdown, so unescaping first is right: what was code is
    escaped again by the renderer.
    """
    rendered: str = MarkdownIt("commonmark", {"html": True}).render(html.unescape(body))
    return rendered


# --- Dealing -------------------------------------------------------------------------------------


def _split_large_subreddits(rows: Sequence[_Row]) -> list[tuple[_Row, str]]:
    """Return each row with its channel; see ``MAX_POSTS_PER_SUBREDDIT``."""
    counts: dict[str, int] = defaultdict(int)
    placed: list[tuple[_Row, str]] = []
    for row in sorted(rows, key=lambda row: (stable_hash("split", row.id), row.id)):
        channel = row.channel
        if row.source == "reddit":
            part = counts[row.channel] // MAX_POSTS_PER_SUBREDDIT
            counts[row.channel] += 1
            channel = f"{row.channel}_{part + 1}" if part else row.channel
        placed.append((row, channel))
    return placed


def _deal(
    placed: Sequence[tuple[_Row, str]], days: Sequence[date]
) -> dict[tuple[str, date], tuple[SimulatedPost, ...]]:
    """Deal each source's rows in turn onto the days; numbers grow with time within a source."""
    posts: dict[tuple[str, date], tuple[SimulatedPost, ...]] = {}
    for source in SOURCES:
        # By hash: files hold a repository or a subreddit in one piece, days should not.
        rows = sorted(
            (pair for pair in placed if pair[0].source == source),
            key=lambda pair: (stable_hash("deal", pair[0].id), pair[0].id),
        )
        number = 1
        for position, day in enumerate(days):
            dealt = rows[position :: len(days)]
            timed = sorted(
                ((_created_at(row, day), row.id, row, channel) for row, channel in dealt),
                key=lambda item: item[:2],
            )
            posts[source, day] = tuple(
                _post(row, channel, created_at, number + i)
                for i, (created_at, _, row, channel) in enumerate(timed)
            )
            number += len(timed)
    return posts


def _created_at(row: _Row, day: date) -> datetime:
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return midnight + timedelta(seconds=stable_hash("time", row.id) % _DAY_S)


def _post(row: _Row, channel: str, created_at: datetime, number: int) -> SimulatedPost:
    return SimulatedPost(
        number=number,
        source=row.source,
        channel=channel,
        author=f"author{stable_hash('author', row.id) % 100_000}",
        title=row.title,
        body=row.body,
        created_at=created_at,
        comment_count=row.comment_count,
        vote_count=row.vote_count,
        link=row.link,
        tags=row.tags,
    )
