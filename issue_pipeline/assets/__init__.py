"""The five assets: each resolves its partition, calls plain functions, writes, reports."""

from issue_pipeline.assets.bronze import raw_items
from issue_pipeline.assets.gold import issues
from issue_pipeline.assets.linking import problems
from issue_pipeline.assets.live import live_issues
from issue_pipeline.assets.silver import clusters

__all__ = ["clusters", "issues", "live_issues", "problems", "raw_items"]
