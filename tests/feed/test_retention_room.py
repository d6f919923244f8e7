"""What was removed gives its room back, and removing it takes little meanwhile: SQLite's file."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from signal_bridge.feed import removal, retention
from signal_bridge.feed.feed import Feed
from signal_bridge.feed.retention import Retention
from signal_bridge.store.engine import Store
from signal_bridge.store.migrations import migrate
from signal_bridge.store.tables import events
from tests.feed.retained import fill, seqs, settings_of
from tests.support import eventually


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(removal, "MOST_EVENTS", 50)


@pytest.fixture
def sqlite_store(sqlite_url: str) -> Iterator[Store]:
    store = Store(sqlite_url)
    migrate(store)
    yield store
    store.close()


def big_feed(store: Store, count: int, size_bytes: int) -> None:
    fill(store, count)
    with store.write() as unit:
        unit.execute(sa.update(events).values(payload=b"x" * size_bytes))
        unit.execute(sa.text(f"UPDATE feed_totals SET size_bytes = {count * size_bytes}"))


def test_the_file_gives_the_room_of_what_was_removed_back(
    sqlite_store: Store, sqlite_url: str, tmp_path: Path
) -> None:
    file = Path(sqlite_url.removeprefix("sqlite:///"))
    big_feed(sqlite_store, 400, 20_000)
    sqlite_store.settle()
    before = file.stat().st_size
    keeping = Retention(settings_of(tmp_path, bytes=100_000), sqlite_store, Feed(sqlite_store))
    keeping.prune_events()
    sqlite_store.settle()
    assert before > 8_000_000
    assert file.stat().st_size < 2_000_000
    assert len(seqs(sqlite_store)) == 5


def test_a_file_that_can_give_nothing_back_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "early.db"
    with contextlib.closing(sqlite3.connect(file)) as early:
        early.execute("CREATE TABLE made_without_auto_vacuum (id INTEGER)")
    store = Store(f"sqlite:///{file}")
    assert not store.give_back()
    store.close()


def test_who_removes_waits_while_somebody_reads_for_so_long_that_the_log_grows(
    sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signal_bridge.store.sqlite._LOG_BYTES", 200_000)
    monkeypatch.setattr(retention, "_SETTLE_SECONDS", 0.01)
    big_feed(sqlite_store, 400, 20_000)
    keeping = Retention(settings_of(tmp_path, bytes=100_000), sqlite_store, Feed(sqlite_store))
    running = threading.Thread(target=keeping.prune_events)
    with sqlite_store.read() as long_reader:
        long_reader.exec_driver_sql("BEGIN")
        long_reader.exec_driver_sql("SELECT count(*) FROM events").scalar()
        running.start()
        eventually(lambda: not sqlite_store.settle(), what="a log that has grown")
        running.join(0.3)
        assert running.is_alive()
        assert len(seqs(sqlite_store)) > 5
        long_reader.exec_driver_sql("COMMIT")
    running.join(20)
    assert not running.is_alive()
    assert len(seqs(sqlite_store)) == 5
