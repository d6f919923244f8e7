"""A signal-cli that answers as the test says: newline-delimited JSON-RPC over TCP or UNIX.

    with ScriptedDaemon(accounts=["+49151"]) as daemon:
        daemon.on("send", error(-1, "no"), result({"timestamp": 1}))   # the first no, then yes
        daemon.on("listGroups", after(0.5, result([])))
        ...
        assert daemon.asked("send")[0].params["message"] == "hi"

An answer is any function of (connection, request). It may send nothing, something else, or later.
Unless told otherwise `version`, `listAccounts` and `subscribeReceive` behave as signal-cli's.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.support.waiting import eventually

VERSION = "0.13.19"
RECEIVE_BYTES = 1 << 16


@dataclass(frozen=True)
class Request:
    """One line that the bridge sent."""

    connection: Connection
    method: str
    params: Any
    id: Any


Answer = Callable[["Connection", Request], None]


def result(value: Any) -> Answer:
    return lambda connection, request: connection.reply(request, {"result": value})


def error(code: int, message: str, data: Any = None) -> Answer:
    problem = {"code": code, "message": message, "data": data}
    return lambda connection, request: connection.reply(request, {"error": problem})


def reply(members: dict[str, Any]) -> Answer:
    """`members` beside jsonrpc and id, as recorded: {"result": …} or {"error": …}."""
    return lambda connection, request: connection.reply(request, members)


def raw(*pieces: bytes) -> Answer:
    """Bytes as they are: nonsense, half a line, several lines. The id is not looked at."""
    return lambda connection, _: connection.write(b"".join(pieces))


def silence(connection: Connection, request: Request) -> None:
    """No answer, ever."""


def drop(connection: Connection, request: Request) -> None:
    """The connection ends instead of an answer."""
    connection.close()


def twice(answer: Answer) -> Answer:
    def give(connection: Connection, request: Request) -> None:
        answer(connection, request)
        answer(connection, request)

    return give


def after(seconds: float, answer: Answer) -> Answer:
    """The answer comes later, and others overtake it."""

    def give(connection: Connection, request: Request) -> None:
        timer = threading.Timer(seconds, answer, (connection, request))
        timer.daemon = True
        timer.start()

    return give


class Gate:
    """Holds answers back until the test opens it: `daemon.on("send", gate(result(1)))`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards `_held`
        self._held: list[Callable[[], None]] = []

    def __call__(self, answer: Answer) -> Answer:
        def hold(connection: Connection, request: Request) -> None:
            with self._lock:
                self._held.append(lambda: answer(connection, request))

        return hold

    def wait_for(self, count: int, seconds: float = 10.0) -> None:
        """Until `count` requests wait at the gate."""
        eventually(lambda: len(self._held) >= count, seconds, f"{count} requests at the gate")

    def open(self, in_reverse: bool = False) -> None:
        """Let everything through that waits, the latest first if `in_reverse`."""
        with self._lock:
            held, self._held = self._held, []
        for give in reversed(held) if in_reverse else held:
            give()


class Connection:
    """One client of the daemon."""

    def __init__(self, daemon: ScriptedDaemon, client: socket.socket) -> None:
        self.daemon = daemon
        self.subscribed = False
        self._client = client
        self._writing = threading.Lock()  # keeps lines whole

    def reply(self, request: Request, members: dict[str, Any]) -> None:
        self.send({"jsonrpc": "2.0", **members, "id": request.id})

    def send(self, message: Any) -> None:
        self.write(as_line(message))

    def write(self, data: bytes) -> None:
        """A client that has gone away is no error here."""
        with contextlib.suppress(OSError), self._writing:
            self._client.sendall(data)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._client.shutdown(socket.SHUT_RDWR)
        self._client.close()

    def serve(self) -> None:
        """Read lines until the end and hand each over."""
        rest = b""
        with contextlib.suppress(OSError):
            while (data := self._client.recv(RECEIVE_BYTES)) and self.daemon.may_read():
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    self.daemon.take(self, line)
        self.subscribed = False  # who is gone receives nothing
        self.close()


