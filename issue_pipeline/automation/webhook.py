"""Messages to a webhook: how they are posted and signed, and foreign text made inert in a chat."""

import base64
import hmac
import html
import json
import re
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

import httpx

from issue_pipeline.utils.proxies import is_loopback

TIMEOUT_S = 3.0
# Of a Markdown link, which Mattermost shows with words of the writer's choice.
_DISGUISED_LINK = re.compile(r"\](?=[(\[])")
_SECRET_PREFIX = "whsec_"  # noqa: S105  (no secret: how one begins)


class Delivery(NamedTuple):
    """Outcome of sending a message.

    Attributes:
        is_taken: Whether it need not be sent again.
        takes_others: Whether the receiver is up, so that others may be sent.
        words: The outcome in words, for the UI.
    """

    is_taken: bool
    takes_others: bool
    words: str


def post(
    url: str,
    body: Mapping[str, Any],
    *,
    message_id: str = "",
    secret: str = "",
    timeout_s: float | None = None,
) -> Delivery:
    """Post a message as JSON.

    With a ``message_id`` it carries the headers of Standard Webhooks 1.0
    (https://www.standardwebhooks.com): ``webhook-id``, ``webhook-timestamp``, and
    ``webhook-signature`` if there is a secret.

    Args:
        url: Where to.
        body: ``text`` is what Slack, Mattermost and their like show; they ignore other keys.
        message_id: The same whenever the same message is sent again; ``""`` for no such headers.
        secret: ``whsec_`` and base64, as the settings accept it; ``""`` for no signature.
        timeout_s: How long an answer is waited for; ``TIMEOUT_S`` by default.
    """
    content = json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    if message_id:
        headers |= signed_headers(message_id, int(time.time()), content, secret)
    try:
        wait_s = timeout_s or TIMEOUT_S
        # A proxy cannot reach this machine's loopback interface.
        asks_proxies = not is_loopback(url)
        httpx.post(
            url, content=content, headers=headers, timeout=wait_s, trust_env=asks_proxies
        ).raise_for_status()
    except httpx.ReadTimeout:
        # Or a slow receiver would get it again and again.
        return Delivery(True, True, "Sent, but not answered")
    except httpx.HTTPStatusError as error:
        code = error.response.status_code
        is_about_this = error.response.is_client_error and code != HTTPStatus.TOO_MANY_REQUESTS
        return Delivery(False, is_about_this, f"Refused with {code}")
    # The last for an address that passes for one and is none. None of them is shown: the address
    # may hold a secret, and httpx names it.
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        return Delivery(False, False, f"Not taken ({type(error).__name__})")
    return Delivery(True, True, "Told")


def signed_headers(message_id: str, timestamp: int, content: bytes, secret: str) -> dict[str, str]:
    """Return the headers of Standard Webhooks; without a secret, all but the signature.

    Args:
        message_id: Without a dot.
        timestamp: Of this attempt, seconds since 1970.
        content: The raw body.
        secret: ``whsec_`` and base64, as the settings accept it, or ``""``.
    """
    headers = {"webhook-id": message_id, "webhook-timestamp": str(timestamp)}
    if secret:
        signed = f"{message_id}.{timestamp}.".encode() + content
        key = base64.b64decode(secret.removeprefix(_SECRET_PREFIX))
        digest = hmac.digest(key, signed, "sha256")
        headers["webhook-signature"] = f"v1,{base64.b64encode(digest).decode()}"
    return headers


def inert(text: str) -> str:
    """Return foreign text without effect in a chat: no markup, no disguised link, no mention."""
    escaped = html.escape(text, quote=False).replace("@", "@\u200b")
    return _DISGUISED_LINK.sub("]\u200b", escaped)
