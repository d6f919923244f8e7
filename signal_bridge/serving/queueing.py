"""Whose request is next: clients take turns, and none has more than its share. Pure.

Used on the thread of the event loop alone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any, Final


class Share:
    """Places of one kind: so many in all, and so many for one client."""

    __slots__ = ("_by_client", "per_client", "places", "taken")

    def __init__(self, places: int, per_client: int | None = None) -> None:
        self.places: Final = places
        self.per_client: Final = places if per_client is None else per_client
        self.taken = 0
        self._by_client: Final[dict[str, int]] = {}

    def of(self, client: str) -> int:
        """How many a client has."""
        return self._by_client.get(client, 0)

    def fits(self, client: str) -> bool:
        """Whether one more may be taken for this client."""
        return self.taken < self.places and self.of(client) < self.per_client

    def take(self, client: str) -> None:
        """One, which must fit."""
        self.taken += 1
        self._by_client[client] = self.of(client) + 1

    def give(self, client: str) -> None:
        """One back."""
        self.taken -= 1
        left = self.of(client) - 1
        if left:
            self._by_client[client] = left
        else:
            del self._by_client[client]


class Lane:
    """Requests of one kind. Each needs a place of every one of its shares."""

    def __init__(self, *shares: Share) -> None:
        self.shares: Final = shares
        # In the order of their turns. None is empty.
        self.waiting: Final[dict[str, deque[Ticket]]] = {}

    def fits(self, client: str) -> bool:
        """Whether a request of this client may begin."""
        return all(share.fits(client) for share in self.shares)

    def is_full(self) -> bool:
        """Whether no request may begin, whosever it is."""
        return any(share.taken >= share.places for share in self.shares)


class Ticket:
    """One request from its arrival to its end."""

    __slots__ = ("_held", "client", "item", "lane", "until")

    def __init__(self, client: str, lane: Lane, item: Any, until: float) -> None:
        self.client: Final = client
        self.lane: Final = lane
        self.item: Final = item
        self.until = until
        self._held: tuple[Share, ...] = ()

    def take(self) -> None:
        """Its places; they fit."""
        self._held = self.lane.shares
        for share in self._held:
            share.take(self.client)

    def give(self, *which: Share) -> None:
        """Give back the places of these shares, or all that it still has."""
        gone = which or self._held
        for share in gone:
            if share in self._held:
                share.give(self.client)
        self._held = tuple(share for share in self._held if share not in gone)

    def holds(self, share: Share) -> bool:
        """Whether it has a place of this share."""
        return share in self._held

    def is_held_by_its_client(self) -> bool:
        """Whether others of the same client are what it waits for."""
        return any(share.of(self.client) >= share.per_client for share in self.lane.shares)


class Queue:
    """What has arrived and has not begun."""

    def __init__(self, lanes: Sequence[Lane]) -> None:
        self._lanes: Final = deque(lanes)
        self._waiting: Final[dict[Ticket, None]] = {}  # every one, as they came

    def put(self, ticket: Ticket) -> bool:
        """Whether it may begin at once; it has its places then. Else it waits for its turn."""
        lane, client = ticket.lane, ticket.client
        if client not in lane.waiting and lane.fits(client):
            ticket.take()
            return True
        lane.waiting.setdefault(client, deque()).append(ticket)
        self._waiting[ticket] = None
        return False

    def ready(self) -> Iterator[Ticket]:
        """Those that may begin now, in turn; they have their places."""
        found = bool(self._waiting)
        while found:
            found = False
            for lane in tuple(self._lanes):
                ticket = self._next_of(lane)
                if ticket is not None:
                    found = True
                    self._lanes.remove(lane)
                    self._lanes.append(lane)  # its next turn comes after every other's
                    yield ticket

    def late(self, now: float) -> Iterator[Ticket]:
        """Those that have waited for too long; they do not wait any more."""
        while self._waiting and (ticket := next(iter(self._waiting))).until <= now:
            self.withdraw(ticket)
            yield ticket

    def withdraw(self, ticket: Ticket) -> None:
        """It waits no longer."""
        del self._waiting[ticket]
        own = ticket.lane.waiting[ticket.client]
        own.remove(ticket)
        if not own:
            del ticket.lane.waiting[ticket.client]

    def count_of(self, client: str) -> int:
        """How many requests of this client wait."""
        return sum(len(lane.waiting.get(client, ())) for lane in self._lanes)

    def first_to_go(self) -> Ticket | None:
        """Of the client with the most, the one whose turn is furthest."""
        clients = {client for lane in self._lanes for client in lane.waiting}
        if not clients:
            return None
        fullest = max(clients, key=self.count_of)
        return max(
            (lane.waiting[fullest] for lane in self._lanes if fullest in lane.waiting), key=len
        )[-1]

    def waiting(self) -> Iterator[Ticket]:
        """All that wait, as they came."""
        return iter(self._waiting)

    def waiting_of(self, client: str) -> Iterator[Ticket]:
        """Those of one client."""
        return (ticket for lane in self._lanes for ticket in lane.waiting.get(client, ()))

    def _next_of(self, lane: Lane) -> Ticket | None:
        if not lane.waiting or lane.is_full():
            return None
        for client, own in lane.waiting.items():
            if lane.fits(client):
                ticket = own[0]
                self.withdraw(ticket)
                ticket.take()
                if own:  # its next turn comes after everybody else's
                    lane.waiting[client] = lane.waiting.pop(client)
                return ticket
        return None
