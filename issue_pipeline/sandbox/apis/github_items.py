"""Issues and pull requests in the JSON of the GitHub REST API."""

from typing import Any

from issue_pipeline.sandbox.apis.addresses import (
    GITHUB_FIRST_ID,
    base36,
    github_issue_number,
    stable_number,
)
from issue_pipeline.sandbox.world.posts import SimulatedPost

API = "https://api.github.com"
SITE = "https://github.com"
PULL_REQUEST_EVERY = 9  # one issue in nine is answered by a pull request
_REACTIONS = ("+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes")


def has_pull_request(post: SimulatedPost) -> bool:
    """Return whether somebody opened a pull request for the issue, in the same second."""
    return post.number % PULL_REQUEST_EVERY == 0


def search_item(post: SimulatedPost, kind: str) -> dict[str, Any]:
    """Return a post as ``/search/issues`` does.

    Args:
        post: A GitHub post.
        kind: ``issue`` or ``pull-request``: the issue itself, or the pull request made for it.

    Returns:
        The item, with its ``score``.
    """
    return {**(_issue(post) if kind == "issue" else _pull_request(post)), "score": 1.0}


def listing_item(post: SimulatedPost, kind: str) -> dict[str, Any]:
    """Return a post as ``/repos/{owner}/{repo}/issues`` does; arguments as for ``search_item``."""
    return {**(_issue(post) if kind == "issue" else _pull_request(post)), "closed_by": None}


def _issue(post: SimulatedPost) -> dict[str, Any]:
    number = github_issue_number(post)
    return {
        **_common(post, number, post.title, post.body),
        "html_url": f"{SITE}/{post.channel}/issues/{number}",
        "id": GITHUB_FIRST_ID + number,
        "node_id": f"I_{base36(GITHUB_FIRST_ID + number)}",
        "type": None,
        "sub_issues_summary": {"total": 0, "completed": 0, "percent_completed": 0},
        "issue_dependencies_summary": {
            "blocked_by": 0,
            "total_blocked_by": 0,
            "blocking": 0,
            "total_blocking": 0,
        },
    }


def _pull_request(post: SimulatedPost) -> dict[str, Any]:
    issue_number = github_issue_number(post)
    number = issue_number + 1
    page = f"{SITE}/{post.channel}/pull/{number}"
    return {
        **_common(post, number, f"Fix: {post.title}", f"Closes #{issue_number}."),
        "html_url": page,
        "id": GITHUB_FIRST_ID + number,
        "node_id": f"PR_{base36(GITHUB_FIRST_ID + number)}",
        "draft": False,
        "pull_request": {
            "url": f"{API}/repos/{post.channel}/pulls/{number}",
            "html_url": page,
            "diff_url": f"{page}.diff",
            "patch_url": f"{page}.patch",
            "merged_at": None,
        },
    }


def _common(post: SimulatedPost, number: int, title: str, body: str | None) -> dict[str, Any]:
    repository = f"{API}/repos/{post.channel}"
    url = f"{repository}/issues/{number}"
    created = post.created_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    votes = max(0, post.vote_count)  # the world's votes are thumbs up here
    return {
        "url": url,
        "repository_url": repository,
        "labels_url": f"{url}/labels{{/name}}",
        "comments_url": f"{url}/comments",
        "events_url": f"{url}/events",
        "number": number,
        "title": title,
        "user": _user(post.author),
        "labels": [_label(repository, name) for name in post.tags],
        "state": "open",
        "locked": False,
        "assignee": None,
        "assignees": [],
        "milestone": None,
        "comments": post.comment_count,
        "created_at": created,
        "updated_at": created,
        "closed_at": None,
        "author_association": "NONE",
        "active_lock_reason": None,
        "body": body,
        "reactions": {
            "url": f"{url}/reactions",
            "total_count": votes,
            **dict.fromkeys(_REACTIONS, 0),
            "+1": votes,
        },
        "timeline_url": f"{url}/timeline",
        "performed_via_github_app": None,
        "state_reason": None,
    }


def _user(login: str) -> dict[str, Any]:
    number = stable_number(login)
    url = f"{API}/users/{login}"
    return {
        "login": login,
        "id": number,
        "node_id": f"U_{base36(number)}",
        "avatar_url": f"https://avatars.githubusercontent.com/u/{number}?v=4",
        "gravatar_id": "",
        "url": url,
        "html_url": f"{SITE}/{login}",
        "followers_url": f"{url}/followers",
        "following_url": f"{url}/following{{/other_user}}",
        "gists_url": f"{url}/gists{{/gist_id}}",
        "starred_url": f"{url}/starred{{/owner}}{{/repo}}",
        "subscriptions_url": f"{url}/subscriptions",
        "organizations_url": f"{url}/orgs",
        "repos_url": f"{url}/repos",
        "events_url": f"{url}/events{{/privacy}}",
        "received_events_url": f"{url}/received_events",
        "type": "Bot" if login.endswith("[bot]") else "User",
        "user_view_type": "public",
        "site_admin": False,
    }


def _label(repository: str, name: str) -> dict[str, Any]:
    number = stable_number(name)
    return {
        "id": number,
        "node_id": f"LA_{base36(number)}",
        "url": f"{repository}/labels/{name}",
        "name": name,
        "color": f"{number & 0xFFFFFF:06x}",
        "default": False,
        "description": None,
    }
