"""Of which accounts there may be something to read."""

from __future__ import annotations

import sqlalchemy as sa

from signal_bridge.feed.account_book import LINKED, MISSING, UNLINKED, AccountBook
from signal_bridge.feed.envelope import arrival_of
from signal_bridge.feed.feed import Feed
from signal_bridge.store.engine import Store
from signal_bridge.store.tables import accounts, events
from tests.support.scripted_daemon import text_envelope

ACCOUNT = "+4915100001"


def test_an_account_that_was_never_here_is_not_known(store: Store) -> None:
    assert not AccountBook(store, Feed(store)).knows(ACCOUNT)


def test_an_account_that_was_unlinked_is_known(store: Store) -> None:
    with store.write() as unit:
        gone = {"number": ACCOUNT, "state": UNLINKED, "detail": "", "since_ms": 1}
        unit.execute(sa.insert(accounts), gone)
    assert AccountBook(store, Feed(store)).knows(ACCOUNT)


def test_an_account_with_events_is_known_and_stays_so(store: Store) -> None:
    feed = Feed(store)
    book = AccountBook(store, feed)
    envelope = text_envelope("+491", "hello", 1_700_000_000_000)
    feed.append([arrival_of({"envelope": envelope, "account": ACCOUNT})])
    assert book.knows(ACCOUNT)
    with store.write() as unit:
        unit.execute(sa.delete(events))
    assert book.knows(ACCOUNT), "a reader that waits must not lose it to retention"


def test_messages_of_one_account_do_not_bring_back_another_that_was_unlinked(store: Store) -> None:
    """A signal-cli that was started for a single account lists none."""
    states = {"+1": UNLINKED, "+2": MISSING, "+3": LINKED}
    with store.write() as unit:
        rows = [{"number": n, "state": s, "detail": "", "since_ms": 1} for n, s in states.items()]
        unit.execute(sa.insert(accounts), rows)
    book = AccountBook(store, Feed(store))
    book.add(frozenset({ACCOUNT}))
    assert book.states() == {"+1": UNLINKED, "+2": LINKED, "+3": LINKED, ACCOUNT: LINKED}
    book.add(frozenset({"+1"}))
    assert book.states()["+1"] == LINKED
