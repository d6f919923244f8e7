"""The engine for SQLite: WAL, a commit that returned survives a power cut, writers in turn."""

from __future__ import annotations

import sqlite3
import time
from typing import Any, Final

import sqlalchemy as sa

from signal_bridge.clock import Deadline

# How long a writer waits for another before it gives up. Writes here take milliseconds.
BUSY_SECONDS: Final = 5.0
# Reads take microseconds and writers go one by one, so that more would only cost memory.
CONNECTIONS: Final = 8
_LOOK_MS: Final = 3
# After a checkpoint the log shrinks to this again.
_LOG_BYTES: Final = 16 * 2**20
# What is removed leaves free pages. So many stay, for what is written next; the file gives up so
# many at once, in milliseconds.
_SPARE_PAGES: Final = 256
_GIVEN_BACK_PAGES: Final = 256
_INCREMENTAL: Final = 2


def make_engine(url: sa.URL) -> sa.Engine:
    """At most CONNECTIONS connections, made when they are needed."""
    engine = sa.create_engine(
        url,
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
        pool_size=CONNECTIONS,
        max_overflow=0,
        pool_timeout=BUSY_SECONDS,
        pool_use_lifo=True,
    )
    sa.event.listen(engine, "connect", _prepare)
    sa.event.listen(engine, "begin", _begin)
    return engine


def clock_ms() -> int:
    """The clock of leases: since boot, the same for every process, and nobody can set it back."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000


def pages_to_give_back(connection: sa.Connection) -> int:
    """How many free pages the file has too many; 0 where it can give up none.

    That is so in a file which was made without auto_vacuum.
    """
    if _number(connection, "auto_vacuum") != _INCREMENTAL:
        return 0
    return max(0, _number(connection, "freelist_count") - _SPARE_PAGES)


def give_back(connection: sa.Connection, pages: int) -> bool:
    """Shorten the file, by some of `pages`. Whether there are more. As part of a transaction."""
    some = min(pages, _GIVEN_BACK_PAGES)
    raw: Any = connection.connection.dbapi_connection
    for _ in range(some):  # a page each: SQLite gives a row for every one, and Python takes one
        raw.execute("PRAGMA incremental_vacuum(1)")
    return pages > some


def settle(connection: sa.Connection) -> bool:
    """Write from the log into the database what no reader keeps there. Outside transactions.

    False when so much stays that the log grows beyond its usual size.
    """
    row = connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)").one()
    _busy, logged, written = (int(number) for number in row)
    return (logged - written) * _number(connection, "page_size") <= _LOG_BYTES


def _number(connection: sa.Connection, pragma: str) -> int:
    return int(connection.exec_driver_sql(f"PRAGMA {pragma}").scalar_one())


def _prepare(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we begin transactions ourselves, below
    connection.execute("PRAGMA auto_vacuum=INCREMENTAL")  # of an empty file; else it has no effect
    _use_log(connection)
    connection.execute(f"PRAGMA journal_size_limit={_LOG_BYTES}")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.create_function("bridge_clock_ms", 0, clock_ms)


def _use_log(connection: sqlite3.Connection) -> None:
    """Have the file in WAL mode, in which it stays.

    Nobody else may use it for that moment, and SQLite does not wait for them: so those who open a
    new file at once try again.
    """
    deadline = Deadline(BUSY_SECONDS)
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if not _is_busy(error) or deadline.expired():
                raise
            time.sleep(_LOOK_MS / 1000)
        else:
            return


def _begin(connection: sa.Connection) -> None:
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
        return _is_busy(error)
    return False


def _is_busy(error: sqlite3.OperationalError) -> bool:
    return error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
