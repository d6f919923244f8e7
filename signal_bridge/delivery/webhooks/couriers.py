"""The couriers of all webhooks, kept in step with the table. Runs in the daemon.

a change ── bell ──► the roll: which revision is new? ──► couriers come, go, read their row
an event ── bell ──► who wants it? ──► its courier ──┐
                                                     ├──► dispatcher ── turns ──► threads
what was done ──► scribe ── many in one commit ──────┘
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Final

from signal_bridge.delivery.webhooks.addresses import Rules
from signal_bridge.delivery.webhooks.dispatcher import WOKEN, Dispatcher, Job, Task
from signal_bridge.delivery.webhooks.ledger import Ledger, Row, revisions_in
from signal_bridge.delivery.webhooks.posters import Posters
from signal_bridge.delivery.webhooks.scribe import Scribe
from signal_bridge.errors import StoreError
from signal_bridge.feed.feed import Feed
from signal_bridge.store.bells import WEBHOOKS
from signal_bridge.store.engine import Store
from signal_bridge.store.leases import Lease

if TYPE_CHECKING:
    from signal_bridge.delivery.webhooks.courier import Courier

log = logging.getLogger(__name__)

# After a look, so many times as long as it took: one change is seen at once, of a thousand that
# follow upon each other many are seen together.
_REST: Final = 4.0
_ROWS: Final = 200
# At the end, how long what is in flight may take, and then how long to be cut off.
_FINISH_SECONDS: Final = 3.0
_CUT_OFF_SECONDS: Final = 2.0


class Couriers:
    """One courier for each active webhook. `start` and `stop` once each, from one thread.

    With a lease nothing is delivered any more once another process has it.
    """

    def __init__(
        self,
        store: Store,
        feed: Feed,
        rules: Rules,
        waits_seconds: Sequence[float],
        lease: Lease | None = None,
    ) -> None:
        self._feed = feed
        self._bells = store.bells
        self._waits_seconds = waits_seconds
        self._ledger = Ledger(store, feed, lease)
        self._dispatcher = Dispatcher()
        self._roll = Roll(self._ledger, self._look)
        self._scribe = Scribe(self._ledger, self._note_change, self._note_loss)
        self._posters = Posters(rules)
        for job in (self._roll, self._scribe, self._posters):
            self._dispatcher.enrol(job)
        # Changed by the roll's turns alone.
        self._couriers: dict[str, tuple[Courier, Task]] = {}
        self._is_lost = False

    def start(self) -> None:
        """Begin to deliver, on threads of the dispatcher's; the database is read there, too."""
        self._dispatcher.start()
        self._bells.listen(WEBHOOKS, self._roll.wake)
        self._roll.wake()

    def stop(self) -> None:
        """End all couriers. A delivery that does not end is cut off, and repeated after a start."""
        self._bells.forget(WEBHOOKS, self._roll.wake)
        self._dispatcher.stop()
        for job in self._dispatcher.wait(_FINISH_SECONDS):
            job.cut_off()
        late = self._dispatcher.wait(_CUT_OFF_SECONDS)
        if self._scribe not in late:
            self._flush()
        for _courier, task in self._couriers.values():
            self._dispatcher.remove(task)
        self._posters.end()

    def served_ids(self) -> set[str]:
        """The ids of the webhooks that are served."""
        couriers = list(self._couriers.items())
        return {one for one, (courier, _task) in couriers if not courier.is_at_rest}

    def _flush(self) -> None:
        try:
            self._scribe.flush()
        except StoreError as error:
            log.warning("webhooks may get their last deliveries again: %s", error)

    # -- what the roll says --------------------------------------------------------------------

    def _look(self, changed: Sequence[Row], left: AbstractSet[str]) -> None:
        """Webhooks are new or have changed, or are to be served no more."""
        for webhook_id in left & self._couriers.keys():
            self._couriers[webhook_id][0].offer(None)
        for row in changed:
            self._serve(row)
        for webhook_id, (courier, task) in list(self._couriers.items()):
            if courier.is_at_rest:
                del self._couriers[webhook_id]
                self._dispatcher.remove(task)

    def _serve(self, row: Row) -> None:
        known = self._couriers.get(row.webhook.id)
        if known is not None:
            known[0].offer(row)
            return
        courier = self._make(row)
        self._couriers[row.webhook.id] = courier, self._dispatcher.enrol(courier)
        courier.wake()

    def _make(self, row: Row) -> Courier:
        from signal_bridge.delivery.webhooks.courier import Courier  # as in _load

        return Courier(
            row, self._feed, self._ledger, self._scribe, self._posters, self._waits_seconds
        )

    # -- what the scribe says ------------------------------------------------------------------

    def _note_change(self, webhook_id: str, revision: int) -> None:
        """The webhook has changed; its bell may not have been heard yet."""
        found = self._couriers.get(webhook_id)
        if found is not None:
            found[0].note_change(revision)
        self._roll.wake()

    def _note_loss(self, sentence: str) -> None:
        """Another process delivers by now."""
        if not self._is_lost:
            log.warning("deliveries end here: %s", sentence)
        self._is_lost = True
        self._dispatcher.stop()


class Roll(Job):
    """Compares the table with what it said before. `look(changed, left)` is called each time."""

    name = "the roll of the webhooks"

    def __init__(
        self, ledger: Ledger, look: Callable[[Sequence[Row], AbstractSet[str]], None]
    ) -> None:
        super().__init__()
        self._ledger = ledger
        self._look = look
        self._read_last = ""  # the text that was dealt with
        self._known: dict[str, int] = {}  # the revision that was looked at
        self._rested = 0.0  # on the monotonic clock
        self._has_loaded = False

    def turn(self) -> float:
        """See what has changed. Raises StoreError."""
        early_seconds = self._rested - time.monotonic()
        if early_seconds > 0:
            return early_seconds
        text = self._text()
        if text == self._read_last:
            self._look((), frozenset())
            return WOKEN
        current = revisions_in(text)
        left = self._known.keys() - current.keys()
        new = [one for one, revision in current.items() if self._known.get(one) != revision]
        rows = self._read(new)
        self._look(rows, left)
        for webhook_id in left:
            del self._known[webhook_id]
        self._known |= {row.webhook.id: row.webhook.revision for row in rows}
        if self._known == current:  # else something has changed since
            self._read_last = text
        return WOKEN

    def _text(self) -> str:
        began = time.monotonic()
        text = self._ledger.roll()
        ended = time.monotonic()
        self._rested = ended + _REST * (ended - began)
        if text and not self._has_loaded:
            _load()  # takes long enough for one of them to have changed
            self._has_loaded = True
            return self._ledger.roll()
        return text

    def _read(self, ids: Sequence[str]) -> list[Row]:
        parts = [ids[first : first + _ROWS] for first in range(0, len(ids), _ROWS)]
        return [row for part in parts for row in self._ledger.rows(part)]


def _load() -> None:
    """An HTTP client: 5 MB that a bridge without webhooks need not pay."""
    from signal_bridge.delivery.webhooks import courier  # noqa: F401
