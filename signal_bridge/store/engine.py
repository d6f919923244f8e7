"""The one database engine, and the seam where its errors become ours.

SQLite in WAL mode with `synchronous=FULL` is the default: a commit that returned survives a power
cut. PostgreSQL is the same tables behind another URL. No other module holds an engine.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.dialects import sqlite

from signal_bridge.clock import Deadline
from signal_bridge.errors import StoreError, StoreFull, StoreUnavailable

# How long a writer waits for another before it gives up. Writes here take milliseconds.
BUSY_SECONDS: Final = 5.0
_LOOK_MS: Final = 3


class Store:
    """A database. Safe from any thread; every block takes a connection of its own.

    Raises StoreUnavailable when the URL cannot be used.
    """

    def __init__(self, url: str) -> None:
        try:
            self._engine = _make_engine(url)
        except (exc.ArgumentError, exc.NoSuchModuleError, ImportError) as error:
            raise StoreUnavailable(f"BRIDGE_DATABASE_URL cannot be used: {error}") from error
        except ValueError:  # its text quotes what stands where the port belongs: a password, maybe
            raise StoreUnavailable("BRIDGE_DATABASE_URL cannot be used: bad port") from None
        self._reading = self._engine.execution_options(isolation_level="AUTOCOMMIT")

    @contextlib.contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction: committed at the end of the block, or not at all.

        Raises StoreFull or StoreUnavailable; after either, nothing of the block was written.
        """
        with _translated(), self._engine.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A connection for reading. Raises StoreUnavailable."""
        with _translated(), self._reading.connect() as connection:
            yield connection

    def insert_new(self, table: sa.Table) -> sa.Insert:
        """An INSERT that leaves rows alone whose unique key is there already."""
        if self._engine.dialect.name == "sqlite":
            return sqlite.insert(table).on_conflict_do_nothing()
        from sqlalchemy.dialects import postgresql  # 50 ms and 5 MB that SQLite need not pay

        return postgresql.insert(table).on_conflict_do_nothing()

    def close(self) -> None:
        self._engine.dispose()


def _make_engine(url: str) -> sa.Engine:
    parsed = sa.make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return sa.create_engine(parsed, pool_pre_ping=True, pool_size=4, max_overflow=60)
    engine = sa.create_engine(
        parsed,
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
        pool_size=4,
        max_overflow=60,
        pool_timeout=BUSY_SECONDS,
    )
    sa.event.listen(engine, "connect", _prepare_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we begin transactions ourselves, below
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")


def _begin_sqlite(connection: sa.Connection) -> None:
    """Take the write lock at once: a reader that becomes a writer cannot wait, it fails.

    SQLite naps for up to 100 ms between two looks at the lock, so that one who writes now and
    then is starved for seconds by one who writes all the time. Here it looks every few.
    """
    if connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT":
        return
    raw: Any = connection.connection.dbapi_connection
    deadline = Deadline(BUSY_SECONDS)
    _set_patience(raw, _LOOK_MS)
    try:
        while _is_locked(raw) and not deadline.expired():
            continue
        if not raw.in_transaction:
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # raises, in SQLAlchemy's terms
    finally:
        _set_patience(raw, round(BUSY_SECONDS * 1000))


def _set_patience(raw: Any, wait_ms: int) -> None:
    raw.execute(f"PRAGMA busy_timeout={wait_ms}")


def _is_locked(raw: Any) -> bool:
    """Begin, unless another has the lock. Any other error is left to who comes next."""
    try:
        raw.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        return error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
    return False


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (exc.DBAPIError, exc.TimeoutError) as error:
        raise _store_error(error) from error


def _store_error(error: exc.SQLAlchemyError) -> StoreError:
    text = str(getattr(error, "orig", None) or error)
    if "disk is full" in text or "No space left" in text:
        return StoreFull("There is no room left on the disk of the bridge's database")
    return StoreUnavailable(f"The bridge's database cannot be used: {text}")
