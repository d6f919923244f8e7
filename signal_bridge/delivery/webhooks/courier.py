"""A courier serves one webhook: oldest first, one in flight, store, send, mark.

    the feed ── read after the position ── post ──┬─ delivered ── the position moves
                        ▲                         ├─ later ────── wait as the schedule says
                        └──── the same event ─────┘
                                                  ├─ parked ───── kept for replay, and on
                                                  └─ disabled ─── nothing more is sent

It has no thread: each turn does the next thing and says when it wants another. The schedule
stands in the database, so a restart keeps it.
"""

from __future__ import annotations

import logging
import random
from collections import deque
from collections.abc import Sequence
from typing import Final

from signal_bridge.clock import now_ms
from signal_bridge.delivery.webhooks import progress
from signal_bridge.delivery.webhooks.backlog import Backlog
from signal_bridge.delivery.webhooks.dispatcher import NOW, SLOW_SECONDS, WOKEN, Job, Pace
from signal_bridge.delivery.webhooks.ledger import Ledger, Mark, Row, Tried
from signal_bridge.delivery.webhooks.payload import GAP, payload
from signal_bridge.delivery.webhooks.post import Attempt, Poster
from signal_bridge.delivery.webhooks.posters import Posters
from signal_bridge.delivery.webhooks.schedule import Decision, Fate, decide, longest_wait_seconds
from signal_bridge.delivery.webhooks.scribe import Scribe
from signal_bridge.delivery.webhooks.webhook import ACTIVE, JSONRPC, Webhook, origin_of
from signal_bridge.feed.event import Event
from signal_bridge.feed.feed import Feed

log = logging.getLogger(__name__)

# How far the feed may run ahead of a webhook that wants none of it before its position follows.
_SKIP_AHEAD: Final = 1000
# How often one that waits looks up: the wall clock may have been set; and what a filter by sender
# has not let through need not be looked through again after a restart.
_LOOK_UP_SECONDS: Final = 600.0
# So many quick attempts in a row are believed; each slow one undoes all.
_KNOWN_AFTER: Final = 10


