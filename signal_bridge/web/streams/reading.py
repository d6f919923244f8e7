"""Where a stream or a request begins to read, what it wants, and how far it got."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import re
from collections.abc import Iterator
from typing import Final

from flask import request

from signal_bridge.clock import Deadline
from signal_bridge.errors import RequestError, StoreError, StoreUnavailable
from signal_bridge.feed.cursors import cursor_name
from signal_bridge.feed.event import Page
from signal_bridge.feed.filters import EVERY_ACCOUNT, SIGNAL_KINDS, Filter, few_words, kinds_of
from signal_bridge.feed.watch import WaitingFollower
from signal_bridge.signalcli.addresses import from_url, sender
from signal_bridge.web.bridge import Bridge
from signal_bridge.web.edge.context import bridge
from signal_bridge.web.edge.inputs import query_flag
from signal_bridge.web.edge.knownaccounts import check_account

log = logging.getLogger(__name__)

_SEQ: Final = re.compile("[0-9]{1,18}")
# Looking through more than this in vain takes so long that it is worth a commit not to do it again.
_FAR: Final = 10_000
# A database that takes over from another, or starts again, is back before long: to end every
# stream would only make all clients come back at once, to a bridge that cannot serve them yet.
# Nothing is lost while they wait. One that stays away is told by closing.
_OUTAGE_SECONDS: Final = 10.0
_TRY_AGAIN_SECONDS: Final = 1.0


def wanted_events(account: str, default: tuple[str, ...] = SIGNAL_KINDS) -> Filter:
    """The account's events that `types` and `from` ask for, each a list with commas.

    Raises RequestError, UnknownAccount, or StoreError.
    """
    # a space in front may be a lost plus: not to be trimmed before that is seen
    words = few_words(map(from_url, _query_words("from")), "senders")
    senders = tuple(dict.fromkeys(map(sender, words)))
    kinds = kinds_of(_query_words("types"), default)
    if account != EVERY_ACCOUNT:
        check_account(account)
    return Filter(account, kinds, senders)


def query_seq(name: str) -> int | None:
    """A seq in the query, None when it is absent. Raises RequestError."""
    return _seq(request.args.get(name), name)


def looked_far(wanted: Filter, after: int, page: Page) -> bool:
    """Whether much was looked through in vain for this page, which would be so again.

    Only for senders: everything else is found along an index.
    """
    return bool(wanted.senders) and not page.tells and page.through - after > _FAR


class Reader:
    """One reader of the feed, on one thread: what it wants and how far it got.

    `told` is the seq up to which its client was told; `cursor` names the cursor that remembers
    what has arrived there, None for a client that remembers itself.
    """

    def __init__(self, bridge: Bridge, wanted: Filter, start: int, cursor: str | None) -> None:
        self.bridge: Final = bridge
        self.wanted: Final = wanted
        self.cursor: Final = cursor
        self.told = start
        self._read_through = start
        self._arrived = start
        self._gap_through = start
        self._away: Deadline | None = None  # while the database is

    @contextlib.contextmanager
    def following(self) -> Iterator[WaitingFollower]:
        """Be woken by the feed for the length of a block, and in the end write down how far it
        got. Raises StoreError."""
        try:
            with self.bridge.feed.following(self.wanted) as follower:
                yield follower
        finally:
            self.flush()

    def next(self, follower: WaitingFollower, limit: int) -> Page:
        """The next events, and what was lost before them: each gap is told once.

        Nothing while the database is away; raises StoreError when it stays away.
        """
        try:
            page = follower.read(self._read_through, limit)
        except StoreUnavailable:
            self._away = self._away or Deadline(_OUTAGE_SECONDS)
            if self._away.expired():
                raise
            return Page((), self._read_through)
        self._away = None
        return self._take(page)

    def patience_seconds(self, longest: float) -> float:
        """How long to wait for the follower before `next` is worth a call again."""
        return longest if self._away is None else min(longest, _TRY_AGAIN_SECONDS)

    @property
    def is_waiting_for_database(self) -> bool:
        """Then nobody wakes the follower: to be asked again when its patience is over."""
        return self._away is not None

    def note_arrival(self, seq: int) -> None:
        """The client says that everything up to `seq` has arrived.

        That of what it was not told, or of what it said before, means nothing.
        """
        if self.cursor is not None and self._arrived < seq <= self.told:
            self._arrived = seq
            self.bridge.cursors.mark(self.cursor, seq, self.wanted.account)

    def flush(self) -> None:
        """Write down what has arrived: who comes back at once may come to another worker."""
        try:
            self.bridge.cursors.flush()
        except StoreError as error:
            log.warning("how far readers got is written down later: %s", error)

    def _take(self, page: Page) -> Page:
        """Note what the client is told with it. The page, without a gap that it knows already."""
        if page.gap is not None and page.gap.last_seq <= self._gap_through:
            page = dataclasses.replace(page, gap=None)
        if page.gap is not None:
            self._gap_through = page.gap.last_seq
        if page.tells or looked_far(self.wanted, self.told, page):
            self.told = page.through
        self._read_through = page.through
        return page


def reader_of(wanted: Filter, way: str) -> Reader:
    """The reader that a request describes, for one way of reading.

    `after=<seq>` or `Last-Event-ID` say where to begin and leave the cursors alone;
    `backlog=false` begins with what comes now, and so does it; else it begins at the cursor of
    this way and filter and moves it. Raises RequestError or StoreError.
    """
    if _asked_start() is not None or not _backlog_wanted():
        return live_reader(wanted)
    name = cursor_name(way, wanted)
    return Reader(bridge(), wanted, bridge().cursors.position(name, wanted.account), name)


def live_reader(wanted: Filter) -> Reader:
    """A reader of what comes from now on, or from where the request says; it moves no cursor.

    Raises RequestError or StoreError.
    """
    after = _asked_start()
    return Reader(bridge(), wanted, bridge().feed.newest_seq() if after is None else after, None)


def _asked_start() -> int | None:
    after = query_seq("after")
    return _seq(request.headers.get("Last-Event-ID"), "Last-Event-ID") if after is None else after


def _backlog_wanted() -> bool:
    return query_flag("backlog") if "backlog" in request.args else True


def _seq(text: str | None, name: str) -> int | None:
    if not text:
        return None
    if not _SEQ.fullmatch(text):
        raise RequestError(f"Couldn't process request - {name} needs to be a seq of the feed")
    return int(text)


def _query_words(name: str) -> list[str]:
    """`a,b` and repeated parameters."""
    return ",".join(request.args.getlist(name)).split(",")
