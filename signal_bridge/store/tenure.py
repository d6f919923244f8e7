"""The one daemon of a database: whoever holds this lease receives, delivers and cleans up.

A second one waits until the first is gone, and takes over within LEASE_SECONDS of its death. One
that finds it has lost the lease must stop at once: what it still writes is refused (`fence`).
"""

from __future__ import annotations

import logging
import secrets
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from signal_bridge.clock import Deadline, pause
from signal_bridge.errors import StartError, StoreError
from signal_bridge.store.engine import Store
from signal_bridge.store.leases import LEASE_SECONDS, Lease, Leases
from signal_bridge.threads import Loop

log = logging.getLogger(__name__)

DAEMON: Final = "daemon"
_RETRY_SECONDS: Final = 1.0


def node_name(path: Path) -> str:
    """The name of the bridge whose data directory this is, made once. Raises StartError.

    It is the same after a restart, so that a bridge need not wait for what it held when it died.
    """
    try:
        if known := read_node_name(path):
            return known
        name = f"{socket.gethostname()}-{secrets.token_hex(3)}"
        new = path.with_name(f".{path.name}.new")
        new.write_text(name, encoding="utf-8")
        new.replace(path)
    except OSError as error:
        raise StartError(f"{path} cannot be written: {error.strerror}") from error
    return name


def read_node_name(path: Path) -> str:
    """The name if there is one, else empty. Raises OSError."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()[:200]
    except FileNotFoundError:
        return ""


class Tenure:
    """The lease of the one daemon, for the bridge called `node`.

    `lost(sentence)` is called on thread `tenure` when another bridge has it by now.
    """

    def __init__(self, store: Store, node: str, lost: Callable[[str], None]) -> None:
        self._store = store
        self._leases = Leases(store)
        self._node = node
        self._lost = lost
        self._ended = threading.Event()
        self._lease: Lease | None = None
        self._loop = Loop("tenure", self._renew, self._ended)

    @property
    def lease(self) -> Lease:
        """For those who fence what they write."""
        if self._lease is None:
            raise AssertionError("the lease has not been taken")
        return self._lease

    def take(self) -> bool:
        """Take the lease if it is free, and keep it from now on. Raises StoreError."""
        with self._store.write() as unit:
            self._lease = self._leases.take(unit, DAEMON, self._node)
        if self._lease is None:
            return False
        self._loop.start()
        return True

    def wait(self, stop: threading.Event) -> bool:
        """Wait for the lease, however long. False when `stop` was set before.

        A stop is noticed at the next look, within seconds.
        """
        told = ""
        while not stop.is_set():
            try:
                if self.take():
                    return True
                holder = self._leases.holder(DAEMON)
                if holder and holder != told:
                    log.warning("%s", waiting_for(holder))
                    told = holder
                self._leases.wait_until(
                    lambda: stop.is_set() or self._is_free(), Deadline(LEASE_SECONDS)
                )
            except StoreError as error:
                log.warning("whether another bridge is at work cannot be found out: %s", error)
                pause(_RETRY_SECONDS, stop)
        return False

    def end(self) -> None:
        """Let the next one in."""
        self._ended.set()
        self._loop.join(LEASE_SECONDS / 3)
        if self._lease is None:
            return
        try:
            with self._store.write() as unit:
                self._leases.release(unit, self._lease)
        except StoreError as error:
            log.warning("another bridge has to wait for %.0f s: %s", LEASE_SECONDS, error)

    def _is_free(self) -> bool:
        return not self._leases.holder(DAEMON)

    def _renew(self) -> None:
        """On thread `tenure`."""
        if pause(self.lease.renew_seconds, self._ended):
            return
        if not self._leases.renew(self.lease):
            self._ended.set()
            self._lost(waiting_for(self._leases.holder(DAEMON) or "unknown"))


def waiting_for(holder: str) -> str:
    """What to say while another bridge has the lease."""
    return f"another Signal Bridge ({holder}) serves this database; this one waits until it ends"
