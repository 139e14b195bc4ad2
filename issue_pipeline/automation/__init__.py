"""Automation: jobs, schedules, and sensors.

- ``schedules``: collect yesterday's posts, each source by its own job.
- ``processing``: cluster, label and publish a day when its sources are in, at the latest at the
  deadline, and again when a source's data version changes.
- ``retries``: start failed runs that may succeed later again, with growing waits.
- ``alerts``: post failed runs to a webhook.
- ``problem_alerts``: post changes of problems, and a daily digest, to another.

Sensors read Dagster's own records (runs, materialisations and their tags) or the live store, never
the database that a run may be writing.
"""

from issue_pipeline.automation.alerts import alert_sensors
from issue_pipeline.automation.jobs import all_jobs
from issue_pipeline.automation.problem_alerts import problem_sensors
from issue_pipeline.automation.processing import process_days
from issue_pipeline.automation.retries import try_again
from issue_pipeline.automation.schedules import all_schedules

jobs = all_jobs
schedules = all_schedules
sensors = [process_days, try_again, *alert_sensors(), *problem_sensors()]

__all__ = ["jobs", "schedules", "sensors"]
