"""What a bridge does with a small feed and with a large one."""

from __future__ import annotations

import contextlib
import functools
import threading
import time
from collections.abc import Callable, Iterator, Sequence

import orjson
import sqlalchemy as sa

from bench.daemon import account
from bench.databases import ACCOUNTS, BUSY, BUSY_ONE_IN, Databases, Place
from bench.listeners import Receiver
from bench.sides import KEEP_ALL, Side, idle, sides, starts, until
from bench.stage import bridge, instant_daemon
from bench.table import MS, RATE, WORST_MS, Growth, in_turns, median_of
from signal_bridge.feed.cursors import POLL, Cursors, cursor_name
from signal_bridge.feed.filters import Filter
from signal_bridge.store.engine import Store
from signal_bridge.store.tables import feed_totals

_PAGE = 100
_ASKED = 100
_ROUNDS = 5
_CAUGHT_UP = 2000
_APPENDED = 5000
_REMOVED = 2500
_BATCH = 500
_QUIET_SECONDS = 1.0
_NAP_SECONDS = 0.002
_TOTALS = sa.select(feed_totals.c.events, feed_totals.c.size_bytes)
_QUIET_ACCOUNT = account(7)


def rows(databases: Databases, counts: Sequence[int]) -> Iterator[Growth]:
    """With so many events, small and large."""
    with contextlib.ExitStack() as stack:
        places = [stack.enter_context(databases.place(count)) for count in counts]
        accounts = [ACCOUNTS, ACCOUNTS]
        with sides(places, accounts) as running:
            yield from _pages(running, counts)
            yield from _polls(running, counts)
            yield from _catching_up(running, counts)
            yield _appending(running)
            yield idle("idle CPU", running)
        yield from starts(places, accounts)
        yield from _removing(places)


# -- reading ---------------------------------------------------------------------------------------


def _pages(running: Sequence[Side], counts: Sequence[int]) -> Iterator[Growth]:
    one = f"account=%2B{BUSY[1:]}&limit={_PAGE}"
    every = f"limit={_PAGE}"
    nothing = "types=reaction"
    asked = {
        "a page of one account, its last": lambda n: f"{one}&after={n - _PAGE * BUSY_ONE_IN}",
        "a page of one account, from the middle": lambda n: f"{one}&after={n // 2}",
        "a page of all accounts, the last": lambda n: f"{every}&after={n - _PAGE}",
        "a page of all accounts, from the middle": lambda n: f"{every}&after={n // 2}",
        "a page of one account, none of these types": lambda _n: f"{one}&{nothing}",
        "a page of all accounts, none of these types": lambda _n: f"{every}&{nothing}",
    }
    for name, query in asked.items():
        looks = [
            functools.partial(side.get_ms, f"/v1/events?{query(count)}")
            for side, count in zip(running, counts, strict=True)
        ]
        yield in_turns(name, MS, looks, _ASKED)
    looks = [functools.partial(side.get_ms, "/v1/health") for side in running]
    yield in_turns("GET /v1/health", MS, looks, _ASKED)


