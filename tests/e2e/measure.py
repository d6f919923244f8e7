"""How long a message takes through the real signal-cli: `python -m tests.e2e.measure [COUNT]`.

Out: from `POST /v2/send` until the telephone has decrypted it. In: from the telephone's sending
until the webhook, and a WebSocket, have it. One message after the other, on one clock.
"""

from __future__ import annotations

import http.server
import json
import queue
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.e2e.real_world import PhoneFriend, RealWorld

COUNT = 200
WARM_UP = 20
SECONDS = 30.0


def now_ms() -> float:
    return time.time() * 1000


def report(what: str, times_ms: list[float]) -> None:
    ordered = sorted(times_ms[WARM_UP:])
    p50, p99 = (ordered[min(len(ordered) - 1, int(len(ordered) * at))] for at in (0.5, 0.99))
    print(f"{what:<44} p50 {p50:6.1f} ms   p99 {p99:6.1f} ms   ({len(ordered)} messages)")


def out(world: RealWorld, friend: PhoneFriend, index: int) -> float:
    seen = len(friend.phone.received())
    began = now_ms()
    world.send(f"out {index}")
    while True:
        for one in friend.phone.tell("list", after=seen, seconds=SECONDS):
            if (one["content"].get("dataMessage") or {}).get("body") == f"out {index}":
                return float(one["at"]) - began
            seen += 1


class Webhook:
    """Notes when which text came in."""

    def __init__(self) -> None:
        self.came: queue.Queue[tuple[str, float]] = queue.Queue()
        came = self.came

        class Receiver(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                at = now_ms()
                note(came, json.loads(self.rfile.read(int(self.headers["Content-Length"]))), at)
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()


def note(came: queue.Queue[tuple[str, float]], element: Any, at: float) -> None:
    text = (element["envelope"].get("dataMessage") or {}).get("message")
    if text:
        came.put((text, at))


def read(socket: ClientConnection, came: queue.Queue[tuple[str, float]]) -> None:
    for frame in socket:
        note(came, json.loads(frame), now_ms())


def arrival(came: queue.Queue[tuple[str, float]], text: str) -> float:
    while True:
        got, at = came.get(timeout=SECONDS)
        if got == text:
            return at


def measure(count: int) -> None:
    settings = {"BRIDGE_WEBHOOK_ALLOW": "127.0.0.0/8", "LOG_LEVEL": "warn"}
    world = RealWorld(Path(tempfile.mkdtemp(prefix="measure-")), **settings)
    try:
        world.link()
        friend = world.friend
        assert isinstance(friend, PhoneFriend)
        total = count + WARM_UP
        report(
            "POST /v2/send until the phone has it", [out(world, friend, i) for i in range(total)]
        )
        webhook = Webhook()
        world.call("POST", "/v1/receive/{}", 201, webhook=webhook.url)
        frames: queue.Queue[tuple[str, float]] = queue.Queue()
        url = f"{world.bridge.url.replace('http', 'ws')}/v1/receive/{world.account}?backlog=false"
        with connect(url) as socket:
            threading.Thread(target=read, args=(socket, frames), daemon=True).start()
            by_webhook, by_websocket = [], []
            for index in range(total):
                sent = friend.say(f"in {index}")
                by_websocket.append(arrival(frames, f"in {index}") - sent)
                by_webhook.append(arrival(webhook.came, f"in {index}") - sent)
        report("the phone's sending until the webhook has it", by_webhook)
        report("the phone's sending until a WebSocket has it", by_websocket)
    finally:
        world.close()


if __name__ == "__main__":
    measure(int(sys.argv[1]) if len(sys.argv) > 1 else COUNT)
