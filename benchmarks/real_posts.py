"""Corpora of real posts, in the format of docs/corpora.md: the folder that ``CORPORA`` names."""

import gzip
import json
import os
from pathlib import Path
from typing import Any

CORPORA = Path(os.environ.get("CORPORA") or "../shared/data/corpora")
# The corpora whose posts have bodies, and their source: together they are the whole real day.
WITH_BODY = {
    "github_issues": "github",
    "reddit_posts": "reddit",
    "stackoverflow_questions_full": "stackoverflow",
    "hackernews_stories": "hackernews",
}


def path_of(name: str, corpora: Path = CORPORA) -> Path:
    """Name the file of a corpus."""
    return corpora / f"{name}.jsonl.gz"


def posts(name: str, corpora: Path = CORPORA) -> list[dict[str, Any]]:
    """Read a corpus."""
    with gzip.open(path_of(name, corpora), "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]
