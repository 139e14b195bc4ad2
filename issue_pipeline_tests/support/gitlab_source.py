"""A fifth source, as another package would add it: this module, and an entry point that names it.

Source: https://docs.gitlab.com/api/issues/
"""

from datetime import datetime

import dagster as dg
from pydantic import Field

from issue_pipeline.records import Collection, Post
from issue_pipeline.resources.collectors.collection_builder import Item, Reader
from issue_pipeline.resources.collectors.http import ApiPolicy, expect
from issue_pipeline.resources.collectors.parsing import count, from_iso, identifier, text
from issue_pipeline.resources.collectors.source import Source, SourceDay

PAGE_SIZE = 10
API_POLICY = ApiPolicy("GitLab", "GITLAB_API_URL", "GITLAB_TOKEN")


class GitLabConfig(dg.Config):
    api_url: str = "https://gitlab.com"
    token: str = Field(default="", repr=False)
    labels: list[str] = Field(default=[])
    requests_per_minute: float = Field(default=60, gt=0)


def parse_issue(item: Item) -> Post:
    return Post(
        source="gitlab",
        url=expect(item, "web_url", str, "GitLab"),
        title=text(item.get("title")),
        body=text(item.get("description")),
        created_at=from_iso(expect(item, "created_at", str, "GitLab")),
        comment_count=count(item.get("user_notes_count")),
        vote_count=count(item.get("upvotes")),
    )


def identify(item: Item) -> tuple[str, datetime]:
    return identifier(item, "id", "GitLab"), parse_issue(item).created_at


READER = Reader(identify, parse_issue)


def collect(config: GitLabConfig, day: SourceDay) -> Collection:
    headers = {"Authorization": f"Bearer {config.token}"}
    span = {"created_after": f"{day.builder.day.date}T00:00:00Z", "per_page": PAGE_SIZE}
    with (
        day.client(API_POLICY, config.api_url, config.requests_per_minute, headers) as client,
        day.builder.keeping_what_came(),
    ):
        page, found = 1, {"": None}
        while found:
            issues = client.get("/api/v4/issues", {**span, "page": page}).payload
            found = day.builder.add_page(issues, READER, skip_other_days=True)
            page += 1
    return day.builder.collection(client)


SOURCE = Source("gitlab", "GitLab", "GITLAB", GitLabConfig, collect, cleaned_as="github")
