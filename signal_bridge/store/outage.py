"""A database that is known to be away: then not every thread waits to find that out."""

from __future__ import annotations

import threading
import time
from typing import Final

from signal_bridge.errors import StoreUnavailable

_TRY_EVERY_SECONDS: Final = 1.0


class Outage:
    """Begins with `began`, ends with `ended`; meanwhile one caller a second may try.

    Safe from any thread.
    """

    def __init__(self) -> None:
        # Guards the two below.
        self._mutex = threading.Lock()
        self._because = ""  # empty while there is none
        self._next_try = 0.0
        self._answered_at = float("-inf")

    def check(self) -> None:
        """Raises StoreUnavailable at once while the database is away, except for who may try."""
        if not self._because:
            return
        with self._mutex:
            if not self._because or time.monotonic() >= self._next_try:
                self._next_try = time.monotonic() + _TRY_EVERY_SECONDS
                return
            raise StoreUnavailable(self._because)

    def began(self, because: str) -> None:
        """The database does not answer: until the next try nobody else is kept waiting."""
        with self._mutex:
            self._because = because
            self._next_try = time.monotonic() + _TRY_EVERY_SECONDS

    def answered_within(self, seconds: float) -> bool:
        """Whether the database has answered anybody lately: then it is busy, and not away."""
        return time.monotonic() - self._answered_at <= seconds

    def ended(self) -> None:
        """The database has answered."""
        self._answered_at = time.monotonic()
        if self._because:
            with self._mutex:
                self._because = ""
