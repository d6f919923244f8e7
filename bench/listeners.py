"""Those who are told: the lightest webhook receiver, a WebSocket client, a bare subscriber."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

import orjson
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from bench.daemon import ACCOUNT

_HEAD_END = b"\r\n\r\n"
_ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"
_FIRST_TIMESTAMP = 1_700_000_000_000


class Told:
    """What a listener was told: the number of each message, and how long it was on its way."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.delays_ms: list[float] = []

    def note(self, body: bytes | str) -> None:
        now_ns = time.monotonic_ns()
        envelope = _envelope(orjson.loads(body))
        written_ns = int(envelope["dataMessage"]["message"].rpartition(" ")[2])
        self.numbers.append(envelope["timestamp"] - _FIRST_TIMESTAMP)
        self.delays_ms.append((now_ns - written_ns) / 1e6)

    def forget(self) -> None:
        self.numbers, self.delays_ms = [], []

    def wait_for(self, count: int, seconds: float = 120) -> None:
        ends_at = time.monotonic() + seconds
        while len(self.numbers) < count:
            if time.monotonic() > ends_at:
                raise TimeoutError(f"told of {len(self.numbers)} messages, not {count}")
            time.sleep(0.005)


class Receiver(Told):
    """An HTTP server for webhooks on a thread; each answer takes `delay_seconds`."""

    def __init__(self, delay_seconds: float = 0) -> None:
        super().__init__()
        self._delay_seconds = delay_seconds
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/hook"
        self._in_background(self._accept)

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def _accept(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            self._in_background(lambda connection=connection: self._serve(connection))

    def _serve(self, connection: socket.socket) -> None:
        """Connections are kept alive. Every head has a length, as those of the bridge do."""
        with contextlib.suppress(OSError), connection, connection.makefile("rb") as file:
            while head := _head(file.readline):
                body = file.read(int(head[b"content-length"]))
                self.note(body)
                time.sleep(self._delay_seconds)
                connection.sendall(_ANSWER)

    @staticmethod
    def _in_background(work: Callable[[], None]) -> None:
        threading.Thread(target=work, daemon=True).start()


@contextlib.contextmanager
def websocket(port: int) -> Iterator[Told]:
    """A client of the account's feed, told of what comes within the block."""
    told = Told()
    url = f"ws://127.0.0.1:{port}/v1/receive/{ACCOUNT}?backlog=false"
    with connect(url, max_size=None) as client:

        def read() -> None:
            with contextlib.suppress(ConnectionClosed):
                for frame in client:
                    told.note(frame)

        reader = threading.Thread(target=read)
        reader.start()
        yield told
        client.close()
        reader.join()


@contextlib.contextmanager
def bare_subscriber(path: str) -> Iterator[Told]:
    """Straight on the daemon's socket, told of what comes within the block."""
    told = Told()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        connection.sendall(b'{"jsonrpc":"2.0","method":"subscribeReceive","id":1}\n')
        file = connection.makefile("rb")
        file.readline()

        def read() -> None:
            while line := file.readline():
                told.note(line)

        reader = threading.Thread(target=read)
        reader.start()
        yield told
        connection.shutdown(socket.SHUT_RDWR)
        reader.join()


def _envelope(body: dict) -> dict:  # type: ignore[type-arg]
    """Of the bridge's bodies, and of signal-cli's lines."""
    found = body["params"]["result"] if "params" in body else body
    return found["envelope"]  # type: ignore[no-any-return]


def _head(read_line: Callable[[], bytes]) -> dict[bytes, bytes]:
    """The header fields, names in lower case; empty at the end of the connection."""
    fields: dict[bytes, bytes] = {}
    while (line := read_line().strip()) or not fields:
        if not line:
            return fields
        name, _, value = line.partition(b":")
        fields[name.lower()] = value.strip()
    return fields
