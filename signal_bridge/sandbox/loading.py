"""Which accounts are loaded, and what it takes to load one (signal-cli.rst 1.6 and 4.3).

Loading an account asks the server about it. Here that fails when the command line wants it to:
`--offline-for`, `--unloadable` and `--outdated`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator
from typing import Final

from signal_bridge.sandbox.account_data import Account
from signal_bridge.sandbox.errors import StartFailure
from signal_bridge.sandbox.network import Network
from signal_bridge.sandbox.options import Options

LOAD_SECONDS: Final = 1.0
"""What the check of an account takes that fails, and that of one which is loaded late."""

_TOO_OLD: Final = "signal-cli version is too old for the Signal-Server, please update."
_CAUSE: Final = "Closed unexpectedly"

# A stack trace of the daemon's length: whoever keeps its last lines has to cope with it.
_FRAMES: Final = (
    "manager.SignalAccountFiles.loadAccount",
    "manager.SignalAccountFiles.initManagerByNumber",
    "manager.internal.MultiAccountManagerImpl.getManager",
    "jsonrpc.SignalJsonRpcCommandHandler.getManagerFromParams",
    "jsonrpc.SignalJsonRpcCommandHandler.handleRequest",
    "jsonrpc.SignalJsonRpcDispatcherHandler.lambda$handleConnection$0",
    *(f"jsonrpc.JsonRpcReader.frame{number}" for number in range(9)),
)

_start_log = logging.getLogger("MultiAccountManager")
_log = logging.getLogger("MultiAccountManagerImpl")


class Loading:
    """Loads the accounts of a network, at start and, as 0.14 does, when one is asked for."""

    def __init__(self, network: Network, options: Options) -> None:
        self._network = network
        self._options = options
        self._version = options.version
        self._started = time.monotonic()
        # Guards who is loaded: as in signal-cli, one load holds all other look-ups.
        self._lock = asyncio.Lock()

    async def start(self) -> None:
        """Load all that can be. Raises StartFailure where signal-cli would not go on without."""
        network = self._network
        network.make_first_accounts(self._options.account)
        failures = {number: why for number in network.asleep if (why := self._obstacle(number))}
        if failures:
            await asyncio.sleep(LOAD_SECONDS)
            self._refuse(failures)
        for account in [each for each in network.asleep.values() if each.number not in failures]:
            network.load(account)

    async def find(self, name: str) -> Account | None:
        """The account of a number or a UUID, loaded now if it was not and this version does that.

        Such a one is announced to no connection that is open.
        """
        async with self._lock:
            found = next(self._named(name, self._network.accounts), None)
            if found or not self._version.loads_on_use:
                return found
            asleep = next(self._named(name, self._network.asleep), None)
            _log.debug("Looking for %s", name)
            why = await self._late_obstacle(asleep)
            if asleep is None or why:
                _log.warning("Failed to load manager by number: %s\n%s", name, _trace(why))
                return None
            self._network.load(asleep, announced=False)
            return asleep

    async def loaded(self) -> list[Account]:
        """Those that are loaded, once no load is under way."""
        async with self._lock:
            return list(self._network.accounts.values())

    def can_reach_signal(self) -> bool:
        """Whether the network is there."""
        return self._seconds() >= self._options.troubles.offline_seconds

    def is_unloadable(self, number: str) -> bool:
        """Whether an account cannot be loaded for a reason of its own."""
        return self._seconds() < self._options.troubles.unloadable.get(number, 0.0)

    def _refuse(self, failures: dict[str, str]) -> None:
        outdated, only = self._options.troubles.outdated, self._options.account
        kind = "AccountCheckException" if not outdated else self._version.outdated_error
        if only is not None:
            raise StartFailure(*self._single_failure(only, *failures.values()))
        for number, why in failures.items():
            _start_log.error("Failed to load %s: %s (%s)", number, why, kind)
        if outdated:
            raise StartFailure(*self._version.outdated_exit)
        if self._version.unloaded_exit is not None:
            raise StartFailure(*self._version.unloaded_exit)

    def _single_failure(self, account: str, why: str) -> tuple[int, str]:
        if not self._options.troubles.outdated:
            return 3, why
        return 2, self._version.outdated_single.format(account=account, why=why)

    async def _late_obstacle(self, asleep: Account | None) -> str:
        if asleep is None:
            return "NotRegisteredException: User is not registered."
        await asyncio.sleep(LOAD_SECONDS)
        why = self._obstacle(asleep.number)
        return f"AccountCheckException: {why}" if why else ""

    def _obstacle(self, number: str) -> str:
        """Why an account cannot be loaded now, in the words of its check; empty if it can."""
        if self._options.troubles.outdated:
            return _TOO_OLD
        if self.can_reach_signal() and not self.is_unloadable(number):
            return ""
        return f"Error while checking account {number}: {_CAUSE}"

    def _named(self, name: str, accounts: dict[str, Account]) -> Iterator[Account]:
        by_aci = self._version.finds_account_by_aci
        for account in accounts.values():
            if account.number == name or (by_aci and account.person.aci == name):
                yield account

    def _seconds(self) -> float:
        return time.monotonic() - self._started


def _trace(why: str) -> str:
    frames = (f"\tat org.asamk.signal.{frame}" for frame in _FRAMES)
    return "\n".join((f"org.asamk.signal.manager.api.{why}", *frames))
