"""A webhook's receiver over real HTTP."""

import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any


class Receiver:
    """Takes what is posted to it; refuses the first posts, with a status, if told so.

    Attributes:
        texts: What it took, as a chat shows it.
        bodies: The same as it was sent.
        headers: Of the posts that it took, names in lower case.
        posts: How often it was posted to.
        refusals: How many of the first posts are refused.
    """

    def __init__(self, refusals: int = 0, status: int = 503) -> None:
        self.texts: list[str] = []
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.posts = 0
        self.refusals = refusals
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.posts += 1
                refused = receiver.posts <= receiver.refusals
                if not refused:
                    receiver.texts.append(json.loads(body)["text"])
                    receiver.bodies.append(body)
                    receiver.headers.append({k.lower(): v for k, v in self.headers.items()})
                self.send_response(status if refused else 200)
                self.end_headers()

            def log_message(self, *_: Any) -> None: ...

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        self._thread = Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
