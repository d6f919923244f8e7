"""Who is subscribed to what, and one receive loop per account that hands messages out.

Written to every subscriber in turn, each waiting for its socket: a client that does not read stops
the loop of an account, as with signal-cli, and the account's mailbox is bounded. What was handed to
a client that dies is gone (signal-cli.rst 1.7 to 1.9).
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from signal_bridge.sandbox import errors
from signal_bridge.sandbox.account_data import Account
from signal_bridge.sandbox.mailbox import Envelope
from signal_bridge.sandbox.network import Network
from signal_bridge.sandbox.options import Options, ReceiveMode
from signal_bridge.sandbox.people import now_ms
from signal_bridge.sandbox.protocol import encode_line, notification


class Client(Protocol):
    """The end of a connection that takes lines."""

    async def send(self, line: bytes) -> None:
        """Write a line, and return when there is room for the next."""


@dataclass(frozen=True)
class Subscription:
    """One client's wish for the messages of some accounts, by number.

    What it brings names its id for the accounts in `wrapped`.
    """

    id: int
    client: Client
    accounts: set[str]
    wrapped: set[str] = field(default_factory=set)

    def renumber(self, old: str, new: str) -> None:
        """An account has another number now."""
        for numbers in (self.accounts, self.wrapped):
            if old in numbers:
                numbers.discard(old)
                numbers.add(new)

    def extend(self, number: str) -> None:
        """An account that came later is in it, too, wrapped whatever the others are."""
        self.accounts.add(number)
        self.wrapped.add(number)


class Deliveries:
    """The subscriptions of this process, and the receive loops."""

    def __init__(self, network: Network, options: Options) -> None:
        self.ids = itertools.count()
        self._network = network
        self._mode = options.receive_mode
        self._extends = options.version.extends_subscriptions
        self._clients: set[Client] = set()
        self._subscriptions: dict[int, Subscription] = {}
        self._loops: dict[str, asyncio.Task[None]] = {}
        network.on_added.append(self._add_account)
        network.on_removed.append(self._remove_account)
        network.on_renumbered.append(self._renumber_account)

    def add_client(self, client: Client) -> None:
        """A connection begins: it is subscribed to everything, unless the mode is manual."""
        self._clients.add(client)
        self._subscribe_internally(client, self._network.accounts)

    def remove_client(self, client: Client) -> None:
        """A connection has ended, and all its subscriptions with it."""
        self._clients.discard(client)
        kept = {key: each for key, each in self._subscriptions.items() if each.client != client}
        self._subscriptions = kept

    def subscribe(self, client: Client, accounts: Iterable[str], explicit: bool = True) -> int:
        """The id of a new one; ids count up from 0 for the process (signal-cli.rst 1.8)."""
        numbers = set(accounts)
        wrapped = set(numbers) if explicit else set()
        subscription = Subscription(next(self.ids), client, numbers, wrapped)
        self._subscriptions[subscription.id] = subscription
        self._wake(subscription.accounts)
        return subscription.id

    def unsubscribe(self, client: Client, subscription_id: int) -> None:
        """End a subscription. Raises RpcError (-1) for an id that is not of this client."""
        found = self._subscriptions.get(subscription_id)
        if found is None or found.client != client:
            raise errors.user_error("Unknown subscription id")
        del self._subscriptions[subscription_id]

    def unsubscribe_only(self, client: Client, number: str) -> None:
        """Remove one subscription that covers just this account, if there is one."""
        covering = (each for each in self._subscriptions_to(number) if each.client == client)
        found = next((each for each in covering if each.accounts == {number}), None)
        if found:
            del self._subscriptions[found.id]

    async def receive(self, account: Account, pause: float, limit: int) -> list[dict[str, Any]]:
        """The RPC `receive` (signal-cli.rst 2.5): collect until `pause` seconds brought nothing."""
        if account.receiving or self._is_receiving(account):
            text = "Receive command cannot be used if messages are already being received."
            raise errors.user_error(text)
        with _mark_receiving(account), contextlib.suppress(TimeoutError):
            received: list[dict[str, Any]] = []
            while limit < 0 or len(received) < limit:
                if not account.mailbox:
                    await asyncio.wait_for(_wait_for_mail(account), None if pause < 0 else pause)
                received.append(await self._hand_out_next(account))
        account.changed.set()
        return received

    async def stop(self) -> None:
        """End all receive loops, and wait until they have."""
        for loop in self._loops.values():
            loop.cancel()
        await asyncio.gather(*self._loops.values(), return_exceptions=True)

    def _add_account(self, account: Account) -> None:
        self._loops[account.number] = asyncio.create_task(self._loop(account))
        if not account.announced:
            return
        for each in self._subscriptions.values() if self._extends else ():
            each.extend(account.number)
        for client in self._clients:
            self._subscribe_internally(client, [account.number])

    def _remove_account(self, account: Account) -> None:
        self._loops.pop(account.number).cancel()
        for each in self._subscriptions.values():
            each.accounts.discard(account.number)
            each.wrapped.discard(account.number)

    def _renumber_account(self, account: Account, old: str) -> None:
        self._loops[account.number] = self._loops.pop(old)
        for each in self._subscriptions.values():
            each.renumber(old, account.number)

    def _subscribe_internally(self, client: Client, accounts: Iterable[str]) -> None:
        """The automatic modes subscribe each connection to everything, unasked."""
        if self._mode is ReceiveMode.MANUAL:
            return
        self.subscribe(client, accounts, explicit=False)
        self._wake(self._network.accounts)

    def _subscriptions_to(self, number: str) -> list[Subscription]:
        return [each for each in self._subscriptions.values() if number in each.accounts]

    def _is_receiving(self, account: Account) -> bool:
        if self._mode is ReceiveMode.MANUAL or not account.announced:
            return bool(self._subscriptions_to(account.number))
        return self._mode is ReceiveMode.ON_START or bool(self._clients)

    async def _loop(self, account: Account) -> None:
        while True:
            await _wait_for_mail(account)
            if self._is_receiving(account) and not account.receiving:
                await self._hand_out_next(account)
            else:
                account.changed.clear()
                await account.changed.wait()

    async def _hand_out_next(self, account: Account) -> dict[str, Any]:
        received: Envelope = account.mailbox.take()
        received["serverDeliveredTimestamp"] = now_ms()
        trouble = {key: received.pop(key) for key in ["exception"] if key in received}
        params = {**trouble, "envelope": received, "account": account.number}
        for each in self._subscriptions_to(account.number):
            wrapped = account.number in each.wrapped
            line = notification("receive", params, each.id if wrapped else None)
            await each.client.send(encode_line(line))
        self._network.acknowledge(account, received)
        return params

    def _wake(self, accounts: Iterable[str]) -> None:
        for number in accounts:
            self._network.accounts[number].changed.set()


async def _wait_for_mail(account: Account) -> None:
    """Wait until there is something in the mailbox."""
    while not account.mailbox:
        account.changed.clear()
        await account.changed.wait()


@contextlib.contextmanager
def _mark_receiving(account: Account) -> Iterator[None]:
    account.receiving = True
    try:
        yield
    finally:
        account.receiving = False
