"""The keys of the assets, for everything that names one."""

import dagster as dg

RAW_ITEMS = dg.AssetKey(["bronze", "raw_items"])
CLUSTERS = dg.AssetKey(["silver", "clusters"])
ISSUES = dg.AssetKey(["gold", "issues"])
PROBLEMS = dg.AssetKey(["gold", "problems"])
LIVE_ISSUES = dg.AssetKey(["gold", "live_issues"])
