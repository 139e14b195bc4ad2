"""Serve the simulated APIs: ``python -m issue_pipeline.sandbox.apis --port 8400``.

The credentials that Reddit accepts come from ``REDDIT_CLIENT_ID`` and ``REDDIT_CLIENT_SECRET``.
Ready when ``/health`` answers.
"""

import argparse
import os
import sys
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import uvicorn

from issue_pipeline.sandbox.apis.app import create_app
from issue_pipeline.sandbox.apis.faults import PROFILES
from issue_pipeline.sandbox.apis.timeline import DEFAULT_HISTORY_DAYS
from issue_pipeline.sandbox.world.posts import World

LOOPBACK_HOSTS = ("127.0.0.1", "::1", "localhost")
DEFAULT_SEED = 7
DEFAULT_POSTS_PER_DAY = 1500
# The sandbox asks 6,000 times a minute, for nobody should wait for limits that are not real. The
# narrowest, 30 searches a minute, leaves room for that when its minute lasts a fifth of a second.
DEFAULT_TIME_SCALE = 300.0


def main(arguments: list[str] | None = None) -> int:
    """Run the server until a signal stops it.

    Args:
        arguments: Of the command line; those of the process by default.

    Returns:
        The exit status: 2 for a missing setting.
    """
    options = _parser().parse_args(arguments)
    missing = [
        name for name in ("REDDIT_CLIENT_ID", "REDDIT_CLIENT_SECRET") if not os.environ.get(name)
    ]
    if missing:
        print(
            f"{' and '.join(missing)} not set: the simulator needs the credentials "
            "that its Reddit shall accept; any text will do.",
            file=sys.stderr,
        )
        return 2
    fixed_now: datetime | None = options.now
    app = create_app(
        _build_world(options),
        now=None if fixed_now is None else lambda: fixed_now,
        reddit_client_id=os.environ["REDDIT_CLIENT_ID"],
        reddit_client_secret=os.environ["REDDIT_CLIENT_SECRET"],
        time_scale=options.time_scale,
        history_days=options.history_days,
        busy_reddit=True,
        faults=replace(PROFILES[options.faults], seed=options.fault_seed),
    )
    # One worker: the tokens, the counts and the cache live in this process.
    uvicorn.run(app, host=options.host, port=options.port, access_log=False, log_level="warning")
    return 0


def _build_world(options: argparse.Namespace) -> World:
    # Imported here: each brings data that the other does not need.
    if options.corpus is not None:
        from issue_pipeline.sandbox.world.corpus import CorpusWorld

        return CorpusWorld(options.corpus, options.days)
    from issue_pipeline.sandbox.world.synthetic import SyntheticWorld

    return SyntheticWorld(options.seed, options.posts_per_day)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m issue_pipeline.sandbox.apis", description="Serve the simulated APIs."
    )
    parser.add_argument("--host", default="127.0.0.1", choices=LOOPBACK_HOSTS)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED, help="of the synthetic world")
    parser.add_argument("--posts-per-day", type=int, default=DEFAULT_POSTS_PER_DAY)
    parser.add_argument("--corpus", type=Path, help="serve the real posts of this file or folder")
    parser.add_argument(
        "--days", type=_days, default=(), help="the days the corpus is dealt onto: A,B,..."
    )
    parser.add_argument("--now", type=_moment, help="stop the simulator's clock at this time")
    parser.add_argument(
        "--time-scale",
        type=float,
        default=DEFAULT_TIME_SCALE,
        help="how many times shorter limit windows are; 1 for the real ones",
    )
    parser.add_argument(
        "--history-days",
        type=int,
        default=DEFAULT_HISTORY_DAYS,
        help="how far back from its end a query finds posts",
    )
    parser.add_argument("--faults", choices=PROFILES, default="none", help="what goes wrong")
    parser.add_argument("--fault-seed", type=int, default=0, help="of everything that goes wrong")
    return parser


def _days(text: str) -> tuple[date, ...]:
    return tuple(date.fromisoformat(part) for part in text.split(","))


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


if __name__ == "__main__":
    sys.exit(main())
