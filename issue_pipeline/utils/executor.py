"""Executors: they map a function over pieces of work, in this process or on other machines.

What a piece gives depends on the piece and on the arrays, never on who computes it or how many do:
each is computed in one thread, for several would add up in another order.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

Piece = TypeVar("Piece")
Result = TypeVar("Result")
# What a piece of work gets of an array: the same numbers, where they are computed with.
Shared: TypeAlias = "NDArray[Any] | Tensor"

# Pieces handed out before their turn, for each worker: enough that none waits for the next.
PIECES_AHEAD = 2


class Executor(Protocol):
    """Runs pieces of work."""

    def share(self, array: NDArray[Any]) -> object:
        """Bring an array to where the pieces run, once; return what to give to :meth:`map`.

        The array must not change afterwards.
        """

    def map(
        self, function: Callable[..., Result], pieces: Iterable[Piece], *shared: object
    ) -> Iterator[Result]:
        """Call ``function(piece, *arrays)`` for each piece, some of them at once.

        Args:
            function: A function of a module, without side effects; the arrays are read-only to it.
            pieces: Taken as they are needed, a few ahead of the results.
            shared: Of :meth:`share`; the function gets the arrays.

        Returns:
            The results in the order of the pieces. A few at most are held at a time.

        Raises:
            What the function raises.
        """


class LocalExecutor:
    """Runs pieces in threads of this process, each piece in one.

    As many as torch used when the executor was made: while pieces run, torch tells a new thread 1.
    """

    def __init__(self) -> None:
        """Count torch's threads."""
        import torch

        self._threads = torch.get_num_threads()

    def share(self, array: NDArray[Any]) -> Shared:
        """Return the array itself, or a copy on the GPU where there is one."""
        import torch

        return torch.from_numpy(array).cuda() if torch.cuda.is_available() else array

    def map(
        self, function: Callable[..., Result], pieces: Iterable[Piece], *shared: object
    ) -> Iterator[Result]:
        """Call the function for each piece, as of :class:`Executor`."""
        import torch

        ahead: deque[Future[Result]] = deque()
        workers = ThreadPoolExecutor(self._threads, initializer=_compute_alone)
        try:
            for piece in pieces:
                ahead.append(workers.submit(function, piece, *shared))
                if len(ahead) >= PIECES_AHEAD * self._threads:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            workers.shutdown(cancel_futures=True)
            # Torch gives every later thread what any thread has set last.
            torch.set_num_threads(self._threads)


def _compute_alone() -> None:
    """Let this thread compute without further ones, for as long as it lives."""
    import torch

    torch.set_num_threads(1)
    # The number is fixed when it is first asked for: another map may end, and reset it, before.
    torch.get_num_threads()
