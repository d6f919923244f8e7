"""The feed for those who keep a cursor: reading changes nothing, and nothing is missed unseen."""

from __future__ import annotations

import re
from typing import Any, Final

import orjson
from flask import Response, jsonify, request
from flask.typing import ResponseReturnValue

from signal_bridge.clock import Deadline
from signal_bridge.errors import NotFound, RequestError
from signal_bridge.feed.cursors import EVENTS, consumer_name
from signal_bridge.feed.filters import EVERY_ACCOUNT, OWN_KINDS, SIGNAL_KINDS, Filter
from signal_bridge.feed.formats import numbered_element
from signal_bridge.signalcli import addresses
from signal_bridge.web.edge.context import bridge
from signal_bridge.web.edge.inputs import query_number, query_timeout_seconds, read_body
from signal_bridge.web.schemas.events import ACKNOWLEDGE
from signal_bridge.web.streams import sse
from signal_bridge.web.streams.reading import query_seq, reader_of, wanted_events
from signal_bridge.web.streams.waiting import page_or_wait

_MOST: Final = 1000
_USUAL: Final = 100
_CONSUMER: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


def read() -> ResponseReturnValue:
    """Events after a cursor: `{"events": […], "next": seq, "lag": n, "gap"?: {"from", "to"}}`.

    `account` (default: all), `after`, `limit` (100), `timeout` seconds to wait for the first,
    `types`, `from`; `consumer=name` begins where that consumer has acknowledged. With
    `Accept: text/event-stream` the same as a stream.
    """
    account = addresses.account(request.args.get("account", "")) or EVERY_ACCOUNT
    wanted = wanted_events(account, default=(*SIGNAL_KINDS, *OWN_KINDS))
    if request.accept_mimetypes.best == "text/event-stream":
        return sse.stream(reader_of(wanted, EVENTS), "event", numbered_element)
    limit = max(1, min(query_number("limit", _USUAL), _MOST))
    deadline = Deadline(query_timeout_seconds(default=0))
    return _page(wanted, _start(), limit, deadline)


def acknowledge() -> ResponseReturnValue:
    """A consumer has dealt with everything up to a seq: `{"consumer": name, "seq": n}`. 204.

    At most up to the newest: nobody has dealt with what is still to come. A consumer never goes
    back, but it can be removed and begin anew. 400 for one more than the 1000 there can be.
    """
    body = read_body(ACKNOWLEDGE)
    consumer = _check_name(body["consumer"])
    bridge().cursors.acknowledge(consumer, min(body["seq"], bridge().feed.newest_seq()))
    return "", 204


def forget_consumer(consumer: str) -> ResponseReturnValue:
    """Remove a named consumer, and with it how far it has got. 204.

    So an acknowledgement is taken back: read with `after`, and acknowledge from there. 404 when
    there is none of that name.
    """
    if not bridge().cursors.forget_consumer(_check_name(consumer)):
        raise NotFound(f"There is no consumer {consumer}")
    return "", 204


def consumers() -> ResponseReturnValue:
    """Every named consumer with its position and how many events it is behind."""
    positions = sorted(bridge().cursors.consumers().items())
    lags = bridge().feed.lags([seq for _name, seq in positions])
    return jsonify(
        [
            {"consumer": name, "seq": seq, "lag": lag}
            for (name, seq), lag in zip(positions, lags, strict=True)
        ]
    )


def _start() -> int:
    """The seq to read after: as asked for, else where the consumer is, else the beginning."""
    after, consumer = query_seq("after"), request.args.get("consumer")
    if after is not None or consumer is None:
        return after or 0
    return bridge().cursors.position(consumer_name(_check_name(consumer)))


def _page(wanted: Filter, after: int, limit: int, deadline: Deadline) -> Response:
    feed = bridge().feed
    page = page_or_wait(feed, wanted, after, limit, deadline)
    body: dict[str, Any] = {
        "events": [orjson.Fragment(numbered_element(event)) for event in page],
        "next": page.through,
        "lag": feed.count_after(wanted, page.through) if page.is_full else 0,
    }
    if page.gap is not None:
        body["gap"] = {"from": page.gap.first_seq, "to": page.gap.last_seq}
    return jsonify(body)


def _check_name(consumer: str) -> str:
    if not _CONSUMER.fullmatch(consumer):
        raise RequestError("A consumer's name has 1 to 64 letters, digits, dots, dashes and _")
    return consumer
