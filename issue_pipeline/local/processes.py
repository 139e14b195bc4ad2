"""Child processes that are ready when reported ready and gone afterwards, whatever happens.

Each child runs under a guard process (see ``guard.py``). The guard holds the read end of a pipe
whose write end is ours; when we end, be it by ``kill -9``, the pipe ends and the guard ends the
child. So nothing here relies on our own cleaning up: it is only the quick and orderly way.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import httpx

from issue_pipeline.local import guard
from issue_pipeline.local.errors import ServiceError
from issue_pipeline.local.ports import LOOPBACK, ReservedPort

LOG_TAIL_LINES = 15
_LOG_TAIL_BYTES = 16_384
_POLL_S = 0.05
_PROBE_TIMEOUT_S = 2.0
_PORT_ATTEMPTS = 3
# What the guard may need beyond the child's grace time before it is killed, too.
_GUARD_MARGIN_S = 5.0


class ManagedProcess:
    """One child process and, behind it, its process group.

    A context manager: started on entering, stopped on leaving. Not for use by several threads.

    Args:
        name: For messages: "PocketBase".
        command: Program and arguments.
        log: File for its output, emptied at each start; its folder is made. ``None`` for our own
            standard error, whatever that is.
        environment: Variables on top of our own.
        stop_grace_s: How long it may take to end after SIGTERM before it is killed.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path | None,
        environment: Mapping[str, str] | None = None,
        stop_grace_s: float = guard.DEFAULT_GRACE_S,
    ) -> None:
        self.name = name
        self.log = log
        self._command = list(command)
        self._environment = {**os.environ, **(environment or {})}
        self._stop_grace_s = stop_grace_s
        self._guard: subprocess.Popen[bytes] | None = None
        self._pid: int | None = None

    @property
    def pid(self) -> int:
        """Process id of the child (not of its guard), which leads a process group of its own.

        Raises:
            ServiceError: It is not started.
        """
        if self._pid is None:
            raise ServiceError(f"{self.name} is not started.")
        return self._pid

    @property
    def guard_pid(self) -> int:
        """Process id of the guard.

        Raises:
            ServiceError: It is not started.
        """
        if self._guard is None:
            raise ServiceError(f"{self.name} is not started.")
        return self._guard.pid

    def start(self) -> None:
        """Start the child; it need not be ready for anything yet.

        Raises:
            ServiceError: It is started already, or the command cannot be executed.
        """
        if self._guard is not None:
            raise ServiceError(f"{self.name} is started already; stop it first.")
        guarded = [sys.executable, "-I", "-S", guard.__file__]
        guarded += ["--parent-pid", str(os.getpid()), "--grace-s", str(self._stop_grace_s)]
        with self._output() as log:
            # A session of its own: Ctrl-C in a terminal reaches us, and we decide what to stop.
            self._guard = subprocess.Popen(
                [*guarded, "--", *self._command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=self._environment,
                start_new_session=True,
            )
        try:
            self._pid = self._started_pid(self._guard)
        except BaseException:
            self.stop()
            raise

    def wait_until_ready(
        self, is_ready: Callable[[], bool], limit_s: float, advice: str = ""
    ) -> None:
        """Wait until the child says that it is ready, and is still there after saying so.

        Args:
            is_ready: Asks it; called again and again.
            limit_s: After so many seconds it is given up and stopped.
            advice: What to do when it does not start; ends the message.

        Raises:
            ServiceError: It ended, or was not ready in time. The message holds its last words.
        """
        deadline = time.monotonic() + limit_s
        while self.is_running():
            if is_ready() and self.is_running():
                return
            if time.monotonic() > deadline:
                self.stop()
                raise ServiceError(
                    self._account(f"was not ready after {limit_s:g} s and was stopped", advice)
                )
            self._nap()
        raise ServiceError(self._account(self._how_it_ended(), advice))

    def is_running(self) -> bool:
        """Return whether the child (strictly: its guard, which ends with it) is still there."""
        return self._guard is not None and self._guard.poll() is None

    def require_running(self, advice: str = "") -> None:
        """Raise ``ServiceError`` with its last words if it has ended."""
        if not self.is_running():
            raise ServiceError(self._account(self._how_it_ended(), advice))

    def stop(self) -> None:
        """End the child and its process group and wait until they are gone. Can be repeated."""
        process = self._guard
        if process is None:
            return
        self.ask_to_stop()
        try:
            process.wait(self._stop_grace_s + _GUARD_MARGIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.returncode < 0 and self._pid is not None:
            # The guard was killed and could not do its work.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._pid, signal.SIGKILL)
        if process.stdout is not None:
            process.stdout.close()
        self._guard = None
        self._pid = None

    def ask_to_stop(self) -> None:
        """Close the lifeline, upon which the guard ends the child; does not wait."""
        if self._guard is not None and self._guard.stdin is not None:
            self._guard.stdin.close()

    @contextlib.contextmanager
    def _output(self) -> Iterator[IO[bytes] | None]:
        """Open the log; ``None`` stands for our own standard error."""
        if self.log is None:
            yield None
            return
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as log:
            yield log

    def log_tail(self) -> str:
        """Return the last lines of its output; ``""`` if there are none, or they are not kept."""
        if self.log is None:
            return ""
        try:
            with self.log.open("rb") as log:
                size = log.seek(0, os.SEEK_END)
                log.seek(max(0, size - _LOG_TAIL_BYTES))
                text = log.read().decode("utf-8", errors="replace")
        except FileNotFoundError:
            return ""
        return "\n".join(text.strip().splitlines()[-LOG_TAIL_LINES:])

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _started_pid(self, process: "subprocess.Popen[bytes]") -> int:
        report = process.stdout.readline().decode().strip() if process.stdout else ""
        outcome, _, detail = report.partition(" ")
        if outcome != guard.STARTED:
            reason = detail or "its guard ended without a report"
            raise ServiceError(
                self._account(f"could not be started: {reason}", f"Is {self._command[0]} there?")
            )
        return int(detail)

    def _nap(self) -> None:
        """Sleep between two questions, but wake at once when the child ends."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            if self._guard is not None:
                self._guard.wait(_POLL_S)

    def _how_it_ended(self) -> str:
        if self._guard is None:
            return "is not running"
        return f"ended with status {self._guard.returncode}"

    def _account(self, what: str, advice: str) -> str:
        if self.log is None:
            return f"{self.name} {what}. {advice}".rstrip()
        tail = self.log_tail()
        last_words = f"The end of {self.log}:\n{tail}" if tail else f"{self.log} is empty."
        return f"{self.name} {what}. {advice}".rstrip() + "\n" + last_words


class LocalServer:
    """A child process that answers HTTP on a free port of the loopback interface.

    ``start`` and ``wait_until_ready`` are separate so that several servers can start concurrently.
    As a context manager it does both, and stops the server on leaving.

    Args:
        name: For messages.
        command: Makes the command for a port.
        health_path: Answers with a 2xx when the server is ready: "/health".
        log: File for its output.
        environment: Variables on top of our own.
        start_limit_s: How long it may take to become ready.
        advice: What to do when it does not start.
        preferred_port: Taken if it is free, so that the address stays the same.
    """

    def __init__(
        self,
        name: str,
        command: Callable[[int], Sequence[str]],
        *,
        health_path: str,
        log: Path,
        environment: Mapping[str, str] | None = None,
        start_limit_s: float = 60.0,
        advice: str = "",
        preferred_port: int | None = None,
    ) -> None:
        self.name = name
        self._command = command
        self._health_path = health_path
        self._log = log
        self._environment = environment
        self._start_limit_s = start_limit_s
        self._advice = advice
        self._preferred_port = preferred_port
        self._port: ReservedPort | None = None
        self._process: ManagedProcess | None = None

    @property
    def process(self) -> ManagedProcess:
        """The child.

        Raises:
            ServiceError: The server is not started.
        """
        if self._process is None:
            raise ServiceError(f"{self.name} is not started.")
        return self._process

    @property
    def url(self) -> str:
        """``http://127.0.0.1:PORT``, without a slash at the end; settled once it is ready.

        Raises:
            ServiceError: The server is not started.
        """
        if self._port is None:
            raise ServiceError(f"{self.name} is not started.")
        return f"http://{LOOPBACK}:{self._port.number}"

    def start(self) -> None:
        """Start the server on a free port without waiting for it.

        Raises:
            ServiceError: It is started already, or its command cannot be executed.
            LocalSetupError: There is no free port.
        """
        if self._process is not None:
            raise ServiceError(f"{self.name} is started already; stop it first.")
        self._port = ReservedPort(self._preferred_port)
        self._process = ManagedProcess(
            self.name,
            self._command(self._port.number),
            log=self._log,
            environment=self._environment,
        )
        try:
            self._process.start()
        except BaseException:
            self.stop()
            raise

    def wait_until_ready(self) -> None:
        """Wait until the server is healthy; if its port was snatched, start it on another.

        Raises:
            ServiceError: It ended or was not healthy in time. It is stopped then.
        """
        for attempt in range(1, _PORT_ATTEMPTS + 1):
            try:
                self.process.wait_until_ready(
                    lambda: answers(self.url + self._health_path), self._start_limit_s, self._advice
                )
            except ServiceError:
                self.process.stop()
                snatched = self._port is not None and not self._port.is_bindable()
                self.stop()
                if not snatched or attempt == _PORT_ATTEMPTS:
                    raise
                self.start()
            else:
                return

    def require_running(self) -> None:
        """Raise ``ServiceError`` with its last words if it has ended."""
        self.process.require_running(self._advice)

    def stop(self) -> None:
        """Stop the server and give the port back. Can be repeated."""
        if self._process is not None:
            self._process.stop()
            self._process = None
        if self._port is not None:
            self._port.release()
            self._port = None

    def __enter__(self) -> Self:
        self.start()
        try:
            self.wait_until_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.stop()


def answers(url: str) -> bool:
    """Return whether a GET of the URL gives a 2xx; a refused or broken connection counts as no."""
    try:
        # No proxy for the loopback interface, whatever the environment says.
        return httpx.get(url, timeout=_PROBE_TIMEOUT_S, trust_env=False).is_success
    except httpx.TransportError:
        return False
