"""The seam to the database: transactions, and its errors as ours.

What asks for `path` or `sqlite_store` is about SQLite's file and its locks.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import exc

from signal_bridge.errors import StoreError, StoreFull, StoreRefused, StoreUnavailable
from signal_bridge.store import sqlite
from signal_bridge.store.engine import Store, Unit
from signal_bridge.store.migrations import migrate
from signal_bridge.store.tables import cursors
from tests.rpc.far_end import InThread
from tests.support.postgres import Server


@pytest.fixture
def path(sqlite_url: str) -> Path:
    return Path(sqlite_url.removeprefix("sqlite:///"))


@pytest.fixture
def sqlite_store(sqlite_url: str) -> Iterator[Store]:
    store = Store(sqlite_url)
    migrate(store)
    yield store
    store.close()


def put(store: Store, name: str) -> None:
    with store.write() as unit:
        unit.execute(sa.insert(cursors).values(name=name, account="", position=1))


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
        with store.write() as unit:
            unit.execute(sa.insert(cursors).values(name="a", account="", position=1))
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        fail_half_way()
    assert names(store) == []
    put(store, "b")
    assert names(store) == ["b"]


def test_what_was_committed_is_on_disk_for_everybody(sqlite_store: Store, path: Path) -> None:
    put(sqlite_store, "a")
    assert sqlite3.connect(path).execute("SELECT name FROM cursors").fetchall() == [("a",)]


@pytest.mark.parametrize(
    ("pragma", "value"), [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)]
)
def test_a_commit_that_returned_survives_a_power_cut(
    sqlite_store: Store, pragma: str, value: str | int
) -> None:
    with sqlite_store.write() as unit:
        assert unit.connection.exec_driver_sql(f"PRAGMA {pragma}").scalar() == value


def test_readers_read_while_somebody_writes(sqlite_store: Store, path: Path) -> None:
    put(sqlite_store, "a")
    with locked(path):
        assert names(sqlite_store) == ["a"]


def test_many_writers_wait_for_each_other(store: Store) -> None:
    threads = [threading.Thread(target=put, args=(store, f"{n:02}")) for n in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert names(store) == [f"{n:02}" for n in range(40)]


def test_a_transaction_takes_the_write_lock_at_its_beginning(
    sqlite_store: Store, path: Path
) -> None:
    other = sqlite3.connect(path, timeout=0, isolation_level=None)
    with sqlite_store.write(), pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("BEGIN IMMEDIATE")
    other.close()


def test_a_database_that_stays_locked_is_unavailable(
    path: Path, sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.05)
    impatient = Store(f"sqlite:///{path}")
    with locked(path), pytest.raises(StoreUnavailable, match="locked") as caught:
        put(impatient, "a")
    assert caught.value.retryable
    put(impatient, "a")
    assert names(impatient) == ["a"]
    impatient.close()


def test_a_database_that_is_locked_for_a_moment_is_waited_for(
    sqlite_store: Store, path: Path
) -> None:
    with locked(path):
        writing = threading.Thread(target=put, args=(sqlite_store, "a"), daemon=True)
        writing.start()
        writing.join(timeout=0.05)
        assert writing.is_alive()
    writing.join(timeout=30)
    assert names(sqlite_store) == ["a"]


@pytest.fixture
def new_file(path: Path) -> Path:
    """A database that is not in WAL mode yet."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE first (x)")
    return path


def test_a_new_file_that_another_process_is_preparing_is_waited_for(new_file: Path) -> None:
    """SQLite does not wait by itself for the moment to change the mode."""
    with locked(new_file):
        first = InThread(look, new_file)
        threading.Event().wait(0.05)
        assert not first.is_over()
    assert first.result() == "wal"


def test_a_new_file_that_stays_locked_is_unavailable(
    new_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.05)
    with locked(new_file), pytest.raises(StoreUnavailable, match="locked"):
        look(new_file)


def look(path: Path) -> str:
    """How the file keeps what is written, once it can be opened."""
    store = Store(f"sqlite:///{path}")
    try:
        with store.read() as connection:
            return str(connection.exec_driver_sql("PRAGMA journal_mode").scalar())
    finally:
        store.close()


