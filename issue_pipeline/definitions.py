"""The code location, composed of assets, automation and resources."""

import dagster as dg

from issue_pipeline import automation
from issue_pipeline.assets import clusters, issues, live_issues, problems, raw_items
from issue_pipeline.assets.freshness import freshness_checks
from issue_pipeline.settings import resources

defs = dg.Definitions(
    assets=[raw_items, clusters, issues, problems, live_issues],
    asset_checks=[freshness_checks],
    jobs=automation.jobs,
    schedules=automation.schedules,
    sensors=automation.sensors,
    resources=resources(),
    # A run has one partition, whose steps follow each other: processes of their own would only load
    # the same libraries and models again.
    executor=dg.in_process_executor,
)
