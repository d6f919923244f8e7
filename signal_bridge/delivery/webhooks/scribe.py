"""Writes down what couriers have done, for many of them at once: each commit waits for the disk.

What was done first is written within a moment, what follows a few times a second. A crash between
costs some doubled deliveries, each with the `webhook-id` it had, and never a lost one.
"""

from __future__ import annotations

import dataclasses
import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import Final

from signal_bridge.delivery.webhooks.dispatcher import NOW, WOKEN, Job
from signal_bridge.delivery.webhooks.ledger import Ledger, Mark
from signal_bridge.errors import LeaseLost, StoreRefused

log = logging.getLogger(__name__)

# As many attempts of one webhook are written at once; twice as many may not be written yet.
GROUP: Final = 50
# What follows upon the first is written with it.
_GATHER_SECONDS: Final = 0.02
_REST_SECONDS: Final = 0.2
_AT_ONCE: Final = 200
_UNSTORABLE: Final = "the receiver's answer cannot be stored"

# What PostgreSQL refuses, and what does not even get to SQLite.
_REFUSALS: Final = (StoreRefused, ValueError, OverflowError)

Key = tuple[str, int]


class Scribe(Job):
    """One for all couriers. Safe from any thread.

    `on_changed(webhook_id, revision)` is told of a mark that was not written whole, since the
    webhook has changed; `on_lost(sentence)` when another process delivers by now.
    """

    name = "the scribe of the webhooks"

    def __init__(
        self,
        ledger: Ledger,
        on_changed: Callable[[str, int], None],
        on_lost: Callable[[str], None],
    ) -> None:
        super().__init__()
        self._ledger = ledger
        self._on_changed = on_changed
        self._on_lost = on_lost
        # Guards all below.
        self._mutex = threading.Lock()
        self._marks: dict[Key, Mark] = {}
        self._writing: dict[Key, Mark] = {}
        self._due = 0.0  # on the monotonic clock
        self._rested = 0.0
        self._waiting: set[Callable[[], None]] = set()

    def note(self, mark: Mark) -> None:
        """Have it written soon, together with what is noted of this webhook already."""
        with self._mutex:
            is_first = not self._marks
            noted = _add(self._marks, mark)
            if is_first:
                self._due = max(time.monotonic() + _GATHER_SECONDS, self._rested)
            is_full = len(noted.entry.tried) >= GROUP and self._due > 0
            if is_full:
                self._due = 0.0
        if is_first or is_full:
            self.wake()

    def is_behind(self, key: Key, wake: Callable[[], None]) -> bool:
        """Whether so much of a webhook is still to be written that its courier has to wait.

        Then `wake` is called once it is.
        """
        with self._mutex:
            noted = [one.get(key) for one in (self._marks, self._writing)]
            if sum(len(one.entry.tried) for one in noted if one) < 2 * GROUP:
                return False
            self._waiting.add(wake)
            return True

    def has(self, webhook_id: str) -> bool:
        """Whether something of a webhook is still to be written."""
        with self._mutex:
            return any(webhook_id == one[0] for one in (*self._marks, *self._writing))

    def turn(self) -> float:
        """Write what is due. Raises StoreError; then it is still to be written."""
        with self._mutex:
            if not self._marks:
                return WOKEN
            early_seconds = self._due - time.monotonic()
            if early_seconds > 0:
                return early_seconds
        self._write()
        return NOW

    def flush(self) -> None:
        """At the end, when nobody has turns: write everything now. Raises StoreError."""
        while self._marks:
            self._write()

    def _write(self) -> None:
        marks = self._take_marks()
        try:
            changed = self._write_marks(marks)
        except LeaseLost as error:
            self._on_lost(str(error))
            return
        except BaseException:
            self._put_back()
            raise
        with self._mutex:
            self._writing = {}
            waiting, self._waiting = self._waiting, set()
        for webhook_id, revision in changed:
            self._on_changed(webhook_id, revision)
        for wake in waiting:
            wake()

    def _take_marks(self) -> list[Mark]:
        """One of each webhook: those of an older revision first, and at most so many."""
        with self._mutex:
            chosen: dict[str, Key] = {}
            for key in self._marks:
                chosen.setdefault(key[0], key)
            keys = list(chosen.values())[:_AT_ONCE]
            self._writing = {key: self._marks.pop(key) for key in keys}
            self._rested = time.monotonic() + _REST_SECONDS
            self._due = self._rested if not self._marks else 0.0
            return list(self._writing.values())

    def _put_back(self) -> None:
        with self._mutex:
            later, self._marks = self._marks, self._writing
            self._writing = {}
            for mark in later.values():
                _add(self._marks, mark)
            self._due = 0.0  # else a turn that is early would look like one that went well

    def _write_marks(self, marks: list[Mark]) -> Iterable[Key]:
        """Those of webhooks that have changed. One that cannot be stored holds up no other."""
        if not marks:
            return []
        try:
            return self._ledger.mark(marks)
        except _REFUSALS as error:
            if len(marks) > 1:
                return [key for mark in marks for key in self._write_marks([mark])]
            [mark] = marks
            log.error("webhook %s: %s: %s", mark.webhook.id, _UNSTORABLE, error)  # noqa: TRY400
            return self._ledger.mark([_bare(mark)])


def _add(marks: dict[Key, Mark], mark: Mark) -> Mark:
    """All that is noted of one webhook is one mark."""
    before = marks.get(mark.key)
    if before is not None:
        mark = Mark(mark.webhook, before.entry + mark.entry)
    marks[mark.key] = mark
    return mark


def _bare(mark: Mark) -> Mark:
    """Without what somebody else has said."""
    parked = tuple((seq, _UNSTORABLE) for seq, _reason in mark.entry.parked)
    return Mark(mark.webhook, dataclasses.replace(mark.entry, tried=(), parked=parked))
