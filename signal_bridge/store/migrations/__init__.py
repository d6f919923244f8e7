"""From an empty database, or one of an earlier bridge, to the tables of this one. Run at start.

    versions/0001_….py ──► versions/0002_….py ──► … ──► HEAD, what tables.py describes

A step never changes once released, and takes nothing from tables.py, which does; a new shape is a
new step. All that are missing are one transaction, on SQLite as on PostgreSQL.
"""

from __future__ import annotations

import logging
from typing import Final

import sqlalchemy as sa

from signal_bridge.store.engine import Store

# The revision of the last step. Written here so that most starts need not ask Alembic.
HEAD: Final = "0004"


def migrate(store: Store) -> None:
    """Bring the database to the newest revision. Any number of bridges may do so at once.

    Raises StoreError, or StartError when a newer bridge has used this database.
    """
    with store.read() as connection:
        if _revision(connection) == HEAD:
            return
    # What it says of its own doings, as early as while it is imported, is nothing to an operator.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    from signal_bridge.store.migrations import upgrade  # 0.1 s and 8 MB

    upgrade.bring(store, HEAD)


def _revision(connection: sa.Connection) -> str:
    """What Alembic has noted, empty when it has never seen this database."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return ""
    return str(connection.scalar(sa.text("SELECT version_num FROM alembic_version")) or "")