class ScriptedDaemon:
    """The server, on TCP unless `unix_path` is given.

    `address` is what BRIDGE_SIGNAL_CLI_RPC takes. `stop` and then `start` simulate a restart.
    """

    def __init__(self, accounts: Iterable[str] = (), unix_path: Path | None = None) -> None:
        self.accounts = list(accounts)
        self.otherwise: Answer = result({})
        self.connections: list[Connection] = []
        self.address = f"unix:{unix_path}" if unix_path else ""
        self._unix_path = unix_path
        self._port = 0
        self._lock = threading.Lock()  # guards `_requests`, `_script` and `connections`
        self._requests: list[Request] = []
        self._script: dict[str, list[Answer]] = {}
        self._reading = threading.Event()
        self._reading.set()
        self._listener: socket.socket | None = None

    # -- life ----------------------------------------------------------------------------------

    def start(self) -> ScriptedDaemon:
        self._listener = self._listen()
        accept = threading.Thread(
            target=self._accept, args=(self._listener,), name="scripted-daemon", daemon=True
        )
        accept.start()
        return self

    def stop(self) -> None:
        """Nobody can connect any more, and every connection ends."""
        if self._listener:
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        self.resume_reading()
        self.drop_connections()

    def __enter__(self) -> ScriptedDaemon:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    # -- the script ----------------------------------------------------------------------------

    def on(self, method: str, *answers: Answer) -> None:
        """Answer `method` with each of `answers` in turn; the last one stays."""
        with self._lock:
            self._script[method] = list(answers)

    def forget(self) -> None:
        """No script, nothing recorded."""
        with self._lock:
            self._script.clear()
            self._requests.clear()

    def usual(self, request: Request) -> Answer:
        """What signal-cli would answer."""
        usual: dict[str, Answer] = {
            "version": result({"version": VERSION}),
            "listAccounts": result([{"number": number} for number in self.accounts]),
            "subscribeReceive": result(0),
        }
        return usual.get(request.method, self.otherwise)

    # -- what came in --------------------------------------------------------------------------

    @property
    def requests(self) -> list[Request]:
        with self._lock:
            return list(self._requests)

    def asked(self, method: str) -> list[Request]:
        """The requests for `method` so far, in order of arrival."""
        return [request for request in self.requests if request.method == method]

    def wait_for(self, method: str, count: int = 1, seconds: float = 15.0) -> list[Request]:
        """Until `method` was asked for `count` times."""
        eventually(
            lambda: len(self.asked(method)) >= count,
            seconds,
            lambda: f"{count} x {method} among {[request.method for request in self.requests]}",
        )
        return self.asked(method)

    def wait_subscribed(self, seconds: float = 30.0) -> Connection:
        """Until somebody receives; the connection that does."""
        return eventually(
            lambda: next(iter(self._receiving()), None), seconds, "a subscribeReceive"
        )

    @property
    def is_subscribed(self) -> bool:
        """Whether somebody receives now."""
        return bool(self._receiving())

    # -- what goes out by itself ---------------------------------------------------------------

    def notify(self, account: str, *envelopes: dict[str, Any]) -> None:
        """Push messages for `account` to whoever subscribed, all in one write."""
        self.push(*(receive_line(account, envelope) for envelope in envelopes))

    def push(self, *lines: bytes) -> None:
        """Lines as they are, in one write, to whoever subscribed."""
        for connection in self._receiving():
            connection.write(b"".join(lines))

    # -- faults --------------------------------------------------------------------------------

    def drop_connections(self) -> None:
        with self._lock:
            connections, self.connections = self.connections, []
        for connection in connections:
            connection.close()

    def stop_reading(self) -> None:
        """Leave everything unread from now on, as a daemon that hangs does."""
        self._reading.clear()

    def resume_reading(self) -> None:
        self._reading.set()

    def may_read(self) -> bool:
        """Waits while reading is stopped."""
        return self._reading.wait()

    # -- inside --------------------------------------------------------------------------------

    def take(self, connection: Connection, line: bytes) -> None:
        """Record one line and answer it."""
        message = json.loads(line)
        request = Request(connection, message["method"], message.get("params"), message.get("id"))
        with self._lock:
            self._requests.append(request)
            answers = self._script.get(request.method, [])
            answer = answers.pop(0) if len(answers) > 1 else next(iter(answers), None)
        self.answer(connection, request, answer)

    def answer(self, connection: Connection, request: Request, scripted: Answer | None) -> None:
        """Answer as the script says, or as usual."""
        (scripted or self.usual(request))(connection, request)
        if request.method == "subscribeReceive":
            connection.subscribed = True

    def _receiving(self) -> Sequence[Connection]:
        with self._lock:
            return [connection for connection in self.connections if connection.subscribed]

    def _listen(self) -> socket.socket:
        if self._unix_path:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._unix_path)
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(str(self._unix_path))
        else:
            listener = socket.create_server(("127.0.0.1", self._port))
            self._port = listener.getsockname()[1]
            self.address = f"tcp:127.0.0.1:{self._port}"
        listener.listen(128)
        return listener

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            connection = Connection(self, client)
            with self._lock:
                self.connections.append(connection)
            threading.Thread(
                target=connection.serve, name="scripted-daemon-client", daemon=True
            ).start()


def as_line(message: Any) -> bytes:
    """One message as signal-cli writes it: compact, UTF-8, ended by 0x0A."""
    text = json.dumps(message, ensure_ascii=False, separators=(",", ":"))
    return text.encode(errors="surrogatepass") + b"\n"


def receive_line(account: str, envelope: dict[str, Any], subscription: int = 0) -> bytes:
    """A received message, in the form that subscribeReceive gives (signal-cli.rst 1.8)."""
    received = {"envelope": envelope, "account": account}
    params = {"subscription": subscription, "result": received}
    return as_line({"jsonrpc": "2.0", "method": "receive", "params": params})


def text_envelope(sender: str, text: str, timestamp: int) -> dict[str, Any]:
    """The envelope of a plain text message."""
    return {
        "source": sender,
        "sourceNumber": sender,
        "sourceUuid": None,
        "sourceName": "",
        "sourceDevice": 1,
        "timestamp": timestamp,
        "serverReceivedTimestamp": timestamp + 1,
        "serverDeliveredTimestamp": timestamp + 2,
        "dataMessage": {
            "timestamp": timestamp,
            "message": text,
            "expiresInSeconds": 0,
            "viewOnce": False,
        },
    }
