"""A language model that says what a test tells it to, over real loopback HTTP.

It speaks the parts of the chat protocols of OpenAI (as Groq does, too), Anthropic, Gemini and
Ollama that matter to callers, by the path that is asked for; it counts what reaches it, and can
misbehave as real servers do: ``provider_replies.py`` has the words of each. ``with
ScriptedModel(...) as model:`` starts it on a free port; ``model.url`` is its base URL for OpenAI's
protocol, ``model.root`` without a path.
"""

import contextlib
import json
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from issue_pipeline.labels.masking import MASK

GOOD_LABEL: dict[str, object] = {
    "canonical_title": "Exports time out on large workspaces",
    "category": "devtools",
    "description": "Exporting a large workspace runs into a time limit.",
    "would_pay_signal": False,
    "impact_level": "medium",
    "is_problem": True,
}
# What the model says it read and wrote for every answer.
PROMPT_TOKENS = 100
COMPLETION_TOKENS = 20
MAX_SHARED_CHARS = 80
# For what must come, on a busy machine.
LIMIT_S = 60.0


@dataclass(frozen=True)
class Reply:
    """One reply.

    Attributes:
        content: Text of the answer.
        status: HTTP status; with another than 200, ``content`` is the error's message.
        model: Name of the model that claims to have answered.
        hang: Send nothing until the server closes.
        body: The whole body instead, as it is.
        retry_after: Value of that header, if any.
        headers: Further ones.
        message: Further fields of the answer's message, such as ``reasoning_content``.
        finish_reason: Why the answer ended, as OpenAI words it.
        cut: Close the connection before the last bytes that were promised.
        drip: Send one blank after the other until the server closes.
        usage: What it says of its tokens, instead of the usual.
    """

    content: str | None = ""
    status: int = 200
    model: str = "scripted"
    hang: bool = False
    body: str | None = None
    retry_after: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    message: Mapping[str, object] = field(default_factory=dict)
    finish_reason: str = "stop"
    cut: bool = False
    drip: bool = False
    usage: dict[str, object] | None = None


def label(**changes: object) -> Reply:
    """Return a valid label, with the fields given changed; those set to ``...`` are left out."""
    fields = {**GOOD_LABEL, **changes}
    return Reply(json.dumps({name: value for name, value in fields.items() if value is not ...}))


HANG = Reply(hang=True)


def posts_shown(request: dict[str, Any]) -> list[dict[str, str]]:
    """Return the posts that a writing model was shown: ``title`` and ``text`` of each."""
    user = next(one["content"] for one in request["messages"] if one["role"] == "user")
    posts: list[dict[str, str]]
    posts, _ = json.JSONDecoder().raw_decode(user[user.index("[\n") :])
    return posts


def about_the_posts(request: dict[str, Any]) -> Reply:
    """Answer as a good model does: with what the posts that it was shown have in common.

    The answer depends on nothing but their titles, as the fingerprint by which labels are reused
    does: not on the order in which they are shown, and on no word that only one of them says. Both
    change with the other posts of the day.
    """
    titles = [
        re.findall(r"[^\W\d_]+", one["title"].replace(MASK, " ").lower())
        for one in posts_shown(request)
    ]
    said = Counter(word for title in titles for word in set(title))
    enough = min(2, len(titles))
    shared = [
        " ".join(word for word in title if said[word] >= enough)[:MAX_SHARED_CHARS]
        for title in titles
    ]
    title = max(shared, key=lambda title: (len(title), title))
    return label(
        canonical_title=f"Problem: {title}", description=f"Several people report this: {title}."
    )


def first_offered(request: dict[str, Any]) -> Reply:
    """Choose the first title and the first sentence, as a choosing model might."""
    fields = request["response_format"]["json_schema"]["schema"]["properties"]
    return label(
        canonical_title=fields["canonical_title"]["enum"][0],
        description=fields["description"]["enum"][0],
    )


# Either replies in order, or what makes one of each request.
Script = Sequence[Reply] | Callable[[dict[str, Any]], Reply]


