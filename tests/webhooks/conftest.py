"""A database with a feed, receivers, and couriers that are stopped at the end."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from signal_bridge.inbox.envelope import arrival_of
from signal_bridge.inbox.store import Inbox
from signal_bridge.store.engine import Store
from signal_bridge.store.migrations import migrate
from signal_bridge.webhooks.addresses import Rules
from signal_bridge.webhooks.couriers import Couriers
from signal_bridge.webhooks.registry import Registry
from signal_bridge.webhooks.webhook import Webhook
from tests.support import eventually
from tests.webhooks.receiver import Receiver

ACCOUNT = "+4915112345"
SENDER = "+4917000000"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path}/bridge.db")
    migrate(store)
    yield store
    store.close()


@pytest.fixture
def receive() -> Iterator[Callable[[], Receiver]]:
    """Makes receivers."""
    receivers: list[Receiver] = []

    def make() -> Receiver:
        receivers.append(Receiver())
        return receivers[-1]

    yield make
    for one in receivers:
        one.close()


@pytest.fixture
def receiver(receive: Callable[[], Receiver]) -> Receiver:
    return receive()


class Desk:
    """The feed, the registry and the couriers over one database."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.inbox = Inbox(store)
        self.registry = Registry(store, Rules())
        self._couriers: Couriers | None = None
        self._times = itertools.count(1)

    def register(self, url: str, account: str = ACCOUNT, **fields: Any) -> Webhook:
        return self.registry.create(account, {"url": url, **fields})[0]

    def get(self, webhook: Webhook) -> Webhook:
        return self.registry.get(webhook.account, webhook.id)

    def tell(self, *texts: str, account: str = ACCOUNT, sender: str = SENDER) -> None:
        """Text messages arrive."""
        self.arrive(*({"dataMessage": {"message": text}} for text in texts), account=account,
                    sender=sender)  # fmt: skip

    def arrive(
        self, *contents: dict[str, Any], account: str = ACCOUNT, sender: str = SENDER
    ) -> None:
        """Envelopes with this content arrive."""
        self.inbox.append(
            [
                arrival_of(
                    {
                        "account": account,
                        "envelope": {
                            "source": sender,
                            "sourceNumber": sender,
                            "timestamp": next(self._times),
                            **content,
                        },
                    }
                )
                for content in contents
            ]
        )

    def start(self, waits_seconds: tuple[float, ...] = (0.01,) * 20) -> None:
        self._couriers = Couriers(self.store, Inbox(self.store), Rules(), waits_seconds)
        self._couriers.start()

    def stop(self) -> None:
        if self._couriers is not None:
            self._couriers.stop()
            self._couriers = None

    def wait_position(self, webhook: Webhook, position: int) -> None:
        """Until everything up to `position` is dealt with, and that is written down."""
        eventually(
            lambda: self.get(webhook).position >= position,
            20,
            lambda: f"position {position}, not {self.get(webhook)}",
        )


@pytest.fixture
def desk(store: Store) -> Iterator[Desk]:
    desk = Desk(store)
    yield desk
    desk.stop()
