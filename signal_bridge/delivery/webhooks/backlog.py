"""What a webhook is still to be told, in order, as far as its courier has read."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from typing import Final

from signal_bridge.delivery.webhooks.ledger import Ledger, Row
from signal_bridge.delivery.webhooks.payload import gap_notice
from signal_bridge.feed.event import Event, Gap
from signal_bridge.feed.feed import Feed

log = logging.getLogger(__name__)

_PAGE: Final = 50


class Backlog:
    """Parked events that are wanted again, then the feed after the webhook's position.

    `wake` is called, on thread `bells`, when the feed has more. Everything else belongs to one
    thread at a time. Methods raise StoreError.
    """

    def __init__(self, feed: Feed, ledger: Ledger, row: Row, wake: Callable[[], None]) -> None:
        self._feed = feed
        self._ledger = ledger
        self._webhook = row.webhook
        self._follower = feed.watch.follow(row.webhook.filter, wake)
        self._events: deque[Event] = deque()
        self.read_through = row.webhook.position
        self._replays = row.replays
        self._replay: Event | None = None
        self._replayed = -1  # the seq of the last

    @property
    def is_replay(self) -> bool:
        """Whether the next event is one that was parked."""
        return self._replay is not None

    def next(self, one_by_one: bool) -> Event | None:
        """The event whose turn it is; it stays the next until `advance`.

        None when there is no more: `wake` tells of it. What was removed before it was read is an
        event, too: a notice in its turn.
        """
        if self._replays:
            self._replay = self._replay or self._ledger.next_wanted(
                self._webhook.id, self._replayed
            )
            self._replays = self._replay is not None
        if self._replay is not None:
            return self._replay
        if not self._events:
            self._read(1 if one_by_one else _PAGE)
        return self._events[0] if self._events else None

    def advance(self) -> None:
        """The next event is dealt with: the turn of the one behind it."""
        if self._replay is None:
            self._events.popleft()
            return
        self._replayed = self._replay.seq
        self._replay = None

    def drop(self, position: int) -> None:
        """What was read takes up memory while the webhook has to wait: read it again then."""
        self._events.clear()
        self._replay = None
        self.read_through = position

    def close(self) -> None:
        """`wake` is called no more."""
        self._feed.watch.leave(self._follower)

    def _read(self, limit: int) -> None:
        page = self._follower.read(self.read_through, limit)
        if page.gap is not None:
            self._tell_gap(page.gap)
        self._events.extend(page.events)
        self.read_through = page.through

    def _tell_gap(self, gap: Gap) -> None:
        log.warning(
            "webhook %s: events %d to %d were removed before they were delivered",
            self._webhook.id, gap.first_seq, gap.last_seq,
        )  # fmt: skip
        self._events.append(gap_notice(self._webhook, gap))
