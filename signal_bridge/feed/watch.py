"""One reader of the feed per process wakes whom an event concerns.

    a commit ── bell ──► thread `bells`: reads what is new, once ──► the tail, in memory
                                   └── wakes the followers that want one of the new events

What it costs grows with who is concerned, not with who is not. Followers that keep up are served
from the tail and share its events; one that lags behind it reads from the database.
"""

from __future__ import annotations

import bisect
import contextlib
import os
import select
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, Protocol

from signal_bridge.clock import Deadline
from signal_bridge.feed.event import Event, Page
from signal_bridge.feed.filters import EVERY_ACCOUNT, Filter
from signal_bridge.store.bells import FEED, Bells

# More than this at once is left to the followers: each reads its own from the database.
_ROUND: Final = 500
_TAIL_EVENTS: Final = 500
_TAIL_BYTES: Final = 4 * 2**20


class Stored(Protocol):
    """What is watched: the feed in the database. Methods raise StoreError."""

    @property
    def bells(self) -> Bells:
        """What rings when somebody has committed to it."""

    def newest_seq(self) -> int:
        """The seq of the newest event, 0 when there was none."""

    def read(self, wanted: Filter, after: int, limit: int) -> Page:
        """Up to `limit` wanted events above `after`, oldest first, and what is lost of them."""

    def read_all(self, after: int, limit: int) -> Page:
        """The next events of every account and kind."""

    def mend_numbers(self, seen: int) -> None:
        """There is nothing above `seen`; if it ends below, it goes on above it all the same."""


class Tail:
    """The newest events: all of those above `after`. Not safe by itself: `Watch` guards it."""

    def __init__(self, after: int) -> None:
        self.after = after
        self.newest = after
        self._events: list[Event] = []
        self._seqs: list[int] = []
        self._size_bytes = 0

    def extend(self, events: Sequence[Event]) -> None:
        """Add events that follow upon `newest`; the oldest give way."""
        self._events += events
        self._seqs += [event.seq for event in events]
        self._size_bytes += sum(len(event.payload) for event in events)
        self.newest = self._seqs[-1]
        if len(self._events) > _TAIL_EVENTS or self._size_bytes > _TAIL_BYTES:
            self._shorten()

    def page(self, wanted: Filter, after: int, limit: int) -> Page | None:
        """The next events for a reader who has seen `after`; None when it lags behind."""
        if after < self.after:
            return None
        found = []
        for event in self._events[bisect.bisect_right(self._seqs, after) :]:
            if wanted.matches(event):
                found.append(event)
                if len(found) == limit:
                    return Page(tuple(found), event.seq, is_full=True)
        return Page(tuple(found), max(after, self.newest))

    def _shorten(self) -> None:
        """To a half, so that it is not done for every event."""
        kept = min(len(self._events), _TAIL_EVENTS) // 2
        while kept and sum(len(event.payload) for event in self._events[-kept:]) > _TAIL_BYTES // 2:
            kept //= 2
        self.after = self._seqs[len(self._seqs) - kept - 1]
        self._events = self._events[len(self._events) - kept :]
        self._seqs = self._seqs[len(self._seqs) - kept :]
        self._size_bytes = sum(len(event.payload) for event in self._events)


class Follower:
    """A reader that is woken when there is something for it.

    `wake` is called on thread `bells` and must not block. `read` may be called from any thread.
    """

    def __init__(self, watch: Watch, wanted: Filter, wake: Callable[[], None]) -> None:
        self._watch = watch
        self.wanted = wanted
        self.wake = wake

    def read(self, after: int, limit: int) -> Page:
        """The next events above `after`. An empty page: `wake` tells of the next.

        Raises StoreError.
        """
        return self._watch.read(self.wanted, after, limit)


class WaitingFollower(Follower):
    """A follower whose thread waits: for the feed alone, or for a socket too, by `fd`."""

    def __init__(self, watch: Watch, wanted: Filter) -> None:
        self.fd: Final = os.eventfd(0, os.EFD_NONBLOCK)
        self._mutex = threading.Lock()  # guards _open: a number may soon be another file's
        self._open = True
        super().__init__(watch, wanted, self._ring)

    def wait(self, deadline: Deadline) -> bool:
        """Wait until woken, or closing. False when the time is up."""
        poller = select.poll()
        poller.register(self.fd, select.POLLIN)
        if not poller.poll(deadline.remaining_seconds() * 1000):
            return False
        self.clear()
        return True

    def clear(self) -> None:
        """What woke it is dealt with: to be called before reading."""
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self.fd)

    def close(self) -> None:
        """Give back `fd`, once: to wake it after that does nothing."""
        with self._mutex:
            self._open = False
            os.close(self.fd)

    def _ring(self) -> None:
        with self._mutex:
            if self._open:
                os.eventfd_write(self.fd, 1)  # never blocks: the counter is far from full


