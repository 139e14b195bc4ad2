"""How long the code location takes to load, beside Dagster itself.

``python -m benchmarks.loading``
"""

import subprocess
import sys
import time
from dataclasses import dataclass

RUNS = 7
# At most this many times ``import dagster``, and so many seconds more.
ALLOWED_RATIO, ALLOWED_MORE_S = 1.3, 0.5


@dataclass(frozen=True, slots=True)
class Loading:
    """Seconds of whole processes, the least of several in turns.

    Attributes:
        dagster_s: ``import dagster``.
        location_s: ``import issue_pipeline.definitions``.
    """

    dagster_s: float
    location_s: float

    @property
    def allowed_s(self) -> float:
        """What loading the code location may take."""
        return ALLOWED_RATIO * self.dagster_s + ALLOWED_MORE_S


def measure(runs: int = RUNS) -> Loading:
    """Load both in turns, so that a busy moment meets both."""
    pairs = [(_seconds("dagster"), _seconds("issue_pipeline.definitions")) for _ in range(runs)]
    dagster, location = zip(*pairs, strict=True)
    return Loading(min(dagster), min(location))


def _seconds(module: str) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-W", "ignore", "-c", f"import {module}"], check=True)
    return time.perf_counter() - started


if __name__ == "__main__":
    found = measure()
    print(
        f"import dagster {found.dagster_s:.2f} s, the code location {found.location_s:.2f} s"
        f" ({found.location_s / found.dagster_s:.2f} times; {found.allowed_s:.2f} s allowed)"
    )
