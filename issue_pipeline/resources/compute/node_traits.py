"""What the results of a node depend on: versions, and how its processor computes."""

import platform
from dataclasses import asdict, dataclass
from functools import lru_cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import issue_pipeline
from issue_pipeline.utils.precision import Precision, best_precision

PACKAGES = ("numpy", "scipy", "torch", "sentence-transformers", "transformers", "tokenizers")
_CODE = Path(issue_pipeline.__file__).parent
# What runs on nodes; the rest may change without them.
_RUNS_ON_NODES = ("utils", "resources/compute", "resources/embedding")


@dataclass(frozen=True, slots=True)
class Versions:
    """What must be the same everywhere.

    Attributes:
        python: Without the patch level.
        code: Digest of the modules of this package that run on nodes.
        packages: As installed, ``none`` for one that is not, in the order of ``PACKAGES``.
    """

    python: str
    code: str
    packages: tuple[str, ...]

    def differences(self, other: "Versions") -> list[str]:
        """Name what differs, such as ``torch 2.13.0 here, 2.12.0 there``."""
        ours, theirs = self._named(), other._named()
        return [
            f"{name} {ours[name]} here, {theirs[name]} there"
            for name in ours
            if ours[name] != theirs[name]
        ]

    def _named(self) -> dict[str, str]:
        named = asdict(self)
        packages = named.pop("packages")
        return {
            "Python": named["python"],
            "the code of issue_pipeline": named["code"],
            **dict(zip(PACKAGES, packages, strict=True)),
        }


@dataclass(frozen=True, slots=True)
class NodeTraits:
    """What the results of a node depend on.

    Attributes:
        versions: Must be the same everywhere.
        precision: In which its processor embeds best.
        products: Digest of a few float32 and float64 products in one thread. Nodes where it is the
            same round alike, whatever their processors are called.
        model_products: The same of products in that precision.
    """

    versions: Versions
    precision: Precision
    products: str
    model_products: str


@lru_cache(maxsize=1)
def traits_of_this_process() -> NodeTraits:
    """Look at this process; takes as long as torch takes to be imported."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as pieces are computed: several add up in another order
    try:
        numbers = np.random.default_rng(0).standard_normal((96, 384), dtype=np.float32)
        x = torch.from_numpy(numbers)
        single = torch.addmm(x.square().sum(dim=1), x, x.T)
        norms = torch.linalg.vector_norm(x, dim=1, dtype=torch.float64)
        double = x.double() @ x.double().T
        precision = best_precision("cuda" if torch.cuda.is_available() else "cpu")
        rounded = x.to(getattr(torch, precision))
        model = torch.nn.functional.linear(rounded, rounded).float()
    finally:
        torch.set_num_threads(threads)
    return NodeTraits(
        versions_of_this_process(),
        precision,
        _digest(single.numpy(), norms.numpy(), double.numpy()),
        _digest(model.numpy()),
    )


@lru_cache(maxsize=1)
def versions_of_this_process() -> Versions:
    """Read versions and code; imports nothing heavy."""
    python = ".".join(platform.python_version_tuple()[:2])
    return Versions(python, _code_digest(), tuple(map(_version, PACKAGES)))


def _code_digest() -> str:
    digest = sha256()
    for file in sorted(file for part in _RUNS_ON_NODES for file in (_CODE / part).rglob("*.py")):
        digest.update(f"{file.relative_to(_CODE)}\n".encode() + file.read_bytes())
    return digest.hexdigest()[:12]


def _version(package: str) -> str:
    try:
        return version(package).partition("+")[0]
    except PackageNotFoundError:
        return "none"


def _digest(*arrays: NDArray[Any]) -> str:
    digest = sha256()
    for array in arrays:
        digest.update(array.tobytes())
    return digest.hexdigest()[:12]
