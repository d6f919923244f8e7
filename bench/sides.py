"""Two bridges that differ in one thing: one has little of it, the other much.

Both run at the same time and are asked in turns, so that the noise of the machine is in both.
"""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Callable, Iterator, Sequence

import orjson
import sqlalchemy as sa

from bench.clients import BareClient, HttpClient
from bench.databases import Place
from bench.stage import Bridge, bridge, instant_daemon
from bench.table import CPU, START_SECONDS, Growth, median_of
from signal_bridge.store.tables import cursors, events

# Nothing that is filled in has a number as high.
_numbers = itertools.count(10_000_000)
_STARTS = 3
_SETTLE_SECONDS = 3.0
_IDLE_SECONDS = 10.0
# What is filled in stays.
KEEP_ALL = {"BRIDGE_KEEP_DAYS": "0", "BRIDGE_KEEP_BYTES": "0"}


class Side:
    """One bridge with its daemon, asked on one connection that is kept."""

    def __init__(self, place: Place, running: Bridge, bare: BareClient) -> None:
        self.place = place
        self.running = running
        self.bare = bare
        self._http = HttpClient(running.port)
        self._engine = sa.create_engine(place.url, isolation_level="AUTOCOMMIT")

    def ask(self, method: str, path: str, body: object = None) -> bytes:
        """The answer. Raises AssertionError for one that is no success."""
        content = b"" if body is None else orjson.dumps(body)
        status, answer = self._http.ask(method, path, content)
        assert 200 <= status < 300, (path, status, answer[:300])
        return answer

    def get_ms(self, path: str) -> float:
        """How long an answer takes."""
        began = time.perf_counter()
        self.ask("GET", path)
        return (time.perf_counter() - began) * 1000

    def newest_seq(self) -> int:
        with self._engine.connect() as connection:
            return int(connection.scalar(sa.select(sa.func.max(events.c.seq))) or 0)

    def move_cursor(self, name: str, seq: int) -> None:
        """Also back, which no reader could."""
        with self._engine.connect() as connection:
            connection.execute(
                sa.update(cursors).where(cursors.c.name == name).values(position=seq)
            )

    def push(self, count: int, accounts: int) -> None:
        """So many messages in one write, for accounts in turn."""
        first = next(_numbers) * 10_000
        self.bare.call("push", {"first": first, "count": count, "accounts": accounts})

    def stream(self, count: int, accounts: int, every_ms: float) -> None:
        """Each in a write of its own; back when all are out."""
        first = next(_numbers) * 10_000
        shape = {"first": first, "count": count, "accounts": accounts, "every_ms": every_ms}
        self.bare.call("stream", shape)

    def close(self) -> None:
        self._http.close()
        self.bare.close()
        self._engine.dispose()


@contextlib.contextmanager
def sides(places: Sequence[Place], accounts: Sequence[int]) -> Iterator[list[Side]]:
    """A bridge at each place, with a daemon that has so many accounts."""
    with contextlib.ExitStack() as stack:
        running = []
        for place, count in zip(places, accounts, strict=True):
            path = stack.enter_context(instant_daemon(accounts=count))
            settings = {"BRIDGE_SIGNAL_CLI_RPC": f"unix:{path}", **KEEP_ALL, **place.settings}
            one = stack.enter_context(bridge(place.home, **settings))
            side = Side(place, one, BareClient(path))
            stack.callback(side.close)
            running.append(side)
        time.sleep(_SETTLE_SECONDS)
        yield running


def starts(places: Sequence[Place], accounts: Sequence[int]) -> Iterator[Growth]:
    """How long a bridge takes that has been at each place before."""
    found = [
        [_start(place, count) for place, count in zip(places, accounts, strict=True)]
        for _ in range(_STARTS)
    ]
    for at, name in enumerate(("start: HTTP open", "start: ready")):
        yield median_of(name, START_SECONDS, [[one[at] for one in pair] for pair in found])


def _start(place: Place, accounts: int) -> tuple[float, float]:
    with instant_daemon(accounts=accounts) as path:
        settings = {"BRIDGE_SIGNAL_CLI_RPC": f"unix:{path}", **KEEP_ALL, **place.settings}
        with bridge(place.home, **settings) as running:
            return running.open_seconds, running.ready_seconds


def idle(name: str, running: Sequence[Side]) -> Growth:
    """What all processes of each bridge compute while nothing happens, at the same time."""
    time.sleep(_SETTLE_SECONDS)
    before = [side.running.cpu_seconds() for side in running]
    time.sleep(_IDLE_SECONDS)
    after = [side.running.cpu_seconds() for side in running]
    used = [100 * (then - now) / _IDLE_SECONDS for now, then in zip(before, after, strict=True)]
    return Growth(name, CPU, *used)


def until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    """Looks every millisecond. Raises TimeoutError."""
    ends_at = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > ends_at:
            raise TimeoutError("what the bench waits for did not happen")
        time.sleep(0.001)
