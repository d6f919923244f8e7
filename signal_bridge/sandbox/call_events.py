"""Who is told of telephone calls: `subscribeCallEvents`, and the notification `callEvent`.

Since 0.14.2 (signal-cli.rst 1.8). A subscription has its id from the same counter as those of
messages, and all of them extend to accounts that come later.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from signal_bridge.sandbox import errors
from signal_bridge.sandbox.account_data import Account, PhoneCall
from signal_bridge.sandbox.deliveries import Client, Subscription
from signal_bridge.sandbox.network import Network
from signal_bridge.sandbox.protocol import encode_line, notification


class CallEvents:
    """The subscriptions to calls of this process."""

    def __init__(self, network: Network, ids: Iterator[int]) -> None:
        self._ids = ids
        self._subscriptions: dict[int, Subscription] = {}
        network.on_added.append(self._add_account)
        network.on_removed.append(lambda account: self._discard(account.number))
        network.on_renumbered.append(self._renumber_account)

    def subscribe(self, client: Client, accounts: Iterable[str]) -> int:
        """The id of a new one, for accounts by number."""
        subscription = Subscription(next(self._ids), client, set(accounts))
        self._subscriptions[subscription.id] = subscription
        return subscription.id

    def unsubscribe(self, client: Client, subscription_id: int) -> None:
        """End a subscription. Raises RpcError (-1) for an id that is not of this client."""
        found = self._subscriptions.get(subscription_id)
        if found is None or found.client != client:
            raise errors.user_error("Unknown subscription id")
        del self._subscriptions[subscription_id]

    def remove_client(self, client: Client) -> None:
        """A connection has ended, and all its subscriptions with it."""
        kept = {key: each for key, each in self._subscriptions.items() if each.client != client}
        self._subscriptions = kept

    def is_heard(self, account: Account) -> bool:
        """Whether anybody is told of an account's calls; else it does not ring."""
        return any(account.number in each.accounts for each in self._subscriptions.values())

    async def tell(self, account: Account, call: PhoneCall, reason: str | None = None) -> None:
        """A call of an account has another state; `reason` says why it ended."""
        event = event_json(call, reason)
        for each in list(self._subscriptions.values()):
            if account.number in each.accounts:
                line = notification("callEvent", event, each.id)
                await each.client.send(encode_line(line))

    def _add_account(self, account: Account) -> None:
        for each in self._subscriptions.values() if account.announced else ():
            each.accounts.add(account.number)

    def _discard(self, number: str) -> None:
        for each in self._subscriptions.values():
            each.accounts.discard(number)

    def _renumber_account(self, account: Account, old: str) -> None:
        for each in self._subscriptions.values():
            each.renumber(old, account.number)


def event_json(call: PhoneCall, reason: str | None) -> dict[str, Any]:
    """`callEvent`, in which what is not known is not there."""
    devices = dict(zip(("inputDeviceName", "outputDeviceName"), call.devices, strict=False))
    return {
        "callId": call.id,
        "state": call.state,
        "number": call.other.number,
        "uuid": call.other.aci,
        "isOutgoing": call.is_outgoing,
        **devices,
        **({"reason": reason} if reason else {}),
    }
