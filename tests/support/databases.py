"""The databases that a bridge can have, and a look into that of a bridge which runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from tests.support.bridge import Bridge

SQLITE, POSTGRESQL = KINDS = ("sqlite", "postgresql")


@dataclass(frozen=True)
class Database:
    """One database, which nobody else uses.

    `settings` make a bridge use it: `start_bridge(**database.settings)`. For SQLite there are
    none, so that it is the bridge's own file, where a bridge without settings has it.
    """

    kind: str
    url: str
    settings: dict[str, str] = field(default_factory=dict)


def rows(bridge: Bridge, query: str, **values: object) -> Sequence[sa.Row[Any]]:
    """What is in the database of a bridge as it stands there now."""
    with _connection(bridge.database_url) as connection:
        return connection.execute(sa.text(query), values).all()


def change(bridge: Bridge, statement: str, **values: object) -> None:
    """Change what is in the database of a bridge, behind its back."""
    with _connection(bridge.database_url) as connection, connection.begin():
        connection.execute(sa.text(statement), values)


def _connection(url: str) -> sa.Connection:
    return sa.create_engine(url, poolclass=sa.NullPool).connect()
