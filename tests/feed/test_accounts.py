"""Accounts that appear, go missing and are logged out: noticed, told, healed."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from signal_bridge.feed.account_book import LINKED, MISSING, UNLINKED, compare
from tests.support import Bridge, ScriptedDaemon
from tests.support.databases import SQLITE
from tests.support.waiting import eventually

ONE, TWO = "+4915100001", "+4915100002"
SANDBOX = f"{sys.executable} -m signal_bridge.cli sandbox"
# As signal-cli 0.14 says it when it starts without a network.
SAYS = (
    "ERROR MultiAccountManager - Failed to load +*********01: Error while checking account"
    " +*********01: Closed unexpectedly (AccountCheckException)"
)


@pytest.mark.parametrize(
    ("known", "listed", "on_disk", "changes"),
    [
        ({}, {ONE}, {}, {ONE: LINKED}),
        ({ONE: LINKED}, {ONE}, {ONE: True}, {}),
        ({ONE: LINKED}, set(), {ONE: True}, {ONE: MISSING}),
        ({ONE: LINKED}, set(), {ONE: False}, {ONE: UNLINKED}),
        ({ONE: LINKED, TWO: LINKED}, {TWO}, {TWO: True}, {ONE: UNLINKED}),
        ({ONE: LINKED}, set(), {}, {ONE: UNLINKED}),
        ({ONE: LINKED}, set(), None, {ONE: MISSING}),
        ({ONE: UNLINKED}, set(), None, {}),
        ({ONE: UNLINKED}, set(), {TWO: True}, {TWO: MISSING}),
        ({}, {ONE}, None, {ONE: LINKED}),
        ({ONE: MISSING}, {ONE}, {ONE: True}, {ONE: LINKED}),
        ({ONE: MISSING}, set(), {ONE: False}, {ONE: UNLINKED}),
        ({ONE: UNLINKED}, set(), {ONE: False}, {}),
        ({ONE: UNLINKED}, {ONE}, {ONE: True}, {ONE: LINKED}),
        ({}, set(), {ONE: True}, {ONE: MISSING}),
        ({}, set(), {ONE: False}, {}),
    ],
)
def test_the_state_of_an_account_follows_from_what_is_listed_and_on_disk(
    known: dict[str, str],
    listed: set[str],
    on_disk: dict[str, bool] | None,
    changes: dict[str, str],
) -> None:
    assert compare(known, frozenset(listed), on_disk) == changes


def own_events(bridge: Bridge) -> list[tuple[str, str]]:
    page = bridge.get("/v1/events?types=account.*,daemon.*&limit=1000").json()
    return [(event["event"], event["account"]) for event in page["events"]]


def state_of(bridge: Bridge, number: str) -> str | None:
    answer = bridge.get(f"/v1/accounts/{number}/status")
    return answer.json()["state"] if answer.status_code == 200 else None


def test_an_account_the_daemon_hides_for_a_while_makes_the_bridge_not_ready_and_then_comes_back(
    bridge: Bridge, daemon: ScriptedDaemon
) -> None:
    number = daemon.accounts[0]
    eventually(lambda: state_of(bridge, number) == "linked", 20)
    daemon.accounts.clear()
    eventually(lambda: bridge.get("/readyz").status_code == 503, 20)
    assert number in bridge.get("/readyz").json()["reasons"]["accounts"]
    assert bridge.get("/v1/health").status_code == 503
    daemon.accounts.append(number)
    eventually(lambda: bridge.get("/v1/health").status_code == 204, 20)
    assert own_events(bridge) == [
        ("account.linked", number),
        ("account.missing", number),
        ("account.linked", number),
    ]
    subscriptions = daemon.asked("subscribeReceive")
    assert len(subscriptions) == 3, "at start, when it went, and when it came back"


def test_an_account_that_appears_is_received_for_at_once(
    bridge: Bridge, daemon: ScriptedDaemon
) -> None:
    before = len(daemon.asked("subscribeReceive"))
    daemon.accounts.append(TWO)
    daemon.wait_for("subscribeReceive", before + 1)
    daemon.wait_for("unsubscribeReceive")
    eventually(lambda: state_of(bridge, TWO) == "linked", 20)


def test_an_unknown_account_has_no_status(bridge: Bridge) -> None:
    assert bridge.get("/v1/accounts/+4999999/status").status_code == 404


def test_a_logged_out_account_is_told_and_keeps_the_others_working(
    start_bridge: Callable[..., Bridge],
) -> None:
    bridge = start_bridge(MODE="sandbox").wait_ready()
    number = "+12025550103"
    eventually(lambda: state_of(bridge, number) == "linked", 20)
    assert bridge.post(f"/v1/unregister/{number}").status_code == 204
    eventually(lambda: state_of(bridge, number) == "unlinked", 20)
    assert ("account.unlinked", number) in own_events(bridge)
    assert bridge.get("/readyz").json()["accounts"][number] == "unlinked"
    assert bridge.get("/v1/health").status_code == 204


def test_a_daemon_that_died_is_told_in_the_feed(start_bridge: Callable[..., Bridge]) -> None:
    bridge = start_bridge(MODE="sandbox").wait_ready()
    bridge.child("signal_bridge.sandbox").kill()
    eventually(lambda: ("daemon.restarted", "") in own_events(bridge), 30)


@pytest.mark.parametrize("database", [SQLITE], indirect=True)  # a minute, and not about databases
def test_an_account_that_is_not_loaded_gets_a_fresh_signal_cli(
    start_bridge: Callable[..., Bridge], tmp_path: Path
) -> None:
    """The sandbox writes its accounts at start: one it does not know is gone after a restart."""
    signal_cli = tmp_path / "signal-cli"
    signal_cli.write_text(f"#!/bin/sh\necho '{SAYS}' >&2\nexec {SANDBOX} \"$@\"\n")
    signal_cli.chmod(0o755)
    bridge = start_bridge(MODE="json-rpc", BRIDGE_SIGNAL_CLI=signal_cli).wait_ready()
    listing = bridge.config_dir / "data" / "accounts.json"
    accounts = json.loads(listing.read_text())
    accounts["accounts"].append({"path": "9", "environment": "LIVE", "number": ONE, "uuid": None})
    listing.write_text(json.dumps(accounts))
    # One that is new on disk is given a while to appear by itself.
    eventually(lambda: state_of(bridge, ONE) == "missing", 60)
    assert bridge.get("/readyz").status_code == 503
    assert "Signal: Closed unexpectedly" in bridge.get("/readyz").json()["reasons"]["accounts"]
    eventually(lambda: ("daemon.restarted", "") in own_events(bridge), 60)
    bridge.wait_ready()


def test_a_rate_limit_is_told_in_the_feed(start_bridge: Callable[..., Bridge]) -> None:
    bridge = start_bridge(MODE="sandbox").wait_ready()
    body = {"number": "+12025550100", "recipients": ["+12025550192"], "message": "x"}
    assert bridge.post("/v2/send", json=body).status_code == 429
    page = bridge.get("/v1/events?types=account.rate_limited").json()
    (event,) = page["events"]
    assert event["account"] == "+12025550100"
    assert event["challenge_tokens"]
