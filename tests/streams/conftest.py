"""One bridge on a scripted daemon for all tests of a module; each test has accounts of its own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from tests.support import Bridge, ScriptedDaemon
from tests.support.scripted_daemon import text_envelope

SENDER = "+4917000001"
_numbers = itertools.count(1)


class Stage:
    """The bridge, and a way for its daemon to receive messages."""

    def __init__(self, bridge: Bridge, daemon: ScriptedDaemon) -> None:
        self.bridge = bridge
        self.daemon = daemon
        self.timestamps = itertools.count(1_700_000_000_000)

    def receive(self, account: str, *texts: str, sender: str = SENDER) -> None:
        """Messages arrive, in one write, and are in the feed when this returns."""
        envelopes = [text_envelope(sender, text, next(self.timestamps)) for text in texts]
        self.daemon.notify(account, *envelopes)
        newest = envelopes[-1]["timestamp"]
        path = f"/v1/events?account=%2B{account[1:]}&limit=1000&timeout=10&after="
        after = 0
        while True:
            page = self.bridge.get(f"{path}{after}").json()
            assert page["events"], "the messages did not arrive"
            after = page["next"]
            if any(e.get("envelope", {}).get("timestamp") == newest for e in page["events"]):
                return

    def websocket(self, account: str, query: str = "") -> str:
        return f"ws://127.0.0.1:{self.bridge.port}/v1/receive/{account}{query}"


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with (
        ScriptedDaemon(accounts=["+4915112345"]) as daemon,
        Bridge(MODE="json-rpc", BRIDGE_SIGNAL_CLI_RPC=daemon.address, BRIDGE_THREADS=24) as bridge,
    ):
        bridge.wait_ready()
        daemon.wait_subscribed()
        yield Stage(bridge, daemon)


@pytest.fixture
def account() -> str:
    """A number that no other test uses."""
    return f"+49160{next(_numbers):06d}"
