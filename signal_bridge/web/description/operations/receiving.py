"""What arrives: the feed, webhooks, received files."""

from __future__ import annotations

from typing import Final

from signal_bridge.web.description import answers
from signal_bridge.web.description.operation import (
    BYTES,
    FLAG,
    TEXT,
    TEXT_STREAM,
    WHOLE,
    Body,
    Needs,
    Operation,
    Operations,
    Query,
)
from signal_bridge.web.routes import attachments, events, receive, webhooks
from signal_bridge.web.schemas.events import ACKNOWLEDGE
from signal_bridge.web.schemas.webhooks import CHANGE, REPLAY, WEBHOOK

_TYPES: Final = Query("types", TEXT, "kinds of events with commas between; `*` fits many")
_FROM: Final = Query("from", TEXT, "senders, numbers or UUIDs with commas between")
_AFTER: Final = Query("after", WHOLE | {"minimum": 0}, "the seq after which to begin")
_RECEIVE_FLAGS: Final = (
    "ignore_attachments",
    "ignore_stories",
    "ignore_avatars",
    "ignore_stickers",
    "send_read_receipts",
)

OPERATIONS: Final[Operations] = {
    receive.receive: Operation(
        answer=[answers.RECEIVED],
        query=(
            Query(
                "timeout", WHOLE, "seconds to wait for the first event; 1 by itself, 300 at most"
            ),
            Query("max_messages", WHOLE, "how many at most; 0 is all"),
            _TYPES,
            _FROM,
            _AFTER,
            Query("backlog", FLAG | {"default": "true"}, "streams: what was there before as well"),
            *(Query(name, FLAG, "checked; decided by a setting") for name in _RECEIVE_FLAGS),
        ),
        content=TEXT_STREAM,
        statuses={101: "A WebSocket, if the request asks for an upgrade: one event a frame."},
        needs=Needs.STORE | Needs.PLACE,
    ),
    events.read: Operation(
        answer=answers.EVENTS,
        query=(
            Query("account", TEXT, "one account; else all"),
            _AFTER,
            Query("limit", WHOLE, "how many at most; 100 by itself, 1000 at most"),
            Query("timeout", WHOLE, "seconds to wait for the first event; 300 at most"),
            _TYPES,
            _FROM,
            Query("consumer", TEXT, "begin where this consumer has acknowledged"),
        ),
        content=TEXT_STREAM,
        needs=Needs.STORE | Needs.PLACE,
        beyond_peer=True,
    ),
    events.acknowledge: Operation(
        204,
        body=Body(ACKNOWLEDGE, {"consumer": "archive", "seq": 17}),
        needs=Needs.STORE,
        beyond_peer=True,
    ),
    events.consumers: Operation(answer=answers.CONSUMERS, needs=Needs.STORE, beyond_peer=True),
    webhooks.create: Operation(
        201,
        answers.WEBHOOK_CREATED,
        Body(WEBHOOK, {"webhook": "https://example.org/hook", "types": ["message"]}),
        others={200: answers.WEBHOOK},
        needs=Needs.STORE,
        beyond_peer=True,
    ),
    webhooks.list_all: Operation(answer=[answers.WEBHOOK], needs=Needs.STORE, beyond_peer=True),
    webhooks.get: Operation(answer=answers.WEBHOOK_WHOLE, needs=Needs.STORE, beyond_peer=True),
    webhooks.change: Operation(
        answer=answers.WEBHOOK,
        body=Body(CHANGE, {"paused": True}),
        needs=Needs.STORE,
        beyond_peer=True,
    ),
    webhooks.delete: Operation(204, needs=Needs.STORE, beyond_peer=True),
    webhooks.test: Operation(answer=answers.WEBHOOK_TRIED, needs=Needs.STORE, beyond_peer=True),
    webhooks.list_attempts: Operation(
        answer=answers.WEBHOOK_ATTEMPTS, needs=Needs.STORE, beyond_peer=True
    ),
    webhooks.list_parked: Operation(
        answer=answers.WEBHOOK_PARKED, needs=Needs.STORE, beyond_peer=True
    ),
    webhooks.replay: Operation(
        202,
        answers.WEBHOOK_REPLAYED,
        Body(REPLAY, {"since": 17}, required=False),
        needs=Needs.STORE,
        beyond_peer=True,
    ),
    attachments.list_all: Operation(answer=answers.ATTACHMENTS, needs=Needs.NOTHING),
    attachments.get: Operation(content={"*/*": {"schema": BYTES}}, needs=Needs.NOTHING),
    attachments.delete: Operation(204, needs=Needs.NOTHING),
}
