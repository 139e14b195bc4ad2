"""``python -m issue_pipeline_tests.support.run_source_day SOURCE DAY``: one source, published.

Prints what the code location has of the source, as JSON on the last line.
"""

import json
import sys

import dagster as dg


def main(source: str, day: str) -> None:
    from issue_pipeline.definitions import defs
    from issue_pipeline.partitions import SOURCES

    key = dg.MultiPartitionKey({"source": source, "date": day})
    with dg.DagsterInstance.ephemeral() as instance:
        for job, partition in ((f"collect_{source}", key), ("find_issues", day)):
            result = defs.resolve_job_def(job).execute_in_process(
                partition_key=partition, instance=instance
            )
            assert result.success
    repository = defs.get_repository_def()
    print()
    print(
        json.dumps(
            {
                "sources": SOURCES,
                "schedules": {one.name: one.cron_schedule for one in repository.schedule_defs},
                "checks": [key.name for key in defs.resolve_asset_graph().asset_check_keys],
                "settings": repr(getattr(defs.resources["collectors"], source)),
            }
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
