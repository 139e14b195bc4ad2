"""From a day's issues to problems that are followed over the days."""

from issue_pipeline.problems.identity import link_issues as link_issues
