"""The rate limiter of an API: one request at a time on this machine, never sooner than allowed.

What is left of an allowance belongs to the credential, not to the process: a backfill that runs
four steps at once must not ask four times as fast. So the next allowed moment stands in a small
file, and whoever holds the file's lock may ask. A process that dies frees the lock.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

from filelock import FileLock, Timeout

from issue_pipeline.errors import (
    CacheFolderError,
    ConfigurationError,
    QuotaExhaustedError,
    TimeBudgetError,
)

logger = logging.getLogger(__name__)

# No limit of the four lasts longer than a day.
LONGEST_HOLD_S = 26 * 3_600.0
_TOLD_WAIT_S = 5.0


class TimeBudget:
    """What is left of the time that one source-day may take."""

    def __init__(self, minutes: float) -> None:
        self.minutes = minutes
        self._end_s = time.monotonic() + 60 * minutes

    @property
    def left_s(self) -> float:
        """Seconds left; below 0 when it is spent."""
        return self._end_s - time.monotonic()


class RateLimiter:
    """When one client of one API may send, shared by every process that uses the same folder.

    Attributes:
        waited_s: Seconds that this object has waited for permits.
    """

    def __init__(
        self, folder: Path, client: str, requests_per_minute: float, budget: TimeBudget
    ) -> None:
        """Prepare; nothing is waited for yet.

        Args:
            folder: Where the next permitted moments are kept. Its contents may be thrown away at
                any time.
            client: Whoever the API counts together, such as address and credential. Only a hash
                of it is written down.
            requests_per_minute: Above 0.
            budget: Of the source-day.

        Raises:
            ConfigurationError: The folder cannot be written to.
        """
        self.waited_s = 0.0
        self._interval_s = 60.0 / requests_per_minute
        self._budget = budget
        path = folder / sha256(client.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        self._next_at_path = path.with_suffix(".next")
        self._lock = FileLock(path.with_suffix(".lock"))
        try:
            self._next_at_path.touch()
        except OSError as error:
            raise ConfigurationError(
                f"Cannot write to the folder {folder} ({error.strerror}). Set ISSUES_CACHE_DIR to"
                " one that can be written to."
            ) from error

    @contextmanager
    def permit(self, api: str, remedy: str = "") -> Iterator[None]:
        """Wait until a request may be sent, and keep every other process from sending meanwhile.

        Args:
            api: What messages call the API.
            remedy: What a message advises when the wait is too long.

        Raises:
            TimeBudgetError: No time is left.
            QuotaExhaustedError: The API wants a longer pause than there is time.
        """
        started_s = time.monotonic()
        try:
            while True:
                self._acquire(api)
                pause_s = self._next_at() - time.time()
                if pause_s <= 0:
                    break
                self._lock.release()
                self._sleep(pause_s, api, remedy)
            self._set_next_at(time.time() + self._interval_s)
            self.waited_s += time.monotonic() - started_s
            yield
        finally:
            self._lock.release()

    def hold_for(self, seconds: float) -> None:
        """Let nobody send for this long: the API asked for it. Call it while holding a permit."""
        moment = time.time() + min(seconds, LONGEST_HOLD_S)
        self._set_next_at(max(self._next_at(), moment))

    def _acquire(self, api: str) -> None:
        try:
            self._lock.acquire(timeout=max(0.0, self._budget.left_s))
        except Timeout:
            raise self._out_of_time(api) from None
        except OSError as error:
            raise ConfigurationError(
                f"The file system of {self._next_at_path.parent} has no file locks"
                f" ({error.strerror}), by which processes share the limits of {api}. Set"
                " ISSUES_CACHE_DIR to a folder on a local disk."
            ) from error
        if self._budget.left_s <= 0:
            raise self._out_of_time(api)

    def _sleep(self, pause_s: float, api: str, remedy: str) -> None:
        if pause_s > self._budget.left_s:
            if pause_s <= self._interval_s + 1:  # our own pace, not the API's wish
                raise self._out_of_time(api)
            raise QuotaExhaustedError(
                f"{api} wants a pause of another {pause_s:.0f} s; {self._budget.left_s:.0f} s are"
                f" left of the source-day's time.{remedy}"
            )
        if pause_s > _TOLD_WAIT_S:
            logger.info("%s: waiting %.0f s for its limits", api, pause_s)
        time.sleep(pause_s)

    def _out_of_time(self, api: str) -> TimeBudgetError:
        return TimeBudgetError(
            f"{api}: the {self._budget.minutes:g} minutes that a source-day may take are over"
            " (COLLECT_TIME_BUDGET_MINUTES)."
        )

    def _next_at(self) -> float:
        """Read the moment from which on a request may be sent, in seconds since 1970."""
        with suppress(OSError, ValueError):
            next_at, noted_at = map(float, self._next_at_path.read_text().split())
            # A note from the future was written before the clock was set back.
            if noted_at <= time.time() + 1 and next_at - noted_at <= LONGEST_HOLD_S + 1:
                return next_at
        return 0.0

    def _set_next_at(self, moment: float) -> None:
        try:
            self._next_at_path.write_text(f"{moment:.3f} {time.time():.3f}")
        except OSError as error:
            raise CacheFolderError(
                f"Cannot write to {self._next_at_path} ({error.strerror}), by which processes share"
                " the limits of an API. Make room there, or set ISSUES_CACHE_DIR."
            ) from error
