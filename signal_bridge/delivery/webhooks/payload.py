"""What is posted: events of the feed, and two that are in no feed."""

from __future__ import annotations

import secrets
from typing import Final

import orjson

from signal_bridge.clock import now_ms
from signal_bridge.delivery.webhooks.webhook import JSONRPC, Webhook
from signal_bridge.feed.event import Event, Gap
from signal_bridge.feed.formats import jsonrpc_line, with_members
from signal_bridge.feed.own import own_event

GAP: Final = "gap"


def payload(event: Event, format_: str) -> bytes:
    """`{"envelope": …, "account": …, "seq": …}`, or the peer's whole line.

    What the bridge says of itself has `event` in place of `envelope`. Raises ValueError when what
    is stored is no JSON object.
    """
    if format_ == JSONRPC:
        return jsonrpc_line(event)
    return with_members(event, {"seq": event.seq})


def gap_notice(webhook: Webhook, gap: Gap) -> Event:
    """Tells a receiver in its turn what it will never get: `{"event": GAP, "from", "to"}`."""
    body = {"event": GAP, "account": webhook.account, "from": gap.first_seq, "to": gap.last_seq}
    name = f"evt_gap_{webhook.id}_{gap.last_seq}"
    return Event(gap.last_seq, webhook.account, GAP, now_ms(), orjson.dumps(body), name)


def trial(webhook: Webhook) -> Event:
    """An event that is in no feed, to try the webhook with.

    In the peer's format, which knows no events of the bridge, it is an envelope without content.
    """
    account = webhook.account
    arrival = own_event("webhook.test", account, webhook=webhook.id)
    content = arrival.payload
    if webhook.format == JSONRPC:
        envelope = {"source": account, "sourceNumber": account, "timestamp": now_ms()}
        content = orjson.dumps({"envelope": envelope, "account": account})
    return Event(0, account, arrival.kind, now_ms(), content, f"evt_{secrets.token_hex(16)}")
