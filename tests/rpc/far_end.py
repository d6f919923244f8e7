"""The other end of a client's socket, moved by hand."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable
from typing import Any

Request = dict[str, Any]


class FarEnd:
    """What signal-cli would hold. Reads and writes only when told to."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.socket.settimeout(10)
        self._lines = self.socket.makefile("rb")

    def request(self) -> Request:
        """The next request, within 10 s."""
        line = self._lines.readline()
        assert line.endswith(b"\n"), f"the client wrote {line[:80]!r} and no more"
        request: Request = json.loads(line)
        return request

    def requests(self, count: int) -> list[Request]:
        return [self.request() for _ in range(count)]

    def write(self, data: bytes) -> None:
        self.socket.sendall(data)

    def say(self, message: object) -> None:
        self.write(json.dumps(message).encode() + b"\n")

    def answer(self, request: Request, result: object = None) -> None:
        self.say({"jsonrpc": "2.0", "result": result, "id": request["id"]})

    def serve(self, answer: Callable[[Request], bytes]) -> None:
        """Answer everything on a thread of its own, until the end."""

        def run() -> None:
            # A connection that ends is how every test ends.
            with contextlib.suppress(OSError, ValueError):
                for line in self._lines:
                    self.write(answer(json.loads(line)))

        threading.Thread(target=run, name="far-end", daemon=True).start()

    def hang_up(self) -> None:
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self._lines.close()
        self.socket.close()


class InThread:
    """A call that runs beside the test: `InThread(client.call, …).error()`."""

    def __init__(self, work: Callable[..., Any], *arguments: Any) -> None:
        self._result: Any = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=(work, *arguments), daemon=True)
        self._thread.start()

    def _run(self, work: Callable[..., Any], *arguments: Any) -> None:
        try:
            self._result = work(*arguments)
        except BaseException as error:  # noqa: BLE001 - the test looks at it
            self._error = error

    def is_over(self) -> bool:
        return not self._thread.is_alive()

    def result(self, seconds: float = 20) -> Any:
        self._thread.join(seconds)
        assert self.is_over(), "it hangs"
        if self._error is not None:
            raise self._error
        return self._result

    def error(self, seconds: float = 20) -> BaseException:
        self._thread.join(seconds)
        assert self.is_over(), "it hangs"
        assert self._error is not None, f"it did not fail but returned {self._result!r}"
        return self._error
