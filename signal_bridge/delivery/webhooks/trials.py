"""Trials of webhooks, which callers wait for: each holds one of their threads, so there are few."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from signal_bridge.delivery.webhooks.addresses import Rules
from signal_bridge.delivery.webhooks.payload import payload, trial
from signal_bridge.delivery.webhooks.webhook import Webhook
from signal_bridge.errors import Busy, BusyForClient

if TYPE_CHECKING:
    from signal_bridge.delivery.webhooks.post import Attempt

# Half of the fewest threads that a worker may have (BRIDGE_THREADS).
AT_ONCE: Final = 4
OF_A_CLIENT: Final = 2


class Trials:
    """Those of one process. Safe from any thread."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._mutex = threading.Lock()  # guards the next two
        self._clients: Counter[str] = Counter()
        self._webhook_ids: set[str] = set()
        self._stop = threading.Event()

    def run(self, webhook: Webhook, client: str) -> Attempt:
        """Post an event that is in no feed, at once. It ends as any attempt does (post.Limits),
        or when `stop` is called, without a status.

        Raises BusyForClient when `client` has OF_A_CLIENT of them under way, or somebody one of
        this webhook, and Busy when there are AT_ONCE.
        """
        from signal_bridge.delivery.webhooks.post import (
            post_once,  # an HTTP client: memory few requests need
        )

        with self._place(webhook.id, client):
            event = trial(webhook)
            body = payload(event, webhook.format)
            return post_once(self._rules, webhook, event.id, body, self._stop)

    def stop(self) -> None:
        """Nobody waits for a receiver any more."""
        self._stop.set()

    @contextlib.contextmanager
    def _place(self, webhook_id: str, client: str) -> Iterator[None]:
        with self._mutex:
            if webhook_id in self._webhook_ids:
                raise BusyForClient("A test of this webhook is under way; try again later")
            if self._clients[client] >= OF_A_CLIENT:
                raise BusyForClient(f"{OF_A_CLIENT} of your tests are under way; try again later")
            if len(self._webhook_ids) >= AT_ONCE:
                raise Busy(f"{AT_ONCE} tests are under way; try again later")
            self._webhook_ids.add(webhook_id)
            self._clients[client] += 1
        try:
            yield
        finally:
            with self._mutex:
                self._webhook_ids.discard(webhook_id)
                self._clients[client] -= 1
                self._clients += Counter()  # drops those at nought
