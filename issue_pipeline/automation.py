"""Jobs and schedules: what can be started, and what starts by itself."""

import dagster as dg

from issue_pipeline.assets import clusters, issues, live_issues, raw_items

collect_job = dg.define_asset_job(
    "collect",
    selection=[raw_items],
    description="Collect the posts of one source and day.",
)
issues_job = dg.define_asset_job(
    "find_issues",
    selection=[clusters, issues, live_issues],
    description="Cluster, label and publish one day.",
)

# Half an hour for the sources to index the last posts of the day.
collect_schedule = dg.build_schedule_from_partitioned_job(
    collect_job,
    name="collect_yesterday",
    hour_of_day=0,
    minute_of_hour=30,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="All four sources of yesterday, at 00:30 UTC.",
)
issues_schedule = dg.build_schedule_from_partitioned_job(
    issues_job,
    name="find_issues_of_yesterday",
    hour_of_day=6,
    minute_of_hour=0,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Cluster, label and publish yesterday, at 06:00 UTC, with what was collected.",
)
