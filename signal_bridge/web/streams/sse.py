"""Server-sent events: the feed as `text/event-stream`.

`id:` is the seq, so that a client that comes back with `Last-Event-ID` goes on where it was. A
comment every 10 s keeps proxies awake and finds clients that are gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import orjson
from flask import Response

from signal_bridge.clock import Deadline
from signal_bridge.inbox.event import Event
from signal_bridge.web.streams.reading import Reader

HEARTBEAT_SECONDS: Final = 10.0
_BATCH: Final = 100

Line = Callable[[Event], bytes]


def stream(reader: Reader, name: str, data: Line) -> Response:
    """The answer that goes on: events called `name` with `data(event)`, until the client leaves.

    Raises TooManyStreams. The place is given back when the response is closed.
    """
    places = reader.bridge.streams
    places.take()
    response = Response(_told(reader, name, data), content_type="text/event-stream; charset=utf-8")
    response.headers["Cache-Control"] = "no-cache"
    response.headers["X-Accel-Buffering"] = "no"
    response.call_on_close(places.leave)
    return response


def _told(reader: Reader, name: str, data: Line) -> Iterator[bytes]:
    yield b"retry: 3000\n\n"  # headers and a first byte at once
    if (gap := reader.gap()) is not None:
        lost = orjson.dumps({"from": gap.first_seq, "to": gap.last_seq})
        yield b"event: gap\ndata: " + lost + b"\n\n"
    with reader.bridge.inbox.newest.watched() as newest:
        position = reader.start
        while not reader.bridge.inbox.closing:
            seen = newest.seq
            events = reader.next(position, _BATCH)
            if events:
                yield b"".join(_lines(event, name, data) for event in events)
                position = events[-1].seq
                reader.mark(position)
            elif not newest.wait_beyond(seen, Deadline(HEARTBEAT_SECONDS)):
                yield b":\n\n"


def _lines(event: Event, name: str, data: Line) -> bytes:
    """Without the space after the colon that may be there: signal-cli writes none."""
    return b"id:%d\nevent:%s\ndata:%s\n\n" % (event.seq, name.encode(), data(event))
