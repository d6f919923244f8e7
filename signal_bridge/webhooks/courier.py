"""A courier serves one webhook: oldest first, one in flight, store, send, mark.

    the feed ── read after the position ── post ──┬─ delivered ── the position moves
                        ▲                         ├─ later ────── wait as the schedule says
                        └──── the same event ─────┘
                                                  ├─ parked ───── kept for replay, and on
                                                  └─ disabled ─── nothing more is sent

Positions are committed in groups: a crash between costs some doubled deliveries, each with the
`webhook-id` it had, and never a lost one. The schedule stands in the database, so a restart keeps
it.
"""

from __future__ import annotations

import dataclasses
import logging
import random
import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import Final

from signal_bridge.clock import Deadline, backoff_seconds, now_ms, pause
from signal_bridge.errors import StoreError
from signal_bridge.inbox.event import Arrival, Event
from signal_bridge.inbox.filters import EVERY_ACCOUNT
from signal_bridge.inbox.own import own_event
from signal_bridge.inbox.store import Inbox, Newest
from signal_bridge.webhooks.ledger import Entry, Ledger, Tried
from signal_bridge.webhooks.payload import gap_notice, payload
from signal_bridge.webhooks.post import Attempt, Poster
from signal_bridge.webhooks.schedule import Decision, Fate, decide
from signal_bridge.webhooks.webhook import ACTIVE, DISABLED, JSONRPC, Webhook

log = logging.getLogger(__name__)

_PAGE: Final = 50
_GROUP: Final = 50
_GROUP_SECONDS: Final = 0.2
# A stop, or a change of the webhook, is noticed within this while there is nothing to do.
_SLICE_SECONDS: Final = 0.25
# How far the feed may run ahead of a webhook that wants none of it before its position follows.
_SKIP_AHEAD: Final = 1000
_LONGEST_STORE_WAIT_SECONDS: Final = 5.0
_LONGEST_DEFECT_WAIT_SECONDS: Final = 60.0


@dataclasses.dataclass
class _Unsaved:
    """What is done since the last time something was written down, at `since`.

    `reports` go to the feed once it is.
    """

    since: float
    tried: list[Tried] = dataclasses.field(default_factory=list)
    parked: list[tuple[int, str]] = dataclasses.field(default_factory=list)
    unparked: list[int] = dataclasses.field(default_factory=list)
    reports: list[Arrival] = dataclasses.field(default_factory=list)
    urgent: bool = False

    def due(self) -> bool:
        if not self.tried:
            return self.urgent
        return self.urgent or self.wait_seconds() <= 0 or len(self.tried) >= _GROUP

    def wait_seconds(self) -> float:
        """Until it is to be written down: the first at once, what follows with others."""
        if not self.tried:
            return _SLICE_SECONDS
        return self.since + _GROUP_SECONDS - time.monotonic()


