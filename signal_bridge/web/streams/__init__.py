"""Streams: a request that stays open and is told of events as they come.

Each takes one of the worker's threads for as long as it lasts, and so does a request that waits
for something to come. So there are only so many places: a third of the threads is always left to
requests, and one client leaves an eighth of the places to others.
"""

from __future__ import annotations

import threading
import weakref
from collections import Counter
from typing import Final, TypeVar

from signal_bridge.errors import BusyForClient, TooManyStreams

_Whose = TypeVar("_Whose")


class Place:
    """One place that was taken: it is free again after `leave`, after a `with`, or once nobody has
    this object. So none is lost with an answer that was made and never begun.
    """

    def __init__(self, taken: dict[object, _Whose], whose: _Whose) -> None:
        key = object()
        taken[key] = whose
        self._leave: Final = weakref.finalize(self, taken.pop, key, None)

    def leave(self) -> None:
        """Give it back. A second time does nothing."""
        self._leave()

    def __enter__(self) -> Place:
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()


class StreamPlaces:
    """The places for streams in one worker process. Safe from any thread."""

    def __init__(self, threads: int) -> None:
        self.limit = max(1, threads - threads // 3)
        self.limit_of_client = max(1, self.limit - max(1, self.limit // 8))
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

    @property
    def taken(self) -> int:
        """How many are taken now."""
        return len(self._taken)


class Turns:
    """Whose turn it is to take what has come for a cursor, among the polls of one worker process.

    One poll after the other has it, and while its client reads slowly the next one waits until its
    lease runs out. A client with many such polls would keep everybody else from their messages: so
    who has answers of a cursor under way lets those go first who have fewer. Safe from any thread.
    """

    def __init__(self) -> None:
        # Each is added to and removed from at once, and looked at in a copy.
        self._waiting: dict[object, tuple[str, str]] = {}
        self._under_way: dict[object, tuple[str, str]] = {}

    def waiting(self, cursor: str, client: str) -> Place:
        """A poll that waits, until it is left."""
        return Place(self._waiting, (cursor, client))

    def under_way(self, cursor: str, client: str) -> Place:
        """An answer that is handed over, until it is left."""
        return Place(self._under_way, (cursor, client))

    def is_of_another(self, cursor: str, client: str) -> bool:
        """Whether a client waits that has fewer answers under way than this one."""
        under_way = Counter(list(self._under_way.values()))
        mine = under_way[cursor, client]
        waiting = set(self._waiting.values()) if mine else ()
        return any(under_way[one] < mine for one in waiting if one[0] == cursor)
