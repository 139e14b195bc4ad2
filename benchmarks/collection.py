"""Memory and time of collecting one enormous source-day: ``python -m benchmarks.collection``.

A simulated source serves a day of posts from a process of its own; another collects it and writes
it to a database, as a step does. Reported is the peak memory of the latter alone.
"""

import argparse
import json
import multiprocessing
import resource
import socket
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import uvicorn

from issue_pipeline.sandbox.world.posts import SimulatedPost

DAY = datetime(2026, 3, 10, tzinfo=UTC)
AFTER = DAY + timedelta(days=1)
DAY_S = 86_400
UNPACED = 1e6
# About the mean of real issues, which are the longest posts of the four sources.
BODY_CHARS = 3_000


class EnormousWorld:
    """One source, one day and a post of the next, at even distances, every body different."""

    def __init__(self, source: str, count: int) -> None:
        self._source = source
        self._count = count

    def posts(self, source: str, day: date) -> Sequence[SimulatedPost]:
        """Return the day's posts, and the one by which the source shows that it got beyond it."""
        if source != self._source or day not in (DAY.date(), AFTER.date()):
            return ()
        numbers = range(self._count) if day == DAY.date() else (self._count,)
        return [self._post(number) for number in numbers]

    def channels(self, source: str) -> tuple[str, ...]:
        """One channel."""
        return ("story",)

    def _post(self, number: int) -> SimulatedPost:
        words = f"The nightly export number {number} stops halfway and nobody knows why. "
        return SimulatedPost(
            number=number,
            source=self._source,
            channel="story",
            author="quietotter",
            title=f"The nightly export {number} stops halfway",
            body=(words * (BODY_CHARS // len(words) + 1))[:BODY_CHARS],
            created_at=DAY + timedelta(seconds=number * DAY_S / self._count),
            comment_count=3,
            vote_count=5,
        )


def _serve(source: str, count: int, listener: socket.socket) -> None:
    from issue_pipeline.sandbox.apis.app import create_app

    app = create_app(
        EnormousWorld(source, count),
        now=lambda: DAY + timedelta(days=2),
        reddit_client_id="id",
        reddit_client_secret="secret",
        time_scale=UNPACED,
        history_days=3,
    )
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
    server.run(sockets=[listener])


def _collect(source: str, address: str, folder: str, results: "multiprocessing.Queue[str]") -> None:
    from issue_pipeline.assets.bronze import distinct
    from issue_pipeline.resources.collectors import CollectorsResource
    from issue_pipeline.resources.duckdb import IssuesDatabase
    from issue_pipeline.sql import bronze

    paced = {"requests_per_minute": UNPACED}
    collectors = CollectorsResource(
        cache_dir=folder,
        github={"api_url": f"{address}/github", "query": "is:issue", **paced},
        stackoverflow={"api_url": f"{address}/stackexchange", "key": "a-key", **paced},
        hackernews={"api_url": f"{address}/hackernews", **paced},
    )
    before_mb = _peak_mb()
    started_at, started_s = datetime.now(UTC), time.monotonic()
    collection, posts = distinct(collectors.collect(source, DAY.date()))
    fetched_mb, fetched_s = _peak_mb(), time.monotonic() - started_s
    with IssuesDatabase(database=str(Path(folder) / "issues.duckdb")).write() as connection:
        entry = bronze.store_collection(
            connection,
            source,
            DAY.date(),
            posts,
            collection,
            started_at=started_at,
            finished_at=datetime.now(UTC),
        )
    results.put(
        json.dumps(
            {
                "source": source,
                "stored": entry.stored_count,
                "complete": entry.complete,
                "requests": entry.requests,
                "peak MB": round(_peak_mb()),
                "of which before": round(before_mb),
                "of which after fetching": round(fetched_mb),
                "seconds to fetch": round(fetched_s, 1),
                "seconds to store": round(time.monotonic() - started_s - fetched_s, 1),
            }
        )
    )


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Print one line of JSON for each source."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--posts", type=int, default=100_000)
    parser.add_argument("--sources", default="github,stackoverflow,hackernews")
    options = parser.parse_args()
    # Fresh processes: what this one has loaded is not to be counted.
    spawn = multiprocessing.get_context("spawn")
    for source in options.sources.split(","):
        with (
            socket.create_server(("127.0.0.1", 0)) as listener,
            tempfile.TemporaryDirectory() as folder,
        ):
            server = spawn.Process(target=_serve, args=(source, options.posts, listener))
            server.start()
            try:
                results = spawn.Queue()
                address = f"http://127.0.0.1:{listener.getsockname()[1]}"
                client = spawn.Process(target=_collect, args=(source, address, folder, results))
                client.start()
                print(results.get(timeout=1_800), flush=True)
                client.join()
            finally:
                server.terminate()
                server.join()


if __name__ == "__main__":
    main()