class ScriptedModel:
    """An OpenAI-compatible server that follows a script.

    Attributes:
        requests: Bodies of the requests received, in order; whatever the protocol, with OpenAI's
            ``messages``.
        headers: Their headers, with names in lower case.
        paths: The paths asked for.
    """

    def __init__(self, script: Script) -> None:
        self._script = script
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def url(self) -> str:
        """Base URL, to be given to an OpenAI client."""
        return f"{self.root}/v1"

    @property
    def root(self) -> str:
        """Address without a path."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def calls(self) -> int:
        """Requests received so far."""
        return len(self.requests)

    def calls_after(self, expected: int) -> int:
        """Requests received, once there are so many: a caller may give up before one is read."""
        deadline = time.monotonic() + LIMIT_S
        while self.calls < expected and time.monotonic() < deadline:
            time.sleep(0.01)
        return self.calls

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _reply_to(self, path: str, headers: dict[str, str], request: dict[str, Any]) -> Reply:
        request["messages"] = _openai_messages(request)
        with self._lock:
            self.paths.append(path)
            number = len(self.requests)
            self.requests.append(request)
            self.headers.append(headers)
        if callable(self._script):
            return self._script(request)
        if number < len(self._script):
            return self._script[number]
        return Reply(f"the script has no reply number {number + 1}", status=500)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        model = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                headers = {name.lower(): value for name, value in self.headers.items()}
                reply = model._reply_to(self.path, headers, request)
                if reply.hang:
                    model._closing.wait()
                    return
                if reply.drip:
                    self.send_response(200)
                    self.send_header("Content-Length", "1000000")
                    self.end_headers()
                    with contextlib.suppress(OSError):
                        while not model._closing.wait(0.05):
                            self.wfile.write(b" ")
                    return
                body = (_body(reply, self.path) if reply.body is None else reply.body).encode()
                self.send_response(reply.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body) + (9 if reply.cut else 0)))
                if reply.retry_after is not None:
                    self.send_header("Retry-After", reply.retry_after)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)
                self.close_connection = True

            def log_message(self, *_: object) -> None:
                pass

        return Handler


def _openai_messages(request: dict[str, Any]) -> list[dict[str, str]]:
    """Return the conversation of a request in OpenAI's form."""

    def text(content: Any) -> str:
        if isinstance(content, str):
            return content
        return "".join(part.get("text", "") for part in content)

    system = request.get("system") or (request.get("system_instruction") or {}).get("parts")
    messages = [{"role": "system", "content": text(system)}] if system else []
    for one in request.get("messages", []):
        messages.append({"role": one["role"], "content": text(one["content"])})
    for one in request.get("contents", []):
        role = "assistant" if one["role"] == "model" else one["role"]
        messages.append({"role": role, "content": text(one["parts"])})
    return messages


def _body(reply: Reply, path: str) -> str:
    if path.endswith("/api/chat"):
        return json.dumps(_ollama(reply))
    if path.endswith("/messages"):
        return json.dumps(_anthropic(reply))
    if path.endswith(":generateContent"):
        return json.dumps(_gemini(reply))
    return json.dumps(_openai(reply))


def _openai(reply: Reply) -> dict[str, object]:
    if reply.status != 200:
        return {"error": {"message": reply.content, "type": "error", "code": None}}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_770_000_000,
        "model": reply.model,
        "choices": [
            {
                "index": 0,
                "finish_reason": reply.finish_reason,
                "message": {"role": "assistant", "content": reply.content, **reply.message},
            }
        ],
        "usage": reply.usage
        or {
            "prompt_tokens": PROMPT_TOKENS,
            "completion_tokens": COMPLETION_TOKENS,
            "total_tokens": PROMPT_TOKENS + COMPLETION_TOKENS,
        },
        # Groq's; LiteLLM fails on a reply of Groq's without.
        "service_tier": "on_demand",
        "x_groq": {"id": "req_1"},
    }


def _anthropic(reply: Reply) -> dict[str, object]:
    if reply.status != 200:
        error = {"type": "api_error", "message": reply.content}
        return {"type": "error", "error": error, "request_id": "req_1"}
    stop = {"stop": "end_turn", "length": "max_tokens"}[reply.finish_reason]
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": reply.model,
        "content": [{"type": "text", "text": reply.content}],
        "stop_reason": stop,
        "stop_sequence": None,
        "usage": {"input_tokens": PROMPT_TOKENS, "output_tokens": COMPLETION_TOKENS},
    }


def _gemini(reply: Reply) -> dict[str, object]:
    if reply.status != 200:
        return {"error": {"code": reply.status, "message": reply.content, "status": "UNAVAILABLE"}}
    finish = {"stop": "STOP", "length": "MAX_TOKENS"}[reply.finish_reason]
    return {
        "candidates": [
            {
                "content": {"role": "model", "parts": [{"text": reply.content}]},
                "finishReason": finish,
                "index": 0,
            }
        ],
        "usageMetadata": {
            "promptTokenCount": PROMPT_TOKENS,
            "candidatesTokenCount": COMPLETION_TOKENS,
            "totalTokenCount": PROMPT_TOKENS + COMPLETION_TOKENS,
        },
        "modelVersion": reply.model,
    }


def _ollama(reply: Reply) -> dict[str, object]:
    if reply.status != 200:
        return {"error": reply.content}
    return {
        "model": reply.model,
        "created_at": "2026-11-30T00:00:00Z",
        "message": {"role": "assistant", "content": reply.content, **reply.message},
        "done": True,
        "done_reason": reply.finish_reason,
        "prompt_eval_count": PROMPT_TOKENS,
        "eval_count": COMPLETION_TOKENS,
    }
