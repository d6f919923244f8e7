"""Waiting with a limit, and free ports."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")

POLL_SECONDS = 0.02


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
    """A TCP port of 127.0.0.1 that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
