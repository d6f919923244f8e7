"""A poll: what has arrived since the last one, as a JSON array.

    wait ── something is there ──► take the cursor's lease ── read again, if the cursor has moved
                                       └──► hand over ──► mark, and let the next poll in

Who waits holds no lease, and who finds nothing writes nothing. The cursor moves when the answer
has been handed to the network whole: a client that goes away before that gets the same again.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import sys
from collections.abc import Callable, Iterator
from typing import Final

from flask import Response

from signal_bridge.clock import Deadline
from signal_bridge.errors import StoreError
from signal_bridge.feed.cursors import POLL, Reading, cursor_name
from signal_bridge.feed.event import Page
from signal_bridge.feed.filters import Filter
from signal_bridge.feed.formats import poll_element
from signal_bridge.feed.watch import WaitingFollower
from signal_bridge.store.bells import LEASES
from signal_bridge.web.bridge import Bridge
from signal_bridge.web.edge.context import bridge, client
from signal_bridge.web.streams.reading import looked_far
from signal_bridge.web.streams.waiting import client_has_hung_up, place, wait

log = logging.getLogger(__name__)

# Who has the lease is nearly always a poll whose client has its answer already and asks again: it
# lets go within milliseconds. Its worker may have died, then the lease runs out before this. It
# takes longer only while it hands over to a slow client.
GRACE_SECONDS: Final = 8.0
# How long one answer may keep other polls of the account from theirs.
_ALONE_SECONDS: Final = 20.0
_PAGE: Final = 500
_PIECE_BYTES: Final = 65536

Read = Callable[[Filter, int, int], Page]


def poll(wanted: Filter, limit: int, deadline: Deadline) -> Response:
    """The answer to a poll: up to `limit` events, 0 for all, waited for until the deadline.

    `X-Signal-Bridge-Gap: first-last` tells of those that are no longer kept. Raises
    StoreError, or TooManyStreams when there is nothing to hand over yet and no place to wait.
    """
    return _Poll(bridge(), client(), wanted, limit or sys.maxsize).answer(deadline)


@dataclasses.dataclass(frozen=True)
class _Look:
    """What there is after `position`. With something in it and without a `reading`, it is the
    turn of another poll."""

    position: int
    page: Page
    reading: Reading | None = None

    @property
    def is_refused(self) -> bool:
        return self.page.tells and self.reading is None


class _Poll:
    """One poll, on the request's thread."""

    def __init__(self, bridge: Bridge, client: str, wanted: Filter, limit: int) -> None:
        self._feed = bridge.feed
        self._cursors = bridge.cursors
        self._turns = bridge.turns
        self._client = client
        self._wanted = wanted
        self._limit = limit
        self._name = cursor_name(POLL, wanted)

    def answer(self, deadline: Deadline) -> Response:
        look = self._wait(deadline)
        if look.reading is None:
            self._spare_the_next(look)
            return _array_of(b"[]")
        under_way = self._turns.under_way(self._name, self._client)
        handover = _Handover(look.reading, is_marked=not client_has_hung_up())
        response = self._array(look.page, handover)
        response.call_on_close(handover.end)
        response.call_on_close(under_way.leave)
        if (gap := look.page.gap) is not None:
            response.headers["X-Signal-Bridge-Gap"] = f"{gap.first_seq}-{gap.last_seq}"
        return response

    # -- waiting -------------------------------------------------------------------------------

    def _wait(self, deadline: Deadline) -> _Look:
        look = self._look(self._feed.read)
        if look.reading is not None or (not look.is_refused and deadline.expired()):
            return look
        waiting = self._turns.waiting(self._name, self._client)
        with place(), waiting, self._feed.following(self._wanted) as follower:
            while True:
                look = self._look(self._feed.watch.read)
                if look.is_refused:
                    look = self._wait_for_turn(follower, deadline)
                if look.page.tells or self._feed.closing or not wait(follower, deadline):
                    return look

    def _wait_for_turn(self, follower: WaitingFollower, deadline: Deadline) -> _Look:
        """Until the other poll lets go: then the lease is ours, or it has left nothing.

        Everybody who waits looks whenever somebody lets go, so the look is a brief one.
        """
        grace = Deadline(max(GRACE_SECONDS, deadline.remaining_seconds()))
        with self._feed.bells.listening(LEASES, follower.wake):
            while True:
                look = self._look(self._feed.watch.read, most=1)
                if not look.is_refused or self._feed.closing or not wait(follower, grace):
                    return look

    def _look(self, read: Read, most: int | None = None) -> _Look:
        """What there is and whether it is ours. With `most`, which is enough to see that there is
        something, all of it is read once it is."""
        position = self._cursors.position(self._name, self._wanted.account)
        page = read(self._wanted, position, most or self._page_size)
        if not page.tells:
            return _Look(position, page)
        if self._turns.is_of_another(self._name, self._client):
            return _refused(position, page)
        reading = self._cursors.take(self._name, Deadline(0), self._wanted.account)
        if reading is None:
            return _refused(position, page)
        if reading.position == position and most is None:
            return _Look(position, page, reading)
        return self._look_again(reading, read)

    def _look_again(self, reading: Reading, read: Read) -> _Look:
        """Another poll was quicker, or it was only seen that there is something: what is left?"""
        try:
            page = read(self._wanted, reading.position, self._page_size)
        except StoreError:
            _let_go(reading)
            raise
        if page.tells:
            return _Look(reading.position, page, reading)
        _let_go(reading)
        return _Look(reading.position, page)

    def _spare_the_next(self, look: _Look) -> None:
        """What took long to look through in vain need not be looked through again."""
        if looked_far(self._wanted, look.position, look.page):
            with contextlib.suppress(StoreError):
                self._cursors.move(self._name, look.page.through, self._wanted.account)

    # -- handing over --------------------------------------------------------------------------

    @property
    def _page_size(self) -> int:
        return min(self._limit, _PAGE)

    def _array(self, first: Page, handover: _Handover) -> Response:
        """One page goes with its length; a long backlog is streamed page by page."""
        if first.is_full and len(first) < self._limit:
            return _array_of(handover.over(_array(self._pages(first, handover))))
        handover.through = first.through
        body = b"".join(_array(iter((first,))))
        response = _array_of(handover.over(iter((body,))))
        response.content_length = len(body)
        return response

    def _pages(self, page: Page, handover: _Handover) -> Iterator[Page]:
        """The backlog page by page, as much of it as there is."""
        left = self._limit
        while page:
            yield page
            handover.through = page.through
            left -= len(page)
            if not page.is_full or not left:
                return
            page = self._feed.read(self._wanted, page.through, min(left, _PAGE))
            _log_gap(page)


