"""Where a stream or a request begins to read, and what it wants: the query, as values."""

from __future__ import annotations

import dataclasses
import re
from typing import Final

from flask import request

from signal_bridge.errors import RequestError
from signal_bridge.inbox.cursors import cursor_name
from signal_bridge.inbox.event import Event, Gap
from signal_bridge.inbox.filters import SIGNAL_KINDS, Filter, kinds_of
from signal_bridge.web.context import Bridge, bridge
from signal_bridge.web.inputs import query_flag

_SEQ: Final = re.compile("[0-9]{1,18}")


def wanted_events(account: str, default: tuple[str, ...] = SIGNAL_KINDS) -> Filter:
    """The account's events that `types` and `from` ask for, each a list with commas.

    Raises RequestError.
    """
    return Filter(account, kinds_of(_listed("types"), default), tuple(_listed("from")))


def query_seq(name: str) -> int | None:
    """A seq in the query, None when it is absent. Raises RequestError."""
    return _seq(request.args.get(name), name)


@dataclasses.dataclass(frozen=True)
class Reader:
    """One reader of the feed: what it wants and the seq it has read up to.

    `cursor` names the cursor that remembers how far it got; None for one that remembers itself.
    """

    bridge: Bridge
    wanted: Filter
    start: int
    cursor: str | None

    def next(self, after: int, limit: int = 100) -> list[Event]:
        """The next events after `after`. Raises StoreError."""
        return self.bridge.inbox.read(self.wanted, after, limit)

    def gap(self) -> Gap | None:
        """What was lost before the first event. Raises StoreError."""
        return self.bridge.inbox.gap(self.wanted.account, self.start)

    def mark(self, seq: int) -> None:
        """Everything up to `seq` has arrived. Raises StoreError."""
        if self.cursor is not None:
            self.bridge.cursors.move(self.cursor, seq)


def reader_of(wanted: Filter, way: str) -> Reader:
    """The reader that a request describes, for one way of reading.

    `after=<seq>` or `Last-Event-ID` say where to begin and leave the account's cursor alone;
    `backlog=false` begins with what comes now, and so does it; else it begins at the cursor and
    moves it. Raises RequestError or StoreError.
    """
    if _asked_start() is not None or not _backlog_wanted():
        return live_reader(wanted)
    name = cursor_name(way, wanted.account)
    return Reader(bridge(), wanted, bridge().cursors.position(name), name)


def live_reader(wanted: Filter) -> Reader:
    """A reader of what comes from now on, or from where the request says; it moves no cursor.

    Raises RequestError or StoreError.
    """
    after = _asked_start()
    return Reader(bridge(), wanted, bridge().inbox.newest_seq() if after is None else after, None)


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


def _listed(name: str) -> list[str]:
    """`a,b` and repeated parameters; a plus in a number may have become a space on the way."""
    texts = ",".join(request.args.getlist(name)).split(",")
    return [re.sub("^ ", "+", text).strip() for text in texts if text.strip()]
