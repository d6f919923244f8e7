"""Cursors say when they were used last, so that those nobody uses can go.

The table is made anew and filled from a copy, so that it is written as in a new database.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_USED_NOW = {
    "sqlite": "UPDATE cursors SET used_ms = CAST(strftime('%s', 'now') AS INTEGER) * 1000",
    "postgresql": "UPDATE cursors SET used_ms = extract(epoch FROM clock_timestamp()) * 1000",
}


def upgrade() -> None:
    """Those that are there count as used now."""
    op.execute("CREATE TABLE old_cursors AS SELECT * FROM cursors")
    op.drop_table("cursors")
    op.create_table(
        "cursors",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("used_ms", sa.BigInteger, nullable=False),
    )
    op.create_index("cursors_by_account", "cursors", ["account"])
    op.execute(
        "INSERT INTO cursors (name, account, position, used_ms) "
        "SELECT name, account, position, 0 FROM old_cursors"
    )
    op.drop_table("old_cursors")
    op.execute(_USED_NOW[op.get_bind().dialect.name])
