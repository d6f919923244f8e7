"""Which accounts signal-cli lists, asked for by many requests at once with one call."""

from __future__ import annotations

import threading
from collections.abc import Collection
from typing import Final

from signal_bridge.errors import DaemonError, Refused
from signal_bridge.session.gateway import Gateway
from signal_bridge.signalcli import accounts

# signal-cli answers in a millisecond. For one that hangs nobody waits behind others as well.
_WAIT_SECONDS: Final = 10.0


class Listing:
    """Asks one question at a time, so that numbers that nobody knows are no flood of calls.

    Safe from any thread.
    """

    def __init__(self, gateway: Gateway, wait_seconds: float = _WAIT_SECONDS) -> None:
        self._gateway = gateway
        self._wait_seconds = wait_seconds
        self._asking = threading.Lock()  # guards what follows; held for one call, which has an end
        self._calls = 0
        self._listed: Collection[str] | None = ()

    def numbers(self) -> Collection[str] | None:
        """The accounts that signal-cli has loaded by now; None when it cannot be asked, or does
        not say (signal-cli.rst 1.6). Raises `RequestError` for an answer that is no list.

        Whoever comes while somebody asks shares the next call with all who wait for it: the one
        under way may have been answered before an account was there.
        """
        begun = self._calls
        if not self._asking.acquire(timeout=self._wait_seconds):
            return None
        try:
            if self._calls == begun:
                self._calls += 1
                self._listed = None  # if this raises, nothing was said
                self._listed = self._ask()
            return self._listed
        finally:
            self._asking.release()

    def _ask(self) -> Collection[str] | None:
        try:
            return accounts.account_numbers(self._gateway.run(accounts.list_accounts()))
        except (DaemonError, Refused):
            return None
