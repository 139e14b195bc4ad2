"""Run one command that does not outlive the process that started it.

``python -m issue_pipeline.local.guard --parent-pid PID -- command ...``

The guard's standard input is its lifeline: the read end of a pipe of which only the parent holds
the other end. However the parent goes, the kernel closes that end, the guard reads end-of-file and
ends the command's whole process group, politely first. On its standard output the guard reports in
one line how the start went: ``started PID`` or ``failed REASON``. Output of the command goes to the
guard's standard error.

It needs nothing but the standard library, so that it starts in a few milliseconds.
"""

import argparse
import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from types import FrameType

DEFAULT_GRACE_S = 5.0
STARTED = "started"
FAILED = "failed"
COULD_NOT_START = 127
# How often to look whether the parent is still there, should a stray copy of the lifeline be held
# open by some process that the parent forked.
_PARENT_CHECK_S = 1.0
_PR_SET_PDEATHSIG = 1
_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def main(arguments: list[str] | None = None) -> int:
    """Run the command until it ends or has to.

    Args:
        arguments: Of the command line; those of the process by default.

    Returns:
        The command's exit status, 128 + N if signal N ended it; 127 if it could not be started.
    """
    options = _parser().parse_args(arguments)
    signals = _SignalBox()
    try:
        child = subprocess.Popen(
            options.command,
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            start_new_session=True,  # a process group of its own, which can be ended as a whole
            preexec_fn=_death_with_guard(),
        )
    except (OSError, subprocess.SubprocessError) as error:
        _report(f"{FAILED} {error}")
        return COULD_NOT_START
    _report(f"{STARTED} {child.pid}")
    while child.poll() is None:
        lifeline_moved = signals.wait(sys.stdin.fileno(), _PARENT_CHECK_S)
        if lifeline_moved or signals.asked_to_stop or os.getppid() != options.parent_pid:
            _end(child, options.grace_s)
    # Whatever the command left behind in its group.
    _signal_group(child.pid, signal.SIGKILL)
    status = child.returncode
    return status if status >= 0 else 128 - status


class _SignalBox:
    """Wakes a ``select`` on signals: SIGCHLD, or one that asks us to stop."""

    def __init__(self) -> None:
        self.asked_to_stop = False
        self._wakeup, writing_end = os.pipe()
        os.set_blocking(self._wakeup, False)
        os.set_blocking(writing_end, False)
        signal.set_wakeup_fd(writing_end, warn_on_full_buffer=False)
        # Handlers, not SIG_IGN: the command must start with the default dispositions.
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        for number in _STOP_SIGNALS:
            signal.signal(number, self._stop)

    def wait(self, lifeline: int, timeout_s: float) -> bool:
        """Wait for a signal, the lifeline or the time.

        Returns:
            Whether the lifeline is readable. Nobody writes to it, so that is its end.
        """
        readable, _, _ = select.select([lifeline, self._wakeup], [], [], timeout_s)
        if self._wakeup in readable:
            os.read(self._wakeup, 4096)
        return lifeline in readable

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self.asked_to_stop = True


def _death_with_guard() -> Callable[[], None] | None:
    """Return what makes the kernel kill the child when the guard is killed; None but on Linux."""
    if not sys.platform.startswith("linux"):
        return None
    # Loaded before the fork: afterwards as little as possible should run.
    set_process_option = ctypes.CDLL(None, use_errno=True).prctl
    guard_pid = os.getpid()

    def before_exec() -> None:
        set_process_option(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != guard_pid:  # The guard died before the line above took effect.
            os._exit(COULD_NOT_START)

    return before_exec


def _end(child: "subprocess.Popen[bytes]", grace_s: float) -> None:
    _signal_group(child.pid, signal.SIGTERM)
    try:
        child.wait(grace_s)
    except subprocess.TimeoutExpired:
        _signal_group(child.pid, signal.SIGKILL)
        child.wait()


def _signal_group(group: int, number: signal.Signals) -> None:
    # Gone already; macOS says "not permitted" of a group of which only a zombie is left.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _report(line: str) -> None:
    """Report to the parent, which may be gone already, and close the channel."""
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.write(line.replace("\n", " ") + "\n")
        sys.stdout.flush()
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, sys.stdout.fileno())
    os.close(silence)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m issue_pipeline.local.guard")
    parser.add_argument("--parent-pid", type=int, default=os.getppid())
    parser.add_argument("--grace-s", type=float, default=DEFAULT_GRACE_S)
    parser.add_argument("command", nargs="+")
    return parser


if __name__ == "__main__":
    sys.exit(main())
