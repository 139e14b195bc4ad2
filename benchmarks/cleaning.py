"""What cleaning takes out of real posts: ``python -m benchmarks.cleaning [--corpora DIR]``.

Needs real posts, in the folder that ``CORPORA`` or ``--corpora`` names. For each repository of
GitHub issues, before and after cleaning:

- boilerplate: of all runs of five words, the share that at least 1 % of the repository's issues
  have (and no fewer than five issues): text of a form, not of a person,
- how many of its 100 commonest lines (of three words or more) an issue still has,

With ``--groups`` (minutes: it embeds), 1,500 issues are grouped as the pipeline does, by title and
body as written and by title and clean body: how many groups there are, and in how many of them
half of the posts or more share a run of five words, which is what a form's text does to a group.

With ``--secrets`` (a minute), random tokens of every format are hidden in running text, settings,
JSON, URLs, log lines and so on, and all that is hidden in the real posts is listed, to be judged.

For every source: posts a second on one thread, the slowest post, the share of posts that a second
cleaning leaves as they are, and how much of the text stays.
"""

import argparse
import re
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.real_posts import CORPORA, WITH_BODY, path_of, posts
from benchmarks.redaction import hidden_in_corpora, measure_formats
from benchmarks.world import load_model
from issue_pipeline.utils.clustering import NOISE, cluster_embeddings
from issue_pipeline.utils.embeddings import TextEncoder, clean_item, embed_texts
from issue_pipeline.utils.printable import printable
from issue_pipeline.utils.text_cleaning import clean_body

WORDS_OF_RUN = 5
COMMON_SHARE = 0.01  # of a repository's issues
COMMON_LEAST = 5  # issues
COMMON_LINES = 100
GROUPED_CORPUS = "github_issues"
GROUPED_POSTS = 1500

_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Boilerplate:
    """Template text in one repository's issues.

    Attributes:
        before: Share of the runs of five words that are common to many issues, as written.
        after: The same in the clean texts.
        lines_before: The repository's commonest lines that at least five issues have, at most 100.
        lines_after: How many of those lines some clean issue still has.
    """

    issues: int
    before: float
    after: float
    lines_before: int
    lines_after: int


@dataclass(frozen=True, slots=True)
class Speed:
    """How one source is cleaned.

    Attributes:
        unchanged: Share of the posts that are the same after a second cleaning.
        kept: Characters of all clean texts over those of the bodies.
    """

    posts: int
    posts_per_s: float
    slowest_ms: float
    unchanged: float
    kept: float


@dataclass(frozen=True, slots=True)
class Groups:
    """What the pipeline groups.

    Attributes:
        shared: Groups in which half of the posts or more have a run of five words in common.
        posts_in_shared: How many of the posts those groups hold.
    """

    posts: int
    groups: int
    shared: int
    posts_in_shared: int


def measure_cleaning(corpora: Path) -> dict[str, Any]:
    """Measure all of it.

    Args:
        corpora: The folder of the corpora's files; those that are missing are left out.

    Returns:
        ``{"sources": {source: Speed}, "repositories": {name: Boilerplate}}`` as plain dictionaries.
    """
    sources: dict[str, Any] = {}
    repositories: dict[str, Any] = {}
    for name, source in WITH_BODY.items():
        if not path_of(name, corpora).exists():
            continue
        rows = posts(name, corpora)
        speed, clean = measure_speed(source, [post["body"] or "" for post in rows])
        sources[source] = asdict(speed)
        if source == "github":
            for repo in sorted({post["repo"] for post in rows}):
                pairs = [
                    (post["body"] or "", text)
                    for post, text in zip(rows, clean, strict=True)
                    if post["repo"] == repo
                ]
                repositories[repo] = asdict(measure_boilerplate(pairs))
    return {"sources": sources, "repositories": repositories}


def measure_speed(source: str, bodies: Sequence[str]) -> tuple[Speed, list[str]]:
    """Clean all bodies and time it in seconds of this process, so that neighbours do not count."""
    clean: list[str] = []
    slowest = total = 0.0
    for body in bodies:
        started = time.process_time()
        clean.append(clean_body(source, body))
        took = time.process_time() - started
        total += took
        slowest = max(slowest, took)
    unchanged = sum(clean_body(source, text) == text for text in clean)
    return Speed(
        posts=len(bodies),
        posts_per_s=len(bodies) / total,
        slowest_ms=1000 * slowest,
        unchanged=unchanged / len(bodies),
        kept=sum(map(len, clean)) / sum(map(len, bodies)),
    ), clean


def measure_boilerplate(pairs: Sequence[tuple[str, str]]) -> Boilerplate:
    """Compare a repository's bodies, as written and clean."""
    least = max(COMMON_LEAST, round(COMMON_SHARE * len(pairs)))
    lines = Counter(line for body, _ in pairs for line in set(lines_of(body)))
    common = {line for line, count in lines.most_common(COMMON_LINES) if count >= COMMON_LEAST}
    left = {line for _, text in pairs for line in lines_of(text)} & common
    return Boilerplate(
        issues=len(pairs),
        before=common_share([body for body, _ in pairs], least),
        after=common_share([text for _, text in pairs], least),
        lines_before=len(common),
        lines_after=len(left),
    )


