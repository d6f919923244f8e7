"""One call of a method: what it was given and what it may touch."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from signal_bridge.sandbox import errors
from signal_bridge.sandbox.account_data import Account
from signal_bridge.sandbox.attachments import Storage
from signal_bridge.sandbox.call_events import CallEvents
from signal_bridge.sandbox.deliveries import Client, Deliveries
from signal_bridge.sandbox.linking import Linking
from signal_bridge.sandbox.loading import Loading
from signal_bridge.sandbox.network import Network
from signal_bridge.sandbox.options import Options
from signal_bridge.sandbox.params import Params
from signal_bridge.sandbox.telephone import Telephone
from signal_bridge.sandbox.versions import Version


@dataclass(frozen=True)
class World:
    """All there is in one process."""

    options: Options
    network: Network
    loading: Loading
    deliveries: Deliveries
    call_events: CallEvents
    linking: Linking
    telephone: Telephone
    storage: Storage
    ended: asyncio.Event


@dataclass(frozen=True)
class Call:
    """One call. `values` are the parameters as they came, for commands that are not map-style."""

    world: World
    client: Client
    values: Any
    given_account: Account | None = None
    given_number: str | None = None

    @property
    def params(self) -> Params:
        """The parameters by name. Raises RpcError (-32600) when an array of them came."""
        if isinstance(self.values, list):
            raise errors.not_a_map()
        return Params(self.values or {})

    @property
    def network(self) -> Network:
        """People and groups, the same for all accounts."""
        return self.world.network

    @property
    def version(self) -> Version:
        """The signal-cli that is imitated."""
        return self.world.options.version

    @property
    def guarded(self) -> Path | None:
        """Where no attachment may come from; None if it may come from everywhere."""
        data = (self.world.options.config / "data").resolve()
        return data if self.version.guards_its_data else None

    @property
    def account(self) -> Account:
        """The account that the call is for. Raises RpcError (-32602) when it names none."""
        if self.given_account is None:
            raise errors.no_account()
        return self.given_account

    @property
    def number(self) -> str:
        """The number of a registration: any string that is no loaded account."""
        if self.given_number is None:
            raise errors.no_account()
        return self.given_number


Handler = Callable[[Call], Any]
"""Does the work of a method. Its result, or what awaiting the result gives, is the answer."""
