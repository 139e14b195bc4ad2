"""A real Ray node whose object store is full, and whose disk has no room to continue on."""

from collections.abc import Iterator
from importlib.util import find_spec

import numpy as np
import pytest

from issue_pipeline.errors import ObjectStoreFullError
from issue_pipeline.resources.compute import ComputeResource
from issue_pipeline_tests.support.ray_cluster import STORE_BYTES, ray_cluster

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("ray") is None, reason="the extra ray is not installed"),
]

# Of the space of its disk, as Ray counts: a node with any file on its disk is beyond this share.
ALMOST_NOTHING = "0.0001"


@pytest.fixture(scope="module")
def compute() -> Iterator[ComputeResource]:
    with ray_cluster() as cluster, pytest.MonkeyPatch.context() as patch:
        for name, value in cluster.environment.items():
            patch.setenv(name, value)
        cluster.start_node(RAY_local_fs_capacity_threshold=ALMOST_NOTHING)
        yield ComputeResource(address=cluster.address)


def test_vectors_that_no_longer_fit_are_an_error_that_says_what_to_do(compute: ComputeResource):
    array = np.zeros(STORE_BYTES // 2 // 4, dtype=np.float32)
    with compute.executor() as executor:
        shared = [executor.share(array)]
        with pytest.raises(ObjectStoreFullError, match="--object-store-memory"):
            shared += [executor.share(array), executor.share(array)]


def test_a_result_that_does_not_fit_is_an_error_too(compute: ComputeResource):
    with compute.executor() as executor:
        results = executor.map(np.zeros, [10, STORE_BYTES // 4])
        assert len(next(results)) == 10
        with pytest.raises(ObjectStoreFullError, match="--temp-dir"):
            next(results)
