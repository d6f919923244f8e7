"""A signal-cli that has not loaded all of its accounts (signal-cli.rst 0.7, 1.6).

    with UnloadingDaemon(accounts=[ANN, BOB]) as daemon:
        daemon.unload(ANN, lazily=True)     # as 0.14 after a start without a network
        ...                                 # BOB works; each call for ANN fails, and holds up BOB's
        daemon.has_network.set()            # the next call for ANN loads it

Without `lazily` it is 0.13: no call ever loads the account, `load` does.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.support.scripted_daemon import (
    Answer,
    Connection,
    Request,
    ScriptedDaemon,
    error,
    receive_line,
)

_NO_SUCH_ACCOUNT = error(-32602, "Specified account does not exist")


class UnloadingDaemon(ScriptedDaemon):
    """Requests run at once, each on a thread, as in signal-cli.

    `held` is set while an account is being loaded; a test may hold that up by clearing `go_on`.
    """

    def __init__(self, accounts: Iterable[str] = (), unix_path: Path | None = None) -> None:
        super().__init__(accounts, unix_path)
        self.has_network = threading.Event()
        self.held = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()
        self._lazily = False
        self._unloaded: set[str] = set()
        # As signal-cli's: a look-up of an account, and the list of them, wait for a load to end.
        self._managers = threading.RLock()
        # Who receives for which accounts: those that were loaded when it subscribed.
        self._receives: dict[Connection, frozenset[str]] = {}
        # What Signal keeps for accounts that nobody receives for.
        self._kept: list[tuple[str, dict[str, Any]]] = []

    def unload(self, number: str, lazily: bool) -> None:
        with self._managers:
            self._lazily = lazily
            self._unloaded.add(number)
            self.accounts.remove(number)

    def load(self, number: str) -> None:
        with self._managers:
            self._unloaded.discard(number)
            self.accounts.append(number)

    def uses_of(self, number: str) -> list[str]:
        """The methods of the requests so far that named the account."""
        return [one.method for one in self.requests if _account(one) == number]

    def arrives(self, account: str, envelope: dict[str, Any]) -> None:
        """Somebody wrote to the account: it is told when somebody receives for it."""
        with self._managers:
            self._kept.append((account, envelope))
            self._deliver()

    # -- inside --------------------------------------------------------------------------------

    def answer(self, connection: Connection, request: Request, scripted: Answer | None) -> None:
        arguments = (connection, request, scripted)
        threading.Thread(target=self._answer, args=arguments, daemon=True).start()

    def _answer(self, connection: Connection, request: Request, scripted: Answer | None) -> None:
        if request.method == "version":
            super().answer(connection, request, scripted)
            return
        with self._managers:
            found = self._find(_account(request))
            if found:
                super().answer(connection, request, scripted)
            if request.method == "subscribeReceive":
                self._receives[connection] = frozenset(self.accounts)
                self._deliver()
        if not found:
            _NO_SUCH_ACCOUNT(connection, request)

    def _find(self, number: str | None) -> bool:
        """Whether the account is loaded, after 0.14 has tried to."""
        if number is None or number not in self._unloaded:
            return True
        if not self._lazily:
            return False
        self.held.set()
        self.go_on.wait(30)
        self.held.clear()
        if self.has_network.is_set():
            self.load(number)
        return self.has_network.is_set()

    def _deliver(self) -> None:
        kept, self._kept = self._kept, []
        for account, envelope in kept:
            receiving = [c for c in self._receiving() if account in self._receives.get(c, ())]
            for connection in receiving:
                connection.write(receive_line(account, envelope))
            if not receiving:
                self._kept.append((account, envelope))


def _account(request: Request) -> str | None:
    return request.params.get("account") if isinstance(request.params, dict) else None
