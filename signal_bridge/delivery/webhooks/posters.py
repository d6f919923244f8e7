"""Connections to receivers that are kept open for the next event, and how many."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from signal_bridge.delivery.webhooks.addresses import Rules
from signal_bridge.delivery.webhooks.dispatcher import WOKEN, Job

if TYPE_CHECKING:
    from signal_bridge.delivery.webhooks.post import Poster

# More than this are closed, those first that were used least lately.
KEPT: Final = 256
_IDLE_SECONDS: Final = 60.0


class Posters(Job):
    """Lends posters. Safe from any thread."""

    name = "the connections to webhooks"

    def __init__(self, rules: Rules) -> None:
        super().__init__()
        self._rules = rules
        self._mutex = threading.Lock()  # guards _kept
        # Each with when it was given back, on the monotonic clock: the oldest first.
        self._kept: OrderedDict[str, tuple[float, Poster]] = OrderedDict()

    @contextlib.contextmanager
    def lend(self, webhook_id: str) -> Iterator[Poster]:
        """Gives the one that this webhook has used before, or a new one, for one attempt."""
        poster = self._take(webhook_id)
        try:
            yield poster
        except BaseException:
            poster.close()  # nobody knows what became of its connection
            raise
        self._give_back(webhook_id, poster)

    def turn(self) -> float:
        """Close those that nobody has used for a while."""
        before = time.monotonic() - _IDLE_SECONDS
        with self._mutex:
            idle = [key for key, (since, _poster) in self._kept.items() if since <= before]
            posters = [self._kept.pop(key)[1] for key in idle]
            oldest = next(iter(self._kept.values()), None)
        for poster in posters:
            poster.close()
        return WOKEN if oldest is None else max(1.0, oldest[0] - before)

    def end(self) -> None:
        """Close all that are kept."""
        with self._mutex:
            kept, self._kept = self._kept, OrderedDict()
        for _since, poster in kept.values():
            poster.close()

    def _take(self, webhook_id: str) -> Poster:
        with self._mutex:
            kept = self._kept.pop(webhook_id, None)
        if kept is not None:
            return kept[1]
        from signal_bridge.delivery.webhooks.post import Poster  # an HTTP client, as in couriers.py

        return Poster(self._rules)

    def _give_back(self, webhook_id: str, poster: Poster) -> None:
        with self._mutex:
            is_first = not self._kept
            self._kept[webhook_id] = (time.monotonic(), poster)
            least = self._kept.popitem(last=False)[1][1] if len(self._kept) > KEPT else None
        if least is not None:
            least.close()
        if is_first:
            self.wake()
