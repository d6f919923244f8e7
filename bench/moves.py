"""How far a reader has to jump: `python -m bench.moves` prints the moves of three journeys.

A move is a call that enters a file of the package from another one, or from a library. They are
counted while the journey happens: a send of one text, an envelope on its way to a webhook, and a
setting on its way from the environment.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import FrameType
from typing import Any, Final

from bench.stage import ROOT, directory
from signal_bridge.delivery.webhooks.addresses import Rules
from signal_bridge.delivery.webhooks.couriers import Couriers
from signal_bridge.delivery.webhooks.registry import Registry
from signal_bridge.feed.feed import Feed
from signal_bridge.feed.intake import Intake
from signal_bridge.settings import read_settings
from signal_bridge.store.engine import Store
from signal_bridge.store.migrations import migrate

ANN: Final = "+12025550100"
BOB: Final = "+12025550101"
_PACKAGE: Final = f"{ROOT / 'signal_bridge'}{os.sep}"
_PATIENCE_SECONDS: Final = 30


class Moves:
    """The moves between `with` and its end, of all threads that were started after `watch`."""

    def __init__(self) -> None:
        self.entered: list[str] = []
        self._counting = False

    def __enter__(self) -> Moves:
        self.entered.clear()
        self._counting = True
        sys.setprofile(self._look)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)
        self._counting = False

    def watch(self) -> None:
        """Threads that are started from here on are counted as well."""
        threading.setprofile(self._look)

    def __str__(self) -> str:
        return f"{len(self.entered)} moves between {len(set(self.entered))} files"

    def _look(self, frame: FrameType, event: str, _argument: object) -> None:
        if not self._counting or event != "call":
            return
        file = _file_of(frame)
        if file is not None and file != _file_of_caller(frame):
            self.entered.append(file)


def _file_of(frame: FrameType) -> str | None:
    """The frame's file below the package, None for one of a library."""
    name = frame.f_code.co_filename
    return name.removeprefix(_PACKAGE) if name.startswith(_PACKAGE) else None


def _file_of_caller(frame: FrameType) -> str | None:
    """The nearest file of the package from which it was called, through libraries or not."""
    caller = frame.f_back
    while caller is not None and _file_of(caller) is None:
        caller = caller.f_back
    return None if caller is None else _file_of(caller)


def send() -> Moves:
    """`POST /v2/send` of one text, from the WSGI application to the socket and back."""
    from signal_bridge import compose
    from signal_bridge.web.app import create_app

    with directory() as home, _sandbox(home) as address:
        settings = {"BRIDGE_SIGNAL_CLI_RPC": address, "SIGNAL_CLI_CONFIG_DIR": str(home)}
        bridge = compose.web_bridge(read_settings(settings))
        client = create_app(bridge).test_client()
        body = json.dumps({"number": ANN, "recipients": [BOB], "message": "hello"})
        answers = [client.post("/v2/send", data=body)]  # connects
        with (moves := Moves()):
            answers.append(client.post("/v2/send", data=body))
        bridge.gateway.close()
        bridge.feed.bells.close()
    assert [answer.status_code for answer in answers] == [201, 201], answers
    return moves


def envelope() -> Moves:
    """A received text, from the reader's batch until its webhook has it and that is noted."""
    moves = Moves()
    with directory() as home, _receiver() as (url, arrived):
        database = home / "bridge.db"
        store = Store(f"sqlite:///{database}")
        migrate(store)
        feed = Feed(store)
        Registry(store, Rules()).create(ANN, {"url": url})
        moves.watch()
        couriers = Couriers(store, feed, Rules(), (1,))
        couriers.start()
        time.sleep(1)  # they have looked round, and wait
        intake = Intake(feed, threading.Event(), lambda _error: None)
        content = {"source": BOB, "sourceNumber": BOB, "timestamp": 1700000000123,
                   "dataMessage": {"timestamp": 1700000000123, "message": "hello"}}  # fmt: skip
        try:
            with moves:
                intake.accept([{"account": ANN, "envelope": content}])
                assert arrived.wait(_PATIENCE_SECONDS)
                _wait_until_noted(database)
        finally:
            threading.setprofile(None)  # type: ignore[arg-type]
            couriers.stop()
            feed.close()
            store.close()
    return moves


def setting() -> Moves:
    """One variable, from the environment into `Settings`, beside all the others' defaults."""
    with (unset := Moves()):
        read_settings({"HOME": "/nowhere"})
    with (moves := Moves()):
        read_settings({"HOME": "/nowhere", "BRIDGE_CALL_TIMEOUT_SECONDS": "30"})
    for file in unset.entered:
        moves.entered.remove(file)
    return moves


@contextlib.contextmanager
def _sandbox(home: Path) -> Iterator[str]:
    path = home / "daemon.sock"
    argv = [sys.executable, "-m", "signal_bridge.sandbox", "--config", str(home / "signal-cli"),
            "daemon", "--socket", str(path), "--receive-mode", "manual"]  # fmt: skip
    quiet: Any = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(argv, cwd=ROOT, **quiet)
    try:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not path.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        yield f"unix:{path}"
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def _receiver() -> Iterator[tuple[str, threading.Event]]:
    """The URL of a webhook, and what is set when something was posted to it."""
    arrived = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(204)
            self.end_headers()
            arrived.set()

        def log_message(self, *_: object) -> None:
            """The bench prints its own lines."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, name="receiver", daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook", arrived
    finally:
        server.shutdown()
        server.server_close()


def _wait_until_noted(database: Path) -> None:
    """Looked at from outside, since a call into the package would be counted."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    with contextlib.closing(sqlite3.connect(database)) as connection:
        while time.monotonic() < deadline:
            (behind,) = connection.execute(
                "select count(*) from webhooks where position < (select max(seq) from events)"
            ).fetchone()
            if not behind:
                return
            time.sleep(0.001)
    raise TimeoutError("the delivery was not noted")


def main() -> None:
    """Print them."""
    for journey in (send, envelope, setting):
        print(f"{journey.__name__:<10}{journey()}")


if __name__ == "__main__":
    main()
