"""An application over a database, without a server around it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from signal_bridge.feed.account_book import LINKED, AccountBook
from signal_bridge.feed.cursors import WEBSOCKET, Cursors, cursor_name
from signal_bridge.feed.envelope import arrival_of
from signal_bridge.feed.feed import Feed
from signal_bridge.feed.filters import Filter
from signal_bridge.settings import read_settings
from signal_bridge.store.engine import Store
from signal_bridge.store.tables import accounts as accounts_table
from signal_bridge.store.tables import cursors as cursors_table
from signal_bridge.store.tables import events, pruned
from signal_bridge.web.app import create_app
from signal_bridge.web.bridge import Bridge
from signal_bridge.web.streams import StreamPlaces
from signal_bridge.web.streams.reading import Reader
from tests.journeys.reading import text_of
from tests.support.scripted_daemon import text_envelope

ACCOUNT = "+4915112345"
MINE = Filter(ACCOUNT)
PATH = f"/v1/receive/{ACCOUNT}"
_times = itertools.count(1_700_000_000_000)


class Counts:
    """The statements and commits of a store since `forget`."""

    def __init__(self, store: Store) -> None:
        self.forget()
        sa.event.listen(store._engine, "commit", self._commit)
        sa.event.listen(store._engine, "before_cursor_execute", self._statement)

    def forget(self) -> None:
        self.statements: list[str] = []
        self.commits = 0

    def _commit(self, _connection: Any) -> None:
        self.commits += 1

    def _statement(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        self.statements.append(statement)


class Desk:
    """An application over a database, without a server around it."""

    def __init__(self, app: Flask, bridge: Bridge, store: Store) -> None:
        self.app = app
        self.bridge = bridge
        self.feed = bridge.feed
        self.cursors = bridge.cursors
        self.store = store
        self.counts = Counts(store)

    @property
    def client(self) -> FlaskClient:
        return self.app.test_client()

    def tell(self, *texts: str, sender: str = "+491", account: str = ACCOUNT) -> None:
        envelopes = [text_envelope(sender, text, next(_times)) for text in texts]
        params = [{"envelope": each, "account": account} for each in envelopes]
        self.feed.append([arrival_of(each) for each in params])

    def poll(self, **query: Any) -> list[str | None]:
        return texts(self.answer(**query))

    def answer(self, **query: Any) -> Any:
        return self.client.get(PATH, query_string={"timeout": 0, **query})

    def prune(self, through: int) -> None:
        """As retention does it."""
        gone = {"account": ACCOUNT, "kind": "message", "through_seq": through,
                "removed": 0, "unread": 0, "parked": 0}  # fmt: skip
        with self.store.write() as unit:
            unit.execute(sa.delete(events).where(events.c.seq <= through))
            unit.execute(sa.delete(pruned))
            unit.execute(sa.insert(pruned), gone)

    def positions(self) -> dict[str, int]:
        with self.store.read() as connection:
            query = sa.select(cursors_table.c.name, cursors_table.c.position)
            return {row.name: row.position for row in connection.execute(query)}

    def reader(self, wanted: Filter = MINE) -> Reader:
        return Reader(self.bridge, wanted, 0, cursor_name(WEBSOCKET, wanted))


def texts(answer: Any) -> list[str | None]:
    assert answer.status_code == 200, answer.text
    return [text_of(element) for element in answer.json]


@contextmanager
def a_desk(store: Store, tmp_path: Path) -> Iterator[Desk]:
    settings = read_settings(
        {"SIGNAL_CLI_CONFIG_DIR": str(tmp_path), "BRIDGE_SIGNAL_CLI_RPC": "unix:/nonexistent"}
    )
    nobody = cast(Any, None)  # whom reading does not need
    feed = Feed(store)
    accounts = AccountBook(store, feed)
    with store.write() as unit:
        here = {"number": ACCOUNT, "state": LINKED, "detail": "", "since_ms": 1}
        unit.execute(sa.insert(accounts_table), here)
    assert accounts.knows(ACCOUNT)  # which it remembers
    bridge = Bridge(
        settings=settings, gateway=nobody, links=nobody, listing=nobody, feed=feed,
        accounts=accounts, cursors=Cursors(store), board=nobody, leases=nobody, node=nobody,
        streams=StreamPlaces(settings.threads), webhooks=nobody, room=nobody, trials=nobody,
    )  # fmt: skip
    yield Desk(create_app(bridge), bridge, store)
    bridge.feed.close()
    bridge.cursors.close()
