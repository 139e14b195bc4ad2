"""From a cluster to its label: what models are asked, what is checked, and what is kept."""

from issue_pipeline.labels.schema import IssueLabel as IssueLabel
