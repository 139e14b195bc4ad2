"""What a worker process on a node does with a piece of work."""

import pickle
import socket
import warnings
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from issue_pipeline.errors import NodeMismatchError
from issue_pipeline.resources.compute.node_traits import NodeTraits, traits_of_this_process


def compute_piece(
    known: frozenset[NodeTraits],
    function: Callable[..., Any],
    piece: Any,  # noqa: ANN401
    *arrays: Any,  # noqa: ANN401
) -> bytes:
    """Compute a piece in one thread.

    Args:
        known: Traits of nodes that were found to do. A node may join later.
        function: Of a module.
        piece: Its first argument.
        arrays: Its others, read-only.

    Returns:
        The result, pickled with its arrays: whoever loads it owns them, and may write to them.

    Raises:
        NodeMismatchError: This node is another kind of node.
    """
    found = traits_of_worker()
    if found not in known:
        raise NodeMismatchError(
            f"The node {socket.gethostname()} has joined, or was changed, while work was going on,"
            f" and is of another kind than the others: {found}. Run this again: then all nodes are"
            " compared."
        )
    return pickle.dumps(function(piece, *arrays), protocol=5)


def traits_of_worker() -> NodeTraits:
    """Make this process a worker, if it is none yet, and return its traits."""
    _prepare()
    return traits_of_this_process()


@lru_cache(maxsize=1)
def _prepare() -> None:
    """Compute in one thread from now on."""
    import torch

    torch.set_num_threads(1)
    # Ray's arrays are, and nothing writes to them.
    warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
