"""`GET /v1/receive/{number}`: one path, three ways, chosen by the request and not by the mode.

`Upgrade: websocket` gets frames, `Accept: text/event-stream` gets server-sent events, anything
else gets what has arrived as a JSON array.

A poll reads, sends, then marks: the cursor moves when the answer has been handed to the network
whole. A client that goes away before that gets the same messages again.
"""

from __future__ import annotations

import select
import sys
from collections.abc import Iterator
from typing import Final

from flask import Response, jsonify, request
from flask.typing import ResponseReturnValue

from signal_bridge.clock import Deadline
from signal_bridge.errors import StoreError
from signal_bridge.inbox.cursors import POLL, RENEW_SECONDS, SSE, WEBSOCKET, Lease, cursor_name
from signal_bridge.inbox.event import Event
from signal_bridge.inbox.filters import Filter
from signal_bridge.inbox.shapes import frame, polled
from signal_bridge.inbox.store import Inbox
from signal_bridge.web.context import bridge
from signal_bridge.web.inputs import account_number, query_flag, query_number
from signal_bridge.web.streams import sse, websocket
from signal_bridge.web.streams.reading import reader_of, wanted_events

_LONGEST_TIMEOUT_SECONDS: Final = 300
_PAGE: Final = 500
_FLAGS: Final = (
    "ignore_attachments",
    "ignore_stories",
    "ignore_avatars",
    "ignore_stickers",
    "send_read_receipts",
)


def receive(number: str) -> ResponseReturnValue:
    """The account's events: a WebSocket, server-sent events, or a JSON array.

    All of them take `types` and `from`. The streams begin with the backlog since the account's
    cursor; `after=<seq>` (or `Last-Event-ID`) says where else, `backlog=false` with what is new.
    The array waits up to `timeout` seconds (1) for the first event and has at most
    `max_messages` (0: all), oldest first; the peer's other parameters are checked, and decided
    once for the daemon by settings.
    """
    number = account_number(number)
    if request.headers.get("Upgrade", "").lower() == "websocket":
        reader = reader_of(wanted_events(number), WEBSOCKET)
        return websocket.serve(request.environ, reader, frame)
    if request.accept_mimetypes.best == "text/event-stream":
        return sse.stream(reader_of(wanted_events(number), SSE), "receive", frame)
    timeout_seconds = query_number("timeout", 1)
    max_messages = query_number("max_messages", 0)
    for name in _FLAGS:
        query_flag(name)
    wanted = wanted_events(number)
    # A poll that waits is a stream for as long as it waits; without a place it does not wait.
    with bridge().streams.one_if_free() as may_wait:
        seconds = min(timeout_seconds, _LONGEST_TIMEOUT_SECONDS) if may_wait else 0
        return _poll(wanted, max_messages, Deadline(max(0, seconds)))


def _poll(wanted: Filter, max_messages: int, deadline: Deadline) -> Response:
    lease = bridge().cursors.take(cursor_name(POLL, wanted.account), deadline)
    if lease is None:  # another poll of this account is reading
        return jsonify([])
    limit = max_messages if max_messages > 0 else sys.maxsize
    try:
        first = _first_page(lease, wanted, min(limit, _PAGE), deadline)
        gap = bridge().inbox.gap(wanted.account, lease.position)
    except StoreError:
        lease.release()
        raise
    response = _array_response(lease, wanted, first, limit)
    if gap is not None:
        response.headers["X-Signal-Bridge-Gap"] = f"{gap.first_seq}-{gap.last_seq}"
    return response


def _array_response(lease: Lease, wanted: Filter, first: list[Event], limit: int) -> Response:
    """One page goes with its length; a long backlog is streamed page by page."""
    seen: list[Event] = []
    if len(first) < _PAGE:
        body = b"".join(_array(iter((first,)), seen))
        parts = iter((body,))
    else:
        parts = _array(_pages(bridge().inbox, wanted, first, limit), seen)
    handed_over = _handed_over(lease, parts, [] if _client_is_gone() else seen)
    response = Response(handed_over)
    if len(first) < _PAGE:
        response.content_length = len(body)
    response.content_type = "application/json; charset=utf-8"
    return response


def _client_is_gone() -> bool:
    """Whether the client hung up while it waited.

    What is sent then only seems to arrive, so it is sent, for one that closed just its own side,
    and stays unread.
    """
    connection = request.environ.get("gunicorn.socket")
    if connection is None:
        return False
    poller = select.poll()
    poller.register(connection, select.POLLRDHUP)
    return bool(poller.poll(0))


def _first_page(lease: Lease, wanted: Filter, limit: int, deadline: Deadline) -> list[Event]:
    """The first events, waited for; none when the time is up, or the lease lost."""
    inbox = bridge().inbox
    while True:
        until = deadline.at_most(RENEW_SECONDS)
        found = inbox.read_or_wait(wanted, lease.position, limit, until)
        if found or deadline.expired() or inbox.closing:
            return found
        if not lease.renew():
            return []


def _handed_over(lease: Lease, body: Iterator[bytes], events: list[Event]) -> Iterator[bytes]:
    """The body; the cursor moves once the network has taken the last of it."""
    renew_after = Deadline(RENEW_SECONDS)
    try:
        for part in body:
            yield part
            if renew_after.expired():
                lease.renew()
                renew_after = Deadline(RENEW_SECONDS)
        if events:
            lease.advance(events[-1].seq)
    finally:
        lease.release()


def _pages(inbox: Inbox, wanted: Filter, page: list[Event], limit: int) -> Iterator[list[Event]]:
    """The backlog page by page, as much of it as there is."""
    while page:
        yield page
        limit -= len(page)
        page = inbox.read(wanted, page[-1].seq, min(limit, _PAGE)) if limit else []


def _array(pages: Iterator[list[Event]], seen: list[Event]) -> Iterator[bytes]:
    """A JSON array of all pages. The newest event of each page is added to `seen`."""
    opening = b"["
    for page in pages:
        for event in page:
            yield opening + polled(event)
            opening = b","
        seen.extend(page[-1:])
    yield b"]" if opening == b"," else b"[]"