def measure_groups(rows: Sequence[dict[str, Any]], model: TextEncoder) -> dict[str, Groups]:
    """Group posts by what was written and by what was said.

    Args:
        rows: Posts with ``id``, ``source``, ``title`` and ``body``; 1,500 of them, evenly spread,
            are taken.
        model: With 384 dimensions.

    Returns:
        ``{"as written": Groups, "clean": Groups}``.
    """
    some = rows[:: max(1, len(rows) // GROUPED_POSTS)][:GROUPED_POSTS]
    texts = {
        "as written": [f"{post['title']}\n{post['body'] or ''}" for post in some],
        "clean": [clean_item(post).text for post in some],
    }
    return {name: groups_of(text, model) for name, text in texts.items()}


def groups_of(texts: Sequence[str], model: TextEncoder) -> Groups:
    """Group texts and count the groups that have words in common."""
    labels = cluster_embeddings(embed_texts(texts, model)).labels
    sizes = Counter(label for label in labels.tolist() if label != NOISE)
    shared: list[int] = []
    for label, size in sizes.items():
        members = [text for text, other in zip(texts, labels, strict=True) if other == label]
        runs = Counter(run for text in members for run in runs_of(text))
        if runs and 2 * max(runs.values()) >= size:
            shared.append(size)
    return Groups(len(texts), len(sizes), len(shared), sum(shared))


def common_share(texts: Iterable[str], least: int) -> float:
    """Of all runs of five words, each counted once a text, the share that ``least`` texts have."""
    runs = Counter(run for text in texts for run in runs_of(text))
    total = sum(runs.values())
    return sum(count for count in runs.values() if count >= least) / total if total else 0.0


def runs_of(text: str) -> set[str]:
    """The runs of five words; numbers are alike, a run ends with its line."""
    runs: set[str] = set()
    for line in text.lower().splitlines():
        words = _NUMBER.sub("0", line).split()
        runs.update(
            " ".join(words[start : start + WORDS_OF_RUN])
            for start in range(len(words) - WORDS_OF_RUN + 1)
        )
    return runs


def lines_of(text: str) -> list[str]:
    """The lines of three words or more; letter case, marks and numbers do not count."""
    plain = (
        " ".join(re.findall(r"[^\W_]+", _NUMBER.sub("0", line.lower())))
        for line in text.splitlines()
    )
    return [line for line in plain if line.count(" ") >= 2]


def show(console: Console, measured: dict[str, Any]) -> None:
    """Print both tables."""
    table = Table("source", "posts", "posts/s", "slowest ms", "unchanged by 2nd", "text kept")
    for source, row in measured["sources"].items():
        table.add_row(
            source,
            f"{row['posts']:,}",
            f"{row['posts_per_s']:,.0f}",
            f"{row['slowest_ms']:.0f}",
            f"{row['unchanged']:.2%}",
            f"{row['kept']:.0%}",
        )
    console.print(table)
    table = Table("repository", "issues", "boilerplate", "after", "common lines", "after")
    for repo, row in measured["repositories"].items():
        table.add_row(
            repo,
            f"{row['issues']:,}",
            f"{row['before']:.1%}",
            f"{row['after']:.1%}",
            str(row["lines_before"]),
            str(row["lines_after"]),
        )
    console.print(table)


def show_secrets(console: Console, corpora: Path) -> None:
    """Print how many tokens of the table are hidden, and what is hidden in the real posts."""
    formats = list(measure_formats())
    tokens, hidden = sum(one.tokens for one in formats), sum(one.hidden for one in formats)
    console.print(
        f"{len(formats)} formats: {hidden:,} of {tokens:,} tokens hidden ({hidden / tokens:.3%})"
    )
    table = Table("format", "hidden", "not everywhere in")
    for one in formats:
        if one.hidden < one.tokens:
            table.add_row(one.text, f"{one.hidden / one.tokens:.1%}", ", ".join(one.places))
    console.print(table)
    table = Table("source", "hidden in a real post", "in the clean text")
    for source, words, shows in hidden_in_corpora(corpora):
        table.add_row(source, printable(words, 100), "yes" if shows else "")
    console.print(table)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; return 1 if there is no corpus."""
    parser = argparse.ArgumentParser(description="Measure the cleaning of real posts.")
    parser.add_argument("--corpora", type=Path, default=CORPORA)
    parser.add_argument("--groups", action="store_true", help="group issues, too (minutes)")
    parser.add_argument("--secrets", action="store_true", help="what is redacted, too (a minute)")
    options = parser.parse_args(arguments)
    measured = measure_cleaning(options.corpora)
    if not measured["sources"]:
        print(
            f"There is no corpus in {options.corpora}. Name a folder: --corpora.", file=sys.stderr
        )
        return 1
    show(Console(), measured)
    if options.secrets:
        show_secrets(Console(), options.corpora)
    if options.groups and path_of(GROUPED_CORPUS, options.corpora).exists():
        issues = posts(GROUPED_CORPUS, options.corpora)
        for name, groups in measure_groups(issues, load_model()).items():
            print(
                f"{name}: {groups.posts:,} issues, {groups.groups} groups; in {groups.shared} of"
                f" them ({groups.posts_in_shared} issues) half share five words in a row"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
