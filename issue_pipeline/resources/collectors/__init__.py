"""The sources of posts, behind one resource."""

from issue_pipeline.resources.collectors.resource import CollectorsResource

__all__ = ["CollectorsResource"]
