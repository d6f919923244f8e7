"""The couriers of all webhooks, kept in step with the table. Runs in the daemon."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from signal_bridge.clock import Deadline, pause
from signal_bridge.errors import StoreError
from signal_bridge.inbox.store import Inbox
from signal_bridge.store.engine import Store
from signal_bridge.webhooks.addresses import Rules
from signal_bridge.webhooks.ledger import Ledger
from signal_bridge.webhooks.webhook import Webhook

if TYPE_CHECKING:
    from signal_bridge.webhooks.courier import Courier

log = logging.getLogger(__name__)

_LOOK_SECONDS: Final = 0.5
# At the end, how long what is in flight may take, and then how long to be cut off.
_FINISH_SECONDS: Final = 3.0
_CUT_OFF_SECONDS: Final = 2.0


class Couriers:
    """One courier for each active webhook. `start` and `stop` once each, from one thread."""

    def __init__(
        self,
        store: Store,
        inbox: Inbox,
        rules: Rules,
        waits_seconds: Sequence[float],
    ) -> None:
        self._inbox = inbox
        self._ledger = Ledger(store, inbox)
        self._rules = rules
        self._waits_seconds = waits_seconds
        self._stop = threading.Event()
        self._couriers: dict[str, Courier] = {}  # belongs to thread couriers until it has ended
        self._thread = threading.Thread(target=self._run, name="couriers", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End all couriers. A delivery that does not end is cut off, and repeated after a start."""
        self._stop.set()
        self._thread.join(_FINISH_SECONDS)
        couriers = list(self._couriers.values())
        for courier in couriers:
            courier.stop()
        finish = Deadline(_FINISH_SECONDS)
        late = [one for one in couriers if not one.join(finish.remaining_seconds())]
        for courier in late:
            courier.poster.end()
        cut_off = Deadline(_CUT_OFF_SECONDS)
        for courier in late:
            courier.join(cut_off.remaining_seconds())

    def _run(self) -> None:
        failing = False
        while not self._stop.is_set():
            try:
                self._look(self._ledger.active(), self._ledger.wanted())
                failing = False
            except StoreError as error:
                if not failing:
                    log.warning("changes of webhooks are noticed later: %s", error)
                failing = True
            except Exception:  # a defect of ours must not leave webhooks without couriers
                log.exception("the webhooks could not be looked at")
            for courier in self._couriers.values():
                courier.poster.end_if_overdue()
            pause(_LOOK_SECONDS, self._stop)

    def _look(self, rows: Sequence[Webhook], wanted: set[str]) -> None:
        """Start, stop and wake couriers as the rows say. One webhook never has two."""
        self._couriers = {name: one for name, one in self._couriers.items() if one.is_alive()}
        active = {row.id: row for row in rows}
        for name, courier in self._couriers.items():
            if name in active:
                courier.offer(active[name], name in wanted)
            else:
                courier.stop()
        for row in rows:
            if row.id not in self._couriers:
                self._couriers[row.id] = self._started(row)

    def _started(self, row: Webhook) -> Courier:
        # An HTTP client: 5 MB that a bridge without webhooks need not pay.
        from signal_bridge.webhooks.courier import Courier
        from signal_bridge.webhooks.post import Poster

        poster = Poster(self._rules)
        courier = Courier(row, self._inbox, self._ledger, poster, self._waits_seconds)
        courier.start()
        return courier
