"""What the tests of this room share: many connections by hand, from another address of loopback."""

from __future__ import annotations

import contextlib
import re
import resource
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import requests

from bench.attacks.crowd import HOSTILE_ADDRESS
from bench.attacks.script import head
from tests.support import Bridge

ANN, BOB, CAROL = "+12025550100", "+12025550101", "+12025550102"
# Generous: what is answered at all is answered at once.
SECONDS = 20.0
WEBSOCKET = (
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
)
EVENTS = ("Accept: text/event-stream",)
JSON = "Content-Type: application/json"
FORM = "Content-Type: multipart/form-data; boundary=b"


def dial(bridge: Bridge, source: str = HOSTILE_ADDRESS, receive_buffer: int = 0) -> socket.socket:
    connection = socket.socket()
    if receive_buffer:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    connection.bind((source, 0))
    connection.settimeout(SECONDS)
    connection.connect(("127.0.0.1", bridge.port))
    return connection


@contextlib.contextmanager
def held(
    bridge: Bridge,
    count: int,
    first: bytes,
    source: str = HOSTILE_ADDRESS,
    receive_buffer: int = 0,
) -> Iterator[list[socket.socket]]:
    """So many connections that have written this; those that were not let in are left out."""
    connections: list[socket.socket] = []
    try:
        for _ in range(count):
            with contextlib.suppress(OSError):
                connections.append(dial(bridge, source, receive_buffer))
                connections[-1].sendall(first)
        yield connections
    finally:
        for connection in connections:
            connection.close()


def answered(
    bridge: Bridge, request: bytes, source: str = HOSTILE_ADDRESS, wait_seconds: float = SECONDS
) -> bytes:
    """All that comes back until the connection ends or falls silent.

    A bridge that refuses closes while the client still writes, which is no failure.
    """
    got = b""
    with dial(bridge, source) as connection, contextlib.suppress(OSError):
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(request)
        connection.settimeout(wait_seconds)
        while data := connection.recv(65536):
            got += data
            connection.settimeout(0.5)
    return got


def statuses(answers: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3}) ", answers)]


def first_status(connection: socket.socket) -> int:
    return int(connection.recv(65536)[9:12] or 0)


def post(path: str, body: bytes, content_type: str = JSON) -> bytes:
    """A whole request, after which the connection is closed."""
    return (
        head("POST", path, content_type, f"Content-Length: {len(body)}", "Connection: close") + body
    )


def assert_honest_clients_are_answered(bridge: Bridge, times: int = 20) -> None:
    """Probes and sends, each on a connection of its own."""
    message = {"number": ANN, "recipients": [BOB], "message": "honest"}
    for number in range(times):
        assert requests.get(f"{bridge.url}/livez", timeout=SECONDS).status_code == 200, number
        assert requests.get(f"{bridge.url}/readyz", timeout=SECONDS).status_code == 200, number
        sent = requests.post(f"{bridge.url}/v2/send", json=message, timeout=SECONDS)
        assert sent.status_code == 201, (number, sent.text)


def worker_pid(bridge: Bridge) -> int:
    """Of the only one."""
    master = bridge.child("gunicorn")
    return next(one.pid for one in bridge.children() if one.parent_pid == master.pid)


@contextlib.contextmanager
def growth_watched(bridge: Bridge) -> Iterator[list[float]]:
    """The list then holds by how many MiB the worker's memory grew at most within the block."""
    place = Path(f"/proc/{worker_pid(bridge)}")
    (place / "clear_refs").write_text("5")  # forgets the highest so far (proc_pid_clear_refs(5))
    before = _mib(place, "VmRSS")
    found: list[float] = []
    yield found
    found.append(_mib(place, "VmHWM") - before)


def _mib(place: Path, name: str) -> float:
    return int(re.search(rf"{name}:\s+(\d+) kB", (place / "status").read_text())[1]) / 1024  # type: ignore[index]


def allow_descriptors(count: int) -> None:
    """For this process and those it starts from now on."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(count, hard), hard))


def drip(connections: list[socket.socket], data: bytes, times: int, pause_seconds: float) -> None:
    """Each writes so much and waits, again and again. One that was cut off is passed over."""
    for _ in range(times):
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.send(data)
        time.sleep(pause_seconds)


def is_cut(connection: socket.socket, rest: bytes = b"") -> bool:
    """Whether the other side has ended it, seen while it writes this and reads what there is."""
    connection.setblocking(False)
    try:
        connection.send(rest)
        return connection.recv(65536) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True
