"""How long events and received files are kept, and what is said before they go."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from signal_bridge.clock import now_ms, pause
from signal_bridge.errors import StoreError
from signal_bridge.inbox.own import own_event
from signal_bridge.inbox.store import Inbox
from signal_bridge.settings import Settings
from signal_bridge.store.engine import Store
from signal_bridge.store.tables import cursors, events, parked, pruned

log = logging.getLogger(__name__)

_EVERY_SECONDS: Final = 600.0
_DAY_MS: Final = 86_400_000
_PAGE: Final = 1000


class Retention:
    """Removes what is older or larger than the settings allow. 0 means without a limit."""

    def __init__(self, settings: Settings, store: Store, inbox: Inbox) -> None:
        self._settings = settings
        self._store = store
        self._inbox = inbox

    def run(self, stop: threading.Event) -> None:
        """On thread `retention`, at start and every ten minutes until `stop`."""
        while True:
            try:
                self.prune_events()
            except StoreError as error:
                log.warning("old events cannot be removed now: %s", error)
            self.prune_attachments()
            if pause(_EVERY_SECONDS, stop):
                return

    def prune_events(self) -> None:
        """Remove old events, and those above the size, oldest first. Raises StoreError.

        What nobody has read, and what waits parked for a webhook, is counted and told in the
        feed and in the log; a reader whose cursor is older is told of the gap.
        """
        through = max(self._too_old(), self._too_many())
        if not through:
            return
        with self._store.write() as connection:
            reports = [
                _report(connection, account, through) for account in _held(connection, through)
            ]
            for report in reports:
                _remember_gap(self._store, connection, report["account"], report["through"])
            connection.execute(sa.delete(events).where(events.c.seq <= through))
            connection.execute(sa.delete(parked).where(parked.c.seq <= through))
        for report in reports:
            loud = report["unread"] or report["parked"]
            log.log(
                logging.WARNING if loud else logging.INFO, "events removed: %s", _counts(report)
            )
        self._inbox.append([own_event("feed.pruned", **report) for report in reports])

    def prune_attachments(self) -> None:
        """Remove old received files, and the oldest above the size."""
        files = sorted(_files_in(self._settings.attachments_dir), key=lambda file: file[1])
        days, limit_bytes = (
            self._settings.keep_attachment_days,
            self._settings.keep_attachment_bytes,
        )
        oldest = now_ms() / 1000 - days * 86_400 if days else 0.0
        total_bytes = sum(size_bytes for _path, _modified, size_bytes in files)
        for path, modified, size_bytes in files:
            if modified >= oldest and not (limit_bytes and total_bytes > limit_bytes):
                break
            path.unlink(missing_ok=True)
            total_bytes -= size_bytes

    def _too_old(self) -> int:
        """The newest seq that is older than allowed, 0 for none."""
        if not self._settings.keep_days:
            return 0
        before = now_ms() - self._settings.keep_days * _DAY_MS
        query = sa.select(sa.func.max(events.c.seq)).where(events.c.received_at_ms < before)
        with self._store.read() as connection:
            return int(connection.scalar(query) or 0)

    def _too_many(self) -> int:
        """The seq up to which events have to go for the rest to fit, 0 for none."""
        limit_bytes = self._settings.keep_bytes
        if not limit_bytes:
            return 0
        size = sa.func.length(events.c.payload)
        with self._store.read() as connection:
            excess = int(connection.scalar(sa.select(sa.func.sum(size))) or 0) - limit_bytes
            through = 0
            while excess > 0:
                query = sa.select(events.c.seq, size).where(events.c.seq > through)
                for seq, size_bytes in connection.execute(
                    query.order_by(events.c.seq).limit(_PAGE)
                ):
                    through, excess = seq, excess - size_bytes
                    if excess <= 0:
                        break
        return through


def _held(connection: sa.Connection, through: int) -> list[str]:
    query = sa.select(events.c.account).where(events.c.seq <= through).distinct()
    return list(connection.scalars(query))


def _report(connection: sa.Connection, account: str, through: int) -> dict[str, Any]:
    """What goes of one account: how much, and how much of it nobody has dealt with."""
    going = sa.and_(events.c.account == account, events.c.seq <= through)
    read_up_to = connection.scalar(
        sa.select(sa.func.max(cursors.c.position)).where(cursors.c.name.endswith(f":{account}"))
    )
    count = sa.select(sa.func.count()).select_from(events)
    unread = connection.scalar(count.where(going, events.c.seq > (read_up_to or 0)))
    waiting = connection.scalar(
        sa.select(sa.func.count())
        .select_from(parked.join(events, parked.c.seq == events.c.seq))
        .where(going)
    )
    return {
        "account": account,
        "through": connection.scalar(sa.select(sa.func.max(events.c.seq)).where(going)),
        "removed": connection.scalar(count.where(going)),
        "unread": unread,
        "parked": waiting,
    }


def _remember_gap(store: Store, connection: sa.Connection, account: str, through: int) -> None:
    connection.execute(store.insert_new(pruned), {"account": account, "through_seq": through})
    connection.execute(
        sa.update(pruned).where(pruned.c.account == account).values(through_seq=through)
    )


def _counts(report: dict[str, Any]) -> str:
    return f"{report['removed']}, {report['unread']} unread, {report['parked']} parked"


def _files_in(directory: Path) -> Iterator[tuple[Path, float, int]]:
    """Regular files directly in the directory, with time and size."""
    if not directory.is_dir():
        return
    for path in directory.iterdir():
        if path.is_file() and not path.is_symlink():
            status = path.stat()
            yield path, status.st_mtime, status.st_size
