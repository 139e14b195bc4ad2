"""An executor on a Ray cluster.

Ray keeps the arrays in its object store, hands out the pieces and repeats those whose node was
lost. What it does not do is done here: no piece is waited for without a bound, a lost head is
noticed, nodes that would compute otherwise are refused, and every failure says what to do.
"""

import importlib
import importlib.util
import logging
import os
import pickle
import socket
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from issue_pipeline.errors import (
    ClusterAccessError,
    ClusterUnreachableError,
    ComputeError,
    ConfigurationError,
    NodeLostError,
    NodeMismatchError,
    ObjectStoreFullError,
    PieceTimeoutError,
)
from issue_pipeline.resources.compute.node_traits import (
    NodeTraits,
    Versions,
    traits_of_this_process,
    versions_of_this_process,
)
from issue_pipeline.resources.compute.worker import compute_piece, traits_of_worker
from issue_pipeline.utils.executor import PIECES_AHEAD, Piece, Result
from issue_pipeline.utils.precision import Precision

logger = logging.getLogger(__name__)

# Times that a piece is computed again when its node or its worker process was lost.
MAX_RETRIES = 3
# How long the head may be out of reach: Ray's processes themselves end after a minute.
HEAD_GRACE_S = 20.0
CONNECT_TIMEOUT_S = 5.0
# A worker process starts, and imports torch, before it can tell its traits.
PROBE_TIMEOUT_S = 120.0
# Of a GPU, so that a node with GPUs alone can be asked beside the pieces that it computes.
_GPU_SHARE = 0.001
_POLL_S = 2.0
# How often nodes are counted, while pieces are handed out: a cluster may grow.
_COUNT_EVERY_S = 10.0

_current: "RayExecutor | None" = None


@contextmanager
def connected(address: str, piece_timeout_s: float) -> Iterator["RayExecutor"]:
    """Connect this process to a cluster until the block ends; within such a block, use that one.

    Raises:
        ConfigurationError: The extra ``ray`` is not installed.
        ComputeError: The cluster cannot be used; the message says why.
    """
    global _current
    if _current is not None:
        yield _current
        return
    ray = _imported_ray()
    head = _connect(ray, address)
    try:
        nodes = _probe(ray, address)
        _current = RayExecutor(ray, address, head, nodes, piece_timeout_s)
        # The first use of the task, while the head has just answered.
        list(_current.map(abs, [0]))
        yield _current
    finally:
        _current = None
        ray.shutdown()


