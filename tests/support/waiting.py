"""Waiting with a limit, and free ports."""

from __future__ import annotations

import itertools
import os
import socket
import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")

POLL_SECONDS = 0.02
# Begins anywhere, so that several test runs at once seldom meet.
_ports = itertools.count(os.getpid() * 37)


def eventually(
    predicate: Callable[[], Found], seconds: float = 10.0, what: str | Callable[[], str] = ""
) -> Found:
    """The first true value of `predicate`, asked again and again for at most `seconds`.

    An AssertionError inside it counts as "not yet", so a predicate may assert; the last one is
    what the test fails with. `what` says what was waited for, or makes the sentence when needed.
    """
    ends_at = time.monotonic() + seconds
    while True:
        last_try = time.monotonic() >= ends_at
        try:
            if found := predicate():
                return found
        except AssertionError:
            if last_try:
                raise
        if last_try:
            waited_for = (what() if callable(what) else what) or predicate.__qualname__
            raise AssertionError(f"not within {seconds:g} s: {waited_for}")
        time.sleep(POLL_SECONDS)


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on, and that no other test is given.

    Below the ports the kernel hands out by itself, and in a range of this test process: tests run
    in several at once.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    first = 20_000 + 1_000 * (worker % 12)
    for _ in range(1_000):
        port = first + next(_ports) % 1_000
        with socket.socket() as probe:
            # As servers do, so that a port whose connections linger is not taken for used.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("all ports of this range are taken")
