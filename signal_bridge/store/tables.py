"""Every table of the bridge, in one place. `migrations/` brings them into being."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from signal_bridge.clock import now_ms

metadata: Final = sa.MetaData()

# SQLite numbers rows by itself only when the column is an INTEGER.
_Sequence = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# What signal-cli told us. `seq` is the one cursor, everywhere, and it is the order of commits: who
# has seen one has seen all below it. Numbers are never used again, so a cursor stays true when old
# events are gone. Each index answers one way of reading: an account, some kinds of an account, some
# kinds of all.
events: Final = sa.Table(
    "events",
    metadata,
    sa.Column("seq", _Sequence, primary_key=True, autoincrement=True),
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    # the sender's ACI and number, empty where unknown: what `from=` looks for
    sa.Column("sender_uuid", sa.Text, nullable=False),
    sa.Column("sender_number", sa.Text, nullable=False),
    sa.Column("dedup_key", sa.Text, nullable=False, unique=True),
    sa.Column("received_at_ms", sa.BigInteger, nullable=False),
    # the JSON text {"envelope": …, "account": …} as readers get it (feed/envelope.py)
    sa.Column("payload", sa.LargeBinary, nullable=False),
    sa.Index("events_by_account", "account", "seq"),
    sa.Index("events_by_account_and_kind", "account", "kind", "seq"),
    sa.Index("events_by_kind", "kind", "seq"),
    sqlite_autoincrement=True,
)

# One row, kept with every append and every removal: counting a million events takes a second.
feed_totals: Final = sa.Table(
    "feed_totals",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("events", sa.BigInteger, nullable=False),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),  # of the payloads
)

# How far each reader has got. `account` is whose events it reads, "*" for every one, empty for a
# named consumer. `used_ms` is when it was read with, to within hours: one that nobody uses goes.
cursors: Final = sa.Table(
    "cursors",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("used_ms", sa.BigInteger, nullable=False, default=now_ms),
    sa.Index("cursors_by_account", "account"),
)

# Who alone may do something for a while: read with a cursor, be the daemon. `ends_ms` is on the
# database's own clock (leases.py). `epoch` rises with every new holder and fences what an earlier
# one writes late.
leases: Final = sa.Table(
    "leases",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("holder", sa.Text, nullable=False),
    sa.Column("epoch", sa.BigInteger, nullable=False),
    sa.Column("ends_ms", sa.BigInteger, nullable=False),  # 0 when nobody holds it
)

# Up to which seq retention has removed events of an account and kind: a cursor below it has a gap.
# The counts are of what was removed and not yet told in the feed.
pruned: Final = sa.Table(
    "pruned",
    metadata,
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("through_seq", sa.BigInteger, nullable=False),
    sa.Column("removed", sa.BigInteger, nullable=False),
    sa.Column("unread", sa.BigInteger, nullable=False),
    sa.Column("parked", sa.BigInteger, nullable=False),
    sa.Index("pruned_by_seq", "through_seq"),
)

# Every account we have seen, so that one that goes is missed.
accounts: Final = sa.Table(
    "accounts",
    metadata,
    sa.Column("number", sa.Text, primary_key=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("since_ms", sa.BigInteger, nullable=False),
)

# Who is told by HTTP, and how far each has got. `position` is the seq delivered or parked last;
# `attempt` counts the failed tries of the event after it, `next_attempt_ms` is when to try again.
# `revision` rises whenever a caller changes the row: a courier writes only over the one it read.
# `rewound` is the revision with which a caller last moved the position.
webhooks: Final = sa.Table(
    "webhooks",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("account", sa.Text, nullable=False),  # "*" is every account
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("types", sa.JSON, nullable=False),
    sa.Column("senders", sa.JSON, nullable=False),
    sa.Column("format", sa.Text, nullable=False),
    sa.Column("headers", sa.JSON, nullable=False),
    sa.Column("secret", sa.Text, nullable=False),
    sa.Column("old_secret", sa.Text, nullable=False),
    sa.Column("old_secret_ends_ms", sa.BigInteger, nullable=False),
    sa.Column("state", sa.Text, nullable=False),  # active, paused, disabled
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("next_attempt_ms", sa.BigInteger, nullable=False),
    sa.Column("failing_since_ms", sa.BigInteger, nullable=False),  # 0 while all is well
    sa.Column("revision", sa.BigInteger, nullable=False),
    sa.Column("rewound", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("account", "url", name="webhooks_account_url"),
)

# Events a webhook refused for good, kept for replay. `wanted` is set to try one again.
parked: Final = sa.Table(
    "parked",
    metadata,
    sa.Column("webhook_id", sa.Text, primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True),
    sa.Column("parked_ms", sa.BigInteger, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("wanted", sa.Boolean, nullable=False),
    sa.Index("parked_by_seq", "seq"),
)

# What was tried, newest kept: status 0 means that no answer came, and `error` says why.
attempts: Final = sa.Table(
    "attempts",
    metadata,
    sa.Column("id", _Sequence, primary_key=True, autoincrement=True),
    sa.Column("webhook_id", sa.Text, nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("at_ms", sa.BigInteger, nullable=False),
    sa.Column("duration_ms", sa.Integer, nullable=False),
    sa.Column("status", sa.Integer, nullable=False),
    sa.Column("error", sa.Text, nullable=False),
    sa.Column("answer", sa.Text, nullable=False),
    sa.Index("attempts_by_webhook", "webhook_id", "id"),
)

# Links to phones, pending and past. Whoever waits for the phone writes, everybody reads.
links: Final = sa.Table(
    "links",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("uri", sa.Text, nullable=False),
    sa.Column("device_name", sa.Text, nullable=False),
    sa.Column("started_ms", sa.BigInteger, nullable=False),
    sa.Column("state", sa.Text, nullable=False),  # pending, linked, expired, failed
    sa.Column("account", sa.Text, nullable=False),  # empty until it is linked
    sa.Column("reason", sa.Text, nullable=False),  # why it expired or failed
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
