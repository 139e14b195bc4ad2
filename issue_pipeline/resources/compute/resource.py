"""``ComputeResource``: hands out the executor that pieces of arithmetic run on."""

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Annotated

import dagster as dg
from pydantic import AfterValidator, Field

from issue_pipeline.resources.environment import wrong
from issue_pipeline.utils.executor import Executor, LocalExecutor

if TYPE_CHECKING:
    from issue_pipeline.resources.compute.ray_executor import RayExecutor

DEFAULT_PIECE_TIMEOUT_S = 600.0
_ADDRESS = re.compile(r"auto|(ray://)?([\w.-]+|\[[0-9a-fA-F:]+\]):\d{1,5}")


def check_ray_address(address: str) -> str:
    """Accept ``auto``, ``HOST:PORT``, ``ray://HOST:PORT``, or nothing."""
    if address and not _ADDRESS.fullmatch(address):
        raise wrong("auto, HOST:PORT or ray://HOST:PORT")
    return address


class ComputeResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Hands out an executor.

    Attributes:
        address: Of a Ray cluster: ``auto`` for the one that this machine belongs to, ``HOST:PORT``
            of its head for the same, ``ray://HOST:PORT`` from outside; empty for none, so that
            everything is computed in this process.
        piece_timeout_s: Longest wait for a piece of work on the cluster, in seconds; one takes
            seconds.
    """

    address: Annotated[str, AfterValidator(check_ray_address)] = ""
    piece_timeout_s: float = Field(default=DEFAULT_PIECE_TIMEOUT_S, gt=0)

    @contextmanager
    def executor(self) -> Iterator[Executor]:
        """Hand out an executor until the block ends; within another such block, the same one.

        Raises:
            ConfigurationError: The extra ``ray`` is not installed.
            ComputeError: The cluster cannot be used; the message says why.
        """
        if not self.address:
            yield LocalExecutor()
            return
        with self.cluster() as executor:
            yield executor

    def cluster(self) -> "AbstractContextManager[RayExecutor]":
        """Hand out the executor on the cluster; :attr:`address` must be set.

        Raises:
            ConfigurationError: As of :meth:`executor`.
            ComputeError: Likewise.
        """
        # Not imported without a cluster.
        from issue_pipeline.resources.compute.ray_executor import connected

        return connected(self.address, self.piece_timeout_s)