class Courier(Job):
    """The courier of one webhook, which begins with `row`; the later ones are offered.

    `offer`, `note_change`, `look` and `cut_off` may be called from any thread. Everything else
    belongs to its turns, of which there is one at a time, so that no lock is needed.
    """

    def __init__(
        self,
        row: Row,
        feed: Feed,
        ledger: Ledger,
        scribe: Scribe,
        posters: Posters,
        waits_seconds: Sequence[float],
    ) -> None:
        super().__init__()
        self.name = f"webhook {row.webhook.id}"
        self.pace = Pace.NEW
        self.origin = origin_of(row.webhook.url)
        self._quick_turns = 0  # since the last that was slow
        self._feed = feed
        self._ledger = ledger
        self._scribe = scribe
        self._posters = posters
        self._waits_seconds = waits_seconds
        # None: it is not to be served for now
        self._offered: deque[Row | None] = deque([row])
        self._changed_revision = -1
        self._webhook = row.webhook  # as it is; the row is as it was written last
        self._backlog: Backlog | None = None
        self._poster: Poster | None = None  # while an attempt is under way
        self._is_cut_off = False

    def offer(self, row: Row | None) -> None:
        """The webhook has changed: go on from this. None: it is gone, or not active."""
        self._offered.append(row)
        self.wake()

    @property
    def is_at_rest(self) -> bool:
        """Whether it is not active, and nothing it has done is still to be written."""
        return (
            self._backlog is None and not self._offered and not self._scribe.has(self._webhook.id)
        )

    def note_change(self, revision: int) -> None:
        """The webhook is not as it was under `revision`: wait for the row that is offered next."""
        self._changed_revision = revision

    def look(self) -> None:
        """End the attempt that is under way if it takes too long; on thread `couriers`."""
        if (poster := self._poster) is not None:
            poster.end_if_overdue()

    def cut_off(self) -> None:
        """End what is in flight. If that leaves it without an answer, it counts for nothing."""
        self._is_cut_off = True
        if (poster := self._poster) is not None:
            poster.end()

    def end(self) -> None:
        """The feed wakes it no more."""
        if self._backlog is not None:
            self._backlog.close()

    def turn(self) -> float:
        """Do the next thing: one attempt at most. Raises StoreError."""
        if self._offered and self._adopt():
            return NOW  # as what it is now
        backlog = self._backlog
        if backlog is None or not self._may_go_on():
            return WOKEN
        wait_seconds = self._wait_seconds()
        if wait_seconds > 0:
            return min(wait_seconds, _LOOK_UP_SECONDS)
        event = backlog.next(one_by_one=self._webhook.failing_since_ms > 0)
        if event is None:
            return self._rest(backlog)
        if event.kind == GAP and self._webhook.format == JSONRPC:  # knows no such notice
            self._write(progress.pass_over(self._webhook, event.seq))
            backlog.advance()
        else:
            self._deliver(event, backlog)
        return NOW

    def _adopt(self) -> bool:
        """Begin afresh from what was offered last. Whether that is another receiver."""
        url_before = self._webhook.url
        offered = list(self._offered)
        backlog = None if offered[-1] is None else self._backlog_from(offered[-1])
        self.end()
        self._backlog = backlog
        for _row in offered:
            self._offered.popleft()
        if self._webhook.url == url_before:
            return False
        self.origin, self.pace, self._quick_turns = origin_of(self._webhook.url), Pace.NEW, 0
        return True

    def _backlog_from(self, row: Row) -> Backlog:
        """What is to be told from here on, now that the webhook is as `row` says."""
        webhook = progress.adopt_change(self._webhook, row.webhook)
        backlog = Backlog(self._feed, self._ledger, Row(webhook, row.replays), self.wake)
        self._webhook = webhook
        return backlog

    def _may_go_on(self) -> bool:
        """Not when the webhook has changed, nor with much that is not written yet."""
        webhook = self._webhook
        return (
            webhook.state == ACTIVE
            and webhook.revision != self._changed_revision
            and not self._scribe.is_behind((webhook.id, webhook.revision), self.wake)
        )

    def _wait_seconds(self) -> float:
        """Until the next attempt, by the wall clock. None at all when that was set back meanwhile:
        nobody waits for longer than the schedule says."""
        seconds = (self._webhook.next_attempt_ms - now_ms()) / 1000
        return seconds if seconds <= longest_wait_seconds(self._waits_seconds) else 0.0

    def _rest(self, backlog: Backlog) -> float:
        """There is nothing to tell."""
        if backlog.read_through - self._webhook.position > _SKIP_AHEAD:
            self._write(progress.pass_over(self._webhook, backlog.read_through))
        return _LOOK_UP_SECONDS if self._webhook.senders else WOKEN

    # -- delivering ----------------------------------------------------------------------------

    def _deliver(self, event: Event, backlog: Backlog) -> None:
        before, at_ms = self._webhook, now_ms()
        outcome, decision = self._try(event)
        self._note_pace(outcome.duration_ms / 1000)
        if self._is_cut_off and not outcome.status:
            return  # the receiver is not to blame
        tried = Tried(event.seq, before.attempt + 1, at_ms, outcome)
        self._write(
            progress.after_attempt(before, event, backlog.is_replay, tried, decision, now_ms())
        )
        _log_fate(before, event, decision)
        if decision.fate in (Fate.DELIVERED, Fate.PARKED):
            backlog.advance()
        else:
            backlog.drop(before.position)

    def _note_pace(self, seconds: float) -> None:
        if seconds >= SLOW_SECONDS:
            self._quick_turns, self.pace = 0, Pace.SLOW
            return
        self._quick_turns += 1
        self.pace = Pace.QUICK if self._quick_turns >= _KNOWN_AFTER else Pace.NEW

    def _try(self, event: Event) -> tuple[Attempt, Decision]:
        webhook = self._webhook
        try:
            body = payload(event, webhook.format)
        except ValueError as error:  # what is stored is no JSON
            sentence = f"the event cannot be written as JSON: {error}"
            return Attempt(0, sentence, 0), Decision(Fate.PARKED, sentence)
        outcome = self._post(event, body)
        failing_ms = now_ms() - webhook.failing_since_ms if webhook.failing_since_ms else 0
        return outcome, decide(
            outcome.status,
            outcome.error,
            outcome.retry_after_seconds,
            tries=webhook.attempt,
            failing_seconds=failing_ms / 1000,
            waits_seconds=self._waits_seconds,
            jitter=random.random(),  # noqa: S311 - not a secret
        )

    def _post(self, event: Event, body: bytes) -> Attempt:
        with self._posters.lend(self._webhook.id) as poster:
            self._poster = poster
            try:
                return poster.post(self._webhook, event.id, body)
            finally:
                self._poster = None

    def _write(self, mark: Mark) -> None:
        self._webhook = mark.webhook
        self._scribe.note(mark)


def _log_fate(webhook: Webhook, event: Event, decision: Decision) -> None:
    if decision.fate is Fate.PARKED:
        log.warning("webhook %s: event %d is parked: %s", webhook.id, event.seq, decision.reason)
    elif decision.fate is Fate.DISABLED:
        log.error("webhook %s is disabled: %s", webhook.id, decision.reason)
    elif decision.fate is Fate.LATER:
        log.warning(
            "webhook %s: %s; trying again in %.1f s",
            webhook.id, decision.reason, decision.wait_seconds,
        )  # fmt: skip
