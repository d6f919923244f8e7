"""What an attempt makes of a webhook. Pure: the time is an argument."""

from __future__ import annotations

import dataclasses
from typing import Any

from signal_bridge.delivery.webhooks.ledger import PARKED_REPORT, Entry, Mark, Tried
from signal_bridge.delivery.webhooks.payload import GAP
from signal_bridge.delivery.webhooks.schedule import Decision, Fate
from signal_bridge.delivery.webhooks.webhook import DISABLED, Webhook
from signal_bridge.feed.event import Arrival, Event
from signal_bridge.feed.filters import EVERY_ACCOUNT
from signal_bridge.feed.own import own_event


def after_attempt(
    webhook: Webhook, event: Event, replayed: bool, tried: Tried, decision: Decision, now_ms: int
) -> Mark:
    """The webhook as it is then, and what is to be written down.

    `replayed`: the event had been parked, and its turn was not in the order of the feed.
    """
    failing_since_ms = webhook.failing_since_ms or now_ms
    if decision.fate is Fate.DELIVERED:
        failing_since_ms = 0
    if decision.fate is Fate.LATER:
        next_attempt_ms = now_ms + round(decision.wait_seconds * 1000)
        attempt, position = webhook.attempt + decision.counts, webhook.position
    else:
        next_attempt_ms, attempt = 0, 0
        position = webhook.position if replayed else event.seq
    after = dataclasses.replace(
        webhook,
        position=position,
        attempt=attempt,
        next_attempt_ms=next_attempt_ms,
        failing_since_ms=failing_since_ms,
    )
    if decision.fate is Fate.DISABLED:
        # the event in hand stays the next: it is sent when the webhook is active again
        after = dataclasses.replace(
            after, position=webhook.position, state=DISABLED, detail=decision.reason
        )
    return Mark(after, _entry(webhook, event, replayed, tried, decision))


def adopt_change(own: Webhook, row: Webhook) -> Webhook:
    """The webhook after a caller's change: the row, with what its courier has done meanwhile.

    As long as no caller has moved the position since.
    """
    if row.rewound > own.revision or row.position == own.position:
        return row
    return dataclasses.replace(row, position=own.position, attempt=0, next_attempt_ms=0)


def pass_over(webhook: Webhook, through: int) -> Mark:
    """Nothing up to `through` is to be told."""
    return Mark(dataclasses.replace(webhook, position=through, attempt=0, next_attempt_ms=0))


def _entry(
    webhook: Webhook, event: Event, replayed: bool, tried: Tried, decision: Decision
) -> Entry:
    entry = Entry(tried=(tried,))
    if decision.fate is Fate.DISABLED:
        account = "" if webhook.account == EVERY_ACCOUNT else webhook.account
        report = _report("webhook.disabled", account, webhook, reason=decision.reason)
        return dataclasses.replace(entry, reports=(report,))
    if decision.fate is Fate.DELIVERED and replayed:
        return dataclasses.replace(entry, unparked=(event.seq,))
    if decision.fate is Fate.PARKED and event.kind != GAP:  # the next notice says as much
        return dataclasses.replace(
            entry,
            parked=((event.seq, decision.reason),),
            reports=_parked_reports(webhook, event, decision.reason),
        )
    return entry


def _parked_reports(webhook: Webhook, event: Event, reason: str) -> tuple[Arrival, ...]:
    if event.kind.startswith("webhook."):
        return ()  # else each report would cause the next
    told = _report(PARKED_REPORT, event.account, webhook, seq=event.seq, reason=reason)
    return (told,)


def _report(kind: str, account: str, webhook: Webhook, **detail: Any) -> Arrival:
    return own_event(kind, account, webhook=webhook.id, name=webhook.name, **detail)
