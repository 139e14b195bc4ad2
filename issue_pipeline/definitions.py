"""The code location: composition only."""

import dagster as dg

from issue_pipeline import automation
from issue_pipeline.assets import clusters, issues, live_issues, raw_items
from issue_pipeline.settings import resources

defs = dg.Definitions(
    assets=[raw_items, clusters, issues, live_issues],
    jobs=[automation.collect_job, automation.issues_job],
    schedules=[automation.collect_schedule, automation.issues_schedule],
    resources=resources(),
)
