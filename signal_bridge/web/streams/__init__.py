"""Streams: a request that stays open and is told of events as they come.

Each takes one of the worker's threads for as long as it lasts, and so does a request that waits
for something to come. So there are only so many places: a third of the threads is always left to
requests, and one client gets no more than half of the places.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from signal_bridge.errors import BusyForClient, TooManyStreams


class Place:
    """One place that was taken. It is free again after `leave`, or once nobody has this object.

    So no place is lost with an answer that was made and never begun.
    """

    def __init__(self, taken: dict[object, str], client: str) -> None:
        key = object()
        taken[key] = client
        self._leave: Final = weakref.finalize(self, taken.pop, key, None)

    def leave(self) -> None:
        """Give it back. A second time does nothing."""
        self._leave()


class StreamPlaces:
    """The places for streams in one worker process. Safe from any thread."""

    def __init__(self, threads: int) -> None:
        self.limit = max(1, threads - threads // 3)
        self.limit_of_client = max(1, self.limit // 2)
        # Guards that a place which is free is taken once. To give one back takes no lock: that may
        # happen in the middle of anything.
        self._mutex = threading.Lock()
        self._taken: dict[object, str] = {}  # whose each is

    def take(self, client: str) -> Place:
        """A place for `client`, which has to `leave` it.

        Raises BusyForClient when it has its share, TooManyStreams when none is free.
        """
        with self._mutex:
            clients = list(self._taken.values())
            if clients.count(client) >= self.limit_of_client:
                raise BusyForClient(
                    f"This client has {self.limit_of_client} streams and requests that wait,"
                    f" as many as one may have; try again later"
                )
            if len(clients) >= self.limit:
                raise TooManyStreams(
                    f"All {self.limit} places for streams are taken; try again later"
                )
            return Place(self._taken, client)

    @contextmanager
    def one(self, client: str) -> Iterator[None]:
        """A place for the length of a block. Raises what `take` raises."""
        place = self.take(client)
        try:
            yield
        finally:
            place.leave()

    @property
    def taken(self) -> int:
        """How many are taken now."""
        return len(self._taken)
