"""Leases of their own, totals of the feed, gaps by kind, revisions of webhooks.

Tables that get another shape are made anew and filled from a copy: it is the one way that SQLite
and PostgreSQL share, and the names of keys come out as in a new database.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

# The kinds of events that 0.1.0 knew: signal-cli's, and those of the bridge itself.
_SIGNAL_KINDS = (
    "message",
    "edit",
    "reaction",
    "delete",
    "story",
    "sync",
    "call",
    "receipt",
    "typing",
    "error",
    "other",
)
_OWN_KINDS = (
    "account.linked",
    "account.unlinked",
    "account.missing",
    "account.rate_limited",
    "daemon.restarted",
    "feed.pruned",
    "webhook.disabled",
    "webhook.parked",
    "webhook.test",
)


def upgrade() -> None:
    """Leases, the totals that bound the feed, and whose each cursor is."""
    op.create_table(
        "leases",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("ends_ms", sa.BigInteger, nullable=False),
    )
    _total_the_feed()
    _tell_whose_cursors()
    _tell_kinds_of_gaps()
    _number_revisions_of_webhooks()
    op.create_index("events_by_account_and_kind", "events", ["account", "kind", "seq"])
    op.create_index("events_by_kind", "events", ["kind", "seq"])
    op.create_index("parked_by_seq", "parked", ["seq"])
    op.drop_table("schema_version")


def _total_the_feed() -> None:
    op.create_table(
        "feed_totals",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("events", sa.BigInteger, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
    )
    op.execute(
        "INSERT INTO feed_totals (id, events, size_bytes) "
        "SELECT 1, count(*), coalesce(sum(length(payload)), 0) FROM events"
    )


def _tell_whose_cursors() -> None:
    """The name says it: a way of reading and the account, or `consumer` and a name."""
    op.execute("CREATE TABLE old_cursors AS SELECT * FROM cursors")
    op.drop_table("cursors")
    op.create_table(
        "cursors",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
    )
    op.create_index("cursors_by_account", "cursors", ["account"])
    op.execute(
        "INSERT INTO cursors (name, account, position) SELECT name, CASE"
        " WHEN name LIKE 'poll:%' THEN substr(name, 6)"
        " WHEN name LIKE 'websocket:%' THEN substr(name, 11)"
        " WHEN name LIKE 'sse:%' THEN substr(name, 5)"
        " WHEN name LIKE 'events:%' THEN substr(name, 8)"
        " ELSE '' END, position FROM old_cursors"
    )
    op.drop_table("old_cursors")


def _tell_kinds_of_gaps() -> None:
    """A gap of an account was of any kind; what belongs to no account is the bridge's own."""
    op.execute("CREATE TABLE old_pruned AS SELECT * FROM pruned")
    op.drop_table("pruned")
    op.create_table(
        "pruned",
        sa.Column("account", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("through_seq", sa.BigInteger, nullable=False),
        sa.Column("removed", sa.BigInteger, nullable=False),
        sa.Column("unread", sa.BigInteger, nullable=False),
        sa.Column("parked", sa.BigInteger, nullable=False),
    )
    op.create_index("pruned_by_seq", "pruned", ["through_seq"])
    fill = sa.text(
        "INSERT INTO pruned (account, kind, through_seq, removed, unread, parked) "
        "SELECT account, :kind, through_seq, 0, 0, 0 FROM old_pruned WHERE account <> '' OR :own"
    )
    for kind in (*_SIGNAL_KINDS, *_OWN_KINDS):
        op.execute(fill.bindparams(kind=kind, own=kind in _OWN_KINDS))
    op.drop_table("old_pruned")


def _number_revisions_of_webhooks() -> None:
    """Also, the key of account and URL gets a name, so that a later step can speak of it."""
    op.execute("CREATE TABLE old_webhooks AS SELECT * FROM webhooks")
    op.drop_table("webhooks")
    op.create_table(
        "webhooks",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("types", sa.JSON, nullable=False),
        sa.Column("senders", sa.JSON, nullable=False),
        sa.Column("format", sa.Text, nullable=False),
        sa.Column("headers", sa.JSON, nullable=False),
        sa.Column("secret", sa.Text, nullable=False),
        sa.Column("old_secret", sa.Text, nullable=False),
        sa.Column("old_secret_ends_ms", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("next_attempt_ms", sa.BigInteger, nullable=False),
        sa.Column("failing_since_ms", sa.BigInteger, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("rewound", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("account", "url", name="webhooks_account_url"),
    )
    op.execute("INSERT INTO webhooks SELECT old_webhooks.*, 0, 0 FROM old_webhooks")
    op.drop_table("old_webhooks")