class Courier:
    """The courier of one webhook, on thread `courier:<id>`.

    `offer`, `stop` and `end_attempt` may be called from any thread. Everything else belongs to the
    courier's own, so that no lock is needed.
    """

    def __init__(
        self,
        webhook: Webhook,
        inbox: Inbox,
        ledger: Ledger,
        poster: Poster,
        waits_seconds: Sequence[float],
    ) -> None:
        self._inbox = inbox
        self._ledger = ledger
        self._waits_seconds = waits_seconds
        self.poster = poster
        self._stopping = threading.Event()
        self._stale = threading.Event()  # the row is not as we know it
        self._bell = threading.Event()  # ends a wait: set with either of the two
        self._stale.set()
        self._saved = webhook  # as it stands in the database
        self._now = webhook  # as it is
        self._unsaved = _Unsaved(time.monotonic())
        self._queue: deque[Event] = deque()
        self._wanted = webhook.filter
        self._read_through = webhook.position
        self._dry_seq: int | None = None  # where the feed stood when there was nothing for us
        self._replaying = False
        self._thread = threading.Thread(target=self._run, name=f"courier:{webhook.id}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def offer(self, row: Webhook, wanted: bool) -> None:
        """How the webhook stands in the database, and whether parked events are wanted again."""
        if wanted or row != self._saved:
            self._stale.set()
            self._bell.set()

    def stop(self) -> None:
        """Begin to end: what is in flight ends, and is written down."""
        self._stopping.set()
        self._bell.set()

    def join(self, seconds: float) -> bool:
        """Wait for the end. False when it has not come."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def is_alive(self) -> bool:
        return self._thread.is_alive()

    # -- the loop ------------------------------------------------------------------------------

    def _run(self) -> None:
        failures = 0
        with self._inbox.newest.watched() as newest:
            while not self._stopping.is_set():
                try:
                    if not self._step(newest):
                        break
                    failures = 0
                except StoreError as error:
                    failures += 1
                    log.warning("webhook %s waits for the database: %s", self._now.id, error)
                    wait = backoff_seconds(failures, 0.1, _LONGEST_STORE_WAIT_SECONDS)
                    pause(wait, self._stopping)
                except Exception:  # a defect of ours must not end deliveries for good
                    failures += 1
                    log.exception("webhook %s failed unexpectedly", self._now.id)
                    wait = backoff_seconds(failures, 1, _LONGEST_DEFECT_WAIT_SECONDS)
                    pause(wait, self._stopping)
        self._end()

    def _step(self, newest: Newest) -> bool:
        """Do one thing. False when the webhook is gone, or no longer active."""
        if self._unsaved.due():
            self._save()
        if self._stale.is_set() and not self._read_row():
            return False
        if self._now.state != ACTIVE:
            return False
        wait_ms = self._now.next_attempt_ms - now_ms()
        if wait_ms > 0:
            self._save()
            pause(wait_ms / 1000, self._bell)
            return True
        event = self._next_event(newest)
        if event is not None:
            self._deliver(event)
            return True
        if not self._unsaved.tried:
            self._save()
        newest.wait_beyond(self._dry_seq or 0, Deadline(self._unsaved.wait_seconds()))
        return True

    def _end(self) -> None:
        try:
            self._save()
        except StoreError as error:
            log.warning("webhook %s may repeat its last deliveries: %s", self._now.id, error)
        self.poster.close()

    def _read_row(self) -> bool:
        """Begin afresh from the row. False when there is nothing to serve."""
        self._stale.clear()
        self._bell.clear()
        if self._stopping.is_set():  # the bell may have rung for that
            return False
        self._save()
        row = self._ledger.get(self._now.id)
        if row is None:
            return False
        self._saved = self._now = row
        self._wanted = row.filter
        self._queue.clear()
        self._read_through = row.position
        self._dry_seq = None
        self._replaying = True
        self._look_for_gap()
        return True

    def _look_for_gap(self) -> None:
        gap = self._inbox.gap(self._now.account, self._now.position)
        if gap is None:
            return
        log.warning(
            "webhook %s: events %d to %d were removed before they were delivered",
            self._now.id, gap.first_seq, gap.last_seq,
        )  # fmt: skip
        self._read_through = gap.last_seq
        if self._now.format == JSONRPC:  # knows no such notice
            self._now = dataclasses.replace(self._now, position=gap.last_seq, attempt=0)
        else:
            self._queue.append(gap_notice(self._now, gap))

    # -- reading -------------------------------------------------------------------------------

    def _next_event(self, newest: Newest) -> Event | None:
        """The event whose turn it is: a parked one that is wanted again, or the next of the feed.

        It stays the next until its fate is decided.
        """
        if self._replaying:
            wanted = self._ledger.next_wanted(self._now.id)
            if wanted is not None:
                return wanted
            self._replaying = False
        if not self._queue:
            self._read_feed(newest)
        return self._queue[0] if self._queue else None

    def _read_feed(self, newest: Newest) -> None:
        """Read on, unless the feed stands where there was nothing for us."""
        stands_at = newest.seq
        if stands_at == self._dry_seq:
            return
        found = self._inbox.read(self._wanted, self._read_through, _PAGE)
        self._queue.extend(found)
        if found:
            self._read_through = found[-1].seq
            return
        self._dry_seq = stands_at
        if stands_at > self._read_through:
            self._skip_to(stands_at)

    def _skip_to(self, seq: int) -> None:
        """None of the events up to `seq` is wanted: need not be looked at again."""
        self._read_through = seq
        if seq - self._now.position > _SKIP_AHEAD:
            self._now = dataclasses.replace(self._now, position=seq)

    # -- delivering ----------------------------------------------------------------------------

    def _deliver(self, event: Event) -> None:
        at_ms = now_ms()
        outcome, decision = self._try(event)
        if self._stopping.is_set() and not outcome.status:
            return  # perhaps ended by us: the receiver is not to blame
        self._unsaved.tried.append(Tried(event.seq, self._now.attempt + 1, at_ms, outcome))
        self._unsaved.urgent |= self._replaying or decision.fate is not Fate.DELIVERED
        if decision.fate is Fate.LATER:
            self._try_later(decision)
        elif decision.fate is Fate.DISABLED:
            self._disable(decision.reason)
        else:
            self._done_with(event, decision)

    def _try(self, event: Event) -> tuple[Attempt, Decision]:
        try:
            body = payload(event, self._now.format)
        except (TypeError, ValueError) as error:  # nested too deep to be written, say
            sentence = f"the event cannot be written as JSON: {error}"
            return Attempt(0, sentence, 0), Decision(Fate.PARKED, sentence)
        outcome = self.poster.post(self._now, event.id, body)
        failing_ms = now_ms() - self._now.failing_since_ms if self._now.failing_since_ms else 0
        return outcome, decide(
            outcome.status,
            outcome.error,
            outcome.retry_after_seconds,
            tries=self._now.attempt,
            failing_seconds=failing_ms / 1000,
            waits_seconds=self._waits_seconds,
            jitter=random.random(),  # noqa: S311 - not a secret
        )

    def _done_with(self, event: Event, decision: Decision) -> None:
        """Delivered or parked: the next event's turn."""
        delivered = decision.fate is Fate.DELIVERED
        position = self._now.position
        if not self._replaying:
            self._queue.popleft()
            position = event.seq
        self._now = dataclasses.replace(
            self._now,
            position=position,
            attempt=0,
            next_attempt_ms=0,
            failing_since_ms=0 if delivered else self._failing_since_ms(),
        )
        if not delivered:
            self._park(event, decision.reason)
        elif self._replaying:
            self._unsaved.unparked.append(event.seq)

    def _park(self, event: Event, reason: str) -> None:
        log.warning("webhook %s: event %d is parked: %s", self._now.id, event.seq, reason)
        self._unsaved.parked.append((event.seq, reason))
        if not event.kind.startswith("webhook."):  # else each report would cause the next
            self._report("webhook.parked", event.account, seq=event.seq, reason=reason)

    def _try_later(self, decision: Decision) -> None:
        log.warning(
            "webhook %s: %s; trying again in %.1f s",
            self._now.id, decision.reason, decision.wait_seconds,
        )  # fmt: skip
        self._now = dataclasses.replace(
            self._now,
            attempt=self._now.attempt + decision.counts,
            next_attempt_ms=now_ms() + round(decision.wait_seconds * 1000),
            failing_since_ms=self._failing_since_ms(),
        )

    def _disable(self, reason: str) -> None:
        """The event in hand stays the next: it is sent when the webhook is active again."""
        log.error("webhook %s is disabled: %s", self._now.id, reason)
        account = "" if self._now.account == EVERY_ACCOUNT else self._now.account
        self._report("webhook.disabled", account, reason=reason)
        self._now = dataclasses.replace(
            self._now,
            state=DISABLED,
            detail=reason,
            attempt=0,
            next_attempt_ms=0,
            failing_since_ms=self._failing_since_ms(),
        )

    def _failing_since_ms(self) -> int:
        return self._now.failing_since_ms or now_ms()

    def _report(self, kind: str, account: str, **detail: object) -> None:
        about = {"webhook": self._now.id, "name": self._now.name, **detail}
        self._unsaved.reports.append(own_event(kind, account, **about))

    # -- writing down --------------------------------------------------------------------------

    def _save(self) -> None:
        """Write down what is done. Raises StoreError; then it is still to be written."""
        unsaved = self._unsaved
        if self._now == self._saved and not unsaved.tried:
            return
        entry = Entry(unsaved.tried, unsaved.parked, unsaved.unparked)
        if self._ledger.mark(self._saved, self._now, entry):
            self._saved = self._now
        else:
            unsaved.reports.clear()
            self._stale.set()
        self._unsaved = _Unsaved(time.monotonic())
        if unsaved.reports:
            self._inbox.append(unsaved.reports)
