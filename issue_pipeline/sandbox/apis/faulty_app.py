"""Wraps an API and spoils its replies on the way: refusals, broken connections, cut bodies."""

import asyncio
import contextlib
import socket
import struct
from collections import Counter
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from issue_pipeline.sandbox.apis.conduct import Conduct
from issue_pipeline.sandbox.apis.content_faults import plan_content_fault
from issue_pipeline.sandbox.apis.fault_replies import (
    REPLY_KINDS,
    SECONDARY_LIMIT_WAIT_S,
    WAITING_KINDS,
    FaultReply,
    fault_reply,
)
from issue_pipeline.sandbox.apis.faults import (
    CONNECTION_RESET,
    CUT_REPLY,
    SECONDARY_LIMIT_BARE,
    STALL,
    TRUNCATED_JSON,
    Fault,
    FaultPlan,
    FaultProfile,
)

_OK = 200
# On closing, throw away what is unsent and tell the other end so (RST) instead of ending in order.
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class FaultyApp:
    """An API whose replies go wrong by a plan.

    Args:
        app: The API.
        api: Its name.
        profile: What goes wrong.
        time_scale: How many times shorter than real ones the waits are that faults ask for.
        conduct: Told of the waits that faults ask for.
        note_request: Called for every request before anything else.
        faults: Counts what goes wrong, by kind; the API may count faults of its own in it.

    Attributes:
        faults: The same.
    """

    def __init__(
        self,
        app: ASGIApp,
        api: str,
        profile: FaultProfile,
        *,
        time_scale: float,
        conduct: Conduct,
        note_request: Callable[[], None],
        faults: Counter[str],
    ) -> None:
        self.faults = faults
        self._app = app
        self._api = api
        self._plan = FaultPlan(profile, api)
        self._stall_s = profile.stall_s
        self._wait_s = profile.told_wait_s(time_scale)
        self._unsaid_wait_s = SECONDARY_LIMIT_WAIT_S / time_scale
        self._conduct = conduct
        self._note_request = note_request

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, with the fault that the plan has for it."""
        self._note_request()
        fault = self._plan.next()
        if fault is None:
            await self._app(scope, receive, send)
        elif fault.kind in REPLY_KINDS:
            self.faults[fault.kind] += 1
            await self._answer(fault, send)
        elif fault.kind in (CONNECTION_RESET, STALL):
            self.faults[fault.kind] += 1
            await self._say_nothing(fault, receive)
        elif fault.kind in (CUT_REPLY, TRUNCATED_JSON):
            await self._answer_in_part(fault, scope, receive, send)
        else:
            kind = fault.kind

            def count() -> None:
                self.faults[kind] += 1

            plan_content_fault(scope, fault, wait_s=self._wait_s, count=count)
            await self._app(scope, receive, send)

    async def _answer(self, fault: Fault, send: Send) -> None:
        if fault.kind in WAITING_KINDS:
            self._conduct.ask_to_wait(self._wait_s)
        elif fault.kind == SECONDARY_LIMIT_BARE:
            self._conduct.ask_to_wait(self._unsaid_wait_s)
        await _send_reply(fault_reply(self._api, fault, self._wait_s), send)

    async def _say_nothing(self, fault: Fault, receive: Receive) -> None:
        transport = _transport(receive)
        if fault.kind == STALL:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._stall_s):
                    await _client_gone(receive)
            transport.close()
        else:
            connection = transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            transport.abort()
        # Otherwise the server would take the missing reply for a mistake, and log it.
        await _client_gone(receive)

    async def _answer_in_part(
        self, fault: Fault, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Send the beginning of the reply, as if it were all (truncated) or with a broken end."""
        start, body = await self._ask_app(scope, receive)
        if start["status"] != _OK or len(body) < 2:
            await send(_with_length(start, len(body)))
            await send({"type": "http.response.body", "body": body})
            return
        self.faults[fault.kind] += 1
        part = body[: 1 + fault.pick(len(body) - 1)]
        if fault.kind == TRUNCATED_JSON:
            await send(_with_length(start, len(part)))
            await send({"type": "http.response.body", "body": part})
            return
        transport = _transport(receive)
        await send(_with_length(start, len(body)))
        await send({"type": "http.response.body", "body": part, "more_body": True})
        transport.close()
        await _client_gone(receive)

    async def _ask_app(self, scope: Scope, receive: Receive) -> tuple[Message, bytes]:
        """Let the API answer, uncompressed, so that it is its JSON that is cut."""
        headers = [pair for pair in scope["headers"] if pair[0] != b"accept-encoding"]
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        await self._app({**scope, "headers": headers}, receive, keep)
        start, *rest = messages
        return start, b"".join(message.get("body", b"") for message in rest)


async def _send_reply(reply: FaultReply, send: Send) -> None:
    headers = {
        "content-type": reply.content_type,
        "content-length": str(len(reply.body)),
        **reply.headers,
    }
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": raw})
    await send({"type": "http.response.body", "body": reply.body})


def _with_length(start: Message, length: int) -> Message:
    headers = [pair for pair in start["headers"] if pair[0] != b"content-length"]
    return {**start, "headers": [*headers, (b"content-length", str(length).encode())]}


def _transport(receive: Receive) -> asyncio.Transport:
    """Find the connection, which ASGI itself does not show.

    Raises:
        ConnectionResetError: There is none: the request did not come over a socket.
    """
    transport: asyncio.Transport | None = getattr(
        getattr(receive, "__self__", None), "transport", None
    )
    if transport is None:
        raise ConnectionResetError("only uvicorn's connections can be broken; there is none here")
    return transport


async def _client_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
