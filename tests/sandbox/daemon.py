"""The sandbox as a child process, and a client that speaks to it: what every test here uses."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ALICE, BOB, CAROL, DAVE = (f"+1202555010{digit}" for digit in range(4))
ROBOT = "+12025550123"
SECONDS = 10.0

Json = dict[str, Any]


class Client:
    """One connection. It keeps the notifications that come between the replies."""

    def __init__(self, connection: socket.socket) -> None:
        connection.settimeout(SECONDS)
        self.connection = connection
        self.notifications: list[Json] = []
        self._file = connection.makefile("rb")
        self._last_id = 0

    def write(self, text: str | bytes) -> None:
        self.connection.sendall(text.encode() if isinstance(text, str) else text)

    def read(self) -> Any:
        """The next line. None at the end of the stream."""
        try:
            line = self._file.readline()
        except ConnectionResetError:
            return None
        return json.loads(line) if line else None

    def read_reply(self) -> Any:
        while isinstance(line := self.read(), dict) and self._keep(line):
            pass
        return line

    def ask(self, line: str | bytes) -> Any:
        self.write(line)
        self.write("\n")
        return self.read_reply()

    def call(self, method: str, account: str | None = ALICE, **params: Any) -> Json:
        self._last_id += 1
        if account:
            params["account"] = account
        request = {"jsonrpc": "2.0", "method": method, "params": params, "id": self._last_id}
        reply: Json = self.ask(json.dumps(request))
        assert reply["id"] == self._last_id
        return reply

    def result(self, method: str, account: str | None = ALICE, **params: Any) -> Any:
        reply = self.call(method, account, **params)
        assert "result" in reply, reply
        return reply["result"]

    def error(self, method: str, account: str | None = ALICE, **params: Any) -> Json:
        reply = self.call(method, account, **params)
        assert "error" in reply, reply
        return dict(reply["error"])

    def wait_for(self, wanted: Callable[[Json], Any]) -> Json:
        """The first notification, already here or still to come, that is `wanted`."""
        for params in self.notifications:
            if wanted(params):
                return params
        ends_at = time.monotonic() + SECONDS
        while time.monotonic() < ends_at:
            line = self.read()
            assert line is not None, "the connection ended"
            assert self._keep(line), line
            if wanted(line["params"]):
                return dict(line["params"])
        raise AssertionError("what was wanted did not come")

    def envelope(self, account: str, kind: str, timestamp: int | None = None) -> Json:
        """The envelope of the first message of a kind for an account."""
        params = self.wait_for(lambda params: _is(payload(params), account, kind, timestamp))
        return dict(payload(params)["envelope"])

    def data_message(self, account: str, timestamp: int) -> Json:
        return dict(self.envelope(account, "dataMessage", timestamp)["dataMessage"])

    def call_event(self, call_id: int, state: str, outgoing: bool) -> Json:
        """The state of a call that was notified, for the side that called or the other."""
        wanted = {"callId": call_id, "state": state, "isOutgoing": outgoing}

        def fits(params: Json) -> bool:
            return "callId" in payload(params) and wanted.items() <= payload(params).items()

        return payload(self.wait_for(fits))

    def _keep(self, line: Json) -> bool:
        """Keep a notification; anything else is not one."""
        if line.get("method") not in ("receive", "callEvent"):
            return False
        self.notifications.append(line["params"])
        return True

    def close(self) -> None:
        self._file.close()
        self.connection.close()


class Sandbox:
    """One running sandbox. It listens on a socket that it inherits as stdin, unless told not to."""

    def __init__(
        self, *flags: str, before: tuple[str, ...] = (), inherit: bool = True, version: str
    ) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="sbx-"))
        self.config = self.home / "config"
        self.path = self.home / "rpc.sock"
        self.clients: list[Client] = []
        self.log: list[str] = []
        self._listener = _listen(self.path) if inherit else None
        self.process = subprocess.Popen(
            command(
                "--as",
                version,
                "-c",
                str(self.config),
                *before,
                "daemon",
                "--no-receive-stdout",
                *flags,
            ),
            stdin=self._listener or subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read_log, name="sandbox-log")
        self._reader.start()

    def connect(self) -> Client:
        return self._keep(_connect(socket.AF_UNIX, str(self.path)))

    def connect_tcp(self) -> Client:
        """To the port that only the log tells."""
        found = wait_until(lambda: re.search(r"server on /127\.0\.0\.1:(\d+)", self.text))
        return self._keep(_connect(socket.AF_INET, ("127.0.0.1", int(found[1]))))

    def accounts_on_disk(self) -> Json:
        return dict(json.loads((self.config / "data" / "accounts.json").read_bytes()))

    @property
    def text(self) -> str:
        return "".join(self.log)

    def stop(self) -> int:
        """As a supervisor would. The result is the exit code."""
        self.process.terminate()
        code = self.process.wait(SECONDS)
        self._reader.join(SECONDS)
        return code

    def close(self) -> None:
        for client in self.clients:
            client.close()
        if self._listener:
            self._listener.close()
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(SECONDS)
        self._reader.join(SECONDS)
        shutil.rmtree(self.home, ignore_errors=True)

    def _keep(self, connection: socket.socket) -> Client:
        self.clients.append(Client(connection))
        return self.clients[-1]

    def _read_log(self) -> None:
        assert self.process.stderr
        with contextlib.suppress(ValueError):
            self.log.extend(self.process.stderr)


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "signal_bridge.sandbox", *arguments]


def wait_until(condition: Callable[[], Any]) -> Any:
    ends_at = time.monotonic() + SECONDS
    while not (found := condition()):
        assert time.monotonic() < ends_at, "it did not happen in time"
        time.sleep(0.01)
    return found


def payload(params: Json) -> Json:
    """The payload of a notification, of whichever form."""
    return params["result"] if "subscription" in params else params


def _is(params: Json, account: str, kind: str, timestamp: int | None) -> bool:
    envelope = params.get("envelope", {})
    if params.get("account") != account or kind not in envelope:
        return False
    return timestamp in (None, envelope["timestamp"])


def _listen(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    return listener


def _connect(family: socket.AddressFamily, address: Any) -> socket.socket:
    connection = socket.socket(family)

    def connected() -> bool:
        with contextlib.suppress(FileNotFoundError, ConnectionRefusedError):
            connection.connect(address)
            return True
        return False

    wait_until(connected)
    return connection
