"""The one database, and the seam where its errors become ours.

SQLite in WAL mode with `synchronous=FULL` is the default: a commit that returned survives a power
cut. PostgreSQL is the same tables behind another URL; what differs stands in `sqlite.py` and
`postgres.py`.

What belongs together is written in one unit of work, `Store.write`: the state, the event that
tells of it (`Unit.before_commit`), and the bells that wake who waits for either.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.dialects import sqlite as sqlite_dialect

from signal_bridge.errors import StoreError, StoreFull, StoreRefused, StoreUnavailable
from signal_bridge.store import sqlite
from signal_bridge.store.bells import Bells, Ear, Files
from signal_bridge.store.outage import Outage

# Appends to the feed are made one after the other, so that its numbers are in order of commits.
_FEED_LOCK: Final = 0x5B_FEED
# Two who register the same webhook at once get the same one. Taken before anything else is.
WEBHOOKS_LOCK: Final = 0x5B_3B00
# Two who make cursors at once count each other's. Taken before anything else is.
CURSORS_LOCK: Final = 0x5B_C0C0
# Somebody who waits for a connection has waited for about as long.
_BUSY_SECONDS: Final = 2.0
# What PostgreSQL says to who will not get in by asking again.
_FOR_GOOD: Final = ("authentication failed", "does not exist", "no pg_hba.conf entry")


class Unit:
    """One transaction: everything in it is committed together, or nothing is."""

    def __init__(self, store: Store, connection: sa.Connection) -> None:
        self.connection = connection
        self._store = store
        self._topics: set[str] = set()
        self._last: list[Callable[[], object]] = []
        self._after: list[Callable[[], object]] = []

    def execute(self, statement: sa.Executable, rows: Any = None) -> sa.CursorResult[Any]:
        """Run a statement, for each of `rows` if there are any."""
        return self.connection.execute(statement, rows)

    def scalar(self, statement: sa.Executable) -> Any:
        """The first column of the first row, None without one."""
        return self.connection.scalar(statement)

    def before_commit(self, work: Callable[[], object]) -> None:
        """Do `work` as the last thing: what takes a lock that everybody needs is held briefly.

        And nobody who holds it waits for another lock.
        """
        self._last.append(work)

    def after_commit(self, work: Callable[[], object]) -> None:
        """Do `work` once everything is on disk; not at all when it is not."""
        self._after.append(work)

    def ring(self, topic: str) -> None:
        """Wake who listens to `topic`, in every process, once everything is on disk."""
        self._topics.add(topic)

    def take_turns(self, lock: int = _FEED_LOCK) -> None:
        """Wait for the transaction of every other that has called this to end."""
        if self._store.is_postgres:  # SQLite has one writer anyway
            self.execute(sa.select(sa.func.pg_advisory_xact_lock(lock)))

    def go_on_from(self, column: sa.Column[int], value: int) -> None:
        """The next number that `column` gets by itself is above `value`.

        SQLite's file cannot go back in time behind our back, so that its always are.
        """
        if not self._store.is_postgres:
            return
        name = sa.func.pg_get_serial_sequence(column.table.name, column.name)
        self.execute(sa.select(sa.func.setval(name, value)))

    def _finish(self) -> None:
        for work in self._last:
            work()
        if self._store.is_postgres:
            from signal_bridge.store import postgres

            for topic in self._topics:
                postgres.ring(self.connection, topic)

    def _after_commit(self) -> None:
        for work in self._after:
            work()
        if self._store.files is not None:
            for topic in self._topics:
                self._store.files.ring(topic)


class Store:
    """A database. Safe from any thread; every block takes a connection of its own.

    `bells` tells of changes, whichever process made them. Raises StoreUnavailable when the URL
    cannot be used.
    """

    def __init__(self, url: str) -> None:
        try:
            parsed = sa.make_url(url)
            self.is_postgres = parsed.get_backend_name() == "postgresql"
            self._engine = _make_engine(parsed)
        except (exc.ArgumentError, exc.NoSuchModuleError, ImportError) as error:
            raise StoreUnavailable(f"BRIDGE_DATABASE_URL cannot be used: {error}") from error
        except ValueError:  # its text quotes what stands where the port belongs: a password, maybe
            raise StoreUnavailable("BRIDGE_DATABASE_URL cannot be used: bad port") from None
        self._reading = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        self._outage = Outage()
        self.files = None if self.is_postgres else _files(parsed)
        self.bells = Bells(self._ear)

    @contextlib.contextmanager
    def write(self) -> Iterator[Unit]:
        """A unit of work: committed at the end of the block, or not at all.

        Raises StoreFull, StoreRefused or StoreUnavailable; after any, nothing of the block was
        written.
        """
        with self._as_store_errors():
            with self._transaction() as connection:
                unit = Unit(self, connection)
                yield unit
                unit._finish()
            unit._after_commit()

    @contextlib.contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A connection for reading. Raises StoreUnavailable."""
        with self._as_store_errors(), self._connection(self._reading) as connection:
            yield connection

    def insert_new(self, table: sa.Table) -> Any:
        """An INSERT that leaves rows alone whose unique key is there already."""
        return self.insert(table).on_conflict_do_nothing()

    def insert(self, table: sa.Table) -> Any:
        """An INSERT of the database's own dialect: `on_conflict_do_update` and the like."""
        if not self.is_postgres:
            return sqlite_dialect.insert(table)
        from sqlalchemy.dialects import postgresql  # 50 ms and 5 MB that SQLite need not pay

        return postgresql.insert(table)

    @property
    def clock_ms(self) -> sa.ColumnElement[int]:
        """The clock that every process which uses this database shares, for leases alone.

        PostgreSQL's own; for SQLite the machine's, since boot.
        """
        if not self.is_postgres:
            return sa.func.bridge_clock_ms(type_=sa.BigInteger)
        seconds = sa.extract("epoch", sa.func.clock_timestamp())
        return sa.cast(seconds * 1000, sa.BigInteger)

    @contextlib.contextmanager
    def patient(self, unit: Unit, seconds: float) -> Iterator[None]:
        """Within the block a statement of `unit` may take so long; else a few seconds."""
        if not self.is_postgres:
            yield
            return
        from signal_bridge.store import postgres

        with postgres.patient(unit.connection, seconds):
            yield

    def give_back(self) -> bool:
        """Give room of what was removed back to the file system, a little at a time.

        True while there is more. PostgreSQL does by itself what can be done. Raises StoreError.
        """
        if self.is_postgres:
            return False
        with self.read() as connection:
            pages = sqlite.pages_to_give_back(connection)
        if not pages:
            return False
        with self.write() as unit:
            return sqlite.give_back(unit.connection, pages)

    def settle(self) -> bool:
        """Whether who writes much may go on: else he waits, since a long reader makes a log grow.

        PostgreSQL looks after its own. Raises StoreUnavailable.
        """
        if self.is_postgres:
            return True
        with self.read() as connection:
            return sqlite.settle(connection)

    def close(self) -> None:
        """End the bells and all connections that nobody uses."""
        self.bells.close()
        self._engine.dispose()

    def _ear(self) -> Ear | None:
        if not self.is_postgres:
            return None if self.files is None else self.files.ear()
        from signal_bridge.store import postgres

        with self._as_store_errors():
            self._outage.check()
            return postgres.NotifyEar(self._reading)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sa.Connection]:
        with self._connection(self._engine) as connection, connection.begin():
            yield connection

    @contextlib.contextmanager
    def _connection(self, engine: sa.Engine) -> Iterator[sa.Connection]:
        self._outage.check()
        with engine.connect() as connection:
            self._outage.ended()
            yield connection

    def _is_away(self, error: exc.SQLAlchemyError) -> bool:
        """Whether the database does not answer at all: no connection, or no answer in time.

        That no connection became free says so only when nobody got an answer meanwhile.
        """
        if isinstance(error, exc.TimeoutError):
            return not self._outage.answered_within(_BUSY_SECONDS)
        if not isinstance(error, exc.OperationalError):
            return False
        return error.connection_invalidated or error.statement is None  # there was no connection

    @contextlib.contextmanager
    def _as_store_errors(self) -> Iterator[None]:
        """An error of the database, as what the caller experiences."""
        try:
            yield
        except (exc.DBAPIError, exc.TimeoutError) as error:
            store_error = _store_error(error)
            if self.is_postgres and self._is_away(error):
                self._outage.began(str(store_error))
            raise store_error from error
        except (OverflowError, UnicodeEncodeError) as error:  # the driver's, about a value
            raise StoreRefused(f"The bridge's database cannot hold this: {error}") from error


def _make_engine(url: sa.URL) -> sa.Engine:
    if url.get_backend_name() == "sqlite":
        return sqlite.make_engine(url)
    from signal_bridge.store import postgres

    return postgres.make_engine(url)


def _files(url: sa.URL) -> Files | None:
    """The bells of a SQLite database; none for one in memory."""
    in_memory = not url.database or url.database == ":memory:"
    return None if in_memory else Files(Path(str(url.database)))


def _store_error(error: exc.SQLAlchemyError) -> StoreError:
    # The first line alone: PostgreSQL quotes the row below it, with all that is secret in it.
    text = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
    if "disk is full" in text or "No space left" in text:
        return StoreFull("There is no room left on the disk of the bridge's database")
    if isinstance(error, exc.TimeoutError):
        return StoreUnavailable("The bridge's database is busy or away: no connection became free")
    if isinstance(error, exc.DataError):
        return StoreRefused(f"The bridge's database cannot hold this: {text}")
    unavailable = StoreUnavailable(f"The bridge's database cannot be used: {text}")
    unavailable.retryable = not any(words in text for words in _FOR_GOOD)
    return unavailable
