"""A real Ray cluster of several hosts: one is this machine, the others are network namespaces.

Where namespaces may not be made, all nodes are of this machine. A node is killed as a machine dies:
every process of it at once, with SIGKILL.
"""

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from issue_pipeline.local.ports import ReservedPort
from issue_pipeline.local.processes import ManagedProcess

ROOT = Path(__file__).parents[2]
START_LIMIT_S = 90.0
# The least that Ray takes, and more than enough for the days of the tests.
STORE_BYTES = 120_000_000
# One for all clusters of this process: Ray reads it once.
AUTHENTICATION = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(16)}
_RAY = Path(sys.executable).with_name("ray")


@dataclass
class Node:
    """Processes of one node, and where it is reached."""

    process: ManagedProcess
    ip: str

    def kill(self) -> None:
        """End every process of the node at once, its worker processes, too."""
        leader = psutil.Process(self.process.pid)
        processes = [leader, *leader.children(recursive=True)]
        for one in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.suspend()  # or those that are left would notice, and end in another way
        for one in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.send_signal(signal.SIGKILL)
        self.process.stop()

    def workers(self) -> list[psutil.Process]:
        """Processes that compute pieces, or wait for some."""
        children = psutil.Process(self.process.pid).children(recursive=True)
        return [one for one in children if _name(one).startswith("ray::")]


def _name(process: psutil.Process) -> str:
    try:
        return (process.cmdline() or [""])[0]
    except psutil.Error:
        return ""


@dataclass
class RayCluster:
    """Nodes of one cluster.

    Attributes:
        folder: Of Ray's sockets and logs; short, as a socket's path must be.
        address: Of its head, ``host:port``.
        hosts: Where nodes run: a prefix of every command, and the address.
        environment: What drivers and nodes need to belong to it.
    """

    folder: Path
    address: str
    client_port: int
    hosts: list[tuple[list[str], str]]
    environment: dict[str, str]
    nodes: list[Node] = field(default_factory=list)

    def start_node(self, *, cpus: int = 1, options: Sequence[str] = (), **variables: str) -> Node:
        """Start the next node, the head first; it is there when this returns."""
        number = len(self.nodes)
        prefix, ip = self.hosts[min(number, len(self.hosts) - 1)]
        port = self.address.partition(":")[2]
        role = [f"--address={self.address}"]
        if not self.nodes:
            role = ["--head", f"--port={port}", f"--ray-client-server-port={self.client_port}"]
            role += ["--include-dashboard=false", f"--temp-dir={self.folder}"]
        command = [str(_RAY), "start", *role, f"--node-ip-address={ip}", f"--num-cpus={cpus}"]
        command += ["--disable-usage-stats", f"--object-store-memory={STORE_BYTES}", "--block"]
        process = ManagedProcess(
            f"Node {number}",
            [*prefix, *command, *options],
            log=self.folder / f"node{number}.log",
            environment={**self.environment, **variables},
            stop_grace_s=5,
        )
        process.start()
        self.nodes.append(Node(process, ip))
        log = self.folder / f"node{number}.log"
        process.wait_until_ready(lambda: "Ray runtime started" in log.read_text(), START_LIMIT_S)
        return self.nodes[-1]

    def stop(self) -> None:
        for node in reversed(self.nodes):
            with contextlib.suppress(Exception):
                node.kill()
        self.nodes.clear()


@contextmanager
def ray_cluster() -> Iterator[RayCluster]:
    """Prepare a cluster without a node yet, and end every node that the block started."""
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="ray"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        hosts = stack.enter_context(_hosts())
        port, client = (stack.enter_context(ReservedPort()).number for _ in range(2))
        cluster = RayCluster(
            folder,
            f"{hosts[0][1]}:{port}",
            client,
            hosts,
            {
                "PYTHONPATH": str(ROOT),
                **AUTHENTICATION,
                # Nothing of the cluster is on the way to a proxy.
                "NO_PROXY": ",".join(["127.0.0.1", "localhost", *(ip for _, ip in hosts)]),
            },
        )
        stack.callback(cluster.stop)
        yield cluster


@contextmanager
def _hosts() -> Iterator[list[tuple[list[str], str]]]:
    """Make a second host, reached by a wire, or return this one alone."""
    name, third = f"ray{os.getpid()}", os.getpid() % 250 + 1
    ours, theirs = f"10.213.{third}.1", f"10.213.{third}.2"
    wire = f"{name[:12]}a"
    inside = ["ip", "netns", "exec", name]
    try:
        _run("ip", "netns", "add", name)
    except (OSError, subprocess.CalledProcessError):
        yield [([], "127.0.0.1")]
        return
    try:
        _run("ip", "link", "add", wire, "type", "veth", "peer", "name", "eth0", "netns", name)
        _run("ip", "addr", "add", f"{ours}/24", "dev", wire)
        _run("ip", "link", "set", wire, "up")
        for words in (f"addr add {theirs}/24 dev eth0", "link set eth0 up", "link set lo up"):
            _run(*inside, "ip", *words.split())
        yield [([], ours), (inside, theirs)]
    finally:
        subprocess.run(["ip", "link", "del", wire], capture_output=True)
        subprocess.run(["ip", "netns", "del", name], capture_output=True)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
