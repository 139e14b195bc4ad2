"""The four sources, behind one resource."""

from issue_pipeline.resources.collectors.resource import REDDIT_BACKENDS, CollectorsResource

__all__ = ["REDDIT_BACKENDS", "CollectorsResource"]
