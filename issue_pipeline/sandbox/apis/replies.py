"""What the simulated APIs answer with: JSON of any text, and refusals that carry their reply."""

import json
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response


class JsonReply(JSONResponse):
    """JSON in plain ASCII, so that even half of a surrogate pair in a post can be sent."""

    def render(self, content: object) -> bytes:
        """Write the body."""
        return json.dumps(content, separators=(",", ":")).encode("ascii")


class ApiError(Exception):
    """A refusal in the shape of the real API.

    Attributes:
        status: HTTP status.
        body: JSON body.
        headers: Headers beside those that every reply of the API carries.
    """

    def __init__(
        self, status: int, body: dict[str, Any], headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(f"{status}: {body}")
        self.status = status
        self.body = body
        self.headers = dict(headers or {})


async def answer_api_error(request: Request, error: Exception) -> Response:
    """Turn an ``ApiError`` into its reply, with the limit headers the request had earned so far."""
    assert isinstance(error, ApiError)
    return JsonReply(error.body, error.status, headers={**limit_headers(request), **error.headers})


def set_limit_headers(request: Request, headers: Mapping[str, str]) -> None:
    """Note the limit headers that the reply to this request shall carry, even if it is refused."""
    request.state.limit_headers = dict(headers)


def limit_headers(request: Request) -> dict[str, str]:
    """Return the limit headers noted for this request; none before any are."""
    noted: dict[str, str] = getattr(request.state, "limit_headers", {})
    return noted