def fill(store: Store) -> None:
    """Write until the file may grow no more. Each connection of SQLite has its own limit."""
    with store.write() as unit:
        pages = unit.connection.exec_driver_sql("PRAGMA page_count").scalar()
        unit.connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
        unit.execute(sa.insert(cursors).values(name="x" * 1_000_000, account="", position=1))


def test_a_full_disk_is_told_from_other_trouble_and_nothing_is_written(sqlite_store: Store) -> None:
    with pytest.raises(StoreFull, match="no room") as caught:
        fill(sqlite_store)
    assert caught.value.retryable
    assert names(sqlite_store) == []


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
        with store.write() as unit:
            row = {"name": "a", "account": "", "position": position}
            unit.execute(store.insert_new(cursors), row)
    with store.read() as connection:
        assert connection.scalars(sa.select(cursors.c.position)).all() == [1]


# -- units of work -----------------------------------------------------------------------------


def test_what_is_to_be_done_last_is_done_last_and_committed_with_the_rest(store: Store) -> None:
    done: list[str] = []
    with store.write() as unit:
        unit.before_commit(lambda: done.append("last"))
        unit.after_commit(lambda: done.append(f"after {names(store)}"))
        unit.execute(sa.insert(cursors).values(name="a", account="", position=1))
        done.append("first")
    assert done == ["first", "last", "after ['a']"]


def test_what_fails_at_the_last_leaves_nothing_behind(store: Store) -> None:
    done: list[str] = []

    def fail() -> None:
        raise RuntimeError("at the last")

    def write() -> None:
        with store.write() as unit:
            unit.execute(sa.insert(cursors).values(name="a", account="", position=1))
            unit.before_commit(fail)
            unit.after_commit(lambda: done.append("after"))

    with pytest.raises(RuntimeError, match="at the last"):
        write()
    assert names(store) == []
    assert done == []


def test_those_who_take_turns_do_so_in_every_process(store: Store, database_url: str) -> None:
    other, order = Store(database_url), []
    with store.write() as unit:
        unit.take_turns()
        waiting = InThread(_write_in_turn, other, order)
        put_within(unit, "first")
        order.append("first")
    waiting.result()
    assert order == ["first", "second"]
    other.close()


def _write_in_turn(store: Store, order: list[str]) -> None:
    with store.write() as unit:
        unit.take_turns()
        order.append("second")


def put_within(unit: Unit, name: str) -> None:
    unit.execute(sa.insert(cursors).values(name=name, account="", position=1))


@pytest.mark.parametrize("value", ["nul \0 within", 2**63])
def test_what_the_database_has_no_room_for_is_refused_for_good(
    store: Store, value: str | int
) -> None:
    name, position = (value, 1) if isinstance(value, str) else ("a", value)

    def write() -> None:
        with store.write() as unit:
            unit.execute(sa.insert(cursors).values(name=name, account="", position=position))

    if isinstance(value, str) and not store.is_postgres:
        write()  # SQLite has room for it
        return
    with pytest.raises(StoreRefused) as caught:
        write()
    assert not caught.value.retryable
    assert names(store) == []


LOCKED = """
CREATE FUNCTION locked() RETURNS trigger AS $$
BEGIN RAISE EXCEPTION 'locked' USING ERRCODE = 'lock_not_available'; END $$ LANGUAGE plpgsql;
CREATE TRIGGER locked BEFORE INSERT ON cursors FOR EACH ROW EXECUTE FUNCTION locked()
"""


def test_many_rows_that_had_to_wait_too_long_for_a_lock_are_no_outage(
    postgres_server: Server,
) -> None:
    """They go in a pipeline, in which more is under way when the server says so."""
    with postgres_server.database() as name:
        store = Store(postgres_server.url(name))
        try:
            postgres_server.execute(LOCKED, name)
            rows = [{"name": str(n), "account": "", "position": 0} for n in range(500)]
            for _ in range(20):
                with pytest.raises(StoreUnavailable, match="locked"), store.write() as unit:
                    unit.execute(sa.insert(cursors), rows)
                assert names(store) == []
        finally:
            store.close()


def test_the_text_of_an_error_holds_nothing_of_the_row(store: Store) -> None:
    row = {"name": "secret", "account": "", "position": None}
    with pytest.raises(StoreError) as caught, store.write() as unit:
        unit.execute(sa.insert(cursors), row)
    assert "position" in str(caught.value)
    assert "secret" not in str(caught.value)
