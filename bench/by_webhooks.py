"""What a bridge does with few webhooks and with very many, each of an account of its own."""

from __future__ import annotations

import contextlib
import functools
import statistics
from collections.abc import Iterator, Sequence

from bench.daemon import account
from bench.databases import Databases
from bench.listeners import Receiver
from bench.sides import Side, idle, sides, starts
from bench.table import MB, MS, Growth, in_turns

_ASKED = 100
_ROUNDS = 20
_EVENTS = 10
_EVERY_MS = 25.0


def rows(databases: Databases, counts: Sequence[int]) -> Iterator[Growth]:
    """With so many webhooks, few and many."""
    with contextlib.ExitStack() as stack:
        places = [stack.enter_context(databases.place()) for _ in counts]
        with sides(places, counts) as running:
            receivers = [
                _registered(side, count) for side, count in zip(running, counts, strict=True)
            ]
            yield _telling(running, receivers, min(counts))
            looks = [functools.partial(side.get_ms, "/v1/health") for side in running]
            yield in_turns("GET /v1/health", MS, looks, _ASKED)
            yield idle("idle CPU", running)
            memory = [side.running.pss_mb()["bridge"] for side in running]
            yield Growth("memory of all processes (PSS)", MB, *memory)
        yield from starts(places, counts)


def _registered(side: Side, count: int) -> Receiver:
    """The receiver of as many webhooks."""
    receiver = Receiver()
    for number in range(count):
        path = f"/v1/webhooks/%2B{account(number)[1:]}"
        side.ask("POST", path, {"webhook": receiver.url})
    return receiver


def _telling(running: Sequence[Side], receivers: Sequence[Receiver], accounts: int) -> Growth:
    """From signal-cli's line to the receiver: events of the accounts that both have, in turn."""
    delays = [
        functools.partial(_delay_ms, side, receiver, accounts)
        for side, receiver in zip(running, receivers, strict=True)
    ]
    for delay in delays:  # the first connects
        delay()
    return in_turns("event to webhook", MS, delays, _ROUNDS)


def _delay_ms(side: Side, receiver: Receiver, accounts: int) -> float:
    receiver.forget()
    side.stream(_EVENTS, accounts, _EVERY_MS)
    receiver.wait_for(_EVENTS)
    return statistics.median(receiver.delays_ms)
