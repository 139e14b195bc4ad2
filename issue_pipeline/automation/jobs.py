"""Jobs: one for each source, one for a day's issues, one for the freshness checks."""

import dagster as dg

from issue_pipeline.assets import clusters, issues, live_issues, problems, raw_items
from issue_pipeline.assets.freshness import freshness_checks
from issue_pipeline.resources.collectors.registry import SOURCES

# Whether all sources are fresh is asked on a schedule of its own, not while the first one comes in.
_COLLECTED = dg.AssetSelection.assets(raw_items) - dg.AssetSelection.checks(freshness_checks)

# One for each source, so that each has a schedule, a history and a state of its own in the UI.
collect_jobs = {
    source.name: dg.define_asset_job(
        f"collect_{source.name}",
        selection=_COLLECTED,
        description=f"Collect one day's posts from {source.title}: partition DAY|{source.name}.",
    )
    for source in SOURCES.values()
}
find_issues_job = dg.define_asset_job(
    "find_issues",
    selection=[clusters, issues, problems, live_issues],
    description="Cluster, label, follow and publish the problems of one day.",
)
check_freshness_job = dg.define_asset_job(
    "check_freshness",
    selection=dg.AssetSelection.checks(freshness_checks),
    description="Has every source been collected lately? One check for each.",
)

# Tags of what runs by itself: today's day does not wait behind a backfill of last year's.
BEFORE_BACKFILLS = {"dagster/priority": "1"}

all_jobs = [*collect_jobs.values(), find_issues_job, check_freshness_job]
