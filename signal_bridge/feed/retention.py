"""How long events, received files and other rows are kept, and what is said before they go.

Events go in small batches, each followed by a pause as long as it took: whoever else writes gets
in between. Then what went is told, and its room is given back.
"""

from __future__ import annotations

import dataclasses
import functools
import threading
import time
from collections.abc import Callable
from typing import Final

from signal_bridge.clock import Deadline, now_ms, pause
from signal_bridge.feed.clockwatch import ClockWatch
from signal_bridge.feed.feed import Feed
from signal_bridge.feed.keeping import (
    DAY_MS,
    Candidate,
    Limits,
    at_once,
    next_batch,
    through_age,
    through_size,
)
from signal_bridge.feed.receivedfiles import ReceivedFiles
from signal_bridge.feed.removal import Removal
from signal_bridge.settings import Settings
from signal_bridge.store.engine import Store
from signal_bridge.threads import Loop, Report

_EVERY_SECONDS: Final = 600.0
# The first look can only remember how the clocks stand.
_SECOND_LOOK_SECONDS: Final = 60.0
_LONGEST_WAIT_SECONDS: Final = 60.0
_SETTLE_SECONDS: Final = 1.0
_FIRST_EVENTS: Final = 100
_BATCH_BYTES: Final = 4 * 2**20


@dataclasses.dataclass
class _Run:
    """One run: whether events go by age, how many at once, and whether the last were old."""

    by_age: bool
    events: int = _FIRST_EVENTS
    follows_old: bool = False


class Retention:
    """Removes what is older or larger than the settings allow. 0 means without a limit."""

    def __init__(self, settings: Settings, store: Store, feed: Feed) -> None:
        self._settings = settings
        self._store = store
        self._feed = feed
        self._removal = Removal(store, feed)
        self._files = ReceivedFiles(settings.attachments_dir)
        self._clocks = ClockWatch()
        self._never = threading.Event()
        self._wait_seconds = 0.0

    def loop(self, stop: threading.Event, report: Report | None = None) -> Loop:
        """Thread `retention`: at its start and every ten minutes until `stop`."""
        step = functools.partial(self.step, stop)
        longest = _LONGEST_WAIT_SECONDS
        return Loop("retention", step, stop, report=report, longest_wait_seconds=longest)

    def run(self, stop: threading.Event) -> None:
        """`loop`, on the caller's own thread."""
        self.loop(stop).run()

    def step(self, stop: threading.Event) -> None:
        """Wait until a look is due (the first is at once), and look. Raises StoreError.

        By age nothing goes at the first look, nor at one before which the clock was set.
        """
        wait_seconds, self._wait_seconds = self._wait_seconds, 0.0
        if pause(wait_seconds, stop):
            return
        in_step = False
        try:
            in_step = self._clocks.look(self._feed.newest_seq())
            self.prune_events(stop, by_age=in_step)
            self.prune_rows(stop, by_age=in_step)
        finally:
            self.prune_attachments(stop, by_age=in_step)
        self._wait_seconds = _EVERY_SECONDS if in_step else _SECOND_LOOK_SECONDS

    def prune_events(self, stop: threading.Event | None = None, *, by_age: bool = True) -> None:
        """Remove old events, and those above the size, oldest first. Raises StoreError.

        What nobody has read, and what waited parked for a webhook, is counted and told in the
        feed and in the log; a reader whose cursor is older is told of the gap. What `stop`, or
        trouble, interrupts is told by the next run.
        """
        stop = stop or self._never
        run = _Run(by_age)
        all_done = self._repeat(lambda: self._batch(run), stop)
        if stop.is_set():
            return
        self._removal.tell()
        if all_done:
            self._repeat(self._store.give_back, stop)

    def prune_rows(self, stop: threading.Event | None = None, *, by_age: bool = True) -> None:
        """Remove what requests have left and nobody needs any more. Raises StoreError.

        That is cursors of nobody (cursor_rows.py) and links that are long over, by their age.
        """
        if by_age:
            self._repeat(self._removal.remove_rows, stop or self._never)

    def prune_attachments(
        self, stop: threading.Event | None = None, *, by_age: bool = True
    ) -> None:
        """Remove old received files, and the oldest above the size."""
        days = self._settings.keep_attachment_days if by_age else 0
        oldest_at = (now_ms() - days * DAY_MS) / 1000 if days else 0.0
        limit_bytes = self._settings.keep_attachment_bytes
        self._files.prune(oldest_at, limit_bytes, stop or self._never)

    def _repeat(self, work: Callable[[], bool], stop: threading.Event) -> bool:
        """Do `work` until it says that nothing is left, and let others in after each time.

        False when `stop` was set, or somebody reads for so long that the database's log would
        grow too far: then the next run goes on.
        """
        while not stop.is_set():
            began = time.monotonic()
            if not work():
                return True
            took_seconds = time.monotonic() - began
            if not self._wait_until_settled(stop):
                return False
            pause(took_seconds, stop)
        return False

    def _wait_until_settled(self, stop: threading.Event) -> bool:
        """Until the database's log is short again. False at `stop`, or when that takes too long."""
        deadline = Deadline(_EVERY_SECONDS)
        while not self._store.settle():
            if deadline.expired() or pause(_SETTLE_SECONDS, stop):
                return False
        return True

    def _batch(self, run: _Run) -> bool:
        """Remove a batch. Whether more is to go; what came meanwhile is for the next run."""
        window = self._removal.window()
        old = self._too_old(window, run)
        wanted = max(old, self._too_many(window))
        through = at_once(window, wanted, run.events, _BATCH_BYTES)
        if not through:
            return False
        began = time.monotonic()
        self._removal.remove(through)
        run.events = next_batch(run.events, time.monotonic() - began)
        run.follows_old = through <= old
        return through < wanted or wanted == window[-1].seq

    def _too_old(self, window: list[Candidate], run: _Run) -> int:
        """The seq up to which events are older than allowed, 0 for none."""
        keep_ms, now = self._settings.keep_days * DAY_MS, now_ms()
        if not (run.by_age and keep_ms):
            return 0
        young_above = self._clocks.young_above(keep_ms)
        return through_age(window, Limits(now, now - keep_ms, young_above, run.follows_old))

    def _too_many(self, window: list[Candidate]) -> int:
        """The seq up to which events have to go for the rest to fit, 0 for none."""
        limit_bytes = self._settings.keep_bytes
        if not limit_bytes:
            return 0
        return through_size(window, self._removal.size_bytes() - limit_bytes)
