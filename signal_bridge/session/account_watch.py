"""Notices accounts that signal-cli has not loaded, and has it started anew for them.

An account whose start-up check failed (no network at boot) is left out until signal-cli is
started again (signal-cli.rst 0.7, 2.9); one that was logged out needs its owner.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from signal_bridge.clock import backoff_seconds
from signal_bridge.feed.account_book import AccountBook, read_disk
from signal_bridge.session.linker import Linker, log_qr

log = logging.getLogger(__name__)

# signal-cli may load a late account by itself; then ever longer, for it may stay away for days.
_FIRST_RESTART_SECONDS: Final = 30.0
_LONGEST_RESTART_SECONDS: Final = 4 * 3600.0
# Linking or registering writes an account to disk seconds before signal-cli lists it.
_SETTLE_SECONDS: Final = 20.0


class AccountWatch:
    """Looks at the list of accounts every few seconds, on one thread.

    `restart(why)` has signal-cli started anew; None when it is somebody else's. When there is no
    account at all, the log shows once how to link one.
    """

    def __init__(
        self,
        book: AccountBook,
        config_dir: Path,
        restart: Callable[[str], None] | None,
        linker: Linker,
    ) -> None:
        self._book = book
        self._config_dir = config_dir
        self._restart = restart
        self._linker: Linker | None = linker
        self._restarts = 0
        self._restart_at: float | None = None
        self._first_seen: dict[str, float] = {}

    def look(self, listed: frozenset[str]) -> None:
        """Compare with what is known and on disk. Raises StoreError."""
        if not listed:
            self._show_link()
        known = self._book.states()
        on_disk = self._settled_accounts(known, read_disk(self._config_dir, listed))
        missing = self._book.update(known, listed, on_disk)
        if not missing:
            self._restarts, self._restart_at = 0, None
        elif self._restart is not None:
            self._consider_restart(len(missing), self._restart)

    def _settled_accounts(
        self, known: Mapping[str, str], on_disk: dict[str, bool]
    ) -> dict[str, bool]:
        """Without those that are new on disk and may still be on their way into the list."""
        now = time.monotonic()
        self._first_seen = {number: self._first_seen.get(number, now) for number in on_disk}
        return {
            number: registered
            for number, registered in on_disk.items()
            if number in known or now - self._first_seen[number] >= _SETTLE_SECONDS
        }

    def _show_link(self) -> None:
        linker, self._linker = self._linker, None
        if linker is not None:
            linker.start_in_background("Signal Bridge", show=log_qr)

    def _consider_restart(self, missing: int, restart: Callable[[str], None]) -> None:
        if self._restart_at is None:
            wait_seconds = backoff_seconds(
                self._restarts + 1, _FIRST_RESTART_SECONDS, _LONGEST_RESTART_SECONDS
            )
            self._restart_at = time.monotonic() + wait_seconds
            log.warning(
                "signal-cli has not loaded %d accounts; restart in %.0f s", missing, wait_seconds
            )
        elif time.monotonic() >= self._restart_at:
            self._restarts, self._restart_at = self._restarts + 1, None
            restart(f"{missing} accounts are not loaded")
