"""What runs by itself: jobs, their schedules, and the sensors that react to what happened.

- ``schedules``: yesterday's posts are collected, each source by its own job.
- ``processing``: a day is clustered, labelled and published when its sources are in, at the
  latest at the deadline, and again when something arrives late.
- ``retries``: what failed and may succeed later is run again, after ever longer waits.
- ``alerts``: a failed run is told to a webhook.
"""

from issue_pipeline.automation.alerts import alert_sensors
from issue_pipeline.automation.jobs import all_jobs
from issue_pipeline.automation.processing import process_days
from issue_pipeline.automation.retries import try_again
from issue_pipeline.automation.schedules import all_schedules

jobs = all_jobs
schedules = all_schedules
sensors = [process_days, try_again, *alert_sensors()]

__all__ = ["jobs", "schedules", "sensors"]
