"""Databases with very many events, on disk, made in bulk: by the product's own tables.

Every event is a message that came in the last days. One account has a twentieth of them, so that
a page of it is full in a small feed, too; the others have what is left, in turn.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa

from bench.daemon import account
from signal_bridge.feed.envelope import arrival_of
from signal_bridge.store.engine import Store
from signal_bridge.store.migrations import migrate
from signal_bridge.store.tables import events, feed_totals
from tests.support.postgres import DURABLE, Server, own_server

SQLITE, POSTGRESQL = KINDS = ("SQLite", "PostgreSQL")
ACCOUNTS = 200
BUSY = account(0)
# Of so many events one is of the busy account.
BUSY_ONE_IN = 20

# With indexes, and what the databases write to their logs on the way.
_BYTES_PER_EVENT = 4000
_SPARE_BYTES = 2 * 2**30
_BATCH = 20_000
_CACHE_KIB = 256 * 1024
_DAYS_MS = 20 * 86_400_000
_TEXT = "What a message says that is neither short nor very long, as they are. " * 4
_COLUMNS = tuple(column.name for column in events.c if column.name != "seq")


@dataclass(frozen=True)
class Place:
    """Where one bridge has its data, and its database."""

    home: Path
    url: str
    settings: dict[str, str]


class Databases:
    """Makes places for bridges, whose databases are all of one kind."""

    def __init__(self, kind: str, directory: Path, server: Server | None) -> None:
        self.kind = kind
        self._directory = directory
        self._server = server

    @contextlib.contextmanager
    def place(self, count: int = 0) -> Iterator[Place]:
        """With a database of so many events, which is gone at the end of the block."""
        home = Path(tempfile.mkdtemp(dir=self._directory))
        (home / "bridge").mkdir()
        try:
            with self._database(home) as place:
                _fill(place.url, count)
                yield place
        finally:
            shutil.rmtree(home, ignore_errors=True)

    @contextlib.contextmanager
    def _database(self, home: Path) -> Iterator[Place]:
        if self._server is None:
            yield Place(home, f"sqlite:///{home}/bridge/bridge.db", {})
            return
        with self._server.database() as name:
            url = self._server.url(name)
            yield Place(home, url, {"BRIDGE_DATABASE_URL": url})


@contextlib.contextmanager
def databases(kind: str, most_events: int) -> Iterator[Databases]:
    """In a directory on disk that is gone at the end of the block.

    Raises RuntimeError when there is no room for them, or no PostgreSQL.
    """
    directory = _disk(most_events * _BYTES_PER_EVENT + _SPARE_BYTES)
    with tempfile.TemporaryDirectory(prefix="sb-bench-", dir=directory) as below:
        os.chmod(below, 0o755)  # PostgreSQL runs as another user
        with contextlib.ExitStack() as stack:
            server = None
            if kind == POSTGRESQL:
                if not is_there(kind):
                    raise RuntimeError("PostgreSQL is not installed (Debian: postgresql)")
                server = stack.enter_context(own_server(options=DURABLE, below=Path(below)))
            yield Databases(kind, Path(below), server)


def is_there(kind: str) -> bool:
    """Whether databases of this kind can be made on this machine."""
    return kind == SQLITE or any(Path("/usr/lib/postgresql").glob("*/bin/initdb"))


def _disk(needed_bytes: int) -> Path:
    """A directory for temporary files that is on a disk, with so much room."""
    named = os.environ.get("BENCH_DIR")
    candidates = [Path(named)] if named else [Path(tempfile.gettempdir()), Path("/var/tmp")]
    on_disk = [one for one in candidates if one.is_dir() and not _is_in_memory(one)]
    for one in on_disk:
        if shutil.disk_usage(one).free >= needed_bytes:
            return one
    raise RuntimeError(
        f"{needed_bytes / 2**30:.1f} GiB on a disk are needed; "
        f"there are less in {', '.join(map(str, on_disk)) or 'memory'}: set BENCH_DIR"
    )


def _is_in_memory(path: Path) -> bool:
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    above = [(len(where), kind) for _what, where, kind, *_rest in mounts if _is_below(path, where)]
    return max(above)[1] in ("tmpfs", "ramfs")


def _is_below(path: Path, where: str) -> bool:
    return path.resolve().is_relative_to(where)


# -- filling ---------------------------------------------------------------------------------------


def _fill(url: str, count: int) -> None:
    store = Store(url)
    migrate(store)
    store.close()
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    insert = _copy if engine.dialect.name == "postgresql" else _insert
    size_bytes = 0
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql(f"PRAGMA cache_size=-{_CACHE_KIB}")
            connection.exec_driver_sql("PRAGMA synchronous=OFF")
        for first in range(0, count, _BATCH):
            batch = [_row(number, count) for number in range(first, min(first + _BATCH, count))]
            insert(connection, batch)
            size_bytes += sum(len(row["payload"]) for row in batch)
            connection.commit()
        connection.execute(sa.update(feed_totals).values(events=count, size_bytes=size_bytes))
        connection.commit()
    _settle(engine)


def _row(number: int, count: int) -> dict[str, Any]:
    """Event `number` of `count`, as the bridge would have stored it."""
    at_ms = int(time.time() * 1000) - _DAYS_MS * (count - number) // count
    arrival = arrival_of({"envelope": _envelope(number, at_ms), "account": _account_of(number)})
    return {
        "account": arrival.account,
        "kind": arrival.kind,
        "sender_uuid": arrival.sender_uuid,
        "sender_number": arrival.sender_number,
        "dedup_key": arrival.dedup_key,
        "received_at_ms": at_ms,
        "payload": arrival.payload,
    }


def _account_of(number: int) -> str:
    return BUSY if number % BUSY_ONE_IN == 0 else account(1 + number % (ACCOUNTS - 1))


def _envelope(number: int, at_ms: int) -> dict[str, Any]:
    sender = 1 + number % 50
    return {
        "source": f"+49151{sender:08d}",
        "sourceNumber": f"+49151{sender:08d}",
        "sourceUuid": f"11111111-2222-4333-8444-{sender:012d}",
        "sourceName": "Somebody",
        "sourceDevice": 1,
        "timestamp": at_ms,
        "serverReceivedTimestamp": at_ms + 1,
        "serverDeliveredTimestamp": at_ms + 2,
        "dataMessage": {
            "timestamp": at_ms,
            "message": f"{_TEXT}{number}",
            "expiresInSeconds": 0,
            "viewOnce": False,
        },
    }


def _insert(connection: sa.Connection, batch: Sequence[dict[str, Any]]) -> None:
    connection.execute(sa.insert(events), batch)


def _copy(connection: sa.Connection, batch: Sequence[dict[str, Any]]) -> None:
    raw: Any = connection.connection.dbapi_connection
    into = psycopg.sql.SQL(", ").join(map(psycopg.sql.Identifier, _COLUMNS))
    statement = psycopg.sql.SQL("COPY {} ({}) FROM STDIN").format(
        psycopg.sql.Identifier(events.name), into
    )
    with raw.cursor() as cursor, cursor.copy(statement) as copy:
        for row in batch:
            copy.write_row([row[name] for name in _COLUMNS])


def _settle(engine: sa.Engine) -> None:
    """What a database would do by itself before long: it is not to be in what is measured."""
    statements = ["PRAGMA wal_checkpoint(TRUNCATE)"]
    if engine.dialect.name == "postgresql":
        statements = ["VACUUM (ANALYZE)", "CHECKPOINT"]
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    os.sync()
