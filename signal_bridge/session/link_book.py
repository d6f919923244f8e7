"""Links that can be watched: what became of each stands in the database.

One Gunicorn worker waits for the phone, any of them is asked how it went. A worker that dies
takes its waiting with it, so a link that is pending past its time has expired all the same.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import secrets
import threading
from collections.abc import Callable, Iterator
from typing import Final

import sqlalchemy as sa

from signal_bridge.clock import Deadline, now_ms
from signal_bridge.errors import NotFound, StoreError
from signal_bridge.session.linker import EXPIRED, PENDING, Linker, Outcome, Place
from signal_bridge.signalcli import accounts
from signal_bridge.store.bells import LINKS
from signal_bridge.store.engine import Store
from signal_bridge.store.tables import links

log = logging.getLogger(__name__)

# signal-cli waits so long for the scan (signal-cli.rst 2.4).
_SCAN_MS: Final = 100_000
# The answer of who waits may come as late as this; then nobody waits any more.
_LAST_ANSWER_MS: Final = int(accounts.FINISH_LINK_SECONDS * 1000) + 5_000
# More than can be begun before a phone is too late for the first, by far. They go by age, too
# (feed/removal.py).
MOST_KEPT: Final = 1000
# How soon a wait notices that the bridge is stopping.
_LOOK_SECONDS: Final = 1.0
_NOT_YET: Final = Outcome(PENDING)
_NOBODY_WAITS: Final = (
    "The bridge was interrupted while it waited for the phone. Start another link, "
    "unless the phone says that it was linked"
)


@dataclasses.dataclass(frozen=True)
class Link:
    """One link: its URI is good for one scan before `expires_at_ms`."""

    id: str
    uri: str
    device_name: str
    expires_at_ms: int
    outcome: Outcome = _NOT_YET

    @property
    def pending(self) -> bool:
        """Whether a phone may still come."""
        return self.outcome.state == PENDING


class LinkBook:
    """All links by id. Safe from any thread and process. Methods raise StoreError."""

    def __init__(self, store: Store, linker: Linker) -> None:
        self._store = store
        self.linker = linker

    @contextlib.contextmanager
    def begin(self, device_name: str, client: str) -> Iterator[Link]:
        """A fresh link, of which the block makes an answer; after it a phone is waited for.

        Also when the block fails: signal-cli keeps a connection to Signal open until somebody
        waits. Raises Busy, Refused with signal-cli's reason, DaemonError, or StoreError.
        """
        with self.linker.place(client) as place:
            uri = self.linker.start()
            link = Link(secrets.token_urlsafe(16), uri, device_name, now_ms() + _SCAN_MS)
            try:
                yield link
            finally:
                self._finish_in_background(place, link)

    def _finish_in_background(self, place: Place, link: Link) -> None:
        """Note the link and wait for the phone: where it cannot be noted, too."""
        try:
            self._add(link)
        finally:
            self.linker.finish_in_background(
                place,
                link.uri,
                link.device_name,
                tell=lambda outcome: self._settle(link, outcome),
            )

    def find(self, link_id: str) -> Link:
        """The link as it is now. Raises NotFound."""
        with self._store.read() as connection:
            row = connection.execute(sa.select(links).where(links.c.id == link_id)).first()
        if row is None:
            raise NotFound(f"There is no link {link_id}")
        outcome = Outcome(row.state, row.account, row.reason)
        if row.state == PENDING and now_ms() > row.started_ms + _LAST_ANSWER_MS:
            outcome = Outcome(EXPIRED, reason=_NOBODY_WAITS)
        return Link(row.id, row.uri, row.device_name, row.started_ms + _SCAN_MS, outcome)

    def wait(self, link_id: str, deadline: Deadline, closing: Callable[[], bool]) -> Link:
        """The link once it is not pending any more, or when the time is up. Raises NotFound."""
        changed = threading.Event()
        with self._store.bells.listening(LINKS, changed.set):
            while True:
                link = self.find(link_id)
                if not link.pending or deadline.expired() or closing():
                    return link
                changed.wait(min(_LOOK_SECONDS, deadline.remaining_seconds()))
                changed.clear()

    def forget_account(self, account: str) -> None:
        """Forget the links by which an account came."""
        with self._store.write() as unit:
            unit.execute(sa.delete(links).where(links.c.account == account))

    def _add(self, link: Link) -> None:
        row = {
            "id": link.id,
            "uri": link.uri,
            "device_name": link.device_name,
            "started_ms": link.expires_at_ms - _SCAN_MS,
            **dataclasses.asdict(link.outcome),
        }
        with self._store.write() as unit:
            newest = sa.select(links.c.id).order_by(links.c.started_ms.desc())
            kept = newest.limit(MOST_KEPT - 1).scalar_subquery()
            unit.execute(sa.delete(links).where(links.c.id.not_in(kept)))
            unit.execute(sa.insert(links), row)

    def _settle(self, link: Link, outcome: Outcome) -> None:
        """On the thread that waited. The device is linked whether or not this can be noted."""
        values = dataclasses.asdict(outcome)
        try:
            with self._store.write() as unit:
                unit.execute(sa.update(links).where(links.c.id == link.id).values(values))
                unit.ring(LINKS)
        except StoreError as error:
            log.warning("that a link is %s cannot be noted: %s", outcome.state, error)
