"""Where embedding and clustering are computed: in this process, or on a Ray cluster."""

from issue_pipeline.resources.compute.resource import ComputeResource as ComputeResource
