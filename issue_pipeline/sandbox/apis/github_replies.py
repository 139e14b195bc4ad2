"""The shapes of GitHub's refusals, and its Link header."""

from typing import Any

from starlette.datastructures import URL

from issue_pipeline.sandbox.apis.addresses import stable_number
from issue_pipeline.sandbox.apis.replies import ApiError

DOCS = "https://docs.github.com/rest"
SEARCH_DOCS = "https://docs.github.com/v3/search/"
MOVED_DOCS = "https://docs.github.com/v3/#http-redirects"
LIMIT_DOCS = "https://docs.github.com/rest/overview/resources-in-the-rest-api#rate-limiting"


def refusal(
    status: int,
    message: str,
    *,
    docs: str = DOCS,
    errors: list[dict[str, str]] | None = None,
) -> ApiError:
    """Refuse with a message and, for a 422, the fields that are wrong."""
    body: dict[str, Any] = {"message": message}
    if errors:
        body["errors"] = errors
    return ApiError(status, {**body, "documentation_url": docs, "status": str(status)})


def invalid(resource: str, name: str, message: str | None, *, code: str = "invalid") -> ApiError:
    """Refuse one parameter with 422."""
    problem = {"resource": resource, "field": name, "code": code}
    told = {"message": message, **problem} if message else problem
    return refusal(422, "Validation Failed", docs=SEARCH_DOCS, errors=[told])


def moved(url: str) -> ApiError:
    """Redirect to where a repository is now, for good.

    Args:
        url: Of the same thing there, with the request's parameters.
    """
    body = {"message": "Moved Permanently", "url": url, "documentation_url": MOVED_DOCS}
    return ApiError(301, body, {"Location": url})


def limit_exceeded(client: str) -> ApiError:
    """Refuse a request beyond the primary limit; its headers say when the window ends.

    Args:
        client: The token; empty for an anonymous client.
    """
    whose = f"user ID {stable_number(client)}" if client else "127.0.0.1"
    return refusal(403, f"API rate limit exceeded for {whose}.", docs=LIMIT_DOCS)


def page_links(url: URL, page: int, per_page: int, total: int) -> dict[str, str]:
    """Make the Link header.

    Args:
        url: The request's, with its other parameters.
        page: The present page, from 1.
        per_page: Items on a page, at least 1.
        total: Items that can be reached by paging.

    Returns:
        One header, or none if there is a single page.
    """
    last = max(1, -(-total // per_page))
    links: list[tuple[str, int]] = []
    if page > 1:
        links.append(("prev", min(page - 1, last)))
    if page < last:
        links += [("next", page + 1), ("last", last)]
    if page > 1:
        links.append(("first", 1))
    if not links:
        return {}
    parts = (f'<{url.include_query_params(page=to)}>; rel="{name}"' for name, to in links)
    return {"Link": ", ".join(parts)}
