"""Numbered steps from an empty database to the current tables, run at start.

A step never changes once released; a new shape is a new step. Each runs in one transaction with
the note that it ran.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

import sqlalchemy as sa

from signal_bridge.errors import StartError
from signal_bridge.store import tables
from signal_bridge.store.engine import Store

log = logging.getLogger(__name__)


def _first_tables(connection: sa.Connection) -> None:
    tables.metadata.create_all(connection)


STEPS: Final[tuple[Callable[[sa.Connection], None], ...]] = (_first_tables,)


def migrate(store: Store) -> None:
    """Bring the database to the newest version.

    Raises StoreError, or StartError when a newer bridge has used this database.
    """
    with store.write() as connection:
        tables.schema_version.create(connection, checkfirst=True)
    for number, step in enumerate(STEPS, start=1):
        _run(store, number, step)
    with store.read() as connection:
        if _version(connection) > len(STEPS):
            raise StartError("A newer Signal Bridge has used this database; install that version")


def _run(store: Store, number: int, step: Callable[[sa.Connection], None]) -> None:
    with store.write() as connection:
        if _version(connection) >= number:
            return
        step(connection)
        connection.execute(sa.insert(tables.schema_version).values(version=number))
    log.info("database brought to version %d", number)


def _version(connection: sa.Connection) -> int:
    newest = connection.scalar(sa.select(sa.func.max(tables.schema_version.c.version)))
    return int(newest or 0)
