"""One bridge on a scripted daemon for all tests of a module, on SQLite and then on PostgreSQL.

Each test has accounts of its own.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from signal_bridge.store.engine import Store
from tests.streams.desk import Desk, a_desk
from tests.support import Bridge, ScriptedDaemon
from tests.support.databases import Database, change, rows
from tests.support.scripted_daemon import Connection, Request, text_envelope

SENDER = "+4917000001"
ACCOUNT = "+4915112345"
OTHERS = ("+49160", "+49161", *(f"+49160{number:06d}" for number in range(1, 1000)))
_others = iter(OTHERS[2:])


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
            assert page["events"] or "gap" in page, "the messages did not arrive"
            after = page["next"]
            if any(e.get("envelope", {}).get("timestamp") == newest for e in page["events"]):
                return

    def prune(self, account: str) -> int:
        """What the account has received is no longer kept, as retention does it; up to where."""
        newest = "SELECT max(seq) AS seq FROM events WHERE account = :account"
        through = int(rows(self.bridge, newest, account=account)[0].seq)
        change(self.bridge, "DELETE FROM events WHERE account = :account", account=account)
        change(
            self.bridge,
            "INSERT INTO pruned (account, kind, through_seq, removed, unread, parked)"
            " VALUES (:account, 'message', :through, 0, 0, 0)",
            account=account, through=through,
        )  # fmt: skip
        return through

    def websocket(self, account: str, query: str = "") -> str:
        return f"ws://127.0.0.1:{self.bridge.port}/v1/receive/{account}{query}"


@contextmanager
def a_stage(database: Database, **settings: object) -> Iterator[Stage]:
    with ScriptedDaemon(accounts=[ACCOUNT]) as daemon:
        settings = {"BRIDGE_SIGNAL_CLI_RPC": daemon.address, **database.settings, **settings}
        with Bridge(MODE="json-rpc", **settings) as bridge:
            bridge.wait_ready()
            daemon.wait_subscribed()
            daemon.on("listAccounts", _list_accounts)
            yield Stage(bridge, daemon)


def _list_accounts(connection: Connection, request: Request) -> None:
    """Who reads is told of every account of the tests; who subscribes or is about to, of the one
    alone: others would be noted, and told in the feed, and missed from then on."""
    another_subscribed = connection.daemon.is_subscribed and not connection.subscribed
    listed = [ACCOUNT, *OTHERS] if another_subscribed else [ACCOUNT]
    connection.reply(request, {"result": [{"number": number} for number in listed]})


@pytest.fixture(scope="module")
def stage(module_database: Database) -> Iterator[Stage]:
    with a_stage(module_database, BRIDGE_THREADS=48) as stage:
        yield stage


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> Iterator[Desk]:
    with a_desk(store, tmp_path) as desk:
        yield desk


@pytest.fixture
def account() -> str:
    """A number that no other test uses."""
    return next(_others)
