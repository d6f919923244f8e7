"""The same message by every way out of the bridge: poll, WebSocket, server-sent events, webhook."""

from __future__ import annotations

import http.server
import json
import queue
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from websockets.sync.client import connect

from tests.e2e.world import World

SECONDS = 20.0
SETTINGS = {"BRIDGE_WEBHOOK_ALLOW": "127.0.0.0/8"}


@pytest.fixture
def webhook() -> Iterator[tuple[str, queue.Queue[Any]]]:
    """A receiver on loopback: its URL, and the bodies it was sent."""
    bodies: queue.Queue[Any] = queue.Queue()

    class Receiver(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            bodies.put(json.loads(self.rfile.read(length)))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/in", bodies
    server.shutdown()
    server.server_close()


def text_of(element: Any) -> str | None:
    message = element["envelope"].get("dataMessage") or {}
    return message.get("message")


def test_a_websocket_gets_the_message(world: World) -> None:
    url = f"{world.bridge.url.replace('http', 'ws')}/v1/receive/{world.account}?backlog=false"
    with connect(url) as socket:
        world.friend.say("by websocket")
        while text_of(json.loads(socket.recv(timeout=SECONDS))) != "by websocket":
            pass


def test_server_sent_events_have_the_message(world: World) -> None:
    headers = {"Accept": "text/event-stream"}
    url = f"{world.bridge.url}/v1/receive/{world.account}?backlog=false"
    with requests.get(url, headers=headers, stream=True, timeout=SECONDS) as stream:
        world.friend.say("by event stream")
        lines = stream.iter_lines(decode_unicode=True, chunk_size=1)
        data = (line.removeprefix("data:") for line in lines if line.startswith("data:"))
        assert any(text_of(json.loads(one)) == "by event stream" for one in data)


def test_a_webhook_gets_the_message(world: World, webhook: tuple[str, queue.Queue[Any]]) -> None:
    url, bodies = webhook
    created = world.call("POST", "/v1/receive/{}", 201, webhook=url)
    world.friend.say("by webhook")
    while text_of(bodies.get(timeout=SECONDS)) != "by webhook":
        pass
    world.call("DELETE", f"/v1/webhooks/{{}}/{created['id']}")
