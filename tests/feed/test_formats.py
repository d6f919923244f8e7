"""What readers get is what signal-cli sent, with what belongs beside it, whatever it is."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signal_bridge.delivery.webhooks.payload import gap_notice, payload
from signal_bridge.delivery.webhooks.webhook import STANDARD, Webhook
from signal_bridge.feed.envelope import arrival_of
from signal_bridge.feed.event import Arrival, Event, Gap
from signal_bridge.feed.formats import (
    NAMES_BESIDE,
    frame,
    jsonrpc_line,
    numbered_element,
    poll_element,
)
from signal_bridge.feed.own import own_event
from tests.feed.envelopes import ACCOUNT, EVERY_KIND, FILE, data

Body = dict[str, Any]
Format = Callable[[Event], bytes]

# -- what an event looked like when each reader parsed it anew -------------------------------------


def told(body: Body) -> Body:
    body = orjson.loads(orjson.dumps(body))
    for attachment in attachments(body.get("envelope")):
        attachment.setdefault("isVoiceNote", False)
    return body


def attachments(value: Any) -> Iterator[Body]:
    if isinstance(value, list):
        for item in value:
            yield from attachments(item)
    if not isinstance(value, dict):
        return
    for key, item in value.items():
        if key in ("attachments", "image", "thumbnail", "fileAttachment"):
            for one in item if isinstance(item, list) else [item]:
                if isinstance(one, dict) and "contentType" in one and "id" in one:
                    yield one
        yield from attachments(item)


def polled(body: Body) -> Body:
    envelope = told(body).get("envelope")
    if isinstance(envelope, dict) and "dataMessage" in envelope:
        return {**told(body), "dataMessage": envelope["dataMessage"]}
    return told(body)


def numbered(body: Body, event: Event) -> Body:
    beside = {
        "seq": event.seq,
        "type": event.kind,
        "id": event.id,
        "received_at": event.received_at_ms,
    }
    return {**told(body), **beside}


EXPECTED: dict[str, tuple[Format, Callable[[Body, Event], Any]]] = {
    "frame": (frame, lambda body, _event: told(body)),
    "poll": (poll_element, lambda body, _event: polled(body)),
    "numbered": (numbered_element, numbered),
    "jsonrpc": (
        jsonrpc_line,
        lambda body, _event: {"jsonrpc": "2.0", "method": "receive", "params": told(body)},
    ),
    "webhook": (
        lambda event: payload(event, STANDARD),
        lambda body, event: {**told(body), "seq": event.seq},
    ),
}


# -- envelopes, and what looks like them -----------------------------------------------------------

CONTENT = (
    "dataMessage", "editMessage", "syncMessage", "sentMessage", "attachments", "image",
    "thumbnail", "fileAttachment", "contentType", "id", "isVoiceNote", "quote", "timestamp",
    "sourceUuid", 'x"dataMessage', 'x,"contentType', "envelope", "type", "seq",
)  # fmt: skip
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=3)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | words
    | st.sampled_from(['"dataMessage":', '","contentType":"', "\0", "}", "\\"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(CONTENT) | words, inner, max_size=5)
        | inner.map(lambda value: {"attachments": [{**FILE, "caption": value}, value]})
    ),
    max_leaves=12,
)
bodies = st.fixed_dictionaries(
    {},
    optional={
        "envelope": st.dictionaries(st.sampled_from(CONTENT) | words, values, max_size=5) | values,
        "account": st.just(ACCOUNT) | values,
        "exception": values,
        **dict.fromkeys(NAMES_BESIDE, values),
        "new": values,
    },
).flatmap(lambda body: st.permutations(list(body.items())).map(dict))


def event_of(arrival: Arrival) -> Event:
    return Event(7, arrival.account, arrival.kind, 1700000000200, arrival.payload, "evt_1")


def read(text: bytes) -> Any:
    """The value, in which no object has a name twice."""

    def pairs(members: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len(dict(members)) == len(members)
        return dict(members)

    return json.loads(text, object_pairs_hook=pairs)


@pytest.mark.parametrize("name", EXPECTED)
@given(body=bodies)
def test_readers_get_what_was_sent_with_what_belongs_beside_it(name: str, body: Body) -> None:
    event = event_of(arrival_of(body))
    made, expected = EXPECTED[name]
    assert read(made(event)) == expected(body, event)


@pytest.mark.parametrize("name", EXPECTED)
@pytest.mark.parametrize("kind", EVERY_KIND)
def test_every_kind_of_envelope_is_written_as_it_was(name: str, kind: str) -> None:
    """To the byte: members of ours come last."""
    body = EVERY_KIND[kind][1]
    event = event_of(arrival_of(body))
    made, expected = EXPECTED[name]
    assert made(event).rstrip(b"\n") == orjson.dumps(expected(body, event))


@pytest.mark.parametrize("name", EXPECTED)
@pytest.mark.parametrize("detail", [{}, {"seq": 3, "reason": "x"}, {"id": "x", "type": "y"}])
def test_what_the_bridge_says_of_itself_looks_as_it_did(name: str, detail: Body) -> None:
    event = event_of(own_event("webhook.parked", ACCOUNT, **detail))
    made, expected = EXPECTED[name]
    assert read(made(event)) == expected(orjson.loads(event.payload), event)


def test_a_gap_is_told_with_its_seq() -> None:
    webhook = Webhook(
        "w", ACCOUNT, "", "", (), (), STANDARD, {}, "", "", 0, "active", "", 0, position=1
    )
    notice = orjson.loads(payload(gap_notice(webhook, Gap(2, 5)), STANDARD))
    assert notice == {"event": "gap", "account": ACCOUNT, "from": 2, "to": 5, "seq": 5}


@pytest.mark.parametrize("name", EXPECTED)
@pytest.mark.parametrize("levels", [180, 250, 1000])
def test_an_envelope_may_be_as_deep_as_a_line_may_be(name: str, levels: int) -> None:
    deep = orjson.loads(b'{"a":' * levels + b"1" + b"}" * levels)
    event = event_of(arrival_of(data(message=deep)))
    made, _expected = EXPECTED[name]
    assert made(event).count(b'"a":') >= 180


def test_a_message_ends_its_line() -> None:
    event = event_of(arrival_of(data(message="two\nlines")))
    assert jsonrpc_line(event).endswith(b"}}\n")
    assert jsonrpc_line(event).count(b"\n") == 1


@pytest.mark.parametrize("broken", [b"", b"{", b"[]", b'{"envelope":', b"\x00\xff"])
@pytest.mark.parametrize("made", [numbered_element, jsonrpc_line])
def test_what_is_no_object_is_refused(made: Format, broken: bytes) -> None:
    with pytest.raises(ValueError, match="no JSON object"):
        made(Event(7, ACCOUNT, "message", 1, broken, "evt_1"))