class Watch:
    """Reads the feed for all followers of this process. Safe from any thread."""

    def __init__(self, feed: Stored) -> None:
        self._feed = feed
        # Guards everything below.
        self._mutex = threading.Lock()
        self._followers: dict[str, set[Follower]] = {}  # by the account they want, "*" for all
        self._tail: Tail | None = None  # while there are followers
        self._closed = False

    @contextlib.contextmanager
    def following(self, wanted: Filter) -> Iterator[WaitingFollower]:
        """A follower for a thread that waits, for the length of a block. Raises StoreError."""
        follower = WaitingFollower(self, wanted)
        try:
            self._add(follower)
            yield follower
        finally:
            self.leave(follower)
            follower.close()

    def follow(self, wanted: Filter, wake: Callable[[], None]) -> Follower:
        """A follower until `leave`. Raises StoreError."""
        follower = Follower(self, wanted, wake)
        self._add(follower)
        return follower

    def leave(self, follower: Follower) -> None:
        """It is woken no more."""
        with self._mutex:
            group = self._followers.get(follower.wanted.account, set())
            group.discard(follower)
            if not group:
                self._followers.pop(follower.wanted.account, None)
            if not self._followers:
                self._tail = None
                self._feed.bells.forget(FEED, self.look)

    def read(self, wanted: Filter, after: int, limit: int) -> Page:
        """From the tail where it reaches back that far, else from the database."""
        with self._mutex:
            page = None if self._tail is None else self._tail.page(wanted, after, limit)
        return self._feed.read(wanted, after, limit) if page is None else page

    def close(self) -> None:
        """Wake everybody, to see that it is over."""
        with self._mutex:
            self._closed = True
            everybody = self._everybody()
        _wake(everybody)

    @property
    def is_closed(self) -> bool:
        """Whether this process is on its way out: from then on nobody waits."""
        return self._closed

    def look(self) -> None:
        """On thread `bells`: read what is new, and wake whom it concerns. Raises StoreError."""
        while (tail := self._tail) is not None:
            news = self._feed.read_all(tail.newest, _ROUND)
            if news.is_full:
                self._skip()
                return
            if not news:
                self._feed.mend_numbers(tail.newest)
                return
            with self._mutex:
                if self._tail is not tail:
                    continue  # everybody has left meanwhile, and somebody came
                tail.extend(news)
                concerned = self._followers_wanting(news)
            _wake(concerned)
            return  # what has come since has rung again

    def _skip(self) -> None:
        """There is more than the tail takes: begin it anew at the end, everybody reads."""
        newest = self._feed.newest_seq()
        with self._mutex:
            if self._tail is not None:
                self._tail = Tail(newest)
            everybody = self._everybody()
        _wake(everybody)

    def _add(self, follower: Follower) -> None:
        with self._mutex:
            self._followers.setdefault(follower.wanted.account, set()).add(follower)
            if self._tail is not None:
                return
        newest = self._feed.newest_seq()
        with self._mutex:
            if self._tail is None and self._followers:
                self._tail = Tail(newest)
                self._feed.bells.listen(FEED, self.look)

    def _everybody(self) -> set[Follower]:
        return set().union(*self._followers.values())

    def _followers_wanting(self, news: Sequence[Event]) -> list[Follower]:
        """Under the lock. Few look at each event: those of its account, and those of all."""
        accounts = {event.account for event in news}
        if "" in accounts:
            candidates = self._everybody()
        else:
            groups = (self._followers.get(one, ()) for one in (*accounts, EVERY_ACCOUNT))
            candidates = set().union(*groups)
        return [one for one in candidates if any(one.wanted.matches(event) for event in news)]


def _wake(followers: Iterable[Follower]) -> None:
    for follower in followers:
        follower.wake()
