"""Every table of the bridge, in one place. `migrations.py` brings them into being."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

metadata: Final = sa.MetaData()

# SQLite numbers rows by itself only when the column is an INTEGER.
_Sequence = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# What signal-cli told us. `seq` is the one cursor, everywhere; numbers are never used again, so a
# cursor stays true when old events are gone.
events: Final = sa.Table(
    "events",
    metadata,
    sa.Column("seq", _Sequence, primary_key=True, autoincrement=True),
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("dedup_key", sa.Text, nullable=False, unique=True),
    sa.Column("received_at_ms", sa.BigInteger, nullable=False),
    # the JSON text {"envelope": …, "account": …} as signal-cli sent it
    sa.Column("payload", sa.LargeBinary, nullable=False),
    sa.Index("events_by_account", "account", "seq"),
    sqlite_autoincrement=True,
)

# How far each reader has got. A reader holds the lease while it reads, so that two polls for one
# account never hand out the same message.
cursors: Final = sa.Table(
    "cursors",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("lease", sa.Text, nullable=False, default=""),
    sa.Column("lease_ends_at_ms", sa.BigInteger, nullable=False, default=0),
)

# What the daemon process knows of itself, for the web workers to show.
status: Final = sa.Table(
    "status",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("since_ms", sa.BigInteger, nullable=False),
    sa.Column("beat_ms", sa.BigInteger, nullable=False),
)

schema_version: Final = sa.Table(
    "schema_version",
    metadata,
    sa.Column("version", sa.Integer, primary_key=True),
)
