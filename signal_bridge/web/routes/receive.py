"""`GET /v1/receive/{number}`: one path, three ways, chosen by the request and not by the mode.

`Upgrade: websocket` gets frames, `Accept: text/event-stream` gets server-sent events, anything
else gets what has arrived as a JSON array.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import unquote

from flask import request
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response as AnyResponse

from signal_bridge.clock import Deadline
from signal_bridge.feed.cursors import SSE, WEBSOCKET
from signal_bridge.feed.formats import frame
from signal_bridge.web.edge.context import head_alone, moved
from signal_bridge.web.edge.inputs import (
    account_number,
    query_flag,
    query_number,
    query_timeout_seconds,
)
from signal_bridge.web.streams import polling, sse, websocket
from signal_bridge.web.streams.reading import reader_of, wanted_events

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
    once for the daemon by settings. 400 for an account that is not here and never was; an array is
    read at the account's own spelling, to which others are sent (rest-surface.rst 3.3).
    """
    account = account_number(number)
    if request.method == "GET" and request.headers.get("Upgrade", "").lower() == "websocket":
        reader = reader_of(wanted_events(account), WEBSOCKET)
        return websocket.serve(request.environ, reader)
    if request.accept_mimetypes.best == "text/event-stream":
        return sse.stream(reader_of(wanted_events(account), SSE), "receive", frame)
    return _poll(account, spelled=unquote(number))


def _poll(account: str, spelled: str) -> AnyResponse:
    timeout_seconds = query_timeout_seconds(default=1)
    max_messages = query_number("max_messages", 0)
    for name in _FLAGS:
        query_flag(name)
    wanted = wanted_events(account)
    if spelled != account:
        # A poll uses up what it answers, so an account has one address for it, which the client
        # learns from the answer.
        return moved(f"/v1/receive/{account}", 301)
    if alone := head_alone("application/json; charset=utf-8"):
        return alone
    return polling.poll(wanted, max(0, max_messages), Deadline(timeout_seconds))
