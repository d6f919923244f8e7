"""The feed, described."""

from __future__ import annotations

from typing import Final

from signal_bridge.web.route import TEXT, TEXT_STREAM, WHOLE, Body, Needs, Operation, Query
from signal_bridge.web.schemas import events as schemas
from signal_bridge.web.schemas.answers import many

TYPES: Final = Query("types", TEXT, "kinds of events with commas between; `*` fits many")
FROM: Final = Query("from", TEXT, "senders, numbers or UUIDs with commas between")
AFTER: Final = Query("after", WHOLE | {"minimum": 0}, "the seq after which to begin")

READ: Final = Operation(
    answer=schemas.EventsSchema,
    query=(
        Query("account", TEXT, "one account; else all"),
        AFTER,
        Query("limit", WHOLE, "how many at most; 100 by itself, 1000 at most"),
        Query("timeout", WHOLE, "seconds to wait for the first event; 300 at most"),
        TYPES,
        FROM,
        Query("consumer", TEXT, "begin where this consumer has acknowledged"),
    ),
    content=TEXT_STREAM,
    needs=Needs.STORE | Needs.PLACE,
    beyond_peer=True,
)
ACKNOWLEDGE: Final = Operation(
    204,
    body=Body(schemas.ACKNOWLEDGE, {"consumer": "archive", "seq": 17}),
    needs=Needs.STORE,
    beyond_peer=True,
)
CONSUMERS: Final = Operation(
    answer=many(schemas.ConsumerSchema), needs=Needs.STORE, beyond_peer=True
)
FORGET_CONSUMER: Final = Operation(204, needs=Needs.STORE, beyond_peer=True)
