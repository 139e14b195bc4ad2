"""From a cluster to its label: what models are asked, what is checked, and what is kept."""

from issue_pipeline.labels.problem_scoring import problem_score as problem_score
from issue_pipeline.labels.schema import IssueLabel as IssueLabel
