"""The lightest clients there are: one socket, bytes prepared, nothing parsed that is not needed."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import orjson


class HttpClient:
    """One keep-alive connection."""

    def __init__(self, port: int, timeout_seconds: float = 60) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=timeout_seconds)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._rest = b""

    def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        head = f"{method} {path} HTTP/1.1\r\nHost: bench\r\nContent-Length: {len(body)}\r\n\r\n"
        self._socket.sendall(head.encode() + body)
        while b"\r\n\r\n" not in self._rest:
            self._read()
        head_bytes, self._rest = self._rest.split(b"\r\n\r\n", 1)
        length = _content_length(head_bytes)
        while len(self._rest) < length:
            self._read()
        content, self._rest = self._rest[:length], self._rest[length:]
        return int(head_bytes[9:12]), content

    def close(self) -> None:
        self._socket.close()

    def _read(self) -> None:
        chunk = self._socket.recv(65536)
        if not chunk:
            raise ConnectionError("the bridge closed the connection")
        self._rest += chunk


class BareClient:
    """Straight to the daemon's socket, one call at a time: what the bridge is compared with."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(600)
        self._socket.connect(path)
        self._file = self._socket.makefile("rb")

    def call(self, method: str, params: dict[str, Any] | None = None) -> Any:
        request: dict[str, Any] = {"jsonrpc": "2.0", "method": method, "id": 1}
        if params is not None:
            request["params"] = params
        self._socket.sendall(orjson.dumps(request, option=orjson.OPT_APPEND_NEWLINE))
        return orjson.loads(self._file.readline()).get("result")

    def close(self) -> None:
        self._file.close()
        self._socket.close()


def timed(work: Callable[[], object], times: int) -> list[float]:
    """Milliseconds of each of `times` runs, sorted."""
    took = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        took.append((time.perf_counter() - began) * 1000)
    return sorted(took)


def percentile(sorted_values: list[float], percent: float) -> float:
    return sorted_values[min(len(sorted_values) - 1, int(len(sorted_values) * percent / 100))]


def in_threads(count: int, work: Callable[[int], None]) -> float:
    """Run `work(n)` in `count` threads at once; the seconds until all have ended."""
    threads = [threading.Thread(target=work, args=(n,)) for n in range(count)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - began


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0
