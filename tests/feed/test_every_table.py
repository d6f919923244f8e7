"""From a database without a table: one journey through every table."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support import Bridge
from tests.support.databases import Database
from tests.support.waiting import eventually

ALICE, BOB = "+12025550100", "+12025550101"


@pytest.fixture
def database(empty_database: Database) -> Database:
    return empty_database


def test_messages_cursors_webhooks_and_accounts_live_in_either_database(
    start_bridge: Callable[..., Bridge],
) -> None:
    bridge = start_bridge(MODE="sandbox").wait_ready()
    hook = {"webhook": "http://127.0.0.1:9/nobody-there"}
    made = bridge.post(f"/v1/receive/{BOB}", json=hook)
    assert made.status_code == 201
    texts = [f"message {number}" for number in range(5)]
    for text in texts:
        body = {"number": ALICE, "recipients": [BOB], "message": text}
        assert bridge.post("/v2/send", json=body).status_code == 201
    received = eventually(lambda: _all(bridge) if _count(bridge) >= 5 else None, 20)
    assert received == texts
    assert _all(bridge) == [], "a poll takes what it gives"
    again = bridge.get(f"/v1/events?account=%2B{BOB[1:]}&types=message").json()
    assert [e["envelope"]["dataMessage"]["message"] for e in again["events"]] == texts
    path = f"/v1/webhooks/{BOB}/{made.json()['id']}/attempts"
    eventually(lambda: bridge.get(path).json(), 20)
    bridge.stop()
    bridge.start().wait_ready()
    assert bridge.get(f"/v1/accounts/{BOB}/status").json()["state"] == "linked"
    assert _count(bridge) == 5


def _count(bridge: Bridge) -> int:
    page = bridge.get(f"/v1/events?account=%2B{BOB[1:]}&types=message").json()
    return len(page["events"])


def _all(bridge: Bridge) -> list[str]:
    polled = bridge.get(f"/v1/receive/{BOB}?types=message&timeout=0").json()
    return [event["envelope"]["dataMessage"]["message"] for event in polled]
