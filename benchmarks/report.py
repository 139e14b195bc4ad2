"""What a benchmark found: tables to read, and the same as JSON to compare with."""

import argparse
import json
import math
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

Row = dict[str, Any]


class Report:
    """Collects tables; prints each as it comes."""

    def __init__(self) -> None:
        self._tables: dict[str, list[Row]] = {}
        self._console = Console(width=140)

    def add(self, title: str, *rows: Row) -> None:
        """Add rows to a table and print them; all of a table have the same columns."""
        if not rows:
            return
        self._tables.setdefault(title, []).extend(map(_finite, rows))
        table = Table(*rows[0], title=title, title_justify="left")
        for row in rows:
            table.add_row(*map(_written, row.values()))
        self._console.print(table)

    def save(self, path: Path) -> None:
        """Write everything as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self._tables, indent=1, allow_nan=False))
        self._console.print(f"Written to {path}.")


Part = Callable[[Report, argparse.Namespace], None]


def run_parts(
    parser: argparse.ArgumentParser, parts: Mapping[str, Part], corpora: Path, output: Path
) -> int:
    """Run all parts, or those that the command line names.

    Args:
        parser: With the options that only some of the parts know.
        parts: By name.
        corpora: The real posts, without which nothing is measured.
        output: Where the report goes, unless the command line says otherwise.

    Returns:
        The exit status: 2 if there are no real posts.
    """
    parser.add_argument("parts", nargs="*", choices=[[], *parts], default=[])
    parser.add_argument("--cache", type=Path, default=Path(".sandbox/vectors"))
    parser.add_argument("--output", type=Path, default=output)
    options = parser.parse_args()
    if not corpora.is_dir():
        print(f"There are no real posts at {corpora}.", file=sys.stderr)
        return 2
    report = Report()
    for name in options.parts or parts:
        parts[name](report, options)
        report.save(options.output)  # what has been measured is not lost with what comes
    return 0


def _finite(row: Row) -> Row:
    """JSON knows no NaN."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in row.items()
    }


def _written(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
