"""Stops work that would go on for minutes, as quadratic work on a long hostile text does.

This measures nothing. The limit is tens of times what linear work on such a text needs, and the
texts are so long that quadratic work would need tens of times the limit. Processor time is counted,
so that a busy machine changes nothing.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

CPU_LIMIT_S = 10.0
# Repetitions of a hostile text up to this length: the square is 4 * 10^10 steps.
LONG_TEXT_CHARS = 200_000


@contextmanager
def stopped_if_it_runs_away(cpu_limit_s: float = CPU_LIMIT_S) -> Iterator[None]:
    """Fail what uses more processor time than this; for the main thread only.

    Raises:
        AssertionError: The limit was reached; raised within the work, also within an expression.
    """

    def stop(_number: int, _frame: object) -> None:
        raise AssertionError(f"More than {cpu_limit_s:g} s of processor time: it is not linear.")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, cpu_limit_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
