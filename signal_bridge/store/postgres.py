"""The engine for PostgreSQL: every wait has an end, and a bounded number of connections.

Imported only when a URL asks for it: the driver costs 50 ms and 10 MB that SQLite need not pay.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from typing import Any, Final

import psycopg
import sqlalchemy as sa
from psycopg.pq import TransactionStatus

from signal_bridge.errors import StoreUnavailable
from signal_bridge.store.bells import TOPICS

# A server has 100 by default: room for a daemon, four workers and those who look after it.
CONNECTIONS: Final = 8
# How long a request waits for a free connection: when it takes longer, the database is away.
POOL_SECONDS: Final = 2.0
CONNECT_SECONDS: Final = 3
# Nothing that is asked takes longer than a few milliseconds; the server gives up a little sooner.
ANSWER_SECONDS: Final = 5.0
_PREPARE: Final = (
    "SET statement_timeout = '4s'; SET lock_timeout = '4s'; "
    "SET idle_in_transaction_session_timeout = '10s'"
)
# Finds out when the other side has gone without a word (libpq's connection parameters).
_KEEPALIVE: Final = {
    "connect_timeout": CONNECT_SECONDS,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
    "application_name": "signal-bridge",
}
_READ_ONLY: Final = "25006"  # read_only_sql_transaction


class LimitedConnection(psycopg.Connection[Any]):
    """A connection that waits `limit_seconds` for an answer, and is closed when none came."""

    limit_seconds: float = ANSWER_SECONDS

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """As psycopg's, which every exchange with the server goes through."""
        limit = self.limit_seconds if timeout is None else timeout
        try:
            return super().wait(gen, interval, limit)
        except psycopg.OperationalError as error:
            # What the server says has a code, and ends what was asked, though in a pipeline more
            # may follow. Without one, and while that goes on, the time was up.
            is_late = timeout is None and error.sqlstate is None
            if is_late and self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.close()
            raise


def make_engine(url: sa.URL) -> sa.Engine:
    """At most CONNECTIONS connections, each looked at before it is used again."""
    # Of each connection that is lost it would log a traceback; who used it says so in a sentence.
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)
    engine = sa.create_engine(
        url,
        pool_pre_ping=True,
        pool_size=CONNECTIONS,
        max_overflow=0,
        pool_timeout=POOL_SECONDS,
        pool_use_lifo=True,
    )
    sa.event.listen(engine, "do_connect", _connect)
    sa.event.listen(engine, "connect", _prepare)
    sa.event.listen(engine, "handle_error", _notice_lost)
    return engine


@contextlib.contextmanager
def patient(connection: sa.Connection, seconds: float) -> Iterator[None]:
    """Within the block one statement of this transaction may take this long."""
    raw: Any = connection.connection.dbapi_connection
    connection.exec_driver_sql(f"SET LOCAL statement_timeout = {round(seconds * 1000)}")
    raw.limit_seconds = seconds + 1
    try:
        yield
    finally:
        del raw.limit_seconds


def _connect(_dialect: Any, _record: Any, args: Any, params: dict[str, Any]) -> Any:
    return LimitedConnection.connect(*args, **{**_KEEPALIVE, **params})


def _prepare(connection: Any, _record: Any) -> None:
    connection.execute(_PREPARE)
    connection.commit()


def _notice_lost(context: Any) -> None:
    """A server that became read-only is another one: what was connected before is of no use.

    So is one that did not answer in time. The pool forgets all of its connections then.
    """
    if getattr(context.original_exception, "sqlstate", None) == _READ_ONLY:
        context.is_disconnect = True


# -- bells -------------------------------------------------------------------------------------

_CHANNEL: Final = "signal_bridge"


def ring(connection: sa.Connection, topic: str) -> None:
    """As part of the transaction: nobody hears of what was not committed."""
    connection.execute(sa.select(sa.func.pg_notify(_CHANNEL, topic)))


class NotifyEar:
    """LISTEN on a connection of its own."""

    def __init__(self, engine: sa.Engine) -> None:
        """`engine` is one that commits by itself: else a transaction holds back what it is told.

        Raises sa.exc.DBAPIError when the server is away, or goes while it is asked.
        """
        with engine.connect() as connection:
            connection.exec_driver_sql(f"LISTEN {_CHANNEL}")
            connection.detach()
            self._connection: Any = connection.connection.dbapi_connection
            # Detached, it would be closed with the block.
            connection.connection.dbapi_connection = None  # type: ignore[misc]

    def fileno(self) -> int:
        """The connection's socket."""
        return int(self._connection.fileno())

    def heard(self) -> set[str]:
        """Raises StoreUnavailable when the connection has ended."""
        try:
            return {one.payload for one in self._connection.notifies(timeout=0)} & set(TOPICS)
        except psycopg.Error as error:
            raise StoreUnavailable(f"The database's notifications ended: {error}") from error

    def close(self) -> None:
        """End the connection."""
        self._connection.close()
