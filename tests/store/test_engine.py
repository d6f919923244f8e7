"""The seam to the database: transactions, and its errors as ours."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import exc

from signal_bridge.errors import StoreError, StoreFull, StoreUnavailable
from signal_bridge.store import engine
from signal_bridge.store.engine import Store
from signal_bridge.store.migrations import migrate
from signal_bridge.store.tables import cursors


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "bridge.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    store = Store(f"sqlite:///{path}")
    migrate(store)
    yield store
    store.close()


def put(store: Store, name: str) -> None:
    with store.write() as connection:
        connection.execute(sa.insert(cursors).values(name=name, position=1))


def names(store: Store) -> list[str]:
    with store.read() as connection:
        return list(connection.scalars(sa.select(cursors.c.name).order_by(cursors.c.name)))


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Another process writes and does not come to an end."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield
    other.close()


def test_a_block_that_ends_is_committed(store: Store) -> None:
    put(store, "a")
    assert names(store) == ["a"]


def test_a_block_that_fails_leaves_nothing_behind(store: Store) -> None:
    def fail_half_way() -> None:
        with store.write() as connection:
            connection.execute(sa.insert(cursors).values(name="a", position=1))
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        fail_half_way()
    assert names(store) == []
    put(store, "b")
    assert names(store) == ["b"]


def test_what_was_committed_is_on_disk_for_everybody(store: Store, path: Path) -> None:
    put(store, "a")
    assert sqlite3.connect(path).execute("SELECT name FROM cursors").fetchall() == [("a",)]


@pytest.mark.parametrize(
    ("pragma", "value"), [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)]
)
def test_a_commit_that_returned_survives_a_power_cut(
    store: Store, pragma: str, value: str | int
) -> None:
    with store.write() as connection:
        assert connection.exec_driver_sql(f"PRAGMA {pragma}").scalar() == value


def test_readers_read_while_somebody_writes(store: Store, path: Path) -> None:
    put(store, "a")
    with locked(path):
        assert names(store) == ["a"]


def test_many_writers_wait_for_each_other(store: Store) -> None:
    threads = [threading.Thread(target=put, args=(store, f"{n:02}")) for n in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert names(store) == [f"{n:02}" for n in range(40)]


def test_a_transaction_takes_the_write_lock_at_its_beginning(store: Store, path: Path) -> None:
    other = sqlite3.connect(path, timeout=0, isolation_level=None)
    with store.write(), pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("BEGIN IMMEDIATE")
    other.close()


def test_a_database_that_stays_locked_is_unavailable(
    path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0.05)
    impatient = Store(f"sqlite:///{path}")
    with locked(path), pytest.raises(StoreUnavailable, match="locked") as caught:
        put(impatient, "a")
    assert caught.value.retryable
    put(impatient, "a")
    assert names(impatient) == ["a"]
    impatient.close()


def test_a_database_that_is_locked_for_a_moment_is_waited_for(store: Store, path: Path) -> None:
    with locked(path):
        writing = threading.Thread(target=put, args=(store, "a"), daemon=True)
        writing.start()
        writing.join(timeout=0.05)
        assert writing.is_alive()
    writing.join(timeout=30)
    assert names(store) == ["a"]


def fill(store: Store) -> None:
    """Write until the file may grow no more. Each connection of SQLite has its own limit."""
    with store.write() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
        connection.execute(sa.insert(cursors).values(name="x" * 1_000_000, position=1))


def test_a_full_disk_is_told_from_other_trouble_and_nothing_is_written(store: Store) -> None:
    with pytest.raises(StoreFull, match="no room") as caught:
        fill(store)
    assert caught.value.retryable
    assert names(store) == []


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("database or disk is full", StoreFull),
        ('could not extend file "base/1/2": No space left on device', StoreFull),
        ("database is locked", StoreUnavailable),
        ("disk I/O error", StoreUnavailable),
        ("attempt to write a readonly database", StoreUnavailable),
        ("server closed the connection unexpectedly", StoreUnavailable),
    ],
)
def test_what_the_database_says_becomes_one_of_our_errors(
    store: Store, text: str, kind: type[StoreError]
) -> None:
    def fail() -> None:
        with store.read():
            raise exc.OperationalError("SELECT secret", {"secret": 1}, Exception(text))

    with pytest.raises(StoreError) as caught:
        fail()
    assert type(caught.value) is kind
    assert "secret" not in str(caught.value)


def test_a_pool_without_a_free_connection_is_unavailable(store: Store) -> None:
    def fail() -> None:
        with store.read():
            raise exc.TimeoutError("QueuePool limit reached")

    with pytest.raises(StoreUnavailable):
        fail()


def test_a_directory_that_is_not_there_is_unavailable() -> None:
    store = Store("sqlite:////nonexistent/bridge.db")
    with pytest.raises(StoreUnavailable, match="unable to open"):
        names(store)


def test_a_file_that_is_no_database_is_unavailable(path: Path) -> None:
    path.write_bytes(b"this is not a database, but it is long enough to be looked at" * 100)
    store = Store(f"sqlite:///{path}")
    with pytest.raises(StoreUnavailable, match="not a database"):
        migrate(store)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql:SECRET",
        "sqlite:SECRET",
        "postgresql+nothing://user:SECRET@host/db",
        "postgresql://user:SECRET@host:port/db",
        "sqlite://user:SECRET@host/db",
    ],
)
def test_an_url_that_cannot_be_used_is_a_sentence_without_its_secret(url: str) -> None:
    with pytest.raises(StoreUnavailable, match="BRIDGE_DATABASE_URL") as caught:
        Store(url)
    assert "SEC" not in str(caught.value)


def test_a_row_that_is_there_is_left_alone(store: Store) -> None:
    for position in (1, 2):
        with store.write() as connection:
            connection.execute(store.insert_new(cursors), {"name": "a", "position": position})
    with store.read() as connection:
        assert connection.scalars(sa.select(cursors.c.position)).all() == [1]
