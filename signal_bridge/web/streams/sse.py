"""Server-sent events: the feed as `text/event-stream`.

`id:` is the seq, so that a client that comes back with `Last-Event-ID` goes on where it was. A
comment every 10 s keeps proxies awake, and one at once finds out whether a client that has closed
its side of the connection still reads.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Final

from flask import Response, request

from signal_bridge.clock import Deadline
from signal_bridge.errors import StoreError
from signal_bridge.feed.event import Event, Page
from signal_bridge.gunicorn_parts import CLIENT_SOCKET
from signal_bridge.web.edge.context import client, head_alone
from signal_bridge.web.streams.reading import Reader
from signal_bridge.web.streams.waiting import Line

log = logging.getLogger(__name__)

HEARTBEAT_SECONDS: Final = 10.0
_BATCH: Final = 100
_CONTENT_TYPE: Final = "text/event-stream; charset=utf-8"

Data = Callable[[Event], bytes]


def stream(reader: Reader, name: str, data: Data) -> Response:
    """The answer that goes on: events called `name` with `data(event)`, until the client leaves.

    Raises TooManyStreams. The place is given back when the response is closed, or dropped.
    """
    if alone := head_alone(_CONTENT_TYPE):
        return alone
    place = reader.bridge.streams.take(client())
    body = _body(reader, name, data, Line(request.environ.get(CLIENT_SOCKET)))
    response = Response(body, content_type=_CONTENT_TYPE)
    response.headers["Cache-Control"] = "no-cache"
    response.headers["X-Accel-Buffering"] = "no"
    response.call_on_close(place.leave)
    return response


def _body(reader: Reader, name: str, data: Data, line: Line) -> Iterator[bytes]:
    """What is sent. StoreError ends it: for a status that says so it is too late."""
    yield b"retry: 3000\n\n"  # headers and a first byte at once
    try:
        yield from _pages(reader, name, data, line)
    except StoreError as error:
        log.warning("an event stream ends, since events cannot be read: %s", error)


def _pages(reader: Reader, name: str, data: Data, line: Line) -> Iterator[bytes]:
    heartbeat = Deadline(HEARTBEAT_SECONDS)
    with reader.following() as follower:
        while not reader.bridge.feed.closing:
            page = reader.next(follower, _BATCH)
            if page.tells:
                yield _text(page, name, data)
                reader.note_arrival(reader.told)
            elif heartbeat.expired() or line.wait(follower, _patience(reader, heartbeat)):
                yield b":\n\n"
            else:
                continue
            heartbeat = Deadline(HEARTBEAT_SECONDS)


def _patience(reader: Reader, heartbeat: Deadline) -> Deadline:
    return Deadline(reader.patience_seconds(heartbeat.remaining_seconds()))


def _text(page: Page, name: str, data: Data) -> bytes:
    """Without the space after the colon that may be there: signal-cli writes none."""
    events = [
        b"id:%d\nevent:%s\ndata:%s\n\n" % (event.seq, name.encode(), data(event)) for event in page
    ]
    return _gap(page) + b"".join(events)


def _gap(page: Page) -> bytes:
    """What was lost before the first event. With none behind it, it is what to go on after."""
    if page.gap is None:
        return b""
    seq = b"" if page else b"id:%d\n" % page.through
    lost = (page.gap.first_seq, page.gap.last_seq)
    return seq + b'event: gap\ndata: {"from":%d,"to":%d}\n\n' % lost
