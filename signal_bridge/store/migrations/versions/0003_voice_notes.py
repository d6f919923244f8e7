"""Payloads are normalised as they arrive: attachments of those that came before are so, too.

Until now `isVoiceNote: false` was put, at each reading, where an attachment lacks it. Only what
has such an attachment is written again, and the total of the feed follows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import orjson
import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

# So many payloads are read at once; with what becomes of them, three times as many are held.
_BATCH = 20
_HOLD_ATTACHMENTS = frozenset({"attachments", "image", "thumbnail", "fileAttachment"})
# Neither database knows the other's word for it. In a JSON string the quotes would have
# backslashes: this finds members alone.
_HAS_ATTACHMENT = {
    "sqlite": "instr(payload, CAST('\"contentType\":' AS BLOB)) > 0",
    "postgresql": "position('\"contentType\":'::bytea in payload) > 0",
}
_events = sa.table("events", sa.column("seq", sa.BigInteger), sa.column("payload", sa.LargeBinary))
_totals = sa.table("feed_totals", sa.column("size_bytes", sa.BigInteger))


def upgrade() -> None:
    """Events that are stored already are as those that come: an attachment says what it is."""
    connection = op.get_bind()
    grown_bytes, after = 0, 0
    while rows := _next_rows(connection, after):
        after = rows[-1].seq
        grown_bytes += _write_again(connection, rows)
    size_bytes = _totals.c.size_bytes + grown_bytes
    connection.execute(sa.update(_totals).values(size_bytes=size_bytes))


def _next_rows(connection: sa.Connection, after: int) -> Sequence[Any]:
    has_attachment = sa.text(_HAS_ATTACHMENT[connection.dialect.name])
    query = sa.select(_events).where(_events.c.seq > after, has_attachment)
    return connection.execute(query.order_by(_events.c.seq).limit(_BATCH)).all()


def _write_again(connection: sa.Connection, rows: Sequence[Any]) -> int:
    """Those that need it. By how many bytes they have grown."""
    new = {row.seq: _normalise(row.payload) for row in rows}
    changed = [
        {"this": row.seq, "new": new[row.seq]} for row in rows if new[row.seq] != row.payload
    ]
    if not changed:
        return 0
    this = _events.c.seq == sa.bindparam("this")
    statement = sa.update(_events).where(this).values(payload=sa.bindparam("new"))
    connection.execute(statement, changed)
    return sum(len(new[row.seq]) - len(row.payload) for row in rows)


def _normalise(payload: bytes) -> bytes:
    try:
        body = orjson.loads(payload)
    except orjson.JSONDecodeError:  # nothing that a bridge wrote; it stays
        return payload
    silent = list(_silent_attachments(body.get("envelope"))) if isinstance(body, dict) else []
    for attachment in silent:
        attachment["isVoiceNote"] = False
    return orjson.dumps(body) if silent else payload


def _silent_attachments(value: Any) -> Iterator[dict[str, Any]]:
    """Those in an envelope that do not say whether they are a voice note."""
    if isinstance(value, list):
        for item in value:
            yield from _silent_attachments(item)
    if not isinstance(value, dict):
        return
    for key, item in value.items():
        if key in _HOLD_ATTACHMENTS:
            yield from filter(_is_silent, item if isinstance(item, list) else [item])
        yield from _silent_attachments(item)


def _is_silent(item: Any) -> bool:
    return (
        isinstance(item, dict)
        and {"contentType", "id"} <= item.keys()
        and "isVoiceNote" not in item
    )
