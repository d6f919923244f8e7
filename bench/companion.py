"""A slow honest client that goes along while others attack, and misses nothing."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from urllib.parse import quote

import orjson

from bench.clients import HttpClient
from bench.daemon import account

_PACE_SECONDS = 0.5
_ANSWER_SECONDS = 30.0
_QUIET_POLLS = 5  # after the last send, until nothing more is expected
_SENDER, _READER = account(0), account(1)
_TEXT = "soak "


class Companion:
    """Does one honest thing at a time. `problems` says what went wrong; it should be empty."""

    def __init__(self, port: int) -> None:
        self.done = 0
        self.problems: list[str] = []
        self._port = port
        self._client: HttpClient | None = None

    def step(self) -> None:
        """One thing."""
        raise NotImplementedError

    def finish(self) -> None:
        """What is left at the end."""

    def ask(self, method: str, path: str, body: bytes = b"", wanted: int = 200) -> bytes | None:
        """The answer; None if it is not as it should be, which is written down."""
        try:
            self._client = self._client or HttpClient(self._port, _ANSWER_SECONDS)
            status, answer = self._client.ask(method, path, body)
        except OSError as error:
            self._client = None
            return self._wrong(f"{method} {path}: {type(error).__name__} {error}")
        self.done += 1
        if status != wanted:
            return self._wrong(f"{method} {path}: {status} {answer[:150]!r}")
        return answer

    def _wrong(self, problem: str) -> None:
        self.problems.append(problem)


class Correspondents(Companion):
    """One account of the sandbox writes to another, which polls: all there, once, in order."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self._sent: list[int] = []
        self._seen: list[int] = []
        self._number = 0

    def step(self) -> None:
        self._number += 1
        body = {"number": _SENDER, "recipients": [_READER], "message": f"{_TEXT}{self._number}"}
        if self.ask("POST", "/v2/send", orjson.dumps(body), wanted=201) is not None:
            self._sent.append(self._number)
        self._poll()

    def finish(self) -> None:
        for _ in range(_QUIET_POLLS):
            self._poll(1)
        missing = sorted(set(self._sent) - set(self._seen))
        if missing:
            self.problems.append(f"{len(missing)} sent and not received: {missing[:10]}")
        if len(set(self._seen)) != len(self._seen):
            self.problems.append(f"{len(self._seen) - len(set(self._seen))} received twice")
        if self._seen != sorted(self._seen):
            self.problems.append("not received in order")

    def _poll(self, timeout_seconds: int = 0) -> None:
        answer = self.ask("GET", f"/v1/receive/{quote(_READER)}?timeout={timeout_seconds}")
        for element in orjson.loads(answer or b"[]"):
            text = (element["envelope"].get("dataMessage") or {}).get("message") or ""
            if text.startswith(_TEXT):
                self._seen.append(int(text.removeprefix(_TEXT)))


class Asker(Companion):
    """Where there is no account to write from: asks signal-cli for its accounts."""

    def step(self) -> None:
        self.ask("GET", "/v1/accounts")


@contextlib.contextmanager
def going_along(companion: Companion) -> Iterator[None]:
    """On a thread of its own, for the length of a block."""
    done = threading.Event()
    thread = threading.Thread(target=_go, args=(companion.step, done), name="companion")
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        companion.finish()


def _go(step: Callable[[], None], done: threading.Event) -> None:
    while not done.wait(_PACE_SECONDS):
        step()