class _Handover:
    """An answer on its way to the client, and what becomes of the cursor.

    Everything up to `through` is in it.
    """

    def __init__(self, reading: Reading, is_marked: bool) -> None:
        self.through = reading.position
        self._reading = reading
        self._is_marked = is_marked  # else it only seems to arrive, and stays unread
        self._is_over = False

    def over(self, parts: Iterator[bytes]) -> Iterator[bytes]:
        """The parts; the cursor moves once the network has taken the last of them.

        The lease is kept for a while, not for as long as a slow client likes: then the next poll
        gets the same.
        """
        alone, renew_after = Deadline(_ALONE_SECONDS), Deadline(self._reading.renew_seconds)
        for part in parts:
            yield part
            if renew_after.expired() and not alone.expired():
                with contextlib.suppress(StoreError):
                    self._reading.renew()
                renew_after = Deadline(self._reading.renew_seconds)
        if self._is_marked:
            self._finish()

    def end(self) -> None:
        """The answer is over, whichever way: the next poll may read."""
        if not self._is_over:
            _let_go(self._reading)

    def _finish(self) -> None:
        self._is_over = True
        try:
            self._reading.finish(self.through)
        except StoreError as error:
            log.warning("a poll was answered, and the next gets the same again: %s", error)


def _refused(position: int, page: Page) -> _Look:
    """For who waits, that there is something will do: the page is not kept in memory."""
    return _Look(position, dataclasses.replace(page, events=page.events[:1]))


def _let_go(reading: Reading) -> None:
    """If the database is away, the lease runs out by itself."""
    with contextlib.suppress(StoreError):
        reading.release()


def _log_gap(page: Page) -> None:
    """The headers are gone already."""
    if page.gap is not None:
        log.warning("a poll missed events %d to %d", page.gap.first_seq, page.gap.last_seq)


def _array_of(body: bytes | Iterator[bytes]) -> Response:
    return Response(body, content_type="application/json; charset=utf-8")


def _array(pages: Iterator[Page]) -> Iterator[bytes]:
    """A JSON array of the events of all pages, in pieces."""
    opening, piece = b"[", bytearray()
    for page in pages:
        for event in page:
            piece += opening + poll_element(event)
            opening = b","
            if len(piece) >= _PIECE_BYTES:
                yield bytes(piece)
                piece.clear()
    yield bytes(piece) + (b"]" if opening == b"," else b"[]")