class RayExecutor:
    """Runs pieces as tasks of Ray: one CPU each, or one GPU each where the cluster has any.

    Tasks, and not actors: a task goes to whichever node is free and is repeated elsewhere when its
    node is lost, without a line of ours. What a piece needs again and again, such as a model, it
    keeps in its worker process, which Ray uses for many pieces.

    Attributes:
        precision: In which every node embeds alike: that of the nodes where they agree, else
            float32.
    """

    def __init__(
        self,
        ray: Any,  # noqa: ANN401  (optional, so mypy must do without it)
        address: str,
        head: tuple[str, int],
        nodes: frozenset[NodeTraits],
        piece_timeout_s: float,
    ) -> None:
        """Run pieces over a connection that is open.

        Args:
            ray: The module, connected.
            address: As configured, for messages.
            head: Host and port that answer as long as the head lives.
            nodes: Traits of all nodes.
            piece_timeout_s: Longest wait for a piece.
        """
        self._ray = ray
        self._address = address
        self._head = head
        self._nodes = nodes
        self._piece_timeout_s = piece_timeout_s
        # One for all pieces: the first use sends its code to the head, and waits for that without a
        # bound.
        self._task = ray.remote(compute_piece)
        self.precision = _common_precision(nodes)
        self._counted_at_s = -_COUNT_EVERY_S
        self._slots = 0
        self._has_gpus = False

    def share(self, array: NDArray[Any]) -> object:
        """Put the array into the object store; every node fetches it once.

        Raises:
            ObjectStoreFullError: There is no room.
            ClusterUnreachableError: The head is lost.
        """
        with self._named_errors():
            return self._ray.put(np.ascontiguousarray(array))

    def map(
        self,
        function: Callable[..., Result],
        pieces: Iterable[Piece],
        *shared: object,
    ) -> Iterator[Result]:
        """Call the function for each piece, as of :class:`issue_pipeline.utils.executor.Executor`.

        Raises:
            ComputeError: The cluster failed; the message says how.
        """
        ahead: deque[Any] = deque()

        def first() -> Result:
            result: Result = self._result(ahead[0])
            ahead.popleft()
            return result

        try:
            for piece in pieces:
                ahead.append(self._submit(function, piece, shared))
                if len(ahead) >= PIECES_AHEAD * self._count_slots():
                    yield first()
            while ahead:
                yield first()
        finally:
            for one in ahead:
                _cancel(self._ray, one)

    def _submit(self, function: Callable[..., Any], piece: Any, shared: tuple[object, ...]) -> Any:  # noqa: ANN401
        with self._named_errors():
            self._count_slots()
            task = self._task.options(
                num_cpus=1, num_gpus=int(self._has_gpus), max_retries=MAX_RETRIES
            )
            return task.remote(self._nodes, function, piece, *shared)

    def _count_slots(self) -> int:
        """Return how many pieces the cluster computes at a time, as far as is known; at least 1."""
        now_s = time.monotonic()
        if now_s - self._counted_at_s >= _COUNT_EVERY_S:
            self._counted_at_s = now_s
            require_head(self._head, self._address)  # which is asked, and might not answer
            with self._named_errors():
                there = self._ray.cluster_resources()
            self._has_gpus = there.get("GPU", 0) >= 1
            self._slots = max(1, int(there.get("GPU" if self._has_gpus else "CPU", 0)))
        return self._slots

    def _result(self, reference: Any) -> Any:  # noqa: ANN401
        deadline_s = time.monotonic() + self._piece_timeout_s
        while True:
            try:
                with self._named_errors():
                    found = self._ray.get(reference, timeout=_POLL_S)
            except self._ray.exceptions.GetTimeoutError:
                require_head(self._head, self._address)
                if time.monotonic() > deadline_s:
                    raise PieceTimeoutError(
                        f"A piece of work was not done within {self._piece_timeout_s:.0f} s on the"
                        f" Ray cluster at {self._address}. `ray status` shows whether it has free"
                        " nodes; where pieces just take long, raise RAY_PIECE_TIMEOUT_S."
                    ) from None
            else:
                return pickle.loads(found)  # noqa: S301  (of our own workers)

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        """Raise Ray's errors as ours, except that a wait is over."""
        with _named_errors(self._ray, self._address):
            yield


def require_head(head: tuple[str, int], address: str) -> None:
    """Return once the head answers.

    Raises:
        ClusterUnreachableError: It has not for so long that it is lost.
    """
    deadline_s = time.monotonic() + HEAD_GRACE_S
    while not _answers(head):
        if time.monotonic() > deadline_s:
            raise ClusterUnreachableError(
                f"The head of the Ray cluster at {address} was lost in the middle of the work:"
                f" {head[0]}:{head[1]} does not answer any more. Start the cluster again, then run"
                " this again; nothing was stored."
            )
        time.sleep(1)


def _answers(place: tuple[str, int]) -> bool:
    try:
        with socket.create_connection(place, timeout=CONNECT_TIMEOUT_S):
            return True
    except OSError:
        return False


def _imported_ray() -> Any:  # noqa: ANN401  (optional, so mypy must do without it)
    if importlib.util.find_spec("ray") is None:
        raise ConfigurationError(
            "RAY_ADDRESS is set, but ray is not installed. Install the extra: pip install -c"
            " constraints.txt -e '.[ray]'; or unset RAY_ADDRESS."
        )
    # A head that was lost is reported by us, as an error. Ray would end the process without one.
    os.environ.setdefault("RAY_gcs_rpc_server_reconnect_timeout_s", "86400")
    return importlib.import_module("ray")