def _polls(running: Sequence[Side], counts: Sequence[int]) -> Iterator[Growth]:
    middles = [count // 2 for count in counts]
    for name, number, positions in (
        (f"a poll with max_messages={_PAGE}", BUSY, middles),
        ("a poll that finds nothing", _QUIET_ACCOUNT, [side.newest_seq() for side in running]),
    ):
        looks = [
            functools.partial(_poll_ms, side, number, position)
            for side, position in zip(running, positions, strict=True)
        ]
        for look in looks:  # the first makes its cursor
            look()
        yield in_turns(name, MS, looks, _ASKED)


def _poll_ms(side: Side, number: str, position: int) -> float:
    """From the same position every time."""
    side.move_cursor(cursor_name(POLL, Filter(number)), position)
    return side.get_ms(f"/v1/receive/{number}?timeout=0&max_messages={_PAGE}")


# -- webhooks --------------------------------------------------------------------------------------


class _Counting(Receiver):
    """Notes when each delivery came, and nothing of what it says."""

    def __init__(self) -> None:
        self.came: list[float] = []
        super().__init__()

    def note(self, _body: bytes | str) -> None:
        self.came.append(time.perf_counter())


def _catching_up(running: Sequence[Side], counts: Sequence[int]) -> Iterator[Growth]:
    """Of what is filled in, the newest events once more."""
    of_one = _CAUGHT_UP // BUSY_ONE_IN * 5
    for name, number, behind, expected in (
        ("a webhook of all accounts catches up", "*", _CAUGHT_UP, _CAUGHT_UP),
        ("a webhook of one account catches up", BUSY, of_one * BUSY_ONE_IN, of_one),
    ):
        with contextlib.ExitStack() as stack:
            rates = [
                stack.enter_context(_replaying(side, number, count - behind + 1, expected))
                for side, count in zip(running, counts, strict=True)
            ]
            yield in_turns(name, RATE, rates, _ROUNDS)


@contextlib.contextmanager
def _replaying(side: Side, number: str, since: int, expected: int) -> Iterator[Callable[[], float]]:
    """A function that has everything since a seq delivered again: events a second."""
    receiver = _Counting()
    path = f"/v1/webhooks/{number.replace('+', '%2B')}"
    webhook_id = orjson.loads(side.ask("POST", path, {"webhook": receiver.url}))["id"]

    def rate() -> float:
        receiver.came.clear()
        side.ask("POST", f"{path}/{webhook_id}/replay", {"since": since})
        until(lambda: len(receiver.came) >= expected)
        return (expected - 1) / (receiver.came[expected - 1] - receiver.came[0])

    yield rate
    side.ask("DELETE", f"{path}/{webhook_id}")


# -- writing ---------------------------------------------------------------------------------------


def _appending(running: Sequence[Side]) -> Growth:
    looks = [functools.partial(_appended_per_second, side) for side in running]
    return in_turns(f"{_APPENDED:,} messages committed", RATE, looks, _ROUNDS)


def _appended_per_second(side: Side) -> float:
    until_seq = side.newest_seq() + _APPENDED
    began = time.perf_counter()
    side.push(_APPENDED, ACCOUNTS)
    until(lambda: side.newest_seq() >= until_seq)
    return _APPENDED / (time.perf_counter() - began)


def _removing(places: Sequence[Place]) -> Iterator[Growth]:
    """By a bridge that starts and may keep less than there is, while somebody else writes."""
    found = [[_removal(place) for place in places] for _ in range(_ROUNDS)]
    paces = [[pace for pace, _waits in pair] for pair in found]
    yield median_of(f"retention, {_BATCH} events removed", MS, paces)
    waits = [max(pair[at][1] for pair in found) for at in range(len(places))]
    yield Growth("  the longest wait of another writer meanwhile", WORST_MS, *waits)


def _removal(place: Place) -> tuple[float, float]:
    """Milliseconds for a batch, pauses and all, and the longest that another writer waited."""
    engine = sa.create_engine(place.url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        there, size_bytes = connection.execute(_TOTALS).one()
    kept = {"BRIDGE_KEEP_BYTES": str(size_bytes - size_bytes * _REMOVED // there)}
    fewer: list[tuple[float, int]] = []  # when there were fewer events, and how many
    with instant_daemon(accounts=ACCOUNTS) as path, _writing(place) as waits, engine.connect() as c:

        def look() -> None:
            count = int(c.execute(_TOTALS).one().events)
            if count < (fewer[-1][1] if fewer else there):
                fewer.append((time.perf_counter(), count))

        settings = {"BRIDGE_SIGNAL_CLI_RPC": f"unix:{path}", **KEEP_ALL, **kept, **place.settings}
        with _again_and_again(look), bridge(place.home, **settings):
            until(lambda: bool(fewer) and time.perf_counter() - fewer[-1][0] > _QUIET_SECONDS)
    engine.dispose()
    (began, first), (ended, last) = fewer[0], fewer[-1]
    return (ended - began) * 1000 * _BATCH / max(1, first - last), max(waits)


@contextlib.contextmanager
def _writing(place: Place) -> Iterator[list[float]]:
    """Somebody who writes now and then within the block, and the milliseconds of each time."""
    store = Store(place.url)
    cursors = Cursors(store)
    took: list[float] = []

    def write() -> None:
        began = time.perf_counter()
        cursors.move("consumer:bench", 1 + len(took))
        took.append((time.perf_counter() - began) * 1000)

    with _again_and_again(write):
        yield took
    store.close()


@contextlib.contextmanager
def _again_and_again(work: Callable[[], None]) -> Iterator[None]:
    """On a thread of its own, for the length of a block."""
    done = threading.Event()

    def run() -> None:
        while not done.wait(_NAP_SECONDS):
            work()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
