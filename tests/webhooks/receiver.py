"""Somebody who is told: a real HTTP server that answers as the test says."""

from __future__ import annotations

import dataclasses
import http.server
import json
import threading
from collections.abc import Callable
from typing import Any

from tests.support import eventually


@dataclasses.dataclass(frozen=True)
class Post:
    """A request as it came in. Header names are lower case."""

    path: str
    headers: dict[str, str]
    body: bytes
    client_port: int

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return str(self.json["envelope"]["dataMessage"]["message"])


Answer = Callable[["Handler"], None]


def status(code: int, body: bytes = b"", **headers: str) -> Answer:
    """An answer with this status; `Retry_After="1"` is a header."""

    def give(handler: Handler) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        if code != 204:
            handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return give


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    receiver: Receiver

    def setup(self) -> None:
        super().setup()
        self.receiver.open.add(self.client_address)

    def finish(self) -> None:
        self.receiver.open.discard(self.client_address)
        super().finish()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.receiver.take(Post(self.path, headers, body, self.client_address[1]))
        try:
            answer(self)
            self.wfile.flush()
        except OSError:
            self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Nothing: the posts are recorded."""


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no error here."""


class Receiver:
    """Listens on 127.0.0.1. `answers` are given in turn, then `otherwise`, which is 204."""

    def __init__(self, port: int = 0) -> None:
        self._lock = threading.Lock()  # guards `_posts` and `answers`
        self._posts: list[Post] = []
        self.open: set[object] = set()  # the connections that are
        self.answers: list[Answer] = []
        self.otherwise: Answer = status(204)
        handler = type("BoundHandler", (Handler,), {"receiver": self})
        self._server = _Server(("127.0.0.1", port), handler)
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/hook"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def take(self, post: Post) -> Answer:
        with self._lock:
            self._posts.append(post)
            return self.answers.pop(0) if self.answers else self.otherwise

    @property
    def posts(self) -> list[Post]:
        with self._lock:
            return list(self._posts)

    def wait_for(self, count: int, seconds: float = 20.0) -> list[Post]:
        """Until `count` posts have come."""
        eventually(
            lambda: len(self.posts) >= count,
            seconds,
            lambda: f"{count} posts, not {len(self.posts)}",
        )
        return self.posts