def _connect(ray: Any, address: str) -> tuple[str, int]:  # noqa: ANN401
    """Connect; return where the head answers."""
    place = _place(address.removeprefix("ray://")) if address != "auto" else None
    if place is not None and not _answers(place):
        raise ClusterUnreachableError(
            f"No Ray cluster answers at {address} (RAY_ADDRESS). Is its head running, and the port"
            " open to this machine?"
        )
    with _named_errors(ray, address):
        ray.init(
            address=address,
            log_to_driver=False,
            logging_level=logging.ERROR,
            configure_logging=False,
        )
        if place is None:
            place = _place(ray.get_runtime_context().gcs_address)
    return place


def _place(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def _probe(ray: Any, address: str) -> frozenset[NodeTraits]:  # noqa: ANN401
    """Return the traits of every node that computes, and of this machine.

    Raises:
        NodeMismatchError: A node has other versions than this machine.
        ComputeError: A node does not answer.
    """
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    # Plain functions that every node knows, and nothing of ours: it may not be installed there.
    def versions() -> Any:  # noqa: ANN401
        try:
            from issue_pipeline.resources.compute.node_traits import versions_of_this_process
        except ImportError as error:
            return f"{type(error).__name__}: {error}"
        found = versions_of_this_process()
        return found.python, found.code, found.packages

    def on(node: dict[str, Any], function: Callable[[], Any]) -> Any:  # noqa: ANN401
        where = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
        options = {"num_cpus": 0, "num_gpus": gpu, "scheduling_strategy": where, "max_retries": 0}
        return ray.remote(function).options(**options).remote()

    with _named_errors(ray, address):
        alive = [node for node in ray.nodes() if node["Alive"]]
        # Where pieces are computed: on GPUs, if there are any.
        with_gpus = [node for node in alive if node["Resources"].get("GPU", 0) >= 1]
        nodes = with_gpus or [node for node in alive if node["Resources"].get("CPU", 0) >= 1]
        gpu = _GPU_SHARE if with_gpus else 0
        try:
            found = ray.get([on(node, versions) for node in nodes], timeout=PROBE_TIMEOUT_S)
            _require_same_versions(dict(zip(map(_name, nodes), found, strict=True)))
            told = [on(node, traits_of_worker) for node in nodes]
            traits = ray.get(told, timeout=PROBE_TIMEOUT_S)
        except ray.exceptions.GetTimeoutError:
            raise PieceTimeoutError(
                f"The nodes of the Ray cluster at {address} did not tell their versions within"
                f" {PROBE_TIMEOUT_S:.0f} s. `ray status` shows whether they are well."
            ) from None
    return _compared(dict(zip(map(_name, nodes), traits, strict=True)))


def _name(node: dict[str, Any]) -> str:
    return f"{node['NodeManagerHostname']} ({node['NodeManagerAddress']}, {node['NodeID'][:8]})"


def _require_same_versions(found: dict[str, Any]) -> None:
    ours = versions_of_this_process()
    wrong = []
    for node, there in found.items():
        if isinstance(there, str):
            wrong.append(f"{node}: {there}")
        elif differences := ours.differences(Versions(*there)):
            wrong.append(f"{node}: {'; '.join(differences)}")
    if wrong:
        raise NodeMismatchError(
            "Nodes of the Ray cluster do not have what this machine has:\n"
            + "\n".join(wrong)
            + "\nInstall the same version of issue_pipeline there, with the same constraints.txt"
            " (docs/scale.md), and start them again."
        )


def _compared(nodes: dict[str, NodeTraits]) -> frozenset[NodeTraits]:
    """Return the traits found, ours included; log where they make a difference."""
    ours = traits_of_this_process()
    everywhere = frozenset([ours, *nodes.values()])
    if len(everywhere) > 1:
        kinds = "; ".join(
            f"{name}: {one.precision}, products {one.products}/{one.model_products}"
            for name, one in {"this machine": ours, **nodes}.items()
        )
        logger.warning(
            "The machines of the Ray cluster do not compute alike, so vectors are computed in"
            " %s, and may differ in their last bits with the node that computed them (%s)",
            _common_precision(everywhere),
            kinds,
        )
    return everywhere


def _common_precision(nodes: frozenset[NodeTraits]) -> Precision:
    """Return the precision in which all compute alike, float32 where there is none."""
    kinds = {(one.precision, one.model_products) for one in nodes}
    return next(iter(kinds))[0] if len(kinds) == 1 else "float32"


def _cancel(ray: Any, reference: Any) -> None:  # noqa: ANN401
    """Cancel a piece that nobody waits for any more, and end its process if it has begun.

    Interrupted in the middle of an import, the process would keep half a module, and every later
    piece in it would fail.
    """
    try:
        ray.cancel(reference, force=True)
    except Exception:
        logger.debug("a piece of work could not be cancelled", exc_info=True)


@contextmanager
def _named_errors(ray: Any, address: str) -> Iterator[None]:  # noqa: ANN401
    """Raise errors of Ray as ours, and those of pieces as what they were."""
    try:
        yield
    except ray.exceptions.GetTimeoutError:
        raise
    except ray.exceptions.RayTaskError as error:
        # A node's own about a result; the base class stands for what cannot be sent.
        if isinstance(error.cause, ray.exceptions.RayError) and (
            type(error.cause) is not ray.exceptions.RayError
        ):
            raise _translated(ray, error.cause, address) from error
        raise error.cause from error
    except (ray.exceptions.RayError, ConnectionError, RuntimeError, ValueError) as error:
        raise _translated(ray, error, address) from error


def _translated(ray: Any, error: Exception, address: str) -> ComputeError:  # noqa: ANN401
    """Return the error of ours that stands for one of Ray's."""
    known = ray.exceptions
    said = f"{type(error).__name__}: {error}"
    where = f"the Ray cluster at {address}"
    if isinstance(error, known.AuthenticationError) or "AuthToken" in said:
        return ClusterAccessError(
            f"{where} refuses our token. Set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN, or"
            f" RAY_AUTH_TOKEN_PATH, as on its head ({said})."
        )
    if isinstance(error, (known.ObjectStoreFullError, known.OutOfDiskError)):
        return ObjectStoreFullError(
            f"{where} has no room for vectors or results, neither in its object store nor on the"
            " disk where that continues. Make room on the disk of --temp-dir, or start the nodes"
            f" with a larger --object-store-memory (docs/scale.md: how much is needed). {said}"
        )
    if "Version mismatch" in said:
        return NodeMismatchError(
            f"{where} runs other versions: {error}\nInstall the same there, with the same"
            " constraints.txt (docs/scale.md)."
        )
    if isinstance(error, known.OutOfMemoryError):
        return NodeLostError(
            f"A node of {where} ran out of memory. Start it with fewer --num-cpus, or give it more"
            f" memory. {said}"
        )
    if isinstance(
        error,
        (
            known.NodeDiedError,
            known.WorkerCrashedError,
            known.ObjectLostError,
            known.TaskUnschedulableError,
        ),
    ):
        return NodeLostError(
            f"{where} lost the nodes that computed a piece of work, {MAX_RETRIES + 1} in a row."
            f" `ray status` shows which are left. Run this again; nothing was stored. {said}"
        )
    return ClusterUnreachableError(
        f"{where} cannot be used (RAY_ADDRESS). Is its head running, this machine one of its nodes"
        " (`ray start --address`; from outside use ray://HOST:10001), and RAY_AUTH_TOKEN with"
        f" RAY_AUTH_MODE=token set as there? {said}"
    )
